package crm

// Kind is what a field holds, in words that both vendors' types map onto.
type Kind string

// The kinds. Vendor types that no kind fits are KindOther: their Field.Unfit says
// why, and no mapping can name them.
const (
	KindText          Kind = "text"
	KindLongText      Kind = "longtext"
	KindHTML          Kind = "html"
	KindInteger       Kind = "integer"
	KindNumber        Kind = "number"
	KindCurrency      Kind = "currency"
	KindPercent       Kind = "percent"
	KindBool          Kind = "bool"
	KindDate          Kind = "date"
	KindDateTime      Kind = "datetime"
	KindTime          Kind = "time"
	KindPicklist      Kind = "picklist"
	KindMultiPicklist Kind = "multipicklist"
	KindPhone         Kind = "phone"
	KindEmail         Kind = "email"
	KindURL           Kind = "url"
	KindReference     Kind = "reference"
	KindOwner         Kind = "owner"
	KindID            Kind = "id"
	KindOther         Kind = "other"
)

// Object is the schema of one object as the credential sees it.
type Object struct {
	Side Side
	// Name is the API name: "contacts", "p123_cars", "Contact", "Car__c".
	Name        string
	Label       string
	LabelPlural string
	// Prefix is HubSpot's object type id ("0-1") or Salesforce's key prefix ("003").
	Prefix string
	// Creatable, Updatable and Deletable: what this credential may do.
	Creatable bool
	Updatable bool
	Deletable bool
	Fields    []Field
	// Pipelines is set for HubSpot objects that have them.
	Pipelines []Pipeline
}

// Field finds a field by its API name, exactly; nil when there is none.
func (o *Object) Field(name string) *Field {
	if o == nil {
		return nil
	}
	for i := range o.Fields {
		if o.Fields[i].Name == name {
			return &o.Fields[i]
		}
	}
	return nil
}

// Field is the schema of one HubSpot property or Salesforce field.
type Field struct {
	Name  string
	Label string
	Kind  Kind
	// Type is the vendor's own word: "enumeration/select", "picklist", "double".
	Type string
	// Length is the longest text in characters; 0 when the vendor says nothing.
	Length int
	// Precision and Scale of numbers; Scale is digits right of the point.
	Precision int
	Scale     int
	// Required: a create without it is refused and the vendor has no default.
	Required bool
	// Creatable and Updatable: the credential may set it then.
	Creatable bool
	Updatable bool
	// Calculated: formulas, roll-ups and system values; never written.
	Calculated bool
	Unique     bool
	ExternalID bool
	// Filterable: it may stand in a search or a WHERE clause.
	Filterable bool
	// Permissionable: the account's administrator can withhold reading or editing
	// it by field-level security (Salesforce only).
	Permissionable bool
	// Compound is the Salesforce field that this one is a part of
	// ("MailingAddress" of MailingCity), which also carries its permission.
	Compound string
	// Restricted: values outside Options are refused.
	Restricted  bool
	Options     []Option
	ReferenceTo []string
	// Cascade: deleting the record that it refers to deletes this one, too
	// (Salesforce only).
	Cascade bool
	Help    string
	// Unfit says why no value of the field can be kept in step, and what can be
	// mapped instead; set where Kind is KindOther.
	Unfit string
}

// Option is one value of a picklist. Hidden or inactive options are kept with
// Active false: records may still hold them.
type Option struct {
	Value  string
	Label  string
	Active bool
}

// Pipeline is a HubSpot pipeline with its stages in order.
type Pipeline struct {
	ID     string
	Label  string
	Stages []Stage
}

// Stage is one stage of a pipeline. Probability is 0 to 1.
type Stage struct {
	ID          string
	Label       string
	Probability float64
	Closed      bool
}

// Owner is a HubSpot owner or a Salesforce user who can own records.
type Owner struct {
	ID     string
	Email  string
	Name   string
	Active bool
	// Username is Salesforce's, which is the only name that is unique.
	Username string
	// Queue: not a person, but several who share the work.
	Queue bool
}

// Account tells whose account a credential opens.
type Account struct {
	Side Side
	// ID is the HubSpot portal id or the Salesforce organization id (18).
	ID   string
	Name string
	// User is the person or app that the credential acts as.
	User string
	// Kind is the vendor's word for the account: STANDARD, DEVELOPER_TEST,
	// "Developer Edition", …
	Kind string
	// Web is the address of the account's user interface, without a trailing slash.
	Web string
	// API is the base URL that calls go to.
	API string
	// Scopes granted to the credential, sorted; nil when the vendor does not tell.
	Scopes []string
}
