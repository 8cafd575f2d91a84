package hubspot

import (
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"slices"
)

// stateVersion grows when what SaveState writes changes in a way that older
// readers cannot skip.
const stateVersion = 1

// stateChunk is how many records are written at a time.
const stateChunk = 10_000

// The saved forms. A file is one savedAccount, then for each table one savedTable
// and its records in chunks, then one savedPair for each pair with links or labels.
type savedAccount struct {
	Version       int
	PortalID      int64
	Random        []byte
	Sources       []source
	Owners        []Owner
	Tokens        []TokenInfo
	Blocked       []string
	LastNumber    int64
	LastTypeID    int64
	LastAppID     int64
	LastOwnerID   int64
	LastSchemaID  int64
	Tables, Pairs int
	Apps          []App
	Grants        []grant
	LastSecret    uint64
	Lists         []savedList
	LastListID    int64
	// Projects, Webhooks and Further, the number of accounts that follow, are in the
	// first account of a file only.
	Projects []ProjectApp
	Webhooks savedHooks
	Further  int
}

type savedTable struct {
	Name       string
	TypeID     string
	FullName   string
	Groups     []PropertyGroup
	Properties []savedProperty
	Pipelines  []savedPipeline
	Schema     *savedSchema
	Merged     map[int64]int64
	History    map[int64][]revision
	LastID     int64
	Records    int
}

type savedProperty struct {
	Property
	HubSpotDefined, Archived         bool
	CreatedAt, UpdatedAt, ArchivedAt int64
	CreatedUserID                    string
}

type savedPipeline struct {
	Pipeline
	CreatedAt, UpdatedAt int64
	StageMore            []savedStage
}

type savedStage struct {
	CreatedAt, UpdatedAt int64
	More                 [][2]string
}

type savedSchema struct {
	Schema
	ID, CreatedAt, UpdatedAt int64
	Archived                 bool
	Associations             []savedAssociation
}

type savedAssociation struct {
	ID       string
	From, To int
	Name     string
}

type savedRecord struct {
	ID, Created, Modified, ArchivedAt int64
	Source                            uint32
	Packed                            string
}

type savedPair struct {
	From, To int
	Types    []savedType
	Links    map[int64][]savedLink
}

type savedType struct {
	ID         int
	Category   string
	Label      string
	Name       string
	Slug       string
	Standard   bool
	Primary    bool
	Removed    bool
	InverseBit int
}

type savedLink struct {
	To    int64
	Types uint64
}

// SaveState writes all of the account: records, history, associations,
// definitions, owners, apps and tokens; and then the accounts beside it.
// Rate-limit windows, call logs, sessions and events on their way are not part of it. Calls go on
// while it writes; it shows one moment of each account.
func (s *Server) SaveState(w io.Writer) error {
	out := gob.NewEncoder(w)
	accounts := s.directory.list()
	for _, account := range accounts {
		if err := account.saveAccount(out, len(accounts)-1, s.ProjectApps(), s.directory.hooks.save()); err != nil {
			return err
		}
	}
	return nil
}

func (s *Server) saveAccount(out *gob.Encoder, further int, projects []ProjectApp, webhooks savedHooks) error {
	account, tables, records, pairs, err := s.snapshot()
	if err != nil {
		return err
	}
	account.Further, account.Projects, account.Webhooks = further, projects, webhooks
	if err := out.Encode(account); err != nil {
		return fmt.Errorf("write the HubSpot account: %w", err)
	}
	for i, t := range tables {
		if err := out.Encode(t); err != nil {
			return fmt.Errorf("write object type %s: %w", t.Name, err)
		}
		for chunk := range slices.Chunk(records[i], stateChunk) {
			saved := make([]savedRecord, len(chunk))
			for j, r := range chunk {
				saved[j] = savedRecord{r.id, r.created, r.modified, r.archivedAt, r.source, r.packed}
			}
			if err := out.Encode(saved); err != nil {
				return fmt.Errorf("write records of %s: %w", t.Name, err)
			}
		}
	}
	for _, p := range pairs {
		if err := out.Encode(p); err != nil {
			return fmt.Errorf("write associations: %w", err)
		}
	}
	return nil
}

