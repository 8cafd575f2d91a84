package hubspot

import (
	"slices"

	"github.com/lockstep-sync/lockstep/internal/crm"
)

// textLength is the longest text of a property.
// https://developers.hubspot.com/docs/api-reference/latest/crm/properties/guide
const textLength = 65536

// property is one property as HubSpot defines it.
type property struct {
	Name        string           `json:"name"`
	Label       string           `json:"label"`
	Type        string           `json:"type"`
	FieldType   string           `json:"fieldType"`
	Description string           `json:"description"`
	Options     []propertyOption `json:"options"`
	Calculated  bool             `json:"calculated"`
	External    bool             `json:"externalOptions"`
	Unique      bool             `json:"hasUniqueValue"`
	Hint        string           `json:"numberDisplayHint"`
	Currency    string           `json:"currencyPropertyName"`
	Symbol      bool             `json:"showCurrencySymbol"`
	References  string           `json:"referencedObjectType"`
	Sensitivity string           `json:"dataSensitivity"`
	Modify      struct {
		ReadOnlyValue bool `json:"readOnlyValue"`
	} `json:"modificationMetadata"`
}

type propertyOption struct {
	Label  string `json:"label"`
	Value  string `json:"value"`
	Hidden bool   `json:"hidden"`
}

// mirrors are number properties that HubSpot fills from associations.
var mirrors = map[string]string{
	"associatedcompanyid":           "companies",
	"hs_parent_company_id":          "companies",
	"hs_primary_associated_company": "companies",
}

// bodies are properties of activities that hold HTML, whatever their definition
// says of the field that people type them in.
// https://developers.hubspot.com/docs/api-reference/latest/crm/activities/notes/guide
var bodies = map[string]bool{"hs_note_body": true, "hs_call_body": true, "hs_meeting_body": true, "hs_task_body": true, "hs_internal_meeting_notes": true, "hs_email_html": true}

// references are HubSpot's words for objects in property definitions.
var references = map[string]string{"CONTACT": "contacts", "COMPANY": "companies", "DEAL": "deals", "TICKET": "tickets"}

// field says a property in our words.
func (p *property) field(o *crm.Object, required []string) crm.Field {
	f := crm.Field{
		Name:       p.Name,
		Label:      p.Label,
		Kind:       p.kind(),
		Type:       p.Type + "/" + p.FieldType,
		Required:   slices.Contains(required, p.Name),
		Calculated: p.Calculated || p.Modify.ReadOnlyValue,
		Unique:     p.Unique || (o.Name == "contacts" && p.Name == "email"),
		Filterable: p.Sensitivity != "highly_sensitive",
		Help:       p.Description,
	}
	if f.Kind == crm.KindOther {
		f.Unfit = p.unfit()
	}
	f.ExternalID = f.Unique
	f.Creatable = o.Creatable && !f.Calculated
	f.Updatable = o.Updatable && !f.Calculated
	if p.Type == "string" || p.Type == "phone_number" {
		f.Length = textLength
	}
	if to := p.target(); to != "" && f.Kind == crm.KindReference {
		f.ReferenceTo = []string{to}
	}
	for _, option := range p.Options {
		f.Options = append(f.Options, crm.Option{Value: option.Value, Label: option.Label, Active: !option.Hidden})
	}
	f.Restricted = (p.Type == "enumeration" || p.Type == "bool") && len(f.Options) > 0 && f.Kind != crm.KindOwner
	return f
}

func (p *property) target() string {
	if to := references[p.References]; to != "" {
		return to
	}
	return mirrors[p.Name]
}

// kind sorts a property. https://developers.hubspot.com/docs/api-reference/latest/crm/properties/guide
func (p *property) kind() crm.Kind {
	switch {
	case p.Name == "hs_object_id":
		return crm.KindID
	case p.Name == "hubspot_owner_id", p.References == "OWNER":
		return crm.KindOwner
	case p.target() != "":
		return crm.KindReference
	}
	switch p.Type {
	case "string":
		return p.textKind()
	case "phone_number":
		return crm.KindPhone
	case "number":
		return p.numberKind()
	case "bool":
		return crm.KindBool
	case "date":
		return crm.KindDate
	case "datetime":
		return crm.KindDateTime
	case "enumeration":
		switch p.FieldType {
		case "checkbox":
			return crm.KindMultiPicklist
		case "booleancheckbox":
			if p.isBoolean() {
				return crm.KindBool
			}
		}
		return crm.KindPicklist
	}
	return crm.KindOther
}

// unfit says why a property of no kind that we know cannot be kept in step.
func (p *property) unfit() string {
	switch {
	case p.isFiles():
		return "it holds files of HubSpot's own file store, which Salesforce cannot open"
	case p.Type == "object_coordinates":
		return "it holds coordinates that only HubSpot itself writes"
	case p.Type == "json":
		return "it holds data of HubSpot's own, in no form that it promises"
	}
	return "its type " + p.Type + " is not one that HubSpot documents"
}

// isFiles tells properties that hold ids of HubSpot's file store.
func (p *property) isFiles() bool { return p.FieldType == "file" || p.Name == "hs_attachment_ids" }

func (p *property) textKind() crm.Kind {
	switch {
	case p.Name == "email":
		return crm.KindEmail
	case p.Name == "website":
		return crm.KindURL
	case p.FieldType == "textarea":
		return crm.KindLongText
	case p.FieldType == "html":
		return crm.KindHTML
	case p.FieldType == "phonenumber":
		return crm.KindPhone
	case p.isFiles():
		return crm.KindOther
	case bodies[p.Name]:
		return crm.KindHTML
	}
	return crm.KindText
}

func (p *property) numberKind() crm.Kind {
	switch {
	case p.Hint == "currency", p.Currency != "", p.Symbol:
		return crm.KindCurrency
	case p.Hint == "percentage":
		return crm.KindPercent
	}
	return crm.KindNumber
}

// isBoolean tells whether a single checkbox has no other values than the two of
// a bool: some accounts define such properties as enumerations.
func (p *property) isBoolean() bool {
	for _, option := range p.Options {
		if option.Value != "true" && option.Value != "false" {
			return false
		}
	}
	return len(p.Options) > 0
}
