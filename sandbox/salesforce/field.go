package salesforce

import (
	"strings"
	"unicode"
)

// Field describes one field of an object, as an administrator would make it.
// https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_describesobjects_describesobjectresult.htm
type Field struct {
	// Name is the API name; custom fields end in __c.
	Name string `json:"name"`
	// Label defaults to the name in words.
	Label string `json:"label,omitempty"`
	// Type is the describe type: string, textarea, picklist, multipicklist, boolean, int,
	// double, currency, percent, date, datetime, time, email, phone, url, combobox, reference, id, address.
	Type string `json:"type"`
	// Length is in characters; text types default to 255, textarea too.
	Length int `json:"length,omitempty"`
	// Precision counts all digits, Scale those after the point; 18 and 0 unless said.
	Precision int `json:"precision,omitempty"`
	Scale     int `json:"scale,omitempty"`
	// Digits is the most digits an int may have; 9 unless said.
	Digits int `json:"digits,omitempty"`
	// Required means not nillable.
	Required bool `json:"required,omitempty"`
	// ReadOnly fields are written by the platform alone, CreateOnly and UpdateOnly ones just then.
	ReadOnly   bool `json:"readOnly,omitempty"`
	CreateOnly bool `json:"createOnly,omitempty"`
	UpdateOnly bool `json:"updateOnly,omitempty"`
	// Defaulted means that the platform fills it when a create leaves it out.
	Defaulted bool `json:"defaulted,omitempty"`
	// Default is the value that it is filled with, as text.
	Default string `json:"default,omitempty"`
	// ExternalID makes it usable for upserts, Unique forbids two records with one value,
	// CaseSensitive makes the letters' case count in that.
	ExternalID    bool `json:"externalId,omitempty"`
	Unique        bool `json:"unique,omitempty"`
	CaseSensitive bool `json:"caseSensitive,omitempty"`
	IDLookup      bool `json:"idLookup,omitempty"`
	// Picklist holds the values; Restricted refuses all others.
	Picklist   []PicklistValue `json:"picklist,omitempty"`
	Restricted bool            `json:"restricted,omitempty"`
	// ReferenceTo names the parent objects, Relationship the way up (Account),
	// Children the way down (Contacts).
	ReferenceTo  []string `json:"referenceTo,omitempty"`
	Relationship string   `json:"relationship,omitempty"`
	Children     string   `json:"children,omitempty"`
	// Cascade deletes the record with its parent, Restrict keeps the parent from being deleted.
	Cascade  bool `json:"cascade,omitempty"`
	Restrict bool `json:"restrict,omitempty"`
	// MasterDetail makes a reference the kind that a record cannot be without: required,
	// never changed, deleted with its master. An object with one has no OwnerId.
	MasterDetail bool `json:"masterDetail,omitempty"`
	// Formula computes the value from the record and its parents; see [Server.AddFormula]
	// for functions. RollUp sums up children. Neither is ever stored, and neither moves
	// SystemModstamp.
	Formula string  `json:"formula,omitempty"`
	RollUp  *RollUp `json:"rollUp,omitempty"`
	// Computed is true for the fields of [Server.AddFormula].
	Computed bool `json:"computed,omitempty"`
	// HelpText is what a person sees beside the field.
	HelpText string `json:"helpText,omitempty"`
}

// PicklistValue is one value of a picklist: Value is the API name.
type PicklistValue struct {
	Value    string `json:"value"`
	Label    string `json:"label,omitempty"`
	Default  bool   `json:"default,omitempty"`
	Inactive bool   `json:"inactive,omitempty"`
}

// origin says where a field's value comes from when it is no stored cell.
type origin uint8

const (
	stored origin = iota
	fromID
	fromDeleted
	fromCreatedDate
	fromCreatedBy
	fromModifiedDate
	fromModifiedBy
	fromStamp
	fromPersonName
	fromAddress
	fromPhoto
	fromFormula
)

// field is a Field in use: bound to its object and place.
type field struct {
	Field
	object        *object
	index         uint16
	source        origin
	key           []byte // "Name": as it stands in JSON
	lower         string
	nameField     bool
	compound      string
	extra         string
	notFilterable bool
	autoNumber    bool
	indexed       bool
	prefix        string // address compounds: Billing
	parts         []*field
	multi         []*object // referenceTo, resolved
	compute       formula   // of calculated fields
	via           string    // formula of a standard field that shows what other records hold
}

func (f *field) createable() bool { return !f.ReadOnly && !f.UpdateOnly }
func (f *field) updateable() bool { return !f.ReadOnly && !f.CreateOnly }
func (f *field) nillable() bool   { return !f.Required }
func (f *field) custom() bool     { return strings.HasSuffix(f.Name, "__c") }
func (f *field) reference() bool  { return f.Type == "reference" }
func (f *field) idLookup() bool   { return f.IDLookup || f.ExternalID || f.source == fromID }

// requiredOnCreate is the rule of the describe: createable, not nillable, not defaulted.
func (f *field) requiredOnCreate() bool {
	return f.createable() && f.Required && !f.Defaulted && f.Type != "boolean"
}

// decimals says whether a whole number is shown as 42.0.
func (f *field) decimals() bool {
	return f.Type == "double" || f.Type == "currency" || f.Type == "percent"
}

func (f *field) textual() bool {
	switch f.Type {
	case "string", "textarea", "phone", "email", "url", "picklist", "multipicklist", "combobox", "encryptedstring":
		return true
	}
	return false
}

func (f *field) filterable() bool {
	return !f.notFilterable && f.Type != "address" && !(f.Type == "textarea" && f.Length > 255)
}
func (f *field) sortable() bool { return f.filterable() && f.Type != "multipicklist" }
func (f *field) groupable() bool {
	switch f.Type {
	case "datetime", "double", "currency", "percent", "multipicklist", "address":
		return false
	}
	return f.filterable()
}

// kind is the kind of the field's values.
func (f *field) kind() kind {
	switch f.Type {
	case "boolean":
		return boolean
	case "int", "long", "double", "currency", "percent":
		return number
	case "date":
		return date
	case "datetime":
		return datetime
	case "time":
		return daytime
	}
	return text
}

// words turns AnnualRevenue into "Annual Revenue" and AccountId into "Account ID".
func words(name string) string {
	name = strings.TrimSuffix(name, "__c")
	if strings.Contains(name, "_") {
		return strings.ReplaceAll(name, "_", " ")
	}
	var b strings.Builder
	runes := []rune(name)
	for i, r := range runes {
		if i > 0 && unicode.IsUpper(r) && (!unicode.IsUpper(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1])) {
			b.WriteByte(' ')
		}
		b.WriteRune(r)
	}
	if s, ok := strings.CutSuffix(b.String(), " Id"); ok {
		return s + " ID"
	}
	return b.String()
}
