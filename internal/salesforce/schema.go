package salesforce

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/lockstep-sync/lockstep/internal/apicall"
	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/fault"
)

// described is what is remembered of an object's schema.
type described struct {
	object *crm.Object
	// personAccounts: contacts may be the shadow of a person account.
	personAccounts bool
	// merges: a record that was merged away names its survivor.
	merges bool
	fields map[string]*crm.Field
}

func (d *described) has(field string) bool { return d.fields[field] != nil }

// apiNameForm is how objects and fields may be named; anything else never
// reaches a query.
var apiNameForm = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]*$`)

func validObject(name string) error {
	if apiNameForm.MatchString(name) {
		return nil
	}
	return fault.New(fault.NotFound, "Salesforce has no object %q", name).WithMend("lockstep init lists the objects")
}

// objectJSON is an object as describe tells it.
// https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_sobject_describe.htm
type objectJSON struct {
	Name          string      `json:"name"`
	Label         string      `json:"label"`
	LabelPlural   string      `json:"labelPlural"`
	KeyPrefix     string      `json:"keyPrefix"`
	Createable    bool        `json:"createable"`
	Updateable    bool        `json:"updateable"`
	Deletable     bool        `json:"deletable"`
	Queryable     bool        `json:"queryable"`
	CustomSetting bool        `json:"customSetting"`
	Hidden        bool        `json:"deprecatedAndHidden"`
	Fields        []fieldJSON `json:"fields"`
}

type fieldJSON struct {
	Name               string `json:"name"`
	Label              string `json:"label"`
	Type               string `json:"type"`
	ExtraTypeInfo      string `json:"extraTypeInfo"`
	Length             int    `json:"length"`
	Precision          int    `json:"precision"`
	Scale              int    `json:"scale"`
	Digits             int    `json:"digits"`
	Createable         bool   `json:"createable"`
	Updateable         bool   `json:"updateable"`
	Nillable           bool   `json:"nillable"`
	DefaultedOnCreate  bool   `json:"defaultedOnCreate"`
	Calculated         bool   `json:"calculated"`
	AutoNumber         bool   `json:"autoNumber"`
	Unique             bool   `json:"unique"`
	ExternalID         bool   `json:"externalId"`
	IDLookup           bool   `json:"idLookup"`
	Filterable         bool   `json:"filterable"`
	Permissionable     bool   `json:"permissionable"`
	Compound           string `json:"compoundFieldName"`
	RestrictedPicklist bool   `json:"restrictedPicklist"`
	Hidden             bool   `json:"deprecatedAndHidden"`
	HTMLFormatted      bool   `json:"htmlFormatted"`
	Help               string `json:"inlineHelpText"`
	PicklistValues     []struct {
		Active bool   `json:"active"`
		Label  string `json:"label"`
		Value  string `json:"value"`
	} `json:"picklistValues"`
	ReferenceTo   []string `json:"referenceTo"`
	CascadeDelete bool     `json:"cascadeDelete"`
}

// Objects lists the objects that can be queried, without fields; one call.
func (c *Client) Objects(ctx context.Context) ([]crm.Object, error) {
	var answer struct {
		Objects []objectJSON `json:"sobjects"`
	}
	if err := c.do(ctx, apicall.Call{Method: http.MethodGet, Path: "/sobjects"}, apicall.Into(&answer)); err != nil {
		return nil, err
	}
	objects := make([]crm.Object, 0, len(answer.Objects))
	for _, o := range answer.Objects {
		if o.Queryable && !o.Hidden && !o.CustomSetting {
			objects = append(objects, o.object())
		}
	}
	return objects, nil
}

// Describe asks for the schema of one object; one call each time. Fields that
// the user may not see are not in it. fault.NotFound when there is no such
// object, or none that the user may see: Salesforce does not tell which.
func (c *Client) Describe(ctx context.Context, object string) (*crm.Object, error) {
	d, err := c.describeNow(ctx, object)
	if err != nil {
		return nil, err
	}
	return d.object, nil
}

// schema returns what is remembered of an object, asking when nothing is.
func (c *Client) schema(ctx context.Context, object string) (*described, error) {
	c.mu.Lock()
	d := c.describe[object]
	c.mu.Unlock()
	if d != nil {
		return d, nil
	}
	return c.describeNow(ctx, object)
}

func (c *Client) describeNow(ctx context.Context, object string) (*described, error) {
	if err := validObject(object); err != nil {
		return nil, err
	}
	var answer objectJSON
	err := c.do(ctx, apicall.Call{Method: http.MethodGet, Path: "/sobjects/" + url.PathEscape(object) + "/describe"}, apicall.Into(&answer))
	if fault.KindOf(err) == fault.NotFound {
		return nil, fault.New(fault.NotFound, "Salesforce has no object %s, or its user may not see it", object).Wrap(err).
			WithMend("check the name in Setup > Object Manager, and the user's permission on the object")
	}
	if err != nil {
		return nil, err
	}
	if answer.Name == "" {
		return nil, fault.New(fault.Unavailable, "Salesforce described %s without a name", object)
	}
	full := answer.object()
	if err := c.addPriceFields(ctx, &full); err != nil {
		return nil, err
	}
	d := &described{object: &full, fields: make(map[string]*crm.Field, len(full.Fields))}
	for i := range full.Fields {
		d.fields[full.Fields[i].Name] = &full.Fields[i]
	}
	d.personAccounts = full.Name == "Contact" && d.has("IsPersonAccount")
	d.merges = d.has("MasterRecordId")
	c.mu.Lock()
	c.describe[object] = d
	c.describe[full.Name] = d
	c.mu.Unlock()
	return d, nil
}

func (o *objectJSON) object() crm.Object {
	object := crm.Object{
		Side: crm.Salesforce, Name: o.Name, Label: o.Label, LabelPlural: o.LabelPlural, Prefix: o.KeyPrefix,
		Creatable: o.Createable, Updatable: o.Updateable, Deletable: o.Deletable,
	}
	for i := range o.Fields {
		if !o.Fields[i].Hidden {
			object.Fields = append(object.Fields, o.Fields[i].field())
		}
	}
	return object
}

func (f *fieldJSON) field() crm.Field {
	field := crm.Field{
		Name: f.Name, Label: f.Label, Kind: f.kind(), Type: f.Type,
		Length: f.Length, Precision: f.Precision, Scale: f.Scale,
		Required:  f.Createable && !f.Nillable && !f.DefaultedOnCreate,
		Creatable: f.Createable, Updatable: f.Updateable,
		// What can be set neither on create nor later is the system's own, unless
		// field-level security is what keeps this user from it.
		Calculated: f.Calculated || f.AutoNumber || !f.Createable && !f.Updateable && !f.Permissionable,
		Unique:     f.Unique, ExternalID: f.ExternalID, Filterable: f.Filterable,
		Permissionable: f.Permissionable, Compound: f.Compound,
		Restricted: f.RestrictedPicklist, ReferenceTo: f.ReferenceTo, Cascade: f.CascadeDelete, Help: f.Help,
	}
	if f.Type == "int" || f.Type == "long" {
		field.Precision = f.Digits
	}
	switch field.Kind {
	case crm.KindID:
		field.Unique = true
	case crm.KindOther:
		field.Unfit = f.unfit()
	}
	if field.Kind == crm.KindText {
		return field // the values of a combobox are proposals: any text may be written
	}
	for _, option := range f.PicklistValues {
		field.Options = append(field.Options, crm.Option{Value: option.Value, Label: option.Label, Active: option.Active})
	}
	return field
}

// kind maps Salesforce's field types onto ours.
// https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/field_types.htm
func (f *fieldJSON) kind() crm.Kind {
	switch f.Type {
	case "id":
		return crm.KindID
	case "string", "combobox":
		if f.HTMLFormatted {
			return crm.KindHTML // a formula that makes a link or an image
		}
		return crm.KindText
	case "textarea":
		if f.ExtraTypeInfo == "richtextarea" || f.HTMLFormatted {
			return crm.KindHTML
		}
		return crm.KindLongText
	case "phone":
		return crm.KindPhone
	case "email":
		return crm.KindEmail
	case "url":
		return crm.KindURL
	case "picklist":
		return crm.KindPicklist
	case "multipicklist":
		return crm.KindMultiPicklist
	case "boolean":
		return crm.KindBool
	case "int", "long":
		return crm.KindInteger
	case "double":
		return crm.KindNumber
	case "currency":
		return crm.KindCurrency
	case "percent":
		return crm.KindPercent
	case "date":
		return crm.KindDate
	case "datetime":
		return crm.KindDateTime
	case "time":
		return crm.KindTime
	case "reference":
		if f.Name == "OwnerId" {
			return crm.KindOwner
		}
		return crm.KindReference
	}
	return crm.KindOther
}

// unfit says why a field of no kind that we know cannot be kept in step.
// https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/field_types.htm
func (f *fieldJSON) unfit() string {
	switch f.Type {
	case "address":
		return "Salesforce makes it out of its parts and lets nobody write it; map the parts, such as " + addressPart(f.Name)
	case "location":
		return "Salesforce makes it out of its parts and lets nobody write it; map the latitude and the longitude, " + locationPart(f.Name, "Latitude") + " and " + locationPart(f.Name, "Longitude")
	case "base64":
		return "it holds a file"
	case "encryptedstring":
		return "Salesforce shows it masked to whoever lacks \"View Encrypted Data\", and a mask must not be taken for the value"
	case "anyType", "complexvalue", "JunctionIdList":
		return "its type " + f.Type + " has no single value"
	}
	return "its type " + f.Type + " is not one that Salesforce documents"
}

// addressPart and locationPart name a part of a compound field.
func addressPart(name string) string {
	if prefix, ok := strings.CutSuffix(name, "Address"); ok {
		return prefix + "Street and " + prefix + "City"
	}
	return strings.TrimSuffix(name, "__c") + "__Street__s and " + strings.TrimSuffix(name, "__c") + "__City__s"
}

func locationPart(name, part string) string {
	return strings.TrimSuffix(name, "__c") + "__" + part + "__s"
}
