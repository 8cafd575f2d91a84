package hubspot

import (
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// text is a value that callers send as a string, a number or a bool. HubSpot
// keeps all of them as text.
type text struct {
	value string
	null  bool
}

// UnmarshalJSONFrom reads a string, number, bool or null.
func (t *text) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	token, err := d.ReadToken()
	if err != nil {
		return err
	}
	switch token.Kind() {
	case '"', '0', 't', 'f':
		*t = text{value: token.String()}
	case 'n':
		*t = text{null: true}
	default:
		return &json.SemanticError{ByteOffset: d.InputOffset(), JSONPointer: d.StackPointer()}
	}
	return nil
}

// plain turns the values of a body into text. A null is left out: only an empty
// string clears a value.
func plain(in map[string]text) map[string]string {
	out := make(map[string]string, len(in))
	for name, v := range in {
		if !v.null {
			out[name] = v.value
		}
	}
	return out
}

// objectInput is one record of a create, update or upsert.
type objectInput struct {
	ID           text               `json:"id"`
	IDProperty   string             `json:"idProperty"`
	Properties   map[string]text    `json:"properties"`
	Associations []associationInput `json:"associations"`
	TraceID      string             `json:"objectWriteTraceId"`
}

// associationInput links a record that is being created.
type associationInput struct {
	To    idInput     `json:"to"`
	Types []typeInput `json:"types"`
}

// typeInput names an association type.
type typeInput struct {
	Category string `json:"associationCategory"`
	ID       int    `json:"associationTypeId"`
}

type batchInput struct {
	Inputs []objectInput `json:"inputs"`
}

type batchReadInput struct {
	Inputs []struct {
		ID text `json:"id"`
	} `json:"inputs"`
	Properties []string `json:"properties"`
	History    []string `json:"propertiesWithHistory"`
	IDProperty string   `json:"idProperty"`
}

type idInput struct {
	ID text `json:"id"`
}
