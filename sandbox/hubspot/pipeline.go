package hubspot

import (
	"cmp"
	"strconv"
)

// Pipeline is a series of stages that deals or tickets go through.
// https://developers.hubspot.com/docs/api-reference/latest/crm/pipelines/guide
type Pipeline struct {
	ID           string // "" means a number of the account's choosing
	Label        string
	DisplayOrder int
	Stages       []Stage

	createdAt, updatedAt int64
}

// Stage is one step of a pipeline.
type Stage struct {
	ID           string // "" means a number of the account's choosing
	Label        string
	DisplayOrder int
	// Probability of a deal stage, "0.0" to "1.0".
	Probability string
	// Closed stages end the pipeline: won at probability 1.0, lost below.
	Closed bool

	createdAt, updatedAt int64
	// metadata that a user sent beside the two above.
	more [][2]string
}

func (s *Server) loadPipelines() {
	s.tableByName["deals"].pipelines = []*Pipeline{{ID: "default", Label: "Sales Pipeline", Stages: []Stage{
		{ID: "appointmentscheduled", Label: "Appointment Scheduled", Probability: "0.2"},
		{ID: "qualifiedtobuy", Label: "Qualified To Buy", DisplayOrder: 1, Probability: "0.4"},
		{ID: "presentationscheduled", Label: "Presentation Scheduled", DisplayOrder: 2, Probability: "0.6"},
		{ID: "decisionmakerboughtin", Label: "Decision Maker Bought-In", DisplayOrder: 3, Probability: "0.8"},
		{ID: "contractsent", Label: "Contract Sent", DisplayOrder: 4, Probability: "0.9"},
		{ID: "closedwon", Label: "Closed Won", DisplayOrder: 5, Probability: "1.0", Closed: true},
		{ID: "closedlost", Label: "Closed Lost", DisplayOrder: 6, Probability: "0.0", Closed: true},
	}}}
	s.tableByName["tickets"].pipelines = []*Pipeline{{ID: "0", Label: "Support Pipeline", Stages: []Stage{
		{ID: "1", Label: "New"},
		{ID: "2", Label: "Waiting on contact", DisplayOrder: 1},
		{ID: "3", Label: "Waiting on us", DisplayOrder: 2},
		{ID: "4", Label: "Closed", DisplayOrder: 3, Closed: true},
	}}}
}

// AddPipeline defines a pipeline as an administrator would, and returns it with
// the ids it was given. It panics when the object type does not exist.
func (s *Server) AddPipeline(objectType string, p Pipeline) Pipeline {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.table(objectType)
	if t == nil {
		panic("hubspot: AddPipeline: no object type " + objectType)
	}
	added := s.addPipeline(t, p)
	s.version.Add(1)
	return *added
}

func (s *Server) addPipeline(t *table, p Pipeline) *Pipeline {
	now := s.nowMillis()
	p.ID = cmp.Or(p.ID, s.nextNumber())
	p.createdAt, p.updatedAt = now, now
	p.Stages = append([]Stage(nil), p.Stages...)
	for i := range p.Stages {
		p.Stages[i] = s.newStage(p.Stages[i], i)
	}
	t.pipelines = append(t.pipelines, &p)
	return &p
}

func (s *Server) newStage(st Stage, order int) Stage {
	now := s.nowMillis()
	st.ID = cmp.Or(st.ID, s.nextNumber())
	if st.DisplayOrder == 0 {
		st.DisplayOrder = order
	}
	st.createdAt, st.updatedAt = now, now
	return st
}

// nextNumber makes an id for what the account names by number.
func (s *Server) nextNumber() string {
	s.lastNumber += 1 + int64(s.random.IntN(900))
	return strconv.FormatInt(s.lastNumber, 10)
}

func (t *table) pipelineByID(id string) *Pipeline {
	for _, p := range t.pipelines {
		if p.ID == id {
			return p
		}
	}
	return nil
}

// stage finds a stage in any pipeline of the type.
func (t *table) stage(id string) (*Pipeline, *Stage) {
	for _, p := range t.pipelines {
		if st := p.stage(id); st != nil {
			return p, st
		}
	}
	return nil, nil
}

func (p *Pipeline) stage(id string) *Stage {
	for i := range p.Stages {
		if p.Stages[i].ID == id {
			return &p.Stages[i]
		}
	}
	return nil
}

func (st Stage) won() bool { return st.Closed && st.probability() == 1 }

func (st Stage) probability() float64 {
	v, _ := strconv.ParseFloat(st.Probability, 64)
	return v
}

func (e *encoder) pipeline(t *table, p *Pipeline) {
	e.object()
	e.textField("label", p.Label)
	e.numberField("displayOrder", int64(p.DisplayOrder))
	e.textField("id", p.ID)
	e.key("stages")
	e.array()
	for i := range p.Stages {
		e.stage(t, &p.Stages[i])
	}
	e.endArray()
	e.millisField("createdAt", p.createdAt)
	e.millisField("updatedAt", p.updatedAt)
	e.boolField("archived", false)
	e.endObject()
}

func (e *encoder) stage(t *table, st *Stage) {
	e.object()
	e.textField("label", st.Label)
	e.numberField("displayOrder", int64(st.DisplayOrder))
	e.key("metadata")
	e.object()
	if t.kind.name == "tickets" {
		state := "OPEN"
		if st.Closed {
			state = "CLOSED"
		}
		e.textField("ticketState", state)
		e.textField("isClosed", strconv.FormatBool(st.Closed))
	} else {
		e.textField("isClosed", strconv.FormatBool(st.Closed))
		if st.Probability != "" {
			e.textField("probability", st.Probability)
		}
	}
	for _, m := range st.more {
		e.anyKey(m[0])
		e.text(m[1])
	}
	e.endObject()
	e.textField("id", st.ID)
	e.millisField("createdAt", st.createdAt)
	e.millisField("updatedAt", st.updatedAt)
	e.boolField("archived", false)
	e.textField("writePermissions", "CRM_PERMISSIONS_ENFORCEMENT")
	e.endObject()
}
