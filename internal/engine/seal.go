package engine

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"strconv"
	"time"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/fault"
	"github.com/lockstep-sync/lockstep/internal/store"
)

// SealFormat names the format of sealed plans.
const SealFormat = "lockstep-plan/1"

// SealedPlan is a plan as a file: what it would write, to whom, made from
// which state of the records, under a hash. It holds values, and no secrets.
type SealedPlan struct {
	Format     string       `json:"format"`
	Made       time.Time    `json:"made"`
	HubSpot    SealedParty  `json:"hubspot"`
	Salesforce SealedParty  `json:"salesforce"`
	Mapping    string       `json:"mapping_version"`
	Items      []SealedItem `json:"items"`
	// SHA256 over the file's content with this field empty, hexadecimal.
	SHA256 string `json:"sha256"`
}

// SealedParty is one account of a sealed plan.
type SealedParty struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// SealedItem is one thing of a sealed plan.
type SealedItem struct {
	Item
	// Linked: the two were a pair when the plan was made.
	Linked bool `json:"linked,omitempty"`
	// Prints are of the records as the plan saw them.
	HubSpotPrint    string      `json:"hubspot_print,omitempty"`
	SalesforcePrint string      `json:"salesforce_print,omitempty"`
	HubSpotGone     bool        `json:"hubspot_gone,omitempty"`
	SalesforceGone  bool        `json:"salesforce_gone,omitempty"`
	Base            *SealedBase `json:"base,omitempty"`
	Awaits          []Record    `json:"awaits,omitempty"`
}

// SealedBase is the base that the pair has once the writes are done.
type SealedBase struct {
	Version    string   `json:"version"`
	HubSpot    []string `json:"hubspot"`
	Salesforce []string `json:"salesforce"`
}

// Seal writes the plan's links and writes as a file that Apply takes. The same
// plan gives the same bytes.
func (p *Plan) Seal(ctx context.Context, w io.Writer) error {
	sealed := SealedPlan{Format: SealFormat, Made: p.Made, Mapping: hash16(p.MappingVersion), Items: []SealedItem{},
		HubSpot:    SealedParty{p.Pair.HubSpotID, p.Pair.HubSpotName},
		Salesforce: SealedParty{p.Pair.SalesforceID, p.Pair.SalesforceName}}
	err := p.engine.planRows(ctx, ItemFilter{}, func(row store.PlanRow, d *decided) error {
		if row.Ops != 0 || d.Unlink {
			sealed.Items = append(sealed.Items, p.engine.seal(d))
		}
		return nil
	})
	if err != nil {
		return err
	}
	sum, err := sealed.sum()
	if err != nil {
		return err
	}
	sealed.SHA256 = sum
	out, err := json.MarshalIndent(sealed, "", " ")
	if err != nil {
		return err
	}
	if _, err := w.Write(append(out, '\n')); err != nil {
		return fault.New(fault.Internal, "write the sealed plan").Wrap(err).WithMend("check the free space and the rights of the folder")
	}
	return nil
}

func (s SealedPlan) sum() (string, error) {
	s.SHA256 = ""
	body, err := json.Marshal(s)
	if err != nil {
		return "", err
	}
	h := sha256.Sum256(body)
	return hex.EncodeToString(h[:]), nil
}

// ReadSealed reads a sealed plan. A file that is none, is of another format,
// or was changed by a single character is refused with fault.Invalid.
func ReadSealed(r io.Reader) (*SealedPlan, error) {
	broken := func(what string, err error) error {
		f := fault.New(fault.Invalid, "%s", what).WithMend("make a new one: `lockstep plan -o FILE`")
		if err != nil {
			f = f.Wrap(err)
		}
		return f
	}
	in, err := io.ReadAll(r)
	if err != nil {
		return nil, broken("the sealed plan cannot be read", err)
	}
	var s SealedPlan
	d := json.NewDecoder(bytes.NewReader(in))
	d.DisallowUnknownFields()
	if err := d.Decode(&s); err != nil {
		return nil, broken("this is no sealed plan", err)
	}
	if s.Format != SealFormat {
		return nil, broken("the sealed plan is of format "+strconv.Quote(s.Format)+", this Lockstep reads "+SealFormat, nil)
	}
	sum, err := s.sum()
	if err != nil {
		return nil, err
	}
	if sum != s.SHA256 {
		return nil, broken("the sealed plan was changed after it was made: its hash does not fit", nil)
	}
	return &s, nil
}

