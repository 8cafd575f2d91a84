package hubspot_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

type wireInput struct {
	ID         string            `json:"id"`
	By         string            `json:"idProperty"`
	Properties map[string]string `json:"properties"`
	Trace      string            `json:"objectWriteTraceId"`
	From       struct{ ID string }
	To         json.RawMessage
}

func (p *portal) batch(request *http.Request, object, verb string, body []byte) *http.Response {
	var batch struct {
		By         string   `json:"idProperty"`
		Properties []string `json:"properties"`
		Inputs     []wireInput
	}
	if err := json.Unmarshal(body, &batch); err != nil || len(batch.Inputs) > 100 {
		return reply(request, 400, `{"status":"error","message":"bad batch","category":"VALIDATION_ERROR"}`)
	}
	switch verb {
	case "read":
		return p.readBatch(request, object, batch.By, batch.Properties, batch.Inputs)
	case "create":
		return p.createBatch(request, object, batch.Inputs)
	case "update":
		return p.updateBatch(request, object, batch.Inputs)
	case "archive":
		for _, input := range batch.Inputs {
			n, _ := strconv.ParseUint(input.ID, 10, 64)
			if r := p.find(object, n); r != nil {
				r.archived, r.archivedAt = true, p.now().UTC()
			}
		}
		return reply(request, 204, "")
	}
	return reply(request, 404, `{"status":"error","message":"resource not found"}`)
}

func (p *portal) readBatch(request *http.Request, object, by string, properties []string, inputs []wireInput) *http.Response {
	archived := request.URL.Query().Get("archived") == "true"
	var found []*item
	var missing []string
	for _, input := range inputs {
		var hit *item
		for _, r := range p.records[object] {
			same := strconv.FormatUint(r.id, 10) == input.ID
			if by != "" {
				same = strings.EqualFold(r.values[by], input.ID)
			}
			if same && r.archived == archived && r.mergedInto == 0 {
				hit = r
				break
			}
		}
		if hit == nil {
			missing = append(missing, input.ID)
			continue
		}
		found = append([]*item{hit}, found...) // not the order of the inputs
	}
	results := make([]any, 0, len(found))
	for _, r := range found {
		results = append(results, wire(r, properties, nil))
	}
	answer := map[string]any{"status": "COMPLETE", "results": results}
	status := 200
	if len(missing) > 0 {
		status = 207
		answer["numErrors"] = 1
		answer["errors"] = []any{map[string]any{"status": "error", "category": "OBJECT_NOT_FOUND", "message": "Could not get some CONTACT objects, they may be deleted or not exist.", "context": map[string]any{"ids": missing}}}
	}
	text, _ := json.Marshal(answer)
	return reply(request, status, string(text))
}

// createBatch refuses a batch as a whole when an e-mail exists, and names the
// input when an option is wrong.
func (p *portal) createBatch(request *http.Request, object string, inputs []wireInput) *http.Response {
	for _, input := range inputs {
		if _, ok := input.Properties["unknown_property"]; ok {
			return reply(request, 400, `{"status":"error","message":"Property values were not valid","category":"VALIDATION_ERROR","correlationId":"c-400","errors":[{"message":"Property \"unknown_property\" does not exist","code":"PROPERTY_DOESNT_EXIST","context":{"propertyName":["unknown_property"]}}]}`)
		}
		for _, r := range p.records[object] {
			if email := input.Properties["email"]; email != "" && r.values["email"] == email {
				return reply(request, 409, fmt.Sprintf(`{"status":"error","message":"Contact already exists. Existing ID: %d","category":"CONFLICT","correlationId":"c-409"}`, r.id))
			}
		}
	}
	var results, errors []any
	for _, input := range inputs {
		if input.Properties["lifecyclestage"] == "wrong" {
			errors = append(errors, map[string]any{"status": "error", "category": "VALIDATION_ERROR", "message": "bad option",
				"errors":  []any{map[string]any{"message": "wrong was not one of the allowed options", "code": "INVALID_OPTION", "context": map[string]any{"propertyName": []string{"lifecyclestage"}}}},
				"context": map[string]any{"objectWriteTraceId": []string{input.Trace}}})
			continue
		}
		p.created++
		r := p.add(object, uint64(900_000+p.created), input.Properties)
		out := wire(r, nil, nil)
		out = fmt.Appendf(out[:len(out)-1], `,"objectWriteTraceId":%q}`, input.Trace)
		results = append([]any{out}, results...)
	}
	answer := map[string]any{"status": "COMPLETE", "results": results}
	status := 201
	if len(errors) > 0 {
		status, answer["errors"], answer["numErrors"] = 207, errors, len(errors)
	}
	text, _ := json.Marshal(answer)
	return reply(request, status, string(text))
}

func (p *portal) updateBatch(request *http.Request, object string, inputs []wireInput) *http.Response {
	var results []any
	var missing []string
	for _, input := range inputs {
		n, _ := strconv.ParseUint(input.ID, 10, 64)
		r := p.find(object, n)
		if r == nil || r.archived {
			missing = append(missing, input.ID)
			continue
		}
		for name, value := range input.Properties {
			r.values[name] = value
		}
		r.modified = p.now().UTC().Truncate(time.Millisecond)
		results = append([]any{wire(r, nil, nil)}, results...)
	}
	answer := map[string]any{"status": "COMPLETE", "results": results}
	status := 200
	if len(missing) > 0 {
		status = 207
		answer["errors"] = []any{map[string]any{"status": "error", "category": "OBJECT_NOT_FOUND", "message": "not found", "context": map[string]any{"ids": missing}}}
	}
	text, _ := json.Marshal(answer)
	return reply(request, status, string(text))
}

func (p *portal) readAssociations(request *http.Request, from, to string, body []byte) *http.Response {
	var batch struct{ Inputs []wireInput }
	_ = json.Unmarshal(body, &batch)
	if len(batch.Inputs) > 1000 {
		return reply(request, 400, `{"status":"error","message":"too many","category":"VALIDATION_ERROR"}`)
	}
	var out bytes.Buffer
	out.WriteString(`{"status":"COMPLETE","results":[`)
	first := true
	for _, input := range batch.Inputs {
		n, _ := strconv.ParseUint(input.ID, 10, 64)
		r := p.find(from, n)
		if r == nil || len(r.associations[to]) == 0 {
			continue
		}
		if !first {
			out.WriteByte(',')
		}
		first = false
		fmt.Fprintf(&out, `{"from":{"id":"%d"},"to":[`, n)
		for i, a := range r.associations[to] {
			if i > 0 {
				out.WriteByte(',')
			}
			fmt.Fprintf(&out, `{"toObjectId":%d,"associationTypes":[{"category":"HUBSPOT_DEFINED","typeId":279,"label":null}`, a.id)
			if slices.Contains(a.kinds, "contact_to_company") {
				out.WriteString(`,{"category":"HUBSPOT_DEFINED","typeId":1,"label":"Primary"}`)
			}
			out.WriteString("]}")
		}
		out.WriteString("]}")
	}
	out.WriteString("]}")
	return reply(request, 200, out.String())
}
