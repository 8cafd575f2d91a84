package salesforce

import (
	"net/http"
	"slices"
	"strings"
)

// DuplicateRule finds records that look like the one being saved: those whose
// Fields all hold the same, without regard to case.
// https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_objects_duplicateresult.htm
type DuplicateRule struct {
	// Name is the API name; "Standard_<Object>_Duplicate_Rule" when empty.
	Name string `json:"name"`
	// Object is what is saved, Fields what must agree; ["Email"] when empty.
	Object string   `json:"object"`
	Fields []string `json:"fields"`
	// Against lists the objects that are searched; Object alone when empty.
	Against []string `json:"against,omitempty"`
	// Block refuses even with allowSave; an alert gives way to it.
	Block bool `json:"block,omitempty"`
	// OnUpdate applies the rule to updates too; creates always meet it.
	OnUpdate bool `json:"onUpdate,omitempty"`
	// Message defaults to "Use one of these records?".
	Message string `json:"message,omitempty"`
}

// AddDuplicateRule switches a duplicate rule on. A rule of the same name is replaced.
func (s *Server) AddDuplicateRule(r DuplicateRule) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.Name == "" {
		r.Name = "Standard_" + r.Object + "_Duplicate_Rule"
	}
	if len(r.Fields) == 0 {
		r.Fields = []string{"Email"}
	}
	if len(r.Against) == 0 {
		r.Against = []string{r.Object}
	}
	if r.Message == "" {
		r.Message = "Use one of these records?"
	}
	s.rules = slices.DeleteFunc(s.rules, func(old DuplicateRule) bool { return old.Name == r.Name })
	s.rules = append(s.rules, r)
	s.changes++
}

// RemoveDuplicateRule switches a rule off.
func (s *Server) RemoveDuplicateRule(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rules = slices.DeleteFunc(s.rules, func(old DuplicateRule) bool { return old.Name == name })
	s.changes++
}

// duplicates applies the duplicate rules to a record about to be saved.
func (s *Server) duplicates(c *call, o *object, d *draft, before *row) *failure {
	for i := range s.rules {
		rule := &s.rules[i]
		if !strings.EqualFold(rule.Object, o.name) || before != nil && !rule.OnUpdate {
			continue
		}
		allow := c.version >= 52 && strings.EqualFold(c.option("Sforce-Duplicate-Rule-Header", "allowSave"), "true")
		if allow && !rule.Block {
			continue
		}
		found := map[string][]*row{}
		any := false
		for _, name := range rule.Against {
			other := s.object(name)
			if other == nil {
				continue
			}
			if rows := rule.find(o, d, other, before); len(rows) > 0 {
				found[other.name], any = rows, true
			}
		}
		if any {
			f := plain(http.StatusBadRequest, "DUPLICATES_DETECTED", rule.Message)
			f.extra = s.duplicateResult(c, rule, o, d, found)
			if c.inner || strings.Contains(c.path, "/composite/") {
				f.fields = noFields
			}
			return f
		}
	}
	return nil
}

// find returns the records of other that agree in every field of the rule.
func (rule *DuplicateRule) find(o *object, d *draft, other *object, before *row) []*row {
	var found []*row
	var first *field
	var wanted value
	for _, name := range rule.Fields {
		mine, theirs := o.field(name), other.field(name)
		if mine == nil || theirs == nil || d.get(mine).null() {
			return nil
		}
		if first == nil || other.indexes[first.index] == nil {
			first, wanted = theirs, d.get(mine)
		}
	}
	if first == nil {
		return nil
	}
	for _, r := range other.match(first, wanted) {
		if r == before {
			continue
		}
		all := true
		for _, name := range rule.Fields {
			all = all && compare(r.get(other.field(name)), d.get(o.field(name))) == 0
		}
		if all {
			found = append(found, r)
		}
	}
	return found
}

// duplicateResult is the member that single-record answers carry.
func (s *Server) duplicateResult(c *call, rule *DuplicateRule, o *object, d *draft, found map[string][]*row) []byte {
	details := strings.EqualFold(c.option("Sforce-Duplicate-Rule-Header", "includeRecordDetails"), "true")
	w := &jsonWriter{}
	w.key("duplicateResult").open('{')
	w.key("allowSave").bool(!rule.Block)
	w.key("duplicateRule").str(rule.Name).key("duplicateRuleEntityType").str(o.name)
	w.key("errorMessage").str(rule.Message)
	w.key("matchResults").open('[')
	for _, name := range rule.Against {
		other := s.object(name)
		rows := found[name]
		if other == nil || rows == nil {
			continue
		}
		w.open('{').key("entityType").str(other.name).key("errors").strs(nil)
		w.key("matchEngine").str("ExactMatchEngine").key("matchRecords").open('[')
		for _, r := range rows {
			w.open('{').key("additionalInformation").strs(nil).key("fieldDiffs").open('[')
			for _, f := range rule.Fields {
				w.open('{').key("difference").str("Same").key("name").str(f).close('}')
			}
			w.close(']').key("matchConfidence").raw([]byte("100.0")).key("record").open('{')
			c.writeAttributes(w, other, r)
			w.key("Id").str(r.id)
			if details {
				for _, f := range rule.Fields {
					mine := other.field(f)
					w.key(mine.Name).raw(r.appendField(nil, mine))
				}
			}
			w.close('}').close('}')
		}
		w.close(']').key("rule").str(rule.Name + "_Match").key("size").int(len(rows)).key("success").bool(true).close('}')
	}
	w.close(']').close('}')
	return w.b
}

// validationRule is a rule that an administrator wrote.
type validationRule struct {
	object, name, message, field string
	broken                       func(fields map[string]any) bool
}

// AddValidationRule refuses to save a record for which broken says so; message
// is the administrator's text, field the one that it is shown at (or ""). broken
// sees the record as it would be saved and must not call the server.
func (s *Server) AddValidationRule(objectName, name, message, field string, broken func(fields map[string]any) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.checks = slices.DeleteFunc(s.checks, func(v validationRule) bool { return v.object == objectName && v.name == name })
	s.checks = append(s.checks, validationRule{objectName, name, message, field, broken})
}

// RemoveValidationRule takes a rule away.
func (s *Server) RemoveValidationRule(objectName, name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.checks = slices.DeleteFunc(s.checks, func(v validationRule) bool { return v.object == objectName && v.name == name })
}

// validate applies the validation rules.
func (s *Server) validate(o *object, d *draft, before *row) failures {
	var problems failures
	var fields map[string]any
	for _, v := range s.checks {
		if !strings.EqualFold(v.object, o.name) {
			continue
		}
		if fields == nil {
			next := row{}
			if before != nil {
				next = *before
			}
			next.cells = d.cells
			fields = o.export(&next)
		}
		if v.broken(fields) {
			f := refuse("FIELD_CUSTOM_VALIDATION_EXCEPTION", v.message)
			if v.field != "" {
				f.fields = []string{v.field}
			}
			problems = append(problems, f)
		}
	}
	return problems
}
