package salesforce

import (
	"embed"
	"fmt"
	"sort"
	"strconv"
	"strings"
)

// The standard objects are text: one file an object, one line a field, as
//
//	LastName string(80) -CU- in=Name extra=personname label="Last Name"
//
// with the flags of the describe: N nillable, C createable, U updateable,
// D defaulted on create; via= is a formula that shows what other records hold.
// A line "address Billing" stands for the eight parts
// and the compound. Types, lengths and flags are those of the field reference,
// https://developer.salesforce.com/docs/atlas.en-us.sfFieldRef.meta/sfFieldRef/salesforce_field_reference.htm
//
//go:embed standard/*.txt
var standardFiles embed.FS

// standardObjects reads the embedded objects, sorted by name.
func standardObjects() []*object {
	lists := picklists()
	entries, err := standardFiles.ReadDir("standard")
	if err != nil {
		panic(err)
	}
	var objects []*object
	for _, e := range entries {
		if e.Name() == "picklists.txt" {
			continue
		}
		b, err := standardFiles.ReadFile("standard/" + e.Name())
		if err != nil {
			panic(err)
		}
		o, err := parseObject(string(b), lists)
		if err != nil {
			panic(fmt.Sprintf("standard/%s: %v", e.Name(), err))
		}
		objects = append(objects, o)
	}
	sort.Slice(objects, func(i, j int) bool { return objects[i].name < objects[j].name })
	return objects
}

func picklists() map[string][]PicklistValue {
	b, err := standardFiles.ReadFile("standard/picklists.txt")
	if err != nil {
		panic(err)
	}
	lists := map[string][]PicklistValue{}
	for line := range strings.Lines(string(b)) {
		name, rest, ok := strings.Cut(strings.TrimSpace(line), ": ")
		if !ok || strings.HasPrefix(line, "#") {
			continue
		}
		for v := range strings.SplitSeq(rest, "; ") {
			v, isDefault := strings.CutSuffix(v, "*")
			lists[name] = append(lists[name], PicklistValue{Value: v, Label: v, Default: isDefault})
		}
	}
	return lists
}

// parseObject reads one file.
func parseObject(content string, lists map[string][]PicklistValue) (*object, error) {
	var o *object
	var traits map[string]string
	for line := range strings.Lines(content) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		parts := splitLine(line)
		if parts[0] == "object" {
			o = newObject(parts[1], unquoted(parts[3]), unquoted(parts[4]), parts[2])
			traits = options(parts[5:])
			o.readOnly, o.undeletable, o.mergeable = has(traits, "readonly"), has(traits, "undeletable"), has(traits, "mergeable")
			o.searchable, o.layoutable, o.viewed = has(traits, "search"), has(traits, "layout"), has(traits, "viewed")
			addLeading(o, has(traits, "nodelete"))
			continue
		}
		if parts[0] == "address" {
			addAddress(o, strings.TrimPrefix(parts[1], "-"), lists["geocode"])
			continue
		}
		f, err := parseField(parts, lists)
		if err != nil {
			return nil, err
		}
		if _, err := o.add(f); err != nil {
			return nil, err
		}
	}
	addTrailing(o, has(traits, "activity"), has(traits, "viewed"), has(traits, "stamponly"))
	return o, nil
}

func parseField(parts []string, lists map[string][]PicklistValue) (*field, error) {
	f := &field{Field: Field{Name: parts[0]}}
	kind, args, _ := strings.Cut(strings.TrimSuffix(parts[1], ")"), "(")
	f.Type = kind
	switch kind {
	case "ref":
		f.Type, f.ReferenceTo = "reference", strings.Split(args, ",")
	case "currency", "double", "percent":
		precision, scale, _ := strings.Cut(args, ",")
		f.Precision, _ = strconv.Atoi(precision)
		f.Scale, _ = strconv.Atoi(scale)
	case "int":
		f.Digits, _ = strconv.Atoi(args)
	case "boolean", "date", "datetime", "base64":
	default:
		f.Length, _ = strconv.Atoi(args)
	}
	flags := parts[2]
	if len(flags) != 4 {
		return nil, fmt.Errorf("field %s: flags %q are not four", f.Name, flags)
	}
	f.Required, f.Defaulted = flags[0] != 'N', flags[3] == 'D'
	switch flags[1:3] {
	case "--":
		f.ReadOnly = true
	case "C-":
		f.CreateOnly = true
	case "-U":
		f.UpdateOnly = true
	}
	o := options(parts[3:])
	f.Relationship, f.Children, f.Label = o["rel"], o["child"], unquoted(o["label"])
	f.compound, f.extra, f.Default = o["in"], o["extra"], unquoted(o["default"])
	f.Cascade, f.Restrict, f.Restricted = has(o, "cascade"), has(o, "restrict"), has(o, "restricted")
	f.IDLookup, f.Unique, f.nameField = has(o, "idlookup"), has(o, "unique"), has(o, "name")
	f.notFilterable, f.autoNumber, f.indexed = has(o, "nf"), has(o, "autonumber"), has(o, "indexed")
	if f.via = unquoted(o["via"]); f.via != "" {
		f.source = fromFormula
	}
	if has(o, "personname") {
		f.source = fromPersonName
	}
	if f.Name == "PhotoUrl" {
		f.source = fromPhoto
	}
	if list := o["values"]; list != "" {
		if lists[list] == nil {
			return nil, fmt.Errorf("field %s: no list %s", f.Name, list)
		}
		f.Picklist = append([]PicklistValue(nil), lists[list]...)
		for _, v := range f.Picklist {
			if v.Default && f.createable() {
				f.Default = v.Value
			}
		}
	}
	return f, nil
}

