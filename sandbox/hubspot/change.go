package hubspot

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// change is what one write will do, once it was found to be valid.
type change struct {
	was      *record // nil: a create
	values   map[string]string
	assigned map[string]string // values that are really associations
	warnings []warning
}

type warning struct{ property, raw, normalized string }

// writer says who writes and by which road.
type writer struct {
	by      source
	version string // v3, 2026-03, 2026-09; "" for a person in HubSpot
	person  bool
}

// claims are the unique values that inputs of one batch have already taken.
type claims map[string]bool

// judge checks the values that are to be written to a record, or to a new one
// when was is nil, all of them in one go, and adds what follows from them.
func (s *Server) judge(t *table, was *record, given map[string]string, w writer, taken claims) (*change, *problem) {
	c := &change{was: was, values: map[string]string{}, assigned: map[string]string{}}
	var bad []badValue
	for _, name := range slices.Sorted(maps.Keys(given)) {
		v := given[name]
		p := t.property(name)
		switch {
		case p == nil:
			bad = append(bad, badValue{name, "PROPERTY_DOESNT_EXIST", fmt.Sprintf("Property %q does not exist", name)})
		case p.ReadOnly:
			bad = append(bad, readOnly(p))
		case v == "":
			c.set(p, "")
		case name == t.kind.pipeline || name == t.kind.stage:
			c.values[name] = v // judged together below
		default:
			stored, warned, wrong := s.normalize(p, v, w.version)
			if wrong != nil {
				bad = append(bad, *wrong)
				continue
			}
			if warned {
				c.warnings = append(c.warnings, warning{name, v, stored})
			}
			if p.multiple() && was != nil {
				before, _ := was.value(p.number)
				stored = appendOptions(before, stored)
			} else if p.multiple() {
				stored = appendOptions("", stored)
			}
			c.set(p, stored)
		}
	}
	bad = append(bad, s.judgeStage(t, c)...)
	if was == nil {
		bad = append(bad, t.missing(c, given)...)
	}
	if len(bad) > 0 {
		return nil, invalidValues(s.config.PortalID, bad)
	}
	if refused := s.judgeUnique(t, c, taken); refused != nil {
		return nil, refused
	}
	if refused := s.judgeAssigned(c); refused != nil {
		return nil, refused
	}
	s.follow(t, c, w)
	return c, nil
}

func (c *change) set(p *propertyDefinition, v string) {
	if p.assign != nil {
		c.assigned[p.Name] = v
	} else {
		c.values[p.Name] = v
	}
}

func readOnly(p *propertyDefinition) badValue {
	message := fmt.Sprintf("%q is a read only property; its value cannot be set.", p.Name)
	if p.Calculated {
		message = fmt.Sprintf("%q is a calculated property; its value cannot be set.", p.Name)
	}
	return badValue{p.Name, "READ_ONLY_VALUE", message}
}

// now returns a value as it will be after the change.
func (c *change) now(t *table, name string) string {
	if v, ok := c.values[name]; ok {
		return v
	}
	if c.was == nil {
		return ""
	}
	v, _ := t.stored(c.was, name)
	return v
}

// judgeStage wants the stage to belong to the pipeline, given or kept.
func (s *Server) judgeStage(t *table, c *change) []badValue {
	if t.kind.stage == "" {
		return nil
	}
	pipelineID, given := c.values[t.kind.pipeline]
	stageID, stageGiven := c.values[t.kind.stage]
	if !given && !stageGiven && c.was != nil {
		return nil
	}
	if !given || pipelineID == "" {
		pipelineID = c.now(t, t.kind.pipeline)
		if pipelineID == "" && len(t.pipelines) > 0 {
			pipelineID = t.pipelines[0].ID
		}
		if c.was == nil || stageGiven {
			c.values[t.kind.pipeline] = pipelineID
		}
	}
	pipeline := t.pipelineByID(pipelineID)
	if pipeline == nil {
		return []badValue{{t.kind.pipeline, "INVALID_OPTION", notAllowed(pipelineID, t.optionsNow(t.byName[t.kind.pipeline]))}}
	}
	if !stageGiven {
		stageID = c.now(t, t.kind.stage)
	}
	if stageID == "" || pipeline.stage(stageID) != nil {
		return nil
	}
	ids := make([]string, len(pipeline.Stages))
	for i, st := range pipeline.Stages {
		ids[i] = st.ID
	}
	return []badValue{{t.kind.stage, "INVALID_OPTION", fmt.Sprintf("%s is not a valid pipeline stage ID. Valid options are: pipelineId=%s : [%s]",
		stageID, pipelineID, strings.Join(ids, ", "))}}
}

// missing lists what a new record needs and was not given.
func (t *table) missing(c *change, given map[string]string) (bad []badValue) {
	has := func(name string) bool { return given[name] != "" || c.values[name] != "" }
	required := t.kind.required
	if t.schema != nil {
		required = t.schema.RequiredProperties
	}
	for _, name := range required {
		if name == "hs_timestamp" && t.kind.name == "meetings" && !has("hs_timestamp") {
			c.values["hs_timestamp"] = c.values["hs_meeting_start_time"]
		}
		if !has(name) {
			label := name
			if p := t.property(name); p != nil {
				label = p.Label
			}
			bad = append(bad, badValue{name, "MISSING_REQUIRED_PROPERTY", fmt.Sprintf("A value for %s must be provided", label)})
		}
	}
	if len(t.kind.oneOf) > 0 && !slices.ContainsFunc(t.kind.oneOf, has) {
		bad = append(bad, badValue{t.kind.oneOf[0], "MISSING_REQUIRED_PROPERTY", fmt.Sprintf("A value for %s must be provided", strings.Join(t.kind.oneOf, " or "))})
	}
	return bad
}