func hash16(n uint64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatUint(n, 16)
}

func unhash16(s string) uint64 {
	n, err := strconv.ParseUint(s, 16, 64)
	if err != nil {
		return 0
	}
	return n
}

func hashes16(list []uint64) []string {
	out := make([]string, len(list))
	for i, n := range list {
		out[i] = hash16(n)
	}
	return out
}

func unhashes16(list []string) []uint64 {
	out := make([]uint64, len(list))
	for i, s := range list {
		out[i] = unhash16(s)
	}
	return out
}

func (e *Engine) seal(d *decided) SealedItem {
	it := SealedItem{Item: e.item(d), Linked: d.WasLinked, HubSpotPrint: hash16(d.HubSpotAt.Print), SalesforcePrint: hash16(d.SalesAt.Print),
		HubSpotGone: d.HubGone, SalesforceGone: d.SalesGone}
	base := d.Base
	if d.NewLink != nil {
		base = &d.NewLink.Base
	}
	if base != nil {
		it.Base = &SealedBase{hash16(base.Version), hashes16(base.HubSpot), hashes16(base.Salesforce)}
	}
	if d.NewLink != nil && it.Salesforce == nil {
		it.Salesforce = &Record{Side: crm.Salesforce, Object: d.NewLink.SalesforceObject}
	}
	for _, a := range d.Awaits {
		it.Awaits = append(it.Awaits, recordOf(a))
	}
	return it
}

func (it *SealedItem) open() *decided {
	d := &decided{Title: it.Title, WasLinked: it.Linked, HubGone: it.HubSpotGone, SalesGone: it.SalesforceGone, FromSealed: true,
		HubSpotAt: sight{Print: unhash16(it.HubSpotPrint)}, SalesAt: sight{Print: unhash16(it.SalesforcePrint)}}
	d.Mapping, d.Outcome, d.Reason, d.Notes, d.Unlink = it.Mapping, it.Outcome, it.Reason, it.Notes, it.Unlink
	if it.HubSpot != nil {
		d.HubSpot = it.HubSpot.ref()
	}
	if it.Salesforce != nil {
		d.Salesforce = it.Salesforce.ref()
	}
	var base *crm.Base
	if it.Base != nil {
		base = &crm.Base{Version: unhash16(it.Base.Version), HubSpot: unhashes16(it.Base.HubSpot), Salesforce: unhashes16(it.Base.Salesforce)}
	}
	switch {
	case it.Link:
		d.NewLink = &crm.Link{Mapping: it.Mapping, HubSpotID: d.HubSpot.ID, SalesforceObject: d.Salesforce.Object, SalesforceID: d.Salesforce.ID}
		if base != nil {
			d.NewLink.Base = *base
		}
	default:
		d.Base = base
	}
	d.Writes = writesOf(it.Writes)
	for _, a := range it.Awaits {
		d.Awaits = append(d.Awaits, a.ref())
	}
	return d
}

