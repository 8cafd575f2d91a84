package salesforce

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"sort"
	"strings"
)

// stateVersion is the form of what SaveState writes.
const stateVersion = 1

// savedState is the first line of a state: all but the records.
type savedState struct {
	Format    string               `json:"format"`
	Version   int                  `json:"version"`
	Seed      uint64               `json:"seed"`
	OrgID     string               `json:"orgId"`
	Fields    map[string][]Field   `json:"fields,omitempty"` // custom fields of standard objects
	Objects   []Object             `json:"objects,omitempty"`
	Picklists map[string]savedList `json:"picklists,omitempty"` // by object.field
	Apps      []App                `json:"apps,omitempty"`
	Sets      []PermissionSet      `json:"permissionSets,omitempty"`
	Users     []savedUser          `json:"users"`
	Rules     []DuplicateRule      `json:"duplicateRules,omitempty"`
	Locks     map[string]int       `json:"locks,omitempty"`
	Issued    int                  `json:"issued"`
	Sessions  []*session           `json:"sessions,omitempty"`
	Refresh   []*refreshGrant      `json:"refresh,omitempty"`
	Chains    map[string][]string  `json:"chains,omitempty"`
	Codes     []*authorizationCode `json:"codes,omitempty"`
	Consents  map[string][]string  `json:"consents,omitempty"`
	Idle      int64                `json:"sessionIdle,omitempty"` // seconds
	Used      int                  `json:"used"`
	First     map[string]uint64    `json:"first"`
	Bus       *savedBus            `json:"changeEvents,omitempty"`
	Next      map[string]int       `json:"next,omitempty"`   // how many ids were given
	Purged    map[string]int64     `json:"purged,omitempty"` // see object.purged
}

type savedList struct {
	Values     []PicklistValue `json:"values"`
	Restricted bool            `json:"restricted"`
}

type savedUser struct {
	User
	ID      string                                `json:"id"`
	Objects map[string]ObjectPermission           `json:"objects,omitempty"`
	Fields  map[string]map[string]fieldPermission `json:"fields,omitempty"`
	Sets    []string                              `json:"permissionSets,omitempty"`
}

// savedRow is one record. Number is its running number, so that holes stay.
type savedRow struct {
	Object     string         `json:"o"`
	Number     int            `json:"n"`
	Created    int64          `json:"c"`
	Modified   int64          `json:"m"`
	Stamp      int64          `json:"s"`
	Late       int32          `json:"l,omitempty"`
	CreatedBy  string         `json:"cb"`
	ModifiedBy string         `json:"mb"`
	Deleted    int64          `json:"d,omitempty"`
	Fields     map[string]any `json:"f"`
}

// SaveState writes everything but validation rules, open query locators and the
// clock: one JSON line for the org, one for each record and each change event.
func (s *Server) SaveState(w io.Writer) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := bufio.NewWriterSize(w, 1<<16)
	head, err := json.Marshal(s.head())
	if err != nil {
		return fmt.Errorf("save the Salesforce sandbox: %w", err)
	}
	out.Write(append(head, '\n'))
	for _, name := range s.names {
		o := s.object(name)
		for i, r := range o.rows {
			if r != nil {
				out.Write(saveRow(o, r, i))
			}
		}
	}
	if err := s.bus.save(out); err != nil {
		return fmt.Errorf("save the Salesforce sandbox: %w", err)
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("save the Salesforce sandbox: %w", err)
	}
	return nil
}

func saveRow(o *object, r *row, number int) []byte {
	w := &jsonWriter{b: make([]byte, 0, 512)}
	w.open('{').key("o").str(o.name).key("n").int(number).key("c").int(int(r.created)).key("m").int(int(r.modified)).key("s").int(int(r.stamp))
	w.key("cb").str(r.createdBy).key("mb").str(r.modifiedBy)
	if r.deleted {
		w.key("d").int(int(r.deletedAt))
	}
	if r.late > 0 {
		w.key("l").int(int(r.late))
	}
	w.key("f").open('{')
	for _, v := range r.cells {
		w.key(o.fields[v.field].Name)
		w.b = v.appendJSON(w.b, false)
	}
	return append(w.close('}').close('}').b, '\n')
}

