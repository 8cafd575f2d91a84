package hubspot

import (
	"strings"
)

// standard is one object type that every account has.
type standard struct {
	name, singular, label, plural string
	id                            string
	read, write                   []string // scopes, any of which will do
	required                      []string // a create without them is refused
	pipeline, stage               string   // properties, where there are pipelines
}

// standards are the objects that this client knows by name.
// https://developers.hubspot.com/docs/api-reference/latest/crm/using-object-apis
// https://developers.hubspot.com/docs/apps/developer-platform/build-apps/authentication/scopes
var standards = []standard{
	{name: "contacts", singular: "contact", label: "Contact", plural: "Contacts", id: "0-1", read: object("contacts", "read"), write: object("contacts", "write")},
	{name: "companies", singular: "company", label: "Company", plural: "Companies", id: "0-2", read: object("companies", "read"), write: object("companies", "write")},
	{name: "deals", singular: "deal", label: "Deal", plural: "Deals", id: "0-3", read: object("deals", "read"), write: object("deals", "write"),
		required: []string{"dealname", "dealstage"}, pipeline: "pipeline", stage: "dealstage"},
	{name: "tickets", singular: "ticket", label: "Ticket", plural: "Tickets", id: "0-5", read: []string{"tickets", "crm.objects.tickets.read"}, write: []string{"tickets", "crm.objects.tickets.write"},
		required: []string{"subject", "hs_pipeline", "hs_pipeline_stage"}, pipeline: "hs_pipeline", stage: "hs_pipeline_stage"},
	{name: "products", singular: "product", label: "Product", plural: "Products", id: "0-7", read: append(object("products", "read"), "e-commerce"), write: append(object("products", "write"), "e-commerce"), required: []string{"name"}},
	{name: "line_items", singular: "line_item", label: "Line item", plural: "Line items", id: "0-8", read: append(object("line_items", "read"), "e-commerce"), write: append(object("line_items", "write"), "e-commerce")},
	{name: "notes", singular: "note", label: "Note", plural: "Notes", id: "0-46", read: object("contacts", "read"), write: object("contacts", "write"), required: []string{"hs_timestamp"}},
	{name: "tasks", singular: "task", label: "Task", plural: "Tasks", id: "0-27", read: object("contacts", "read"), write: object("contacts", "write"), required: []string{"hs_timestamp"}},
	{name: "calls", singular: "call", label: "Call", plural: "Calls", id: "0-48", read: object("contacts", "read"), write: object("contacts", "write"), required: []string{"hs_timestamp"}},
	{name: "meetings", singular: "meeting", label: "Meeting", plural: "Meetings", id: "0-47", read: object("contacts", "read"), write: object("contacts", "write"), required: []string{"hs_timestamp"}},
	{name: "communications", singular: "communication", label: "Communication", plural: "Communications", id: "0-18", read: object("contacts", "read"), write: object("contacts", "write"), required: []string{"hs_timestamp", "hs_communication_channel_type"}},
	{name: "postal_mail", singular: "postal_mail", label: "Postal mail", plural: "Postal mail", id: "0-116", read: object("contacts", "read"), write: object("contacts", "write"), required: []string{"hs_timestamp"}},
	withPipeline("leads", "lead", "Lead", "0-136"),
	withPipeline("orders", "order", "Order", "0-123"),
	withPipeline("services", "service", "Service", "0-162"),
	withPipeline("courses", "course", "Course", "0-410"),
	withPipeline("listings", "listing", "Listing", "0-420"),
	withPipeline("appointments", "appointment", "Appointment", "0-421"),
	withPipeline("projects", "project", "Project", "0-970"),
	{name: "quotes", singular: "quote", label: "Quote", plural: "Quotes", id: "0-14", read: object("quotes", "read"), write: object("quotes", "write")},
	{name: "carts", singular: "cart", label: "Cart", plural: "Carts", id: "0-142", read: object("carts", "read"), write: object("carts", "write")},
	{name: "invoices", singular: "invoice", label: "Invoice", plural: "Invoices", id: "0-53", read: object("invoices", "read"), write: object("invoices", "write")},
	{name: "subscriptions", singular: "subscription", label: "Subscription", plural: "Subscriptions", id: "0-69", read: object("subscriptions", "read"), write: object("subscriptions", "write")},
	{name: "emails", singular: "email", label: "Email", plural: "Emails", id: "0-49", read: []string{"sales-email-read"}, write: object("contacts", "write"), required: []string{"hs_timestamp", "hs_email_direction"}},
}

// withPipeline is an object whose records stand in the stages of a pipeline.
// https://developers.hubspot.com/docs/api-reference/latest/crm/pipelines/guide
func withPipeline(name, singular, label, id string) standard {
	return standard{name: name, singular: singular, label: label, plural: label + "s", id: id, read: object(name, "read"), write: object(name, "write"),
		pipeline: "hs_pipeline", stage: "hs_pipeline_stage"}
}

func object(name, right string) []string { return []string{"crm.objects." + name + "." + right} }

// standardOf finds a standard object by its name or type id; nil for others.
func standardOf(name string) *standard {
	for i := range standards {
		if s := &standards[i]; s.name == name || s.id == name || s.singular == name {
			return s
		}
	}
	return nil
}

func typeID(name string) string {
	if s := standardOf(name); s != nil {
		return s.id
	}
	if strings.HasPrefix(name, "0-") || strings.HasPrefix(name, "2-") {
		return name
	}
	return ""
}

// singular is the name that association types are made of: contact_to_company.
func singular(name string) string {
	if s := standardOf(name); s != nil {
		return s.singular
	}
	return name
}

// modifiedProperty is the property that moves with every change.
// https://developers.hubspot.com/docs/api-reference/latest/crm/using-object-apis
func modifiedProperty(object string) string {
	if s := standardOf(object); s != nil && s.name == "contacts" {
		return "lastmodifieddate"
	}
	return "hs_lastmodifieddate"
}