// judgeUnique refuses values that another record holds, or an earlier input of
// the same batch.
func (s *Server) judgeUnique(t *table, c *change, taken claims) *problem {
	for number := range t.properties {
		p := t.properties[number]
		if _, unique := t.unique[number]; !unique || p.Archived {
			continue
		}
		v := c.values[p.Name]
		if v == "" {
			continue
		}
		isEmail := t.kind.name == "contacts" && p.Name == "email"
		if holder := t.holder(p, v); holder != nil && (c.was == nil || holder.id != c.was.id) {
			if isEmail {
				return contactExists(holder.id)
			}
			return s.valueTaken(t, p, v, c.was, holder.id)
		}
		key := strconv.Itoa(number) + "=" + p.fold(v)
		if taken[key] {
			if isEmail {
				return contactExists(0)
			}
			return s.valueTaken(t, p, v, c.was, t.lastID+1)
		}
		if taken != nil {
			taken[key] = true
		}
	}
	return nil
}

func (s *Server) valueTaken(t *table, p *propertyDefinition, v string, was *record, holder int64) *problem {
	legacy := "legacyObjectType=" + strings.ToUpper(t.kind.singular)
	if t.kind.custom {
		legacy = "typeId=" + t.kind.typeID
	}
	id := t.lastID + 1
	if was != nil {
		id = was.id
	}
	return invalid("Cannot set PropertyValueCoordinates{portalId=%d, objectTypeId=ObjectTypeId{%s}, propertyName=%s, value=%s} on %d. %d already has that value.",
		s.config.PortalID, legacy, p.Name, v, id, holder)
}

// judgeAssigned wants the company that a reference names to exist.
func (s *Server) judgeAssigned(c *change) *problem {
	companies := s.tableByName["companies"]
	for _, name := range slices.Sorted(maps.Keys(c.assigned)) {
		v := c.assigned[name]
		if v == "" {
			continue
		}
		id, err := strconv.ParseInt(v, 10, 64)
		if err != nil || companies.live(id) == nil {
			return invalidValues(s.config.PortalID, []badValue{{name, "INVALID_LONG", fmt.Sprintf("%s was not a valid company ID", v)}})
		}
	}
	return nil
}

// follow adds what HubSpot itself sets because of a change.
func (s *Server) follow(t *table, c *change, w writer) {
	now := formatMillis(s.nowMillis())
	before := func(name string) string {
		if c.was == nil {
			return ""
		}
		v, _ := t.stored(c.was, name)
		return v
	}
	changed := func(name string) bool {
		v, given := c.values[name]
		return given && v != before(name)
	}
	if t.byName["lifecyclestage"] != nil {
		s.followLifecycle(t, c, w, before("lifecyclestage"), now)
	}
	if changed("hubspot_owner_id") && t.byName["hubspot_owner_assigneddate"] != nil {
		c.values["hubspot_owner_assigneddate"] = ""
		if c.values["hubspot_owner_id"] != "" {
			c.values["hubspot_owner_assigneddate"] = now
		}
	}
	switch t.kind.name {
	case "contacts":
		if c.was == nil {
			for name, v := range map[string]string{"hs_marketable_status": "false", "hs_marketable_until_renewal": "false",
				"hs_pipeline": "contacts-lifecycle-pipeline", "hs_analytics_source": "OFFLINE"} {
				if c.values[name] == "" {
					c.values[name] = v
				}
			}
		} else if old := before("email"); changed("email") && old != "" {
			// The old address stays with the contact and is not free for another.
			c.values["hs_additional_emails"] = keptEmails(before("hs_additional_emails"), old, c.values["email"])
		}
	case "deals":
		followDeal(t, c, changed, now)
	case "tickets":
		if changed("hs_pipeline_stage") {
			_, st := t.stage(c.values["hs_pipeline_stage"])
			if _, given := c.values["closed_date"]; !given && st != nil {
				c.values["closed_date"] = ""
				if st.Closed {
					c.values["closed_date"] = now
				}
			}
		}
	case "tasks":
		if changed("hs_task_status") {
			c.values["hs_task_completion_date"] = ""
			if c.values["hs_task_status"] == "COMPLETED" {
				c.values["hs_task_completion_date"] = now
			}
		}
	}
}

func keptEmails(additional, old, is string) string {
	var out []string
	for _, v := range append(strings.Split(additional, ";"), old) {
		if v != "" && v != is && !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return strings.Join(out, ";")
}

func followDeal(t *table, c *change, changed func(string) bool, now string) {
	if !changed("dealstage") {
		return
	}
	c.values["hs_v2_date_entered_current_stage"] = now
	_, st := t.stage(c.values["dealstage"])
	if st == nil || !st.Closed {
		return
	}
	if c.now(t, "closedate") == "" {
		c.values["closedate"] = now
	}
	if st.won() {
		c.values["hs_closed_won_date"] = now
	}
}

// followLifecycle keeps the lifecycle stage moving forward only: an API write
// backward is accepted and changes nothing; clearing it first allows it.
func (s *Server) followLifecycle(t *table, c *change, w writer, before, now string) {
	v, given := c.values["lifecyclestage"]
	if c.was == nil && !given && t.kind.name == "contacts" {
		v, given = "lead", true
		c.values["lifecyclestage"] = v
	}
	if !given || v == "" || v == before {
		return
	}
	if before != "" && !w.person && t.rank(v) < t.rank(before) {
		delete(c.values, "lifecyclestage")
		return
	}
	if name := "hs_lifecyclestage_" + v + "_date"; t.byName[name] != nil {
		c.values[name] = now
	}
}

func (t *table) rank(stage string) int {
	return slices.IndexFunc(t.byName["lifecyclestage"].Options, func(o Option) bool { return o.Value == stage })
}
