package hubspot

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/lockstep-sync/lockstep/internal/apicall"
	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/fault"
)

// relateBatch is the number of pairs in one association batch.
// https://developers.hubspot.com/docs/api-reference/latest/crm/associations/associate-records/guide
const relateBatch = 2000

// verb is what a batch does.
type verb uint8

const (
	create verb = iota
	upsert
	update
	archive
	relateDefault
	relateTyped
	unrelate
	unlabel
)

func (v verb) size() int {
	if v >= relateDefault {
		return relateBatch
	}
	return batchSize
}

// once: a repeat would make a second record.
func (v verb) once() bool { return v == create }

type batchInput struct {
	ID         string            `json:"id,omitempty"`
	By         string            `json:"idProperty,omitempty"`
	Properties map[string]string `json:"properties,omitempty"`
	Trace      string            `json:"objectWriteTraceId,omitempty"`
}

// sendBatch sends one batch and fills the results of its writes. It returns the
// places in the batch that the answer did not mention.
func (c *Client) sendBatch(ctx context.Context, b *batch, results []crm.Result) (left []int, err error) {
	switch b.verb {
	case relateDefault, relateTyped, unrelate, unlabel:
		return c.sendRelations(ctx, b, results)
	case archive:
		return nil, c.sendArchive(ctx, b, results)
	}
	inputs := make([]batchInput, len(b.writes))
	for i, w := range b.writes {
		inputs[i] = batchInput{Trace: strconv.Itoa(i), Properties: properties(w)}
		switch b.verb {
		case update:
			inputs[i].ID = w.ID
		case upsert:
			inputs[i].ID, inputs[i].By = w.ExternalValue, w.ExternalField
			if _, ok := inputs[i].Properties[w.ExternalField]; !ok {
				inputs[i].Properties[w.ExternalField] = w.ExternalValue
			}
		}
	}
	body, err := marshal(map[string]any{"inputs": inputs})
	if err != nil {
		return nil, err
	}
	path := c.paths.batch(b.object, map[verb]string{create: "create", upsert: "upsert", update: "update"}[b.verb])
	var p page
	var request string
	err = c.postDoubted(ctx, path, body, safety(b.verb), &b.doubted, func(_ int, header http.Header, body io.Reader) error {
		request = requestIDOf(header)
		return decodeBatch(body, &p)
	})
	if err != nil {
		return nil, err
	}
	return b.settle(&p, request, results), nil
}

func safety(v verb) apicall.Safety {
	if v.once() {
		return apicall.Once
	}
	return apicall.Keyed
}

// properties are a write's fields as HubSpot takes them: text, and "" clears.
// https://developers.hubspot.com/docs/api-reference/latest/crm/properties/guide
func properties(w *crm.Write) map[string]string {
	fields := make(map[string]string, len(w.Fields)+1)
	for _, f := range w.Fields {
		if f.Value.State == crm.Present || f.Value.State == crm.Blank {
			fields[f.Name] = f.Value.Text
		}
	}
	return fields
}

// settle gives each write its answer. HubSpot answers in an order of its own;
// the trace id says which input is meant, and where it is missing the id does.
func (b *batch) settle(p *page, request string, results []crm.Result) (left []int) {
	answered := make([]bool, len(b.writes))
	byID := map[string]int{}
	for i, w := range b.writes {
		if b.verb == update {
			byID[w.ID] = i
		}
	}
	for k := range p.records {
		i, ok := b.place(p.traces[k])
		if !ok {
			i, ok = byID[p.records[k].ID]
		}
		if !ok && len(b.writes) == 1 {
			i, ok = 0, true
		}
		if !ok || answered[i] {
			continue
		}
		answered[i] = true
		results[b.index[i]] = crm.Result{
			Key: b.writes[i].Key, ID: p.records[k].ID, ModifiedMicros: p.records[k].ModifiedMicros,
			Created: b.verb == create || b.verb == upsert && p.made[k], RequestID: request,
		}
	}
	for k := range p.refusals {
		r := &p.refusals[k]
		for _, i := range b.blamed(r) {
			if answered[i] {
				continue
			}
			answered[i] = true
			result := crm.Result{Key: b.writes[i].Key, ID: b.writes[i].ID, Cause: r.code(), Fields: r.fields(), RequestID: request}
			if id := r.existingID(); id != "" {
				result.ID = id
			}
			e := r.asFault("HubSpot refused a record of " + b.object)
			e.RequestID = either(e.RequestID, request)
			result.Err, result.Unknown = e, b.mayHave(e)
			results[b.index[i]] = result
		}
	}
	for i, ok := range answered {
		switch {
		case ok:
		case b.verb.once() && len(p.refusals) == 0:
			// It was neither refused nor named: it may have been made.
			results[b.index[i]] = crm.Result{Key: b.writes[i].Key, Unknown: true, RequestID: request,
				Err: fault.New(fault.Unavailable, "HubSpot did not say which record it made").
					WithMend("run the sync again: it looks before it repeats")}
		default:
			left = append(left, i)
		}
	}
	return left
}

// mayHave tells whether a write that this refuses may have had its effect all the
// same: an earlier call with it went unanswered, and what is refused now may have
// been taken then.
func (b *batch) mayHave(refused error) bool {
	if !b.doubted {
		return false
	}
	switch fault.KindOf(refused) {
	case fault.Unavailable, fault.RateLimited, fault.Denied, fault.Conflict:
		return true
	}
	return false
}

// place reads a trace id back.
func (b *batch) place(trace string) (int, bool) {
	i, err := strconv.Atoi(trace)
	return i, err == nil && i >= 0 && i < len(b.writes)
}

// blamed are the inputs that a refusal names, by trace id or by id.
func (b *batch) blamed(r *refusal) []int {
	var places []int
	for _, trace := range r.Context["objectWriteTraceId"] {
		if i, ok := b.place(trace); ok {
			places = append(places, i)
		}
	}
	if len(places) > 0 {
		return places
	}
	for _, key := range []string{"ids", "id"} {
		for _, id := range r.Context[key] {
			for i, w := range b.writes {
				if id != "" && (w.ID == id || strings.EqualFold(w.ExternalValue, id)) {
					places = append(places, i)
				}
			}
		}
	}
	if len(places) == 0 && len(b.writes) == 1 {
		return []int{0}
	}
	return places
}

// sendArchive archives; HubSpot answers without a body, also for what was
// archived before.
func (c *Client) sendArchive(ctx context.Context, b *batch, results []crm.Result) error {
	inputs := make([]batchInput, len(b.writes))
	for i, w := range b.writes {
		inputs[i].ID = w.ID
	}
	body, err := marshal(map[string]any{"inputs": inputs})
	if err != nil {
		return err
	}
	var request string
	err = c.postDoubted(ctx, c.paths.batch(b.object, "archive"), body, apicall.Keyed, &b.doubted, func(_ int, header http.Header, _ io.Reader) error {
		request = requestIDOf(header)
		return nil
	})
	if err != nil {
		return err
	}
	for i, w := range b.writes {
		results[b.index[i]] = crm.Result{Key: w.Key, ID: w.ID, RequestID: request}
	}
	return nil
}

// requestIDOf is HubSpot's id of a call, for its support.
func requestIDOf(header http.Header) string { return header.Get("X-HubSpot-Correlation-Id") }
