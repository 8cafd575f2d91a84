package trial

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/fault"
	"github.com/lockstep-sync/lockstep/internal/mapping"
	"github.com/lockstep-sync/lockstep/sandbox"
	"github.com/lockstep-sync/lockstep/sandbox/hubspot"
	"github.com/lockstep-sync/lockstep/sandbox/salesforce"
)

// TwinFormat names the format of twins.
const TwinFormat = "lockstep-twin/1"

// Twin is a copy of the schemas of a pair: which objects and fields there are
// and what they take. It holds no record, no token and nothing of whose account
// it is, so it may stand in version control beside the mapping.
type Twin struct {
	Format     string       `json:"format"`
	HubSpot    []TwinObject `json:"hubspot"`
	Salesforce []TwinObject `json:"salesforce"`
}

// TwinObject is one object of one side.
type TwinObject struct {
	Name      string         `json:"name"`
	Label     string         `json:"label,omitempty"`
	Plural    string         `json:"plural,omitempty"`
	Fields    []TwinField    `json:"fields"`
	Pipelines []TwinPipeline `json:"pipelines,omitempty"`
}

// TwinField is one field; Type is the vendor's own word.
type TwinField struct {
	Name        string       `json:"name"`
	Label       string       `json:"label,omitempty"`
	Type        string       `json:"type"`
	Kind        crm.Kind     `json:"kind"`
	Length      int          `json:"length,omitempty"`
	Precision   int          `json:"precision,omitempty"`
	Scale       int          `json:"scale,omitempty"`
	Required    bool         `json:"required,omitempty"`
	ReadOnly    bool         `json:"read_only,omitempty"`
	Unique      bool         `json:"unique,omitempty"`
	ExternalID  bool         `json:"external_id,omitempty"`
	Restricted  bool         `json:"restricted,omitempty"`
	Options     []TwinOption `json:"options,omitempty"`
	ReferenceTo []string     `json:"reference_to,omitempty"`
}

// TwinOption is one value of a picklist.
type TwinOption struct {
	Value    string `json:"value"`
	Label    string `json:"label,omitempty"`
	Inactive bool   `json:"inactive,omitempty"`
}

// TwinPipeline is a HubSpot pipeline.
type TwinPipeline struct {
	ID     string      `json:"id"`
	Label  string      `json:"label"`
	Stages []TwinStage `json:"stages"`
}

// TwinStage is one stage of a pipeline.
type TwinStage struct {
	ID          string  `json:"id"`
	Label       string  `json:"label"`
	Probability float64 `json:"probability"`
	Closed      bool    `json:"closed,omitempty"`
}

// NewTwin copies schemas, objects and fields by name.
func NewTwin(s mapping.Schemas) *Twin {
	return &Twin{Format: TwinFormat, HubSpot: twinObjects(s.HubSpot), Salesforce: twinObjects(s.Salesforce)}
}

// OwnTwin copies the schemas of the sandbox's own story, so that cases, which run
// in worlds without a story, find the same fields, values and pipelines there.
func OwnTwin(ctx context.Context, c Config) (t *Twin, err error) {
	w, err := open(ctx, c, "small")
	if err != nil {
		return nil, err
	}
	defer func() {
		if closed := w.close(); err == nil {
			err = closed
		}
	}()
	schemas := mapping.Schemas{HubSpot: map[string]*crm.Object{}, Salesforce: map[string]*crm.Object{}}
	for _, o := range w.pair.Bound.Objects {
		schemas.HubSpot[o.HubSpot] = o.HubSpotSchema
		for _, target := range o.Targets {
			schemas.Salesforce[target.Object] = target.Schema
		}
	}
	return NewTwin(schemas), nil
}