// snapshot copies what can change; records never do.
func (s *Server) snapshot() (account savedAccount, tables []savedTable, records [][]*record, pairs []savedPair, err error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	account = savedAccount{Version: stateVersion, PortalID: s.config.PortalID, Sources: slices.Clone(s.sources),
		Blocked: slices.Collect(maps.Keys(s.blocked)), LastNumber: s.lastNumber, LastTypeID: s.lastTypeID, LastAppID: s.lastAppID,
		LastOwnerID: s.lastOwnerID, LastSchemaID: s.lastSchemaID, Tables: len(s.tables)}
	if account.Random, err = s.generator.MarshalBinary(); err != nil {
		return account, nil, nil, nil, fmt.Errorf("write the random source: %w", err)
	}
	for _, o := range s.owners {
		account.Owners = append(account.Owners, *o)
	}
	for _, t := range s.tokenOrder {
		account.Tokens = append(account.Tokens, t.TokenInfo)
	}
	for _, a := range s.apps {
		account.Apps = append(account.Apps, a.App)
	}
	for _, g := range s.grants {
		account.Grants = append(account.Grants, *g)
	}
	account.LastSecret, account.LastListID = s.lastSecret, s.lastListID
	for _, l := range s.lists {
		account.Lists = append(account.Lists, l.save())
	}
	for _, t := range s.tables {
		tables = append(tables, t.save())
		records = append(records, slices.Concat(t.records, t.archived))
		for _, other := range s.tables {
			p := s.pair(t, other)
			if len(p.types) > 0 {
				pairs = append(pairs, p.save())
			}
		}
	}
	account.Pairs = len(pairs)
	return account, tables, records, pairs, nil
}

func (t *table) save() savedTable {
	out := savedTable{Name: t.kind.name, TypeID: t.kind.typeID, FullName: t.kind.fullName, Merged: maps.Clone(t.merged),
		History: maps.Clone(t.history), LastID: t.lastID, Records: len(t.records) + len(t.archived)}
	for _, g := range t.groups {
		out.Groups = append(out.Groups, *g)
	}
	for _, p := range t.properties {
		out.Properties = append(out.Properties, savedProperty{p.Property, p.HubSpotDefined, p.Archived, p.createdAt, p.updatedAt, p.archivedAt, p.createdUserID})
	}
	for _, p := range t.pipelines {
		saved := savedPipeline{Pipeline: *p, CreatedAt: p.createdAt, UpdatedAt: p.updatedAt}
		saved.Stages = slices.Clone(p.Stages)
		for _, st := range p.Stages {
			saved.StageMore = append(saved.StageMore, savedStage{st.createdAt, st.updatedAt, st.more})
		}
		out.Pipelines = append(out.Pipelines, saved)
	}
	if sc := t.schema; sc != nil {
		out.Schema = &savedSchema{Schema: *sc, ID: sc.id, CreatedAt: sc.createdAt, UpdatedAt: sc.updatedAt, Archived: sc.archived}
		out.Schema.Properties = nil // they are among the table's
		for _, a := range sc.definition {
			out.Schema.Associations = append(out.Schema.Associations, savedAssociation{a.id, a.from.number, a.to.number, a.name})
		}
	}
	return out
}

func (p *pair) save() savedPair {
	out := savedPair{From: p.from.number, To: p.to.number, Links: make(map[int64][]savedLink, len(p.links))}
	for _, t := range p.types {
		out.Types = append(out.Types, savedType{t.id, t.category, t.label, t.name, t.slug, t.standard, t.primary, t.removed, t.inverse.bit})
	}
	for from, links := range p.links {
		saved := make([]savedLink, len(links))
		for i, l := range links {
			saved[i] = savedLink{l.to, l.types}
		}
		out.Links[from] = saved
	}
	return out
}

// LoadState takes the place of the account, and of those beside it, with what
// SaveState wrote. On an error all stay as they are. It is called on the first
// account, before others use it.
func (s *Server) LoadState(r io.Reader) error {
	in := gob.NewDecoder(r)
	first, account, err := s.loadAccount(in)
	if err != nil {
		return err
	}
	loaded := []*Server{first}
	for range account.Further {
		next, _, err := s.loadAccount(in)
		if err != nil {
			return err
		}
		loaded = append(loaded, next)
	}
	for n, fresh := range loaded {
		if n == len(s.directory.list()) {
			s.addAccount()
		}
		s.directory.list()[n].become(fresh)
	}
	s.directory.mu.Lock()
	s.directory.projects = account.Projects
	s.directory.mu.Unlock()
	s.directory.hooks.load(account.Webhooks)
	return nil
}

// loadAccount reads the next account of a file.
func (s *Server) loadAccount(in *gob.Decoder) (*Server, savedAccount, error) {
	var account savedAccount
	if err := in.Decode(&account); err != nil {
		return nil, account, fmt.Errorf("read the HubSpot account: %w", err)
	}
	if account.Version != stateVersion {
		return nil, account, fmt.Errorf("read the HubSpot account: it was saved in form %d, this program reads form %d", account.Version, stateVersion)
	}
	config := s.config
	config.PortalID = account.PortalID
	fresh := newAccount(config, newDirectory())
	return fresh, account, fresh.fill(in, account)
}

