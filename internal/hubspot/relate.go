package hubspot

import (
	"context"
	"io"
	"net/http"
	"slices"

	"github.com/lockstep-sync/lockstep/internal/apicall"
	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/fault"
)

type relationInput struct {
	From  recordID        `json:"from"`
	To    any             `json:"to"` // one record, or a list of them
	Types []relationTyped `json:"types,omitempty"`
}

type recordID struct {
	ID string `json:"id"`
}

type relationTyped struct {
	Category string `json:"associationCategory"`
	TypeID   int    `json:"associationTypeId"`
}

// sendRelations sets or removes associations or labels of them. All calls may be
// repeated: an association is there or it is not.
// https://developers.hubspot.com/docs/api-reference/latest/crm/associations/associate-records/guide
func (c *Client) sendRelations(ctx context.Context, b *batch, results []crm.Result) (left []int, err error) {
	inputs := make([]relationInput, len(b.writes))
	for i, w := range b.writes {
		inputs[i] = relationInput{From: recordID{w.ID}, To: recordID{w.Relation.ID}}
		switch b.verb {
		case unrelate:
			inputs[i].To = []recordID{{w.Relation.ID}}
		case relateTyped, unlabel:
			types, err := c.typesFor(ctx, b.object, w.Relation)
			if err != nil {
				return nil, err
			}
			inputs[i].Types = types
		}
	}
	body, err := marshal(map[string]any{"inputs": inputs})
	if err != nil {
		return nil, err
	}
	path := c.paths.associations(b.object, b.far) + map[verb]string{
		relateDefault: "/batch/associate/default", relateTyped: "/batch/create", unrelate: "/batch/archive", unlabel: "/batch/labels/archive",
	}[b.verb]
	var answer struct {
		Refusals []refusal `json:"errors"`
	}
	var request string
	err = c.postDoubted(ctx, path, body, apicall.Keyed, &b.doubted, func(status int, header http.Header, body io.Reader) error {
		request = requestIDOf(header)
		answer.Refusals = nil
		return apicall.Into(&answer)(status, header, body)
	}, c.associations)
	if err != nil {
		return nil, err
	}
	refused := b.refusedPairs(answer.Refusals)
	for i, w := range b.writes {
		result := crm.Result{Key: w.Key, ID: w.ID, RequestID: request}
		switch r := refused[i]; {
		case r != nil:
			e := r.asFault("HubSpot refused an association of " + b.object)
			result.Err, result.Cause, result.Fields, result.Unknown = e, e.Code, r.fields(), b.mayHave(e)
		case len(answer.Refusals) > 0 && len(refused) < len(answer.Refusals):
			left = append(left, i) // somebody was refused without a name
			continue
		}
		results[b.index[i]] = result
	}
	return left, nil
}

// refusedPairs finds which pairs the refusals speak of.
func (b *batch) refusedPairs(refusals []refusal) map[int]*refusal {
	refused := map[int]*refusal{}
	for k := range refusals {
		r := &refusals[k]
		if len(b.writes) == 1 {
			refused[0] = r
			return refused
		}
		from, to := r.Context["fromObjectId"], r.Context["toObjectId"]
		for i, w := range b.writes {
			if slices.Contains(to, w.Relation.ID) && (len(from) == 0 || slices.Contains(from, w.ID)) {
				refused[i] = r
			}
		}
	}
	return refused
}

// typesFor finds the association types for a primary or a labelled relation.
// Between most objects none is primary; there the plain association is meant.
func (c *Client) typesFor(ctx context.Context, from string, relation crm.Relation) ([]relationTyped, error) {
	known, err := c.labelsOf(ctx, from, relation.Object)
	if err != nil {
		return nil, err
	}
	var types []relationTyped
	primary := false
	for _, t := range known.types {
		if relation.Primary && !primary && t.isPrimary() {
			types, primary = append(types, relationTyped{t.Category, t.TypeID}), true
		}
	}
	for _, label := range splitLabels(relation.Label) {
		at := slices.IndexFunc(known.types, func(t associationType) bool { return t.Label == label && !t.isPrimary() })
		if at < 0 {
			// It may be made after this; the next write asks anew.
			c.mu.Lock()
			delete(c.labels, pair{from, relation.Object})
			c.mu.Unlock()
			return nil, fault.New(fault.Invalid, "HubSpot has no association label %q from %s to %s", label, from, relation.Object).
				WithMend("make the label under Settings > Objects > Associations, or take another")
		}
		types = append(types, relationTyped{known.types[at].Category, known.types[at].TypeID})
	}
	if len(types) == 0 {
		at := slices.IndexFunc(known.types, func(t associationType) bool { return t.Label == "" && !t.isPrimary() })
		if at < 0 {
			return nil, fault.New(fault.Invalid, "HubSpot does not associate %s with %s", from, relation.Object).
				WithMend("allow it under Settings > Objects > Associations")
		}
		types = append(types, relationTyped{known.types[at].Category, known.types[at].TypeID})
	}
	return types, nil
}