func twinObjects(objects map[string]*crm.Object) []TwinObject {
	out := []TwinObject{}
	for _, o := range objects {
		t := TwinObject{Name: o.Name, Label: o.Label, Plural: o.LabelPlural, Fields: []TwinField{}}
		for i := range o.Fields {
			f := &o.Fields[i]
			field := TwinField{Name: f.Name, Label: f.Label, Type: f.Type, Kind: f.Kind, Length: f.Length, Precision: f.Precision, Scale: f.Scale,
				Required: f.Required, ReadOnly: f.Calculated || !f.Creatable && !f.Updatable, Unique: f.Unique, ExternalID: f.ExternalID, Restricted: f.Restricted,
				ReferenceTo: f.ReferenceTo}
			for _, x := range f.Options {
				field.Options = append(field.Options, TwinOption{Value: x.Value, Label: x.Label, Inactive: !x.Active})
			}
			t.Fields = append(t.Fields, field)
		}
		slices.SortFunc(t.Fields, func(a, b TwinField) int { return cmp.Compare(a.Name, b.Name) })
		for _, p := range o.Pipelines {
			pipeline := TwinPipeline{ID: p.ID, Label: p.Label}
			for _, s := range p.Stages {
				pipeline.Stages = append(pipeline.Stages, TwinStage{s.ID, s.Label, s.Probability, s.Closed})
			}
			t.Pipelines = append(t.Pipelines, pipeline)
		}
		out = append(out, t)
	}
	slices.SortFunc(out, func(a, b TwinObject) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// Encode is the twin as a file; the same schemas give the same bytes.
func (t *Twin) Encode() ([]byte, error) {
	out, err := json.MarshalIndent(t, "", " ")
	return append(out, '\n'), err
}

// ReadTwin reads what Encode wrote.
func ReadTwin(file []byte) (*Twin, error) {
	var t Twin
	d := json.NewDecoder(bytes.NewReader(file))
	d.DisallowUnknownFields()
	if err := d.Decode(&t); err != nil {
		return nil, fault.New(fault.Invalid, "this is no copy of a pair's schemas").Wrap(err).WithMend("make one: lockstep schema --twin lockstep.twin.json")
	}
	if t.Format != TwinFormat {
		return nil, fault.New(fault.Invalid, "the schemas are of format %q, this Lockstep reads %s", t.Format, TwinFormat).WithMend("make them anew: lockstep schema --twin lockstep.twin.json")
	}
	return &t, nil
}

// names are the objects of both sides.
func (t *Twin) names() (hubspot, salesforce []string) {
	for _, o := range t.HubSpot {
		hubspot = append(hubspot, o.Name)
	}
	for _, o := range t.Salesforce {
		salesforce = append(salesforce, o.Name)
	}
	return hubspot, salesforce
}

// build gives the sandbox what the pair has and the sandbox has not: custom
// objects and fields, picklist values, pipelines.
func (t *Twin) build(ctx context.Context, box *sandbox.Sandbox, have mapping.Schemas) error {
	for i := range t.HubSpot {
		o := &t.HubSpot[i]
		if err := o.buildHubSpot(ctx, box, have.HubSpot[o.Name]); err != nil {
			return twinFault("HubSpot", o.Name, err)
		}
	}
	// Objects first: fields may refer to any of them.
	for i := range t.Salesforce {
		o := &t.Salesforce[i]
		if have.Salesforce[o.Name] != nil {
			continue
		}
		if err := box.Salesforce().AddObject(salesforce.Object{Name: o.Name, Label: o.Label, Plural: o.Plural}); err != nil {
			return twinFault("Salesforce", o.Name, err)
		}
	}
	for i := range t.Salesforce {
		o := &t.Salesforce[i]
		if err := o.buildSalesforce(box.Salesforce(), have.Salesforce[o.Name]); err != nil {
			return twinFault("Salesforce", o.Name, err)
		}
	}
	return nil
}

func twinFault(vendor, object string, err error) error {
	return fault.New(fault.Invalid, "the sandbox cannot be given %s %s as the copied schemas have it", vendor, object).Wrap(err).
		WithMend("make them anew: lockstep schema --twin lockstep.twin.json; if it stays, please report it with that file")
}

func (o *TwinObject) buildSalesforce(s *salesforce.Server, have *crm.Object) error {
	for i := range o.Fields {
		f := &o.Fields[i]
		had := have.Field(f.Name)
		switch {
		case had == nil && strings.HasSuffix(f.Name, "__c"):
			if err := f.addTo(s, o.Name); err != nil {
				return err
			}
		case had != nil && len(f.Options) > 0:
			if err := s.RestrictPicklist(o.Name, f.Name, f.Restricted); err != nil {
				return err
			}
			for _, x := range f.Options {
				if slices.ContainsFunc(had.Options, func(y crm.Option) bool { return y.Value == x.Value }) {
					continue
				}
				if err := s.AddPicklistValue(o.Name, f.Name, salesforce.PicklistValue{Value: x.Value, Label: x.Label, Inactive: x.Inactive}); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// addTo makes a custom field. One that refers to an object which the sandbox
// has not is a text there.
func (f *TwinField) addTo(s *salesforce.Server, object string) error {
	field := salesforce.Field{Name: f.Name, Label: f.Label, Type: f.Type, Length: f.Length, Precision: f.Precision, Scale: f.Scale,
		Required: f.Required, ReadOnly: f.ReadOnly, ExternalID: f.ExternalID, Unique: f.Unique, Restricted: f.Restricted, ReferenceTo: f.ReferenceTo}
	if f.Type == "reference" {
		field.Relationship = strings.TrimSuffix(f.Name, "__c") + "__r"
	}
	for _, x := range f.Options {
		field.Picklist = append(field.Picklist, salesforce.PicklistValue{Value: x.Value, Label: x.Label, Inactive: x.Inactive})
	}
	err := s.AddField(object, field)
	if err != nil && f.Type == "reference" {
		field.Type, field.Length, field.ReferenceTo, field.Relationship = "string", 18, nil, ""
		err = s.AddField(object, field)
	}
	return err
}

func (o *TwinObject) buildHubSpot(ctx context.Context, box *sandbox.Sandbox, have *crm.Object) error {
	s := box.HubSpot()
	if o.Name == mapping.Lists {
		return nil // every account's lists are alike
	}
	if have == nil {
		var properties []hubspot.Property
		for i := range o.Fields {
			if !builtIn(o.Fields[i].Name) {
				properties = append(properties, o.Fields[i].property())
			}
		}
		if len(properties) == 0 {
			return fmt.Errorf("it has no property of its own")
		}
		s.AddSchema(hubspot.Schema{Name: strings.TrimPrefix(o.Name, portalPrefix(o.Name)), Singular: o.Label, Plural: o.Plural,
			PrimaryDisplayProperty: properties[0].Name, Properties: properties})
		return nil
	}
	for _, p := range o.Pipelines {
		if slices.ContainsFunc(have.Pipelines, func(had crm.Pipeline) bool { return had.ID == p.ID }) {
			continue
		}
		pipeline := hubspot.Pipeline{ID: p.ID, Label: p.Label}
		for _, st := range p.Stages {
			pipeline.Stages = append(pipeline.Stages, hubspot.Stage{ID: st.ID, Label: st.Label, Probability: fmt.Sprintf("%.1f", st.Probability), Closed: st.Closed})
		}
		s.AddPipeline(o.Name, pipeline)
	}
	for i := range o.Fields {
		f := &o.Fields[i]
		had := have.Field(f.Name)
		switch {
		case had == nil && !builtIn(f.Name):
			if err := s.AddProperty(o.Name, f.property()); err != nil {
				return err
			}
		case had != nil && len(f.Options) > 0 && f.Kind != crm.KindBool && !f.sameOptions(had):
			if err := f.setOptions(ctx, box, o.Name); err != nil {
				return err
			}
		}
	}
	return nil
}

func (f *TwinField) sameOptions(had *crm.Field) bool {
	return slices.EqualFunc(f.Options, had.Options, func(a TwinOption, b crm.Option) bool { return a.Value == b.Value && a.Inactive != b.Active })
}

// builtIn tells whether HubSpot gives every object the property.
func builtIn(name string) bool {
	return strings.HasPrefix(name, "hs_") || name == "hubspot_owner_id" || name == "createdate" || name == "lastmodifieddate"
}

// portalPrefix is "p123_" of "p123_cars".
func portalPrefix(name string) string {
	if prefix, _, ok := strings.Cut(name, "_"); ok && len(prefix) > 1 && prefix[0] == 'p' && strings.Trim(prefix[1:], "0123456789") == "" {
		return prefix + "_"
	}
	return ""
}

func (f *TwinField) property() hubspot.Property {
	kind, fieldType, _ := strings.Cut(f.Type, "/")
	p := hubspot.Property{Name: f.Name, Label: cmp.Or(f.Label, f.Name), Type: kind, FieldType: fieldType, HasUniqueValue: f.Unique, ReadOnly: f.ReadOnly}
	for i, x := range f.Options {
		p.Options = append(p.Options, hubspot.Option{Label: cmp.Or(x.Label, x.Value), Value: x.Value, Hidden: x.Inactive, DisplayOrder: i})
	}
	return p
}

// setOptions gives a property that the sandbox has already the pair's options,
// by the API, as an administrator's program would. A property whose options
// HubSpot keeps for itself keeps them.
func (f *TwinField) setOptions(ctx context.Context, box *sandbox.Sandbox, object string) error {
	type option struct {
		Label        string `json:"label"`
		Value        string `json:"value"`
		Hidden       bool   `json:"hidden"`
		DisplayOrder int    `json:"displayOrder"`
	}
	body := struct {
		Options []option `json:"options"`
	}{}
	for i, x := range f.Options {
		body.Options = append(body.Options, option{cmp.Or(x.Label, x.Value), x.Value, x.Inactive, i})
	}
	encoded, err := json.Marshal(body)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPatch, box.HubSpotURL()+"/crm/v3/properties/"+object+"/"+f.Name, bytes.NewReader(encoded))
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+box.Credentials().HubSpot.PrivateApp)
	request.Header.Set("Content-Type", "application/json")
	answer, err := box.Client().Do(request)
	if err != nil {
		return err
	}
	return answer.Body.Close()
}