// fill puts what was saved into an account that is new.
func (fresh *Server) fill(in *gob.Decoder, account savedAccount) error {
	if err := fresh.generator.UnmarshalBinary(account.Random); err != nil {
		return fmt.Errorf("read the random source: %w", err)
	}
	fresh.sources = account.Sources
	for i, by := range account.Sources {
		fresh.sourceIndex[by] = uint32(i)
	}
	for range account.Tables {
		if err := fresh.loadTable(in, len(account.Sources)); err != nil {
			return err
		}
	}
	for range account.Pairs {
		var saved savedPair
		if err := in.Decode(&saved); err != nil {
			return fmt.Errorf("read associations: %w", err)
		}
		if err := fresh.loadPair(saved); err != nil {
			return err
		}
	}
	if err := fresh.linkInverses(); err != nil {
		return err
	}
	for _, o := range account.Owners {
		fresh.owners = append(fresh.owners, &o)
	}
	for _, a := range account.Apps {
		fresh.keepApp(a)
	}
	for _, info := range account.Tokens {
		fresh.keepToken(info)
	}
	for _, g := range account.Grants {
		fresh.grants = append(fresh.grants, &g)
	}
	fresh.lastSecret, fresh.lastListID = account.LastSecret, account.LastListID
	for _, saved := range account.Lists {
		if err := fresh.loadList(saved); err != nil {
			return err
		}
	}
	for _, v := range account.Blocked {
		fresh.blocked[v] = true
	}
	fresh.lastNumber, fresh.lastTypeID, fresh.lastAppID = account.LastNumber, account.LastTypeID, account.LastAppID
	fresh.lastOwnerID, fresh.lastSchemaID = account.LastOwnerID, account.LastSchemaID
	return nil
}

// become takes over what LoadState built.
func (s *Server) become(fresh *Server) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.config.PortalID = fresh.config.PortalID
	s.generator, s.random = fresh.generator, rand.New(fresh.generator)
	s.tables, s.tableByName, s.pairs = fresh.tables, fresh.tableByName, fresh.pairs
	s.sources, s.sourceIndex = fresh.sources, fresh.sourceIndex
	s.owners, s.tokens, s.tokenOrder, s.blocked = fresh.owners, fresh.tokens, fresh.tokenOrder, fresh.blocked
	s.lastNumber, s.lastTypeID, s.lastAppID = fresh.lastNumber, fresh.lastTypeID, fresh.lastAppID
	s.lastOwnerID, s.lastSchemaID = fresh.lastOwnerID, fresh.lastSchemaID
	s.lists, s.lastListID = fresh.lists, fresh.lastListID
	s.apps, s.appByID, s.grants, s.lastSecret = fresh.apps, fresh.appByID, fresh.grants, fresh.lastSecret
	s.version.Add(1)
}

func (s *Server) loadTable(in *gob.Decoder, sources int) error {
	var saved savedTable
	if err := in.Decode(&saved); err != nil {
		return fmt.Errorf("read an object type: %w", err)
	}
	t := s.tableByName[saved.Name]
	if saved.Schema != nil {
		kind := objectKind{name: saved.Name, singular: saved.Name, typeID: saved.TypeID, fullName: saved.FullName, created: "hs_createdate",
			modified: "hs_lastmodifieddate", custom: true, mergeable: true, display: []string{saved.Schema.PrimaryDisplayProperty}}
		t = newTable(kind, len(s.tables))
		schema := saved.Schema.Schema
		schema.id, schema.createdAt, schema.updatedAt = saved.Schema.ID, saved.Schema.CreatedAt, saved.Schema.UpdatedAt
		schema.archived = saved.Schema.Archived
		t.schema = &schema
		s.register(t)
		for _, a := range saved.Schema.Associations {
			if a.From >= len(s.tables) || a.To >= len(s.tables) {
				return errors.New("read an object type: an association leads to a later type")
			}
			schema.definition = append(schema.definition, schemaAssociation{a.ID, s.tables[a.From], s.tables[a.To], a.Name})
		}
	}
	if t == nil {
		return fmt.Errorf("read object type %s: this program does not know it", saved.Name)
	}
	t.merged, t.history, t.lastID = orEmpty(saved.Merged), orEmpty(saved.History), saved.LastID
	t.groups = nil
	for _, g := range saved.Groups {
		t.groups = append(t.groups, &g)
	}
	t.pipelines = nil
	for _, p := range saved.Pipelines {
		one := p.Pipeline
		one.createdAt, one.updatedAt = p.CreatedAt, p.UpdatedAt
		for i, more := range p.StageMore {
			one.Stages[i].createdAt, one.Stages[i].updatedAt, one.Stages[i].more = more.CreatedAt, more.UpdatedAt, more.More
		}
		t.pipelines = append(t.pipelines, &one)
	}
	numbers := s.loadProperties(t, saved.Properties)
	for id, h := range t.history {
		for i := range h {
			if h[i].Property >= len(numbers) || int(h[i].Source) >= sources {
				return fmt.Errorf("read object type %s: the history of %d is damaged", saved.Name, id)
			}
			h[i].Property = numbers[h[i].Property]
		}
	}
	return t.loadRecords(in, saved.Records, numbers, sources)
}

