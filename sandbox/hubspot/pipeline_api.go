package hubspot

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strconv"
)

type pipelineInput struct {
	Label        *string      `json:"label"`
	DisplayOrder *int         `json:"displayOrder"`
	PipelineID   string       `json:"pipelineId"`
	Stages       []stageInput `json:"stages"`
}

type stageInput struct {
	Label        *string         `json:"label"`
	DisplayOrder *int            `json:"displayOrder"`
	StageID      string          `json:"stageId"`
	Metadata     map[string]text `json:"metadata"`
}

// hasPipelines refuses object types that have none.
func (c *call) hasPipelines() *problem {
	if c.table.kind.stage == "" {
		return invalid("Objects of type %s have no pipelines", c.table.kind.typeID)
	}
	return nil
}

func listPipelines(c *call) (int, *problem) {
	c.s.mu.RLock()
	defer c.s.mu.RUnlock()
	c.out.object()
	c.out.key("results")
	c.out.array()
	pipelines := slices.Clone(c.table.pipelines)
	slices.SortStableFunc(pipelines, func(a, b *Pipeline) int { return cmp.Compare(a.DisplayOrder, b.DisplayOrder) })
	for _, p := range pipelines {
		c.out.pipeline(c.table, p)
	}
	c.out.endArray()
	c.out.endObject()
	return http.StatusOK, nil
}

// onePipeline finds the pipeline that the path names.
func (c *call) onePipeline() (*Pipeline, *problem) {
	if p := c.table.pipelineByID(c.arg("id")); p != nil {
		return p, nil
	}
	return nil, objectNotFound("Pipeline %s does not exist", c.arg("id"))
}

func (c *call) oneStage() (*Pipeline, *Stage, *problem) {
	p, refused := c.onePipeline()
	if refused != nil {
		return nil, nil, refused
	}
	if st := p.stage(c.arg("stageId")); st != nil {
		return p, st, nil
	}
	return nil, nil, objectNotFound("Pipeline stage %s does not exist", c.arg("stageId"))
}

func readPipeline(c *call) (int, *problem) {
	c.s.mu.RLock()
	defer c.s.mu.RUnlock()
	p, refused := c.onePipeline()
	if refused != nil {
		return 0, refused
	}
	c.out.pipeline(c.table, p)
	return http.StatusOK, nil
}

