package hubspot

import (
	"bytes"
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/lockstep-sync/lockstep/internal/apicall"
	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/fault"
)

const (
	associationBatch = 1000  // ids in one associations batch read
	associationPage  = "500" // associations of one record in one call
)

// relate adds one association as it stands inside a record, where its type is a
// name: "contact_to_company" is the primary company, "…_unlabeled" the plain
// association, anything else a label's name. The same far record comes once per
// type. It tells whether the type was a label's.
func relate(record *crm.Record, from, to, id, kind string) (labelled bool) {
	plain := singular(from) + "_to_" + singular(to)
	primary := kind == plain && (singular(to) == "company") != (singular(from) == "company")
	label := ""
	if kind != plain && kind != plain+"_unlabeled" && !strings.HasSuffix(kind, "_unlabeled") {
		label, labelled = kind, true
	}
	mergeRelation(record, crm.Relation{Object: to, ID: id, Primary: primary, Label: label})
	return labelled
}

// mergeRelation joins what several types say of one far record.
func mergeRelation(record *crm.Record, relation crm.Relation) {
	for i := range record.Relations {
		r := &record.Relations[i]
		if r.Object != relation.Object || r.ID != relation.ID {
			continue
		}
		r.Primary = r.Primary || relation.Primary
		r.Label = joinLabels(r.Label, relation.Label)
		return
	}
	record.Relations = append(record.Relations, relation)
}

// joinLabels keeps several labels of one pair in one stable text.
func joinLabels(a, b string) string {
	if a == "" || b == "" || a == b {
		return either(a, b)
	}
	labels := append(strings.Split(a, ";"), b)
	slices.Sort(labels)
	return strings.Join(slices.Compact(labels), ";")
}

func splitLabels(labels string) []string {
	if labels == "" {
		return nil
	}
	return strings.Split(labels, ";")
}

// pair is a direction between two objects.
type pair struct{ from, to string }

// labels are the association types of one pair, both as records name them and
// as associations number them.
type labels struct {
	byName map[string]string // type name -> label
	types  []associationType
}

// associationType is one way in which two records can be associated.
type associationType struct {
	Category string `json:"category"`
	TypeID   int    `json:"typeId"`
	Label    string `json:"label"`
}

// isPrimary tells HubSpot's primary company from other types.
// https://developers.hubspot.com/docs/api-reference/latest/crm/associations/associate-records/guide
func (t associationType) isPrimary() bool {
	if t.Category != "HUBSPOT_DEFINED" {
		return false
	}
	switch t.TypeID {
	case 1, 2, 5, 6, 25, 26, 509, 510, 578, 580, 582, 583:
		return true
	}
	return t.Label == "Primary"
}

// labelsOf reads the association types of a pair, once per client.
func (c *Client) labelsOf(ctx context.Context, from, to string) (*labels, error) {
	key := pair{from, to}
	c.mu.Lock()
	known := c.labels[key]
	c.mu.Unlock()
	if known != nil {
		return known, nil
	}
	var types struct {
		Results []associationType `json:"results"`
	}
	if err := c.get(ctx, c.paths.associations(from, to)+"/labels", nil, apicall.Into(&types)); err != nil {
		return nil, err
	}
	var names struct {
		Results []struct {
			ID   json.Number `json:"id"`
			Name string      `json:"name"`
		} `json:"results"`
	}
	// The old list of names only helps to read labels inside records; without it
	// a label keeps its internal name.
	err := c.get(ctx, c.paths.associationTypes(from, to), nil, apicall.Into(&names))
	if kind := fault.KindOf(err); err != nil && kind != fault.NotFound && kind != fault.Denied && kind != fault.Invalid {
		return nil, err
	}
	known = &labels{types: types.Results, byName: map[string]string{}}
	for _, name := range names.Results {
		for _, t := range types.Results {
			if strconv.Itoa(t.TypeID) == name.ID.String() && t.Label != "" {
				known.byName[name.Name] = t.Label
			}
		}
	}
	c.mu.Lock()
	c.labels[key] = known
	c.mu.Unlock()
	return known, nil
}

// AssociationLabels lists the labels that an association from one object to
// another may have, HubSpot's own left out; never nil without an error.
func (c *Client) AssociationLabels(ctx context.Context, from, to string) ([]string, error) {
	known, err := c.labelsOf(ctx, from, to)
	if err != nil {
		return nil, err
	}
	labels := []string{}
	for _, t := range known.types {
		if t.Label != "" && !t.isPrimary() {
			labels = append(labels, t.Label)
		}
	}
	return labels, nil
}

// completeRelations turns label names into labels, and reads on where not all
// associations travelled inside the records.
func (c *Client) completeRelations(ctx context.Context, p *page, read crm.Read) error {
	if p.labelled {
		for _, relation := range read.Relations {
			known, err := c.labelsOf(ctx, read.Layout.Object, relation)
			if err != nil {
				return err
			}
			for i := range p.records {
				for k := range p.records[i].Relations {
					if r := &p.records[i].Relations[k]; r.Object == relation && r.Label != "" {
						r.Label = known.translate(r.Label)
					}
				}
			}
		}
	}
	for _, over := range p.overflow {
		if err := c.readAllRelations(ctx, &p.records[over.record], read.Layout.Object, over.object); err != nil {
			return err
		}
	}
	return nil
}

