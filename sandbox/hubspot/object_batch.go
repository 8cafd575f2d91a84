package hubspot

import (
	"net/http"
	"slices"
	"strconv"
)

// Batches of writes. Without objectWriteTraceId one bad input fails the whole
// call and nothing is written; with it the good inputs succeed and each bad one
// is named in errors. An e-mail that another contact has fails the whole call in
// either case and does not say which input had it.
// https://developers.hubspot.com/docs/api-reference/error-handling

func batchCreate(c *call) (int, *problem) {
	in, refused := c.decodeBatch()
	if refused != nil {
		return 0, refused
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	return c.runBatch(http.StatusCreated, in.Inputs, nil, func(input *objectInput, taken claims) (*pending, *problem) {
		if input.Properties == nil {
			return nil, missingFields("properties")
		}
		return c.judgeInput(input, nil, taken)
	})
}

func batchUpdate(c *call) (int, *problem) {
	in, refused := c.decodeBatch()
	if refused != nil {
		return 0, refused
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	// Unknown ids are reported beside the rest, as in a batch read.
	var missing []string
	known := make([]objectInput, 0, len(in.Inputs))
	found := map[*objectInput]*record{}
	for _, input := range in.Inputs {
		if input.ID.value == "" {
			return 0, missingFields("id")
		}
		r, refused := c.locate(input.ID.value, input.IDProperty, false)
		if refused != nil && refused.status == http.StatusBadRequest {
			return 0, refused
		}
		if r == nil {
			missing = append(missing, input.ID.value)
			continue
		}
		known = append(known, input)
		found[&known[len(known)-1]] = r
	}
	var errors []*problem
	if len(missing) > 0 {
		errors = append(errors, someNotFound(c.table, missing))
	}
	return c.runBatch(http.StatusOK, known, errors, func(input *objectInput, taken claims) (*pending, *problem) {
		return c.judgeInput(input, found[input], taken)
	})
}

func batchUpsert(c *call) (int, *problem) {
	in, refused := c.decodeBatch()
	if refused != nil {
		return 0, refused
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	return c.runBatch(http.StatusOK, in.Inputs, nil, func(input *objectInput, taken claims) (*pending, *problem) {
		if input.ID.value == "" || input.IDProperty == "" {
			return nil, missingFields("id", "idProperty")
		}
		r, refused := c.locate(input.ID.value, input.IDProperty, false)
		if refused != nil && refused.status == http.StatusBadRequest {
			return nil, refused
		}
		if input.Properties == nil {
			input.Properties = map[string]text{}
		}
		if _, given := input.Properties[input.IDProperty]; !given {
			input.Properties[input.IDProperty] = input.ID
		}
		p, refused := c.judgeInput(input, r, taken)
		if refused == nil {
			p.upsert = true
		}
		return p, refused
	})
}

func batchArchive(c *call) (int, *problem) {
	in, refused := c.decodeBatch()
	if refused != nil {
		return 0, refused
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	for _, input := range in.Inputs {
		number, err := strconv.ParseInt(input.ID.value, 10, 64)
		if err != nil {
			continue // 204 whatever the ids
		}
		if r := c.table.live(number); r != nil {
			c.s.archive(c.table, r, c.token.by)
		}
	}
	return http.StatusNoContent, nil
}

func (c *call) decodeBatch() (*batchInput, *problem) {
	var in batchInput
	if refused := c.decode(&in); refused != nil {
		return nil, refused
	}
	if refused := batchSize(len(in.Inputs)); refused != nil {
		return nil, refused
	}
	return &in, nil
}

// runBatch judges all inputs, then writes the valid ones. The results are in the
// opposite order of the inputs: no client may count on it.
func (c *call) runBatch(status int, inputs []objectInput, errors []*problem, judge func(*objectInput, claims) (*pending, *problem)) (int, *problem) {
	var valid []*pending
	taken := claims{}
	for i := range inputs {
		p, refused := judge(&inputs[i], taken)
		if c.partial > 0 && refused == nil && (i+c.partial)%2 == 0 {
			refused = &problem{status: http.StatusInternalServerError, category: "INTERNAL_ERROR", message: "internal error"}
			if id := inputs[i].ID.value; id != "" {
				refused.context = []contextEntry{{"ids", []string{id}}}
			}
		}
		switch {
		case refused == nil:
			valid = append(valid, p)
		case refused.status == http.StatusConflict || inputs[i].TraceID == "":
			return 0, refused
		default:
			refused.context = append(refused.context, contextEntry{"objectWriteTraceId", []string{inputs[i].TraceID}})
			errors = append(errors, refused)
		}
	}
	written := make([]*record, len(valid))
	for i, p := range valid {
		if !p.isNew {
			p.change.was = c.table.live(p.change.was.id) // an earlier input may have moved it
		}
		written[i] = c.apply(p)
	}
	c.openBatch()
	for i, p := range slices.Backward(valid) {
		c.writeResult(p, written[i])
	}
	return c.closeBatch(status, errors)
}