func (s *Server) head() *savedState {
	st := &savedState{Format: "lockstep salesforce sandbox", Version: stateVersion, Seed: s.seed, OrgID: s.orgID,
		Fields: map[string][]Field{}, Picklists: map[string]savedList{}, Rules: s.rules, Locks: s.locks, First: map[string]uint64{}, Next: map[string]int{}, Purged: map[string]int64{}}
	for _, name := range s.names {
		o := s.object(name)
		st.First[o.name] = o.first
		if n := len(o.rows); n > 0 && o.rows[n-1] == nil {
			st.Next[o.name] = n
		}
		if o.purged > 0 {
			st.Purged[o.name] = o.purged
		}
		var custom []Field
		for _, f := range o.fields {
			switch {
			case f.custom():
				custom = append(custom, f.Field)
			case len(f.Picklist) > 0:
				st.Picklists[o.name+"."+f.Name] = savedList{f.Picklist, f.Restricted}
			}
		}
		if o.custom {
			st.Objects = append(st.Objects, Object{Name: o.name, Label: o.label, Plural: o.plural, KeyPrefix: o.prefix, AutoNumber: o.autoNumber, Activities: o.activities, Fields: custom})
		} else if custom != nil {
			st.Fields[o.name] = custom
		}
	}
	for _, a := range s.apps {
		st.Apps = append(st.Apps, a.App)
	}
	sort.Slice(st.Apps, func(i, j int) bool { return st.Apps[i].ClientID < st.Apps[j].ClientID })
	for _, name := range slices.Sorted(maps.Keys(s.sets)) {
		st.Sets = append(st.Sets, s.sets[name].clone())
	}
	for _, name := range slices.Sorted(maps.Keys(s.users)) {
		u := s.users[name]
		st.Users = append(st.Users, savedUser{u.User, u.id, u.objects, u.fields, u.sets})
	}
	st.Used, _ = s.usage.spend(0, s.dailyLimit, s.nowSeconds())
	st.Bus = s.bus.head(s.nowSeconds())
	s.sessions.mu.Lock()
	defer s.sessions.mu.Unlock()
	st.Issued = s.sessions.issued
	for _, token := range slices.Sorted(maps.Keys(s.sessions.byToken)) {
		kept := *s.sessions.byToken[token]
		st.Sessions = append(st.Sessions, &kept)
	}
	for _, token := range slices.Sorted(maps.Keys(s.sessions.refresh)) {
		kept := *s.sessions.refresh[token]
		st.Refresh = append(st.Refresh, &kept)
	}
	st.Chains = map[string][]string{}
	for chain, tokens := range s.sessions.chains {
		st.Chains[chain] = slices.Clone(tokens)
	}
	for _, code := range slices.Sorted(maps.Keys(s.sessions.codes)) {
		kept := *s.sessions.codes[code]
		st.Codes = append(st.Codes, &kept)
	}
	st.Consents, st.Idle = maps.Clone(s.sessions.consents), s.sessions.idle
	return st
}