// addLeading adds the fields that come first on every object.
func addLeading(o *object, noDelete bool) {
	must(o.add(&field{Field: Field{Name: "Id", Type: "id", Label: o.label + " ID", Required: true, ReadOnly: true, Defaulted: true}, source: fromID}))
	if noDelete {
		o.deletable = false
		return
	}
	must(o.add(&field{Field: Field{Name: "IsDeleted", Type: "boolean", Label: "Deleted", Required: true, ReadOnly: true, Defaulted: true}, source: fromDeleted}))
}

// addTrailing adds the audit fields that come last.
func addTrailing(o *object, activity, viewed, stampOnly bool) {
	audit := func(name, kind, relationship string, from origin) {
		f := &field{Field: Field{Name: name, Type: kind, Required: true, ReadOnly: true, Defaulted: true, Relationship: relationship}, source: from}
		if relationship != "" {
			f.ReferenceTo = []string{"User"}
		}
		must(o.add(f))
	}
	if !stampOnly {
		audit("CreatedDate", "datetime", "", fromCreatedDate)
		audit("CreatedById", "reference", "CreatedBy", fromCreatedBy)
		audit("LastModifiedDate", "datetime", "", fromModifiedDate)
		audit("LastModifiedById", "reference", "LastModifiedBy", fromModifiedBy)
	}
	audit("SystemModstamp", "datetime", "", fromStamp)
	if activity {
		must(o.add(&field{Field: Field{Name: "LastActivityDate", Type: "date", Label: "Last Activity", ReadOnly: true}}))
	}
	if viewed {
		must(o.add(&field{Field: Field{Name: "LastViewedDate", Type: "datetime", ReadOnly: true}}))
		must(o.add(&field{Field: Field{Name: "LastReferencedDate", Type: "datetime", ReadOnly: true}}))
	}
}

// addAddress adds the parts of an address and the compound that shows them.
func addAddress(o *object, prefix string, accuracies []PicklistValue) {
	compound := prefix + "Address"
	readOnly := o.readOnly
	part := func(name, kind string, length, precision, scale int) *field {
		f := &field{Field: Field{Name: prefix + name, Type: kind, Length: length, Precision: precision, Scale: scale, ReadOnly: readOnly}, compound: compound}
		switch name {
		case "Street":
			f.extra = "plaintextarea"
		case "PostalCode":
			f.Label = strings.TrimSpace(prefix + " Zip/Postal Code")
		case "State":
			f.Label = strings.TrimSpace(prefix + " State/Province")
		case "GeocodeAccuracy":
			f.Picklist, f.Restricted = accuracies, true
		}
		must(o.add(f))
		return f
	}
	parts := []*field{
		part("Street", "textarea", 255, 0, 0), part("City", "string", 40, 0, 0), part("State", "string", 80, 0, 0),
		part("PostalCode", "string", 20, 0, 0), part("Country", "string", 80, 0, 0),
		part("Latitude", "double", 0, 18, 15), part("Longitude", "double", 0, 18, 15), part("GeocodeAccuracy", "picklist", 40, 0, 0),
	}
	must(o.add(&field{Field: Field{Name: compound, Type: "address", ReadOnly: true}, source: fromAddress, prefix: prefix, parts: parts, notFilterable: true}))
}

// must is for the embedded schema alone, which a test reads whole.
func must(_ *field, err error) {
	if err != nil {
		panic(err)
	}
}

// splitLine splits at spaces outside double quotes.
func splitLine(line string) []string {
	var parts []string
	quoted, start := false, 0
	for i := 0; i <= len(line); i++ {
		if i == len(line) || line[i] == ' ' && !quoted {
			if i > start {
				parts = append(parts, line[start:i])
			}
			start = i + 1
		} else if line[i] == '"' {
			quoted = !quoted
		}
	}
	return parts
}

func options(parts []string) map[string]string {
	m := map[string]string{}
	for _, p := range parts {
		name, v, _ := strings.Cut(p, "=")
		m[name] = v
	}
	return m
}

func has(m map[string]string, name string) bool { _, ok := m[name]; return ok }

func unquoted(s string) string { return strings.Trim(s, `"`) }