func createPipeline(c *call) (int, *problem) {
	var in pipelineInput
	if refused := c.decode(&in); refused != nil {
		return 0, refused
	}
	if refused := c.hasPipelines(); refused != nil {
		return 0, refused
	}
	if in.Label == nil || len(in.Stages) == 0 {
		return 0, missingFields("label", "stages")
	}
	p := Pipeline{Label: *in.Label, ID: in.PipelineID}
	assign(&p.DisplayOrder, in.DisplayOrder)
	for _, st := range in.Stages {
		stage, refused := c.readStage(st, Stage{ID: st.StageID}, true)
		if refused != nil {
			return 0, refused
		}
		p.Stages = append(p.Stages, stage)
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if p.ID != "" && c.table.pipelineByID(p.ID) != nil {
		return 0, &problem{status: http.StatusConflict, category: "OBJECT_ALREADY_EXISTS", message: "A pipeline with ID " + p.ID + " already exists."}
	}
	made := c.s.addPipeline(c.table, p)
	c.s.version.Add(1)
	c.out.pipeline(c.table, made)
	return http.StatusCreated, nil
}

// stageLimit is how many stages a pipeline may have.
const stageLimit = 100

// readStage applies what was sent to a stage. Deal stages need a probability in
// tenths, ticket stages a state.
func (c *call) readStage(in stageInput, st Stage, create bool) (Stage, *problem) {
	if create && in.Label == nil {
		return st, missingFields("label")
	}
	assign(&st.Label, in.Label)
	assign(&st.DisplayOrder, in.DisplayOrder)
	for _, name := range slices.Sorted(maps.Keys(in.Metadata)) {
		v := in.Metadata[name].value
		switch name {
		case "probability":
			n, err := strconv.ParseFloat(v, 64)
			if err != nil || n < 0 || n > 1 {
				return st, invalid("probability must be between 0.0 and 1.0, got %q", v)
			}
			st.Probability = v
		case "isClosed":
			st.Closed = v == "true"
		case "ticketState":
			if v != "OPEN" && v != "CLOSED" {
				return st, invalid("ticketState must be OPEN or CLOSED, got %q", v)
			}
			st.Closed = v == "CLOSED"
		default:
			st.more = append(slices.DeleteFunc(slices.Clone(st.more), func(m [2]string) bool { return m[0] == name }), [2]string{name, v})
		}
	}
	if c.table.kind.name == "deals" {
		if st.Probability == "" {
			return st, invalid("metadata.probability is required for deal stages")
		}
		if _, said := in.Metadata["isClosed"]; !said && len(in.Metadata) > 0 {
			st.Closed = st.probability() == 0 || st.probability() == 1
		}
	}
	return st, nil
}

// updatePipeline answers PATCH, and PUT, which replaces the stages too.
func updatePipeline(c *call) (int, *problem) {
	var in pipelineInput
	if refused := c.decode(&in); refused != nil {
		return 0, refused
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	p, refused := c.onePipeline()
	if refused != nil {
		return 0, refused
	}
	if c.request.Method == http.MethodPut {
		if in.Label == nil || len(in.Stages) == 0 {
			return 0, missingFields("label", "stages")
		}
		stages := make([]Stage, 0, len(in.Stages))
		for i, input := range in.Stages {
			st, refused := c.readStage(input, Stage{ID: input.StageID}, true)
			if refused != nil {
				return 0, refused
			}
			stages = append(stages, c.s.newStage(st, i))
		}
		if refused := c.stagesUnused(p.Stages, stages); refused != nil {
			return 0, refused
		}
		p.Stages = stages
	}
	assign(&p.Label, in.Label)
	assign(&p.DisplayOrder, in.DisplayOrder)
	p.updatedAt = c.s.nowMillis()
	c.s.version.Add(1)
	c.out.pipeline(c.table, p)
	return http.StatusOK, nil
}

// stagesUnused refuses to drop stages that records are in; kept lists those that stay.
func (c *call) stagesUnused(dropped, kept []Stage) *problem {
	gone := map[string]bool{}
	for _, st := range dropped {
		if !slices.ContainsFunc(kept, func(k Stage) bool { return k.ID == st.ID }) {
			gone[st.ID] = true
		}
	}
	var stages, objects []string
	for _, r := range c.table.records {
		if v, _ := c.table.stored(r, c.table.kind.stage); gone[v] {
			if objects = append(objects, strconv.FormatInt(r.id, 10)); !slices.Contains(stages, v) {
				stages = append(stages, v)
			}
			if len(objects) == batchLimit { // enough to show
				break
			}
		}
	}
	if len(objects) == 0 {
		return nil
	}
	return &problem{status: http.StatusBadRequest, category: "VALIDATION_ERROR", subCategory: "PipelineError.STAGE_ID_IN_USE",
		message: "Stages cannot be deleted while objects are in them", context: []contextEntry{{"stageIds", stages}, {"objectIds", objects}}}
}

// checksUse says whether a delete looks for records in the way: 2026-09 does by
// default, older versions when asked.
func (c *call) checksUse() bool {
	for _, name := range []string{"validateReferencesBeforeDelete", "validateDealStageUsagesBeforeDelete"} {
		if c.parsedQuery().Has(name) {
			if c.flag(name) {
				return true
			}
			continue
		}
		if c.version == "2026-09" {
			return true
		}
	}
	return false
}

func deletePipeline(c *call) (int, *problem) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	p, refused := c.onePipeline()
	if refused != nil {
		return 0, refused
	}
	if c.checksUse() {
		if refused := c.stagesUnused(p.Stages, nil); refused != nil {
			return 0, refused
		}
	}
	if len(c.table.pipelines) == 1 {
		return 0, invalid("The last pipeline of an object type cannot be deleted")
	}
	c.table.pipelines = slices.DeleteFunc(c.table.pipelines, func(x *Pipeline) bool { return x == p })
	c.s.version.Add(1)
	return http.StatusNoContent, nil
}

func listStages(c *call) (int, *problem) {
	c.s.mu.RLock()
	defer c.s.mu.RUnlock()
	p, refused := c.onePipeline()
	if refused != nil {
		return 0, refused
	}
	c.out.object()
	c.out.key("results")
	c.out.array()
	for i := range p.Stages {
		c.out.stage(c.table, &p.Stages[i])
	}
	c.out.endArray()
	c.out.endObject()
	return http.StatusOK, nil
}

func readStage(c *call) (int, *problem) {
	c.s.mu.RLock()
	defer c.s.mu.RUnlock()
	_, st, refused := c.oneStage()
	if refused != nil {
		return 0, refused
	}
	c.out.stage(c.table, st)
	return http.StatusOK, nil
}

func createStage(c *call) (int, *problem) {
	var in stageInput
	if refused := c.decode(&in); refused != nil {
		return 0, refused
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	p, refused := c.onePipeline()
	if refused != nil {
		return 0, refused
	}
	if len(p.Stages) >= stageLimit {
		return 0, invalid("A pipeline may have at most %d stages", stageLimit)
	}
	st, refused := c.readStage(in, Stage{ID: in.StageID}, true)
	if refused != nil {
		return 0, refused
	}
	if _, taken := c.table.stage(st.ID); st.ID != "" && taken != nil {
		return 0, &problem{status: http.StatusConflict, category: "OBJECT_ALREADY_EXISTS", message: "A stage with ID " + st.ID + " already exists."}
	}
	p.Stages = append(p.Stages, c.s.newStage(st, len(p.Stages)))
	c.s.version.Add(1)
	c.out.stage(c.table, &p.Stages[len(p.Stages)-1])
	return http.StatusCreated, nil
}

func updateStage(c *call) (int, *problem) {
	var in stageInput
	if refused := c.decode(&in); refused != nil {
		return 0, refused
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	_, st, refused := c.oneStage()
	if refused != nil {
		return 0, refused
	}
	changed, refused := c.readStage(in, *st, c.request.Method == http.MethodPut)
	if refused != nil {
		return 0, refused
	}
	changed.updatedAt = c.s.nowMillis()
	*st = changed
	c.s.version.Add(1)
	c.out.stage(c.table, st)
	return http.StatusOK, nil
}

func deleteStage(c *call) (int, *problem) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	p, st, refused := c.oneStage()
	if refused != nil {
		return 0, refused
	}
	if c.checksUse() {
		if refused := c.stagesUnused([]Stage{*st}, nil); refused != nil {
			return 0, refused
		}
	}
	id := st.ID
	p.Stages = slices.DeleteFunc(p.Stages, func(x Stage) bool { return x.ID == id })
	c.s.version.Add(1)
	return http.StatusNoContent, nil
}