// translate turns names of types into labels, one by one.
func (l *labels) translate(names string) string {
	joined := ""
	for name := range strings.SplitSeq(names, ";") {
		joined = joinLabels(joined, either(l.byName[name], name))
	}
	return joined
}

// farRecord is one far end as the association endpoints tell it.
type farRecord struct {
	ID    flexibleID        `json:"toObjectId"`
	Types []associationType `json:"associationTypes"`
}

// flexibleID reads ids that come as numbers in one place and as text in another.
type flexibleID string

// UnmarshalJSON implements json.Unmarshaler.
func (id *flexibleID) UnmarshalJSON(text []byte) error {
	*id = flexibleID(bytes.Trim(text, `"`))
	return nil
}

func (f *farRecord) relation(object string) crm.Relation {
	r := crm.Relation{Object: object, ID: string(f.ID)}
	for _, t := range f.Types {
		switch {
		case t.isPrimary():
			r.Primary = true
		default:
			r.Label = joinLabels(r.Label, t.Label)
		}
	}
	return r
}

// readAllRelations replaces the relations of one record to an object by all there are.
func (c *Client) readAllRelations(ctx context.Context, record *crm.Record, from, to string) error {
	record.Relations = slices.DeleteFunc(record.Relations, func(r crm.Relation) bool { return r.Object == to })
	for after := ""; ; {
		query := url.Values{"limit": {associationPage}}
		if after != "" {
			query.Set("after", after)
		}
		var answer struct {
			Results []farRecord `json:"results"`
			Paging  paging      `json:"paging"`
		}
		if err := c.get(ctx, c.paths.associationsOf(from, record.ID, to), query, apicall.Into(&answer), c.associations); err != nil {
			return err
		}
		for i := range answer.Results {
			mergeRelation(record, answer.Results[i].relation(to))
		}
		if after = answer.Paging.Next.After; after == "" {
			return nil
		}
	}
}

// relationsFor reads the relations of records that came from an endpoint that
// does not send them along.
func (c *Client) relationsFor(ctx context.Context, records []crm.Record, read crm.Read) error {
	for _, to := range read.Relations {
		if isList(to) {
			if err := c.listsOfRecords(ctx, records, read.Layout.Object); err != nil {
				return err
			}
			continue
		}
		byID := make(map[string]*crm.Record, len(records))
		var ids []string
		for i := range records {
			if r := &records[i]; !r.Archived {
				if byID[r.ID] == nil {
					ids = append(ids, r.ID)
				}
				byID[r.ID] = r
			}
		}
		for chunk := range slices.Chunk(ids, associationBatch) {
			if err := c.relationsOf(ctx, chunk, byID, read.Layout.Object, to); err != nil {
				return err
			}
		}
	}
	return nil
}

// Relations reads the associations of records by id, a thousand ids a call for
// each object at the far end, and on where a record has more than five hundred.
// https://developers.hubspot.com/docs/api-reference/latest/crm/associations/associate-records/guide
func (c *Client) Relations(ctx context.Context, read crm.Read, ids []string) (records []crm.Record, calls int, err error) {
	if isList(read.Layout.Object) {
		return c.listRelations(ctx, read, ids)
	}
	ctx, counted := tallied(ctx)
	ids = unique(ids)
	records = make([]crm.Record, len(ids))
	for i, id := range ids {
		records[i] = crm.Record{Layout: read.Layout, ID: id}
	}
	err = c.relationsFor(ctx, records, read)
	return records, int(counted.Load()), err
}

// associationInput is one record whose associations are asked for, from After on.
type associationInput struct {
	ID    string `json:"id"`
	After string `json:"after,omitempty"`
}

func (c *Client) relationsOf(ctx context.Context, ids []string, byID map[string]*crm.Record, from, to string) error {
	inputs := make([]associationInput, len(ids))
	for i, id := range ids {
		inputs[i].ID = id
	}
	for len(inputs) > 0 {
		body, err := json.Marshal(map[string]any{"inputs": inputs})
		if err != nil {
			return fault.New(fault.Internal, "ids cannot be written as JSON").Wrap(err)
		}
		var answer struct {
			Results []struct {
				From struct {
					ID flexibleID `json:"id"`
				} `json:"from"`
				To     []farRecord `json:"to"`
				Paging paging      `json:"paging"`
			} `json:"results"`
		}
		// A record without associations is an entry under errors, and no error.
		if err := c.post(ctx, c.paths.associations(from, to)+"/batch/read", nil, body, apicall.ReadOnly, apicall.Into(&answer), c.associations); err != nil {
			return err
		}
		inputs = inputs[:0]
		for _, result := range answer.Results {
			record := byID[string(result.From.ID)]
			if record == nil {
				continue
			}
			for i := range result.To {
				mergeRelation(record, result.To[i].relation(to))
			}
			if after := result.Paging.Next.After; after != "" {
				inputs = append(inputs, associationInput{ID: record.ID, After: after})
			}
		}
	}
	return nil
}
