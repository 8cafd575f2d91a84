package salesforce

import (
	"fmt"
	"slices"
	"strings"
)

// RollUp is a roll-up summary: what the children of a record come to.
// https://help.salesforce.com/s/articleView?id=platform.fields_about_roll_up_summary_fields.htm
type RollUp struct {
	// Object is the child, Reference its master-detail field to this object.
	Object    string `json:"object"`
	Reference string `json:"reference"`
	// Operation is count, sum, min or max; of Field, unless it counts.
	Operation string `json:"operation"`
	Field     string `json:"field,omitempty"`
	// Filter is a formula on the child; only children for which it is true count.
	Filter string `json:"filter,omitempty"`
}

// calculated says whether the value is computed and never written.
func (f *Field) calculated() bool { return f.Formula != "" || f.RollUp != nil || f.Computed }

// AddFormula adds a formula field whose value is a Go function of the record.
// get reads a field of it, also over parents ("Account.Name"); it returns what
// [Server.Get] returns. The function must not call the server, and it is not
// saved: after [Server.LoadState] it is there again if this server knew it.
func (s *Server) AddFormula(objectName string, f Field, compute func(get func(path string) any) any) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	f.Computed = true
	name := strings.ToLower(objectName + "." + f.Name)
	if s.computed == nil {
		s.computed = map[string]func(func(string) any) any{}
	}
	if _, twice := s.computed[name]; twice {
		return fmt.Errorf("field %s.%s exists already", objectName, f.Name)
	}
	s.computed[name] = compute
	err := s.addField(objectName, f)
	if err != nil {
		delete(s.computed, name)
	}
	return err
}

// addField adds a custom field; the caller holds the write lock.
func (s *Server) addField(objectName string, f Field) error {
	o := s.object(objectName)
	if o == nil {
		return fmt.Errorf("no object %s to add field %s to", objectName, f.Name)
	}
	if !strings.HasSuffix(f.Name, "__c") {
		return fmt.Errorf("custom field %s.%s must end in __c", o.name, f.Name)
	}
	for _, target := range f.ReferenceTo {
		if s.object(target) == nil {
			return fmt.Errorf("field %s.%s refers to %s, and there is no such object", o.name, f.Name, target)
		}
	}
	if !f.calculated() {
		if err := addCustomField(o, f); err != nil {
			return err
		}
		s.schemaChanged()
		return nil
	}
	f.ReadOnly, f.Required = true, false
	if f.RollUp != nil && f.Type == "" {
		f.Type, f.Precision = "double", 18
	}
	if (f.Type == "" || f.Type == "string") && f.Length == 0 {
		f.Type, f.Length = "string", 1300
	}
	made := &field{Field: f, object: o, source: fromFormula}
	compute, err := s.computation(o, made)
	if err != nil {
		return fmt.Errorf("field %s.%s: %w", o.name, f.Name, err)
	}
	made.compute = func(r *row) value { return made.shown(compute(r)) }
	if _, err := o.add(made); err != nil {
		return err
	}
	s.schemaChanged()
	return nil
}

func (s *Server) computation(o *object, f *field) (formula, error) {
	switch {
	case f.RollUp != nil:
		return s.rollUp(o, f.RollUp)
	case f.Formula != "":
		return s.parseFormula(o, f.Formula)
	}
	if given := s.computed[strings.ToLower(o.name+"."+f.Name)]; given != nil {
		return s.given(f, given), nil
	}
	// Its function was not saved.
	return func(*row) value { return value{} }, nil
}

// owned says whether the records have owners: what hangs on a master belongs to
// the master's owner.
func (c *Object) owned() bool {
	return !slices.ContainsFunc(c.Fields, func(f Field) bool { return f.MasterDetail })
}

// addObject adds a custom object; the caller holds the write lock.
func (s *Server) addObject(c Object, owned bool) error {
	if !strings.HasSuffix(c.Name, "__c") {
		return fmt.Errorf("custom object %s must end in __c", c.Name)
	}
	if s.object(c.Name) != nil {
		return fmt.Errorf("object %s exists already", c.Name)
	}
	if c.KeyPrefix == "" {
		for i := range 62 {
			if p := "a0" + digits62[i:i+1]; s.prefixes[p] == nil {
				c.KeyPrefix = p
				break
			}
		}
	}
	if len(c.KeyPrefix) != 3 || s.prefixes[c.KeyPrefix] != nil {
		return fmt.Errorf("key prefix %q of object %s is not free", c.KeyPrefix, c.Name)
	}
	if c.Label == "" {
		c.Label = words(c.Name)
	}
	if c.Plural == "" {
		c.Plural = c.Label + "s"
	}
	o := newObject(c.Name, c.Label, c.Plural, c.KeyPrefix)
	o.undeletable, o.searchable, o.layoutable, o.viewed = true, true, true, true
	o.autoNumber, o.activities = c.AutoNumber, c.Activities
	addLeading(o, false)
	name := &field{Field: Field{Name: "Name", Type: "string", Length: 80, Label: c.Label + " Name"}, nameField: true, autoNumber: c.AutoNumber != ""}
	if c.AutoNumber != "" {
		name.Required, name.ReadOnly, name.Defaulted, name.IDLookup = true, true, true, true
	}
	must(o.add(name))
	if owned {
		must(o.add(&field{Field: Field{Name: "OwnerId", Type: "reference", ReferenceTo: []string{"Group", "User"}, Relationship: "Owner", Required: true, Defaulted: true}}))
	}
	addTrailing(o, c.Activities, true, false)
	s.install(o)
	if c.Activities {
		for _, name := range [...]string{"Task", "Event"} {
			f := s.object(name).field("WhatId")
			f.ReferenceTo = append(slices.Clone(f.ReferenceTo), o.name)
		}
	}
	for _, f := range c.Fields {
		if err := s.addField(o.name, f); err != nil {
			delete(s.objects, strings.ToLower(o.name))
			delete(s.prefixes, o.prefix)
			s.names = slices.DeleteFunc(s.names, func(name string) bool { return name == o.name })
			for _, name := range [...]string{"Task", "Event"} {
				f := s.object(name).field("WhatId")
				f.ReferenceTo = slices.DeleteFunc(slices.Clone(f.ReferenceTo), func(name string) bool { return name == o.name })
			}
			s.schemaChanged()
			return err
		}
	}
	s.schemaChanged()
	return nil
}

// numbered is the name of the nth record of an object that counts its records:
// "J-{0000}" gives J-0001.
func numbered(format string, n int) string {
	before, rest, found := strings.Cut(format, "{")
	digits, after, closed := strings.Cut(rest, "}")
	if !found || !closed {
		return fmt.Sprintf("%s%d", format, n)
	}
	return fmt.Sprintf("%s%0*d%s", before, len(digits), n, after)
}