func orEmpty[K comparable, V any](m map[K]V) map[K]V {
	if m == nil {
		return map[K]V{}
	}
	return m
}

// loadProperties takes the saved definitions over and returns, by the number that
// a property had when it was saved, the number that it has now.
func (s *Server) loadProperties(t *table, saved []savedProperty) []int {
	numbers := make([]int, len(saved))
	for i, in := range saved {
		p := t.byName[in.Name]
		if p == nil {
			p = &propertyDefinition{number: len(t.properties), table: t}
			t.properties = append(t.properties, p)
			t.byName[in.Name] = p
		}
		p.Property, p.HubSpotDefined, p.Archived = in.Property, in.HubSpotDefined, in.Archived
		p.createdAt, p.updatedAt, p.archivedAt, p.createdUserID = in.CreatedAt, in.UpdatedAt, in.ArchivedAt, in.CreatedUserID
		p.setOptions(in.Options)
		if p.HubSpotDefined {
			s.equip(t, p)
		}
		if p.HasUniqueValue && t.unique[p.number] == nil {
			t.unique[p.number] = map[string]int64{}
		}
		numbers[i] = p.number
	}
	return numbers
}

func (t *table) loadRecords(in *gob.Decoder, count int, numbers []int, sources int) error {
	moved := slices.ContainsFunc(numbers, func(n int) bool { return n >= len(numbers) || numbers[n] != n })
	for count > 0 {
		var chunk []savedRecord
		if err := in.Decode(&chunk); err != nil {
			return fmt.Errorf("read records of %s: %w", t.kind.name, err)
		}
		if len(chunk) == 0 || len(chunk) > count {
			return fmt.Errorf("read records of %s: %d are missing", t.kind.name, count)
		}
		for _, saved := range chunk {
			if int(saved.Source) >= sources {
				return fmt.Errorf("read record %d of %s: it is damaged", saved.ID, t.kind.name)
			}
			r := &record{id: saved.ID, created: saved.Created, modified: saved.Modified, archivedAt: saved.ArchivedAt, source: saved.Source, packed: saved.Packed}
			if moved {
				values := map[int]string{}
				r.each(func(n int, v string) { values[numbers[n]] = v })
				r.packed = pack(values)
			}
			if r.archivedAt != 0 {
				t.archived = append(t.archived, r)
			} else {
				t.insert(r)
			}
		}
		count -= len(chunk)
	}
	return nil
}

func (s *Server) loadPair(saved savedPair) error {
	if saved.From >= len(s.tables) || saved.To >= len(s.tables) {
		return errors.New("read associations: they lead to an object type that is not there")
	}
	p := s.pair(s.tables[saved.From], s.tables[saved.To])
	p.types = nil
	for _, t := range saved.Types {
		made := p.add(&associationType{id: t.ID, category: t.Category, label: t.Label, name: t.Name, slug: t.Slug,
			standard: t.Standard, primary: t.Primary, removed: t.Removed})
		made.inverseBit = t.InverseBit
	}
	for from, links := range saved.Links {
		out := make([]link, len(links))
		for i, l := range links {
			out[i] = link{l.To, l.Types}
		}
		p.links[from] = out
	}
	return nil
}

// linkInverses finds the other direction of every type once all pairs are there.
func (s *Server) linkInverses() error {
	for _, p := range s.pairs {
		back := s.pair(p.to, p.from)
		for _, t := range p.types {
			if t.inverse != nil {
				continue
			}
			if t.inverseBit >= len(back.types) {
				return errors.New("read associations: a type has no other direction")
			}
			t.inverse = back.types[t.inverseBit]
		}
	}
	return nil
}