// LoadState replaces everything in the org by what SaveState wrote. On an error
// the org is as it was. Validation rules stay as they are.
func (s *Server) LoadState(r io.Reader) error {
	fresh := New(Config{Clock: s.clock, Dials: s.dials, Seed: s.seed, OrgID: s.orgID, DailyLimit: s.dailyLimit})
	s.mu.RLock()
	fresh.computed = maps.Clone(s.computed)
	s.mu.RUnlock()
	if err := fresh.read(r); err != nil {
		return fmt.Errorf("load the Salesforce sandbox: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seed, s.orgID = fresh.seed, fresh.orgID
	s.objects, s.names, s.prefixes = fresh.objects, fresh.names, fresh.prefixes
	s.users, s.byUserID, s.admin, s.apps, s.sets = fresh.users, fresh.byUserID, fresh.admin, fresh.apps, fresh.sets
	s.rules, s.locks, s.recent = fresh.rules, fresh.locks, nil
	s.bus.take(&fresh.bus)
	s.watching = fresh.watching
	s.binRows = fresh.binRows
	s.binDue.Store(fresh.binDue.Load())
	s.schemaAt = s.clock.Now()
	s.changes++
	s.describes.clear()
	s.sessions.mu.Lock()
	defer s.sessions.mu.Unlock()
	s.sessions.take(&fresh.sessions)
	s.cursors.mu.Lock()
	defer s.cursors.mu.Unlock()
	clear(s.cursors.byID)
	s.cursors.order = nil
	used, _ := fresh.usage.spend(0, s.dailyLimit, s.nowSeconds())
	s.usage.set(used, s.nowSeconds())
	return nil
}

func (s *Server) read(r io.Reader) error {
	in := bufio.NewReaderSize(r, 1<<16)
	line, err := in.ReadBytes('\n')
	if err != nil {
		return errors.New("the first line is cut off")
	}
	var st savedState
	if err := json.Unmarshal(line, &st); err != nil || st.Format != "lockstep salesforce sandbox" {
		return errors.New("it is no saved Salesforce sandbox")
	}
	if st.Version != stateVersion {
		return fmt.Errorf("it has version %d, this program reads %d", st.Version, stateVersion)
	}
	if err := s.restoreSchema(&st); err != nil {
		return err
	}
	for n := 2; ; n++ {
		line, err := in.ReadBytes('\n')
		if errors.Is(err, io.EOF) && len(line) == 0 {
			break
		}
		if err != nil {
			return fmt.Errorf("line %d is cut off", n)
		}
		restore := s.restoreRow
		if bytes.HasPrefix(line, []byte(eventLine)) {
			restore = s.bus.restoreEvent
		}
		if err := restore(line); err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
	}
	for name, n := range st.Next {
		if o := s.object(name); o != nil {
			for len(o.rows) < n {
				o.rows = append(o.rows, nil)
			}
		}
	}
	return s.restorePeople(&st)
}

func (s *Server) restoreSchema(st *savedState) error {
	s.seed, s.orgID, s.rules = st.Seed, st.OrgID, st.Rules
	if st.Locks != nil {
		s.locks = st.Locks
	}
	type pending struct {
		object string
		field  Field
	}
	var plainFields, calculated []pending
	sort := func(object string, fields []Field) {
		for _, f := range fields {
			if f.calculated() {
				calculated = append(calculated, pending{object, f})
			} else {
				plainFields = append(plainFields, pending{object, f})
			}
		}
	}
	for _, o := range st.Objects {
		sort(o.Name, o.Fields)
		owned := o.owned()
		o.Fields = nil
		if err := s.addObject(o, owned); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(st.Fields)) {
		sort(name, st.Fields[name])
	}
	for _, p := range plainFields {
		if err := s.AddField(p.object, p.field); err != nil {
			return err
		}
	}
	// Formulas may look at formulas: what cannot be added yet waits for the others.
	for len(calculated) > 0 {
		var waiting []pending
		var err error
		for _, p := range calculated {
			if problem := s.AddField(p.object, p.field); problem != nil {
				waiting, err = append(waiting, p), problem
			}
		}
		if len(waiting) == len(calculated) {
			return err
		}
		calculated = waiting
	}
	for place, list := range st.Picklists {
		objectName, fieldName, _ := strings.Cut(place, ".")
		if o := s.object(objectName); o != nil && o.field(fieldName) != nil {
			o.field(fieldName).Picklist, o.field(fieldName).Restricted = list.Values, list.Restricted
		}
	}
	for _, o := range s.objects {
		o.first, o.purged = st.First[o.name], st.Purged[o.name]
		o.rows, o.live, o.stamps.entries, o.stamps.sorted = nil, 0, nil, 0
		for i, ix := range o.indexes {
			if ix != nil {
				o.indexes[i] = newIndex(ix.field)
			}
		}
	}
	s.users, s.byUserID, s.apps = map[string]*user{}, map[string]*user{}, map[string]*application{}
	if st.Bus != nil {
		s.bus.restore(st.Bus, s.nowSeconds())
		s.watch(st.Bus.Selected)
	}
	return nil
}

func (s *Server) restoreRow(line []byte) error {
	n, problem := parseBody(line)
	if problem != nil {
		return errors.New("it is no JSON")
	}
	var saved savedRow
	saved.Object = n.get("o").str()
	o := s.object(saved.Object)
	if o == nil {
		return fmt.Errorf("no object %q", saved.Object)
	}
	number := func(name string) int64 {
		v, _ := parseText(&field{Field: Field{Type: "double"}}, n.get(name).str())
		return int64(v.number)
	}
	place := int(number("n"))
	if place < len(o.rows) {
		return errors.New("its records are out of order")
	}
	d := &draft{}
	for _, m := range n.get("f").members {
		f := o.field(m.name)
		if f == nil {
			return fmt.Errorf("no field %s.%s", o.name, m.name)
		}
		v, problem := parseText(f, m.node.literal())
		if problem != "" {
			return fmt.Errorf("%s.%s: %s", o.name, m.name, problem)
		}
		d.set(f, v)
	}
	for len(o.rows) < place {
		o.rows = append(o.rows, nil)
	}
	r := &row{id: makeID(o.prefix, o.first+uint64(place)), cells: d.cells, created: number("c"), modified: number("m"), stamp: number("s"),
		createdBy: n.get("cb").str(), modifiedBy: n.get("mb").str()}
	if late := n.get("l"); late != nil {
		r.late = int32(number("l"))
	}
	if gone := n.get("d"); gone != nil {
		r.deleted, r.deletedAt = true, number("d")
	} else {
		o.live++
	}
	o.rows = append(o.rows, r)
	o.enter(r)
	if r.deleted {
		s.bin(o, r)
	}
	return nil
}

func (s *Server) restorePeople(st *savedState) error {
	s.sets = map[string]*PermissionSet{}
	for _, saved := range st.Sets {
		if err := s.savePermissionSet(saved); err != nil {
			return fmt.Errorf("permission set %s: %w", saved.Name, err)
		}
	}
	for _, saved := range st.Users {
		u := &user{User: saved.User, id: saved.ID, objects: saved.Objects, fields: saved.Fields, sets: saved.Sets}
		s.users[strings.ToLower(u.Username)], s.byUserID[u.id] = u, u
		u.prepare(s)
		if u.Username == AdministratorUsername {
			s.admin = u
		}
	}
	if s.admin == nil {
		return errors.New("it has no administrator")
	}
	for _, a := range st.Apps {
		if _, err := s.createApp(a); err != nil {
			return err
		}
	}
	s.sessions.init()
	s.sessions.issued = st.Issued
	for _, kept := range st.Sessions {
		if kept.user = s.users[strings.ToLower(kept.Username)]; kept.user != nil {
			s.sessions.byToken[kept.Token] = kept
		}
	}
	for _, g := range st.Refresh {
		s.sessions.refresh[g.Token] = g
	}
	if st.Chains != nil {
		s.sessions.chains = st.Chains
	}
	for _, code := range st.Codes {
		s.sessions.codes[code.Code] = code
	}
	if st.Consents != nil {
		s.sessions.consents = st.Consents
	}
	if st.Idle > 0 {
		s.sessions.idle = st.Idle
	}
	s.usage.set(st.Used, s.nowSeconds())
	return nil
}
