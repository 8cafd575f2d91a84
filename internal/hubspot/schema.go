package hubspot

import (
	"context"
	"slices"
	"strconv"

	"github.com/lockstep-sync/lockstep/internal/apicall"
	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/fault"
)

// customSchema is one object that the account has made itself.
// https://developers.hubspot.com/docs/api-reference/latest/crm/objects/custom-objects/guide
type customSchema struct {
	Name   string `json:"name"`
	TypeID string `json:"objectTypeId"`
	Full   string `json:"fullyQualifiedName"`
	Labels struct {
		Singular string `json:"singular"`
		Plural   string `json:"plural"`
	} `json:"labels"`
	Required []string `json:"requiredProperties"`
}

// Objects lists the objects that the token may read: the standard ones, and the
// account's own where it may see their schemas. Custom objects are named in
// full ("p123_cars").
func (c *Client) Objects(ctx context.Context) ([]crm.Object, error) {
	var objects []crm.Object
	for i := range standards {
		s := &standards[i]
		if !c.granted(s.read...) {
			continue
		}
		o := crm.Object{Side: crm.HubSpot, Name: s.name, Label: s.label, LabelPlural: s.plural, Prefix: s.id}
		c.rights(&o, s.write)
		objects = append(objects, o)
	}
	if c.granted(listScopes.read...) {
		objects = append(objects, *c.listObject())
	}
	var page struct {
		Results []customSchema `json:"results"`
	}
	err := c.get(ctx, c.paths.schemas(), nil, apicall.Into(&page))
	if err != nil && fault.KindOf(err) != fault.Denied { // accounts below Enterprise have none
		return nil, err
	}
	for i := range page.Results {
		o := c.customObject(&page.Results[i])
		objects = append(objects, *o)
	}
	return objects, nil
}

func (c *Client) customObject(schema *customSchema) *crm.Object {
	o := &crm.Object{
		Side: crm.HubSpot, Name: either(schema.Full, schema.Name), Prefix: schema.TypeID,
		Label: either(schema.Labels.Singular, schema.Name), LabelPlural: either(schema.Labels.Plural, schema.Labels.Singular, schema.Name),
	}
	c.rights(o, []string{"crm.objects.custom.write"})
	return o
}

func (c *Client) rights(o *crm.Object, write []string) {
	may := c.granted(write...)
	o.Creatable, o.Updatable, o.Deletable = may, may, may
}

// Describe returns the schema of one object with its properties, and its
// pipelines where it has them. It asks HubSpot each time.
func (c *Client) Describe(ctx context.Context, name string) (*crm.Object, error) {
	if isList(name) {
		return c.describeLists(ctx)
	}
	s := standardOf(name)
	var o *crm.Object
	var required []string
	if s != nil {
		o = &crm.Object{Side: crm.HubSpot, Name: s.name, Label: s.label, LabelPlural: s.plural, Prefix: s.id}
		c.rights(o, s.write)
		required = s.required
	} else {
		var schema customSchema
		err := c.get(ctx, c.paths.schemas()+"/"+escape(name), nil, apicall.Into(&schema))
		switch kind := fault.KindOf(err); {
		case kind == fault.NotFound || kind == fault.Invalid:
			return nil, fault.New(fault.NotFound, "HubSpot has no object named %q that this token can see", name).
				WithMend("lockstep check lists the objects; custom objects are named like p123_cars").Wrap(err)
		case err != nil:
			return nil, err
		}
		o, required = c.customObject(&schema), schema.Required
	}
	var page struct {
		Results []property `json:"results"`
	}
	if err := c.get(ctx, c.paths.properties(o.Name), nil, apicall.Into(&page)); err != nil {
		return nil, err
	}
	o.Fields = make([]crm.Field, 0, len(page.Results))
	for i := range page.Results {
		o.Fields = append(o.Fields, page.Results[i].field(o, required))
	}
	if s != nil && s.pipeline != "" {
		if err := c.describePipelines(ctx, o, s); err != nil {
			return nil, err
		}
	}
	c.mu.Lock()
	c.schemas[o.Name] = o
	c.schemas[name] = o
	c.mu.Unlock()
	return o, nil
}

// schema returns what Describe said last, and asks when it was never asked.
func (c *Client) schema(ctx context.Context, name string) (*crm.Object, error) {
	c.mu.Lock()
	o := c.schemas[name]
	c.mu.Unlock()
	if o != nil {
		return o, nil
	}
	return c.Describe(ctx, name)
}

// describePipelines reads pipelines and stages, and gives them to the two
// properties as options, which HubSpot leaves empty on many accounts.
// https://developers.hubspot.com/docs/api-reference/latest/crm/pipelines/guide
func (c *Client) describePipelines(ctx context.Context, o *crm.Object, s *standard) error {
	var page struct {
		Results []pipelineRow `json:"results"`
	}
	if err := c.get(ctx, c.paths.pipelines(o.Name), nil, apicall.Into(&page)); err != nil {
		return err
	}
	slices.SortStableFunc(page.Results, func(a, b pipelineRow) int { return a.Order - b.Order })
	var pipelines, stages []crm.Option
	for _, row := range page.Results {
		slices.SortStableFunc(row.Stages, func(a, b stageRow) int { return a.Order - b.Order })
		pipeline := crm.Pipeline{ID: row.ID, Label: row.Label}
		pipelines = append(pipelines, crm.Option{Value: row.ID, Label: row.Label, Active: true})
		for _, stage := range row.Stages {
			// A stage without a probability is a ticket's.
			probability, _ := strconv.ParseFloat(stage.Metadata.Probability, 64)
			pipeline.Stages = append(pipeline.Stages, crm.Stage{
				ID: stage.ID, Label: stage.Label, Probability: probability,
				Closed: stage.Metadata.IsClosed == "true" || stage.Metadata.TicketState == "CLOSED",
			})
			stages = append(stages, crm.Option{Value: stage.ID, Label: stage.Label, Active: true})
		}
		o.Pipelines = append(o.Pipelines, pipeline)
	}
	for name, options := range map[string][]crm.Option{s.pipeline: pipelines, s.stage: stages} {
		if f := o.Field(name); f != nil && len(f.Options) == 0 {
			f.Options, f.Restricted = options, true
		}
	}
	return nil
}

type pipelineRow struct {
	ID     string     `json:"id"`
	Label  string     `json:"label"`
	Order  int        `json:"displayOrder"`
	Stages []stageRow `json:"stages"`
}

type stageRow struct {
	ID       string `json:"id"`
	Label    string `json:"label"`
	Order    int    `json:"displayOrder"`
	Metadata struct {
		IsClosed    string `json:"isClosed"`
		Probability string `json:"probability"`
		TicketState string `json:"ticketState"`
	} `json:"metadata"`
}
