package sandbox

import (
	"net/http"
)

// salesforceEventRoutes are the calls about Salesforce's change events.
func (s *Sandbox) salesforceEventRoutes() map[string]func(*http.Request) (any, error) {
	return map[string]func(*http.Request) (any, error){
		"GET /salesforce/change-events":                 func(*http.Request) (any, error) { return s.Salesforce().ChangeEvents(), nil },
		"PUT /salesforce/change-events":                 s.selectChangeEvents,
		"POST /salesforce/change-events/gaps":           s.emitGap,
		"POST /salesforce/change-events/lose-positions": s.losePositions,
		"POST /salesforce/change-events/end-streams":    s.endStreams,
		"POST /salesforce/managed-subscriptions":        s.addManagedSubscription,
	}
}

func (s *Sandbox) selectChangeEvents(r *http.Request) (any, error) {
	var body struct {
		Objects   []string `json:"objects"`
		Allowance *int     `json:"allowance"`
	}
	if err := readBody(r, &body); err != nil {
		return nil, err
	}
	if body.Allowance != nil && *body.Allowance < 0 {
		return nil, bad("give a number from 0", "an allowance of %d events cannot be", *body.Allowance)
	}
	if err := s.Salesforce().SelectChangeEvents(body.Objects...); err != nil {
		return nil, err
	}
	if body.Allowance != nil {
		s.Salesforce().SetEventAllowance(*body.Allowance)
	}
	return s.Salesforce().ChangeEvents(), nil
}

func (s *Sandbox) emitGap(r *http.Request) (any, error) {
	var body struct {
		Object     string   `json:"object"`
		ChangeType string   `json:"changeType"`
		IDs        []string `json:"ids"`
	}
	if err := readBody(r, &body); err != nil {
		return nil, err
	}
	return nil, s.Salesforce().EmitGap(body.Object, body.ChangeType, body.IDs...)
}

func (s *Sandbox) losePositions(*http.Request) (any, error) {
	s.Salesforce().LoseReplayPositions()
	return nil, nil
}

func (s *Sandbox) endStreams(*http.Request) (any, error) {
	s.Salesforce().EndStreams()
	return nil, nil
}

func (s *Sandbox) addManagedSubscription(r *http.Request) (any, error) {
	var body struct {
		DeveloperName string `json:"developerName"`
		Topic         string `json:"topic"`
		Earliest      bool   `json:"earliest"`
	}
	if err := readBody(r, &body); err != nil {
		return nil, err
	}
	id, err := s.Salesforce().AddManagedSubscription(body.DeveloperName, body.Topic, body.Earliest)
	if err != nil {
		return nil, err
	}
	return map[string]string{"id": id, "developerName": body.DeveloperName, "topic": body.Topic}, nil
}
