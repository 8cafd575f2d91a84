package sandbox

import (
	"net/http"

	"github.com/lockstep-sync/lockstep/sandbox/salesforce"
)

// salesforceSchemaRoutes are the calls that change the org's schema as an
// administrator would.
func (s *Sandbox) salesforceSchemaRoutes() map[string]func(*http.Request) (any, error) {
	return map[string]func(*http.Request) (any, error){
		"POST /salesforce/fields":  s.addSalesforceField,
		"POST /salesforce/objects": s.addSalesforceObject,
	}
}

func (s *Sandbox) addSalesforceField(r *http.Request) (any, error) {
	var body struct {
		Object string           `json:"object"`
		Field  salesforce.Field `json:"field"`
	}
	if err := readBody(r, &body); err != nil {
		return nil, err
	}
	if body.Field.Computed {
		return nil, bad("give a formula or rollUp instead", "a field can be computed by a function from Go alone")
	}
	return nil, s.Salesforce().AddField(body.Object, body.Field)
}

func (s *Sandbox) addSalesforceObject(r *http.Request) (any, error) {
	var body salesforce.Object
	if err := readBody(r, &body); err != nil {
		return nil, err
	}
	return nil, s.Salesforce().AddObject(body)
}