// Apply does exactly what a sealed plan says, and nothing else. Records that
// changed since, or that were linked or unlinked since, are left alone and come
// back as pending. A plan of another pair, or made with another mapping, is
// refused with fault.Conflict. Applying a plan twice does nothing twice.
func (e *Engine) Apply(ctx context.Context, sealed *SealedPlan) (*Run, error) {
	e.working.Lock()
	defer e.working.Unlock()
	if err := e.begin(ctx); err != nil {
		return nil, err
	}
	pair, err := e.store.Pair(ctx)
	if err != nil {
		return nil, err
	}
	if sealed.HubSpot.ID != pair.HubSpotID || sealed.Salesforce.ID != pair.SalesforceID {
		return nil, fault.New(fault.Conflict, "the sealed plan is for HubSpot account %s and Salesforce organization %s, not for %s and %s",
			sealed.HubSpot.ID, sealed.Salesforce.ID, pair.HubSpotID, pair.SalesforceID).
			WithMend("apply it where it was made, or make a new one: `lockstep plan -o FILE`")
	}
	if sealed.Mapping != hash16(e.mapping.Version) {
		return nil, fault.New(fault.Conflict, "the mapping changed since the plan was sealed").
			WithMend("make a new one: `lockstep plan -o FILE`")
	}
	run, c, err := e.open(ctx, "apply")
	if err != nil {
		return nil, err
	}
	run.sealed = true
	return run, e.shut(ctx, run, c, e.applySealed(ctx, c, sealed))
}

func (e *Engine) applySealed(ctx context.Context, c *cycle, sealed *SealedPlan) error {
	if err := e.recover(ctx); err != nil {
		return err
	}
	if err := e.store.Write(ctx, func(t *store.Tx) error { return t.ClearPlan() }); err != nil {
		return err
	}
	for items := sealed.Items; len(items) > 0; {
		n := min(len(items), decideBatch)
		if err := e.importItems(ctx, c, items[:n]); err != nil {
			return err
		}
		items = items[n:]
	}
	return e.apply(ctx, c, nil)
}

// importItems puts sealed items into the plan. Things whose links are not what
// they were go in as pending.
func (e *Engine) importItems(ctx context.Context, c *cycle, items []SealedItem) error {
	var rows []store.PlanRow
	byObject := map[string]map[crm.Side][]string{}
	opened := make([]*decided, len(items))
	for i := range items {
		d := items[i].open()
		if e.mapping.Object(d.Mapping) == nil {
			return fault.New(fault.Invalid, "the sealed plan names %q, which the mapping does not have", d.Mapping)
		}
		if byObject[d.Mapping] == nil {
			byObject[d.Mapping] = map[crm.Side][]string{}
		}
		for _, side := range []crm.Side{crm.HubSpot, crm.Salesforce} {
			if ref, _ := d.on(side); ref.ID != "" {
				byObject[d.Mapping][side] = append(byObject[d.Mapping][side], ref.ID)
			}
		}
		opened[i] = d
	}
	links := map[string]map[crm.Side]map[string]store.Link{}
	for name, sides := range byObject {
		links[name] = map[crm.Side]map[string]store.Link{}
		for side, ids := range sides {
			found, err := e.store.Links(ctx, name, side, ids)
			if err != nil {
				return err
			}
			links[name][side] = found
		}
	}
	for _, d := range opened {
		h, hubspotLinked := links[d.Mapping][crm.HubSpot][d.HubSpot.ID]
		_, salesforceLinked := links[d.Mapping][crm.Salesforce][d.Salesforce.ID]
		same := !hubspotLinked && !salesforceLinked
		if d.WasLinked {
			same = hubspotLinked && h.SalesforceID == d.Salesforce.ID
		}
		if !same {
			d.Writes, d.NewLink, d.Base, d.Unlink = nil, nil, nil, false
			d.Outcome = crm.Pending
			d.Reason = crm.Reason{Code: CodePendingChanged, Text: "the record was linked or unlinked after the plan was made", Mend: "make a new plan: `lockstep plan`"}
			d.WasLinked = hubspotLinked
			c.changed++
		}
		row := rowOf(d)
		c.ledger(d.Mapping).sawAll([]uint64{thingKey(row.Side, row.ID)})
		rows = append(rows, row)
	}
	return e.store.Write(ctx, func(t *store.Tx) error { return t.PutPlan(rows) })
}
