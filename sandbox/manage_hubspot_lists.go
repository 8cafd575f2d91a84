package sandbox

import "net/http"

// hubSpotListCalls are the calls about lists, as a person in the browser makes them.
func (s *Sandbox) hubSpotListCalls() map[string]func(*http.Request) (any, error) {
	return map[string]func(*http.Request) (any, error){
		"GET /hubspot/lists":               func(*http.Request) (any, error) { return map[string]any{"lists": s.HubSpot().Lists()}, nil },
		"POST /hubspot/lists":              s.makeList,
		"POST /hubspot/lists/{id}/members": s.changeList,
	}
}

func (s *Sandbox) makeList(r *http.Request) (any, error) {
	var body struct {
		Type string `json:"type"`
		Name string `json:"name"`
	}
	if err := readBody(r, &body); err != nil {
		return nil, err
	}
	id, err := s.HubSpot().AddList(body.Type, body.Name)
	if err != nil {
		return nil, err
	}
	return map[string]string{"listId": id}, nil
}

func (s *Sandbox) changeList(r *http.Request) (any, error) {
	var body struct {
		Add    []string `json:"add"`
		Remove []string `json:"remove"`
	}
	if err := readBody(r, &body); err != nil {
		return nil, err
	}
	by, err := s.hand(r)
	if err != nil {
		return nil, err
	}
	return nil, by.ChangeList(r.PathValue("id"), body.Add, body.Remove)
}
