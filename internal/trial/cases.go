package trial

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	"golang.org/x/sync/errgroup"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/engine"
	"github.com/lockstep-sync/lockstep/internal/fault"
	"github.com/lockstep-sync/lockstep/internal/mapping"
	"github.com/lockstep-sync/lockstep/sandbox/salesforce"
)

// Case is one example of lockstep.test.yaml: records that are given, edits that
// follow a first sync, and what shall become of them.
type Case struct {
	Name string `yaml:"name"`
	// Object is our name of the object of the mapping.
	Object string `yaml:"object"`
	// HubSpot and Salesforce are the records that are there at the beginning; nil
	// for none. The Salesforce object is the mapping's first, unless `as` says.
	HubSpot    map[string]string `yaml:"hubspot"`
	Salesforce map[string]string `yaml:"salesforce"`
	As         string            `yaml:"as"`
	// With are HubSpot records that the HubSpot record is associated with, by
	// object: {companies: {name: Acme, domain: acme.example}}.
	With map[string]map[string]string `yaml:"with"`
	// Then are edits, in the order hubspot, salesforce, after a first sync.
	Then   *Edits `yaml:"then"`
	Expect Expect `yaml:"expect"`

	line int
}

// Edits are what people change after the first sync.
type Edits struct {
	HubSpot    map[string]string `yaml:"hubspot"`
	Salesforce map[string]string `yaml:"salesforce"`
}

// Expect is what shall become of a case; what is not named may be anything.
type Expect struct {
	// Outcome is synced, unchanged, excluded, held, pending or failed.
	Outcome crm.Outcome `yaml:"outcome"`
	// Reason is the code of the reason, or its beginning.
	Reason string `yaml:"reason"`
	// Policy that holds it.
	Policy string `yaml:"policy"`
	// HubSpot and Salesforce are values afterwards; "" is blank.
	HubSpot    Values `yaml:"hubspot"`
	Salesforce Values `yaml:"salesforce"`
	// As is the Salesforce object that the record has become.
	As string `yaml:"as"`
}

// Values are what a record holds afterwards, or that there is none.
type Values struct {
	None   bool
	Fields map[string]string
}

// UnmarshalYAML takes fields, or the word none.
func (v *Values) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode && n.Value == "none" {
		v.None = true
		return nil
	}
	return n.Decode(&v.Fields)
}

func (v *Values) given() bool { return v.None || v.Fields != nil }

// casesLimit bounds a file of cases.
const casesLimit = 1000

// ReadCases reads lockstep.test.yaml. Mistakes are fault.Invalid with the line.
func ReadCases(file string, text []byte) ([]Case, error) {
	wrong := func(err error, format string, args ...any) error {
		f := fault.New(fault.Invalid, "%s: %s", file, fmt.Sprintf(format, args...)).WithMend("lockstep test --help shows an example")
		if err != nil {
			f = f.Wrap(err)
		}
		return f
	}
	var content struct {
		Cases []Case `yaml:"cases"`
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(&content); err != nil && !errors.Is(err, io.EOF) {
		return nil, wrong(nil, "%s", strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if len(content.Cases) > casesLimit {
		return nil, wrong(nil, "it has more than %d cases", casesLimit)
	}
	lines := caseLines(text)
	names := map[string]bool{}
	for i := range content.Cases {
		c := &content.Cases[i]
		if i < len(lines) {
			c.line = lines[i]
		}
		switch {
		case c.Name == "":
			return nil, wrong(nil, "line %d: a case has no name", c.line)
		case names[c.Name]:
			return nil, wrong(nil, "line %d: two cases are named %q", c.line, c.Name)
		case c.HubSpot == nil && c.Salesforce == nil:
			return nil, wrong(nil, "line %d: %q gives no record; write hubspot: or salesforce:", c.line, c.Name)
		case c.Expect.Outcome != "" && !slices.Contains(crm.Outcomes, c.Expect.Outcome):
			return nil, wrong(nil, "line %d: there is no outcome %q", c.line, c.Expect.Outcome)
		case c.Expect.Outcome == "" && c.Expect.Reason == "" && c.Expect.Policy == "" && c.Expect.As == "" && !c.Expect.HubSpot.given() && !c.Expect.Salesforce.given():
			return nil, wrong(nil, "line %d: %q expects nothing", c.line, c.Name)
		case c.Then != nil && (c.Then.HubSpot != nil && c.HubSpot == nil && c.Then.Salesforce == nil || c.Then.Salesforce == nil && c.Then.HubSpot == nil):
			return nil, wrong(nil, "line %d: `then` of %q edits no record that is given", c.line, c.Name)
		}
		names[c.Name] = true
	}
	return content.Cases, nil
}

// caseLines are where the cases begin.
func caseLines(text []byte) []int {
	var doc yaml.Node
	if yaml.Unmarshal(text, &doc) != nil || len(doc.Content) == 0 || doc.Content[0].Kind != yaml.MappingNode {
		return nil
	}
	var lines []int
	for i := 0; i+1 < len(doc.Content[0].Content); i += 2 {
		if doc.Content[0].Content[i].Value == "cases" {
			for _, n := range doc.Content[0].Content[i+1].Content {
				lines = append(lines, n.Line)
			}
		}
	}
	return lines
}

// casesAtOnce is how many cases are tried at the same time, and one more that
// hands the results on: what they take is mostly waiting for the clients' own
// pacing.
const casesAtOnce = 4 + 1

// Cases tries all cases and yields their results in the order of the file.
func Cases(ctx context.Context, config Config, cases []Case, yield func(Result)) error {
	results := make([]chan Result, len(cases))
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(casesAtOnce)
	for i := range results {
		results[i] = make(chan Result, 1)
	}
	group.Go(func() error {
		for i := range cases {
			select {
			case r, ok := <-results[i]:
				if !ok {
					return nil
				}
				yield(r)
			case <-groupCtx.Done():
				return nil
			}
		}
		return nil
	})
	for i := range cases {
		group.Go(func() error {
			defer close(results[i])
			r, err := cases[i].Run(groupCtx, config)
			if err == nil {
				results[i] <- r
			}
			return err
		})
	}
	return group.Wait()
}

// Run tries one case in a sandbox of its own, which holds nothing else.
func (c *Case) Run(ctx context.Context, config Config) (r Result, err error) {
	w, err := open(ctx, config, "empty")
	if err != nil {
		return r, err
	}
	defer func() {
		if closed := w.close(); err == nil {
			err = closed
		}
	}()
	return timed("case", c.Name, func() ([]string, error) { return c.try(ctx, w) })
}

// given are the records of a case.
type given struct {
	*world
	o          *mapping.BoundObject
	hubspot    string
	object     string
	salesforce string
}

func (c *Case) try(ctx context.Context, w *world) ([]string, error) {
	o := w.pair.Bound.Object(c.Object)
	if o == nil {
		var names []string
		for _, o := range w.pair.Mapping.Objects {
			names = append(names, o.Name)
		}
		return nil, fault.New(fault.Invalid, "line %d: the mapping has no object %q", c.line, c.Object).WithMend("the objects are %s", strings.Join(names, ", "))
	}
	g := &given{world: w, o: o, object: o.Targets[0].Object}
	if c.As != "" {
		g.object = c.As
	}
	if err := g.make(c); err != nil {
		return []string{err.Error()}, nil
	}
	w.later()
	if c.Then != nil {
		if _, err := w.sync(ctx); err != nil {
			return nil, err
		}
		g.find(ctx)
		w.later()
		if err := g.edit(c.Then); err != nil {
			return []string{err.Error()}, nil
		}
		w.later()
	}
	item, err := g.planned(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := w.sync(ctx); err != nil {
		return nil, err
	}
	g.find(ctx)
	outcome, reason := crm.Unchanged, crm.Reason{Code: "unchanged.in-step"}
	if item != nil {
		outcome, reason = item.Outcome, item.Reason
	}
	if failed, why := g.failed(ctx); failed {
		outcome, reason = crm.Failed, why
	}
	return c.Expect.differs(g, outcome, reason, item), nil
}

// make creates what the case gives, as people would.
func (g *given) make(c *Case) (err error) {
	hubspot, org := g.box.HubSpot(), g.box.Salesforce().By(salesforce.Edit{})
	if c.HubSpot != nil {
		if g.o.HubSpot == mapping.Lists {
			g.hubspot, err = hubspot.AddList("contacts", c.HubSpot["name"])
		} else {
			g.hubspot, err = hubspot.Create(g.o.HubSpot, c.HubSpot)
		}
		if err != nil {
			return fmt.Errorf("HubSpot does not take the given record: %w", err)
		}
		for object, fields := range c.With {
			id, err := hubspot.Create(object, fields)
			if err != nil {
				return fmt.Errorf("HubSpot does not take the given %s: %w", object, err)
			}
			if kind := primaryType(g.o.HubSpot, object); kind != 0 {
				hubspot.Associate(g.o.HubSpot, g.hubspot, object, id, kind)
			} else {
				hubspot.Associate(g.o.HubSpot, g.hubspot, object, id)
			}
		}
	}
	if c.Salesforce == nil {
		return nil
	}
	t := g.o.Target(g.object)
	if t == nil {
		return fmt.Errorf("the mapping of %s does not name Salesforce %s", g.o.Name, g.object)
	}
	fields, err := typedFields(t.Schema, c.Salesforce)
	if err == nil {
		g.salesforce, err = org.Create(g.object, fields)
	}
	if err != nil {
		return fmt.Errorf("give the record to Salesforce: %w", err)
	}
	return nil
}

// primaryType is HubSpot's number of the primary association between two
// objects; 0 where there is none.
// https://developers.hubspot.com/docs/api-reference/latest/crm/associations/association-details
func primaryType(from, to string) int {
	return map[string]int{"contacts companies": 1, "deals companies": 5, "tickets companies": 26}[from+" "+to]
}

func typedFields(schema *crm.Object, values map[string]string) (map[string]any, error) {
	fields := map[string]any{}
	for name, v := range values {
		f := schema.Field(name)
		if f == nil {
			return nil, fmt.Errorf("there is no field %s", name)
		}
		fields[name] = typed(f, v)
	}
	return fields, nil
}

func (g *given) edit(then *Edits) error {
	if then.HubSpot != nil {
		if err := g.editInHubSpot(then.HubSpot); err != nil {
			return fmt.Errorf("HubSpot does not take the edit: %w", err)
		}
		g.later()
	}
	if then.Salesforce == nil {
		return nil
	}
	fields, err := typedFields(g.o.Target(g.object).Schema, then.Salesforce)
	if err == nil {
		err = g.box.Salesforce().Update(g.object, g.salesforce, fields)
	}
	if err != nil {
		return fmt.Errorf("make the edit in Salesforce: %w", err)
	}
	return nil
}

// heldInHubSpot is what HubSpot holds of the record; of a list, which has no
// properties, its name and how it gets its members.
func (g *given) heldInHubSpot() (map[string]string, bool) {
	if g.o.HubSpot != mapping.Lists {
		return g.box.HubSpot().Get(g.o.HubSpot, g.hubspot)
	}
	for _, l := range g.box.HubSpot().Lists() {
		if l.ID == g.hubspot {
			return map[string]string{"name": l.Name, mapping.ListKind: l.ProcessingType}, true
		}
	}
	return nil, false
}

func (g *given) editInHubSpot(fields map[string]string) error {
	if g.o.HubSpot == mapping.Lists {
		return g.box.HubSpot().RenameList(g.hubspot, fields["name"])
	}
	return g.box.HubSpot().Update(g.o.HubSpot, g.hubspot, fields)
}

// find learns which records belong together by now.
func (g *given) find(ctx context.Context) {
	side, id := crm.HubSpot, g.hubspot
	if id == "" {
		side, id = crm.Salesforce, g.salesforce
	}
	links, err := g.pair.Store.Links(ctx, g.o.Name, side, []string{id})
	if l, ok := links[id]; ok && err == nil {
		g.hubspot, g.object, g.salesforce = l.HubSpotID, l.SalesforceObject, l.SalesforceID
	}
}

// planned is what a plan says of the case's record; nil when it says nothing.
func (g *given) planned(ctx context.Context) (*engine.Item, error) {
	p, err := g.pair.Engine.Plan(ctx, engine.PlanOptions{})
	if err != nil {
		return nil, err
	}
	var found *engine.Item
	return found, p.Items(ctx, engine.ItemFilter{Mapping: g.o.Name}, func(it engine.Item) error {
		mine := it.HubSpot != nil && it.HubSpot.ID != "" && it.HubSpot.ID == g.hubspot ||
			it.Salesforce != nil && it.Salesforce.ID != "" && it.Salesforce.ID == g.salesforce
		if mine && found == nil {
			found = &it
		}
		return nil
	})
}

// failed tells whether the sync could not write what was planned.
func (g *given) failed(ctx context.Context) (bool, crm.Reason) {
	for side, id := range map[crm.Side]string{crm.HubSpot: g.hubspot, crm.Salesforce: g.salesforce} {
		if id == "" {
			continue
		}
		outcomes, err := g.pair.Store.Outcomes(ctx, g.o.Name, side, []string{id})
		if o, ok := outcomes[id]; ok && err == nil && o.Outcome == crm.Failed {
			return true, o.Reason
		}
	}
	return false, crm.Reason{}
}

// differs says what is not as expected.
func (e *Expect) differs(g *given, outcome crm.Outcome, reason crm.Reason, item *engine.Item) []string {
	var told []string
	because := reason.Text
	if because != "" {
		because = ": " + because
	}
	if e.Outcome != "" && e.Outcome != outcome {
		told = append(told, fmt.Sprintf("it is %s (%s), and %s is expected%s", outcome, reason.Code, e.Outcome, because))
	}
	if e.Reason != "" && !strings.HasPrefix(reason.Code, e.Reason) {
		told = append(told, fmt.Sprintf("the reason is %s, and %s is expected%s", reason.Code, e.Reason, because))
	}
	if e.Policy != "" && (item == nil || !slices.Contains(item.Breaks, e.Policy)) {
		told = append(told, fmt.Sprintf("no planned write breaks the policy %q", e.Policy))
	}
	if e.As != "" && (g.salesforce == "" || g.object != e.As) {
		became := "nothing"
		if g.salesforce != "" {
			became = g.object
		}
		told = append(told, fmt.Sprintf("in Salesforce it is %s, and %s is expected", became, e.As))
	}
	hubspot, inHubSpot := map[string]string{}, false
	if g.hubspot != "" {
		hubspot, inHubSpot = g.heldInHubSpot()
	}
	told = append(told, e.HubSpot.differ("HubSpot", inHubSpot, func(name string) string { return hubspot[name] })...)
	org, inOrg := map[string]any{}, false
	if g.salesforce != "" {
		org, inOrg = g.box.Salesforce().Get(g.object, g.salesforce)
	}
	return append(told, e.Salesforce.differ("Salesforce", inOrg, func(name string) string {
		if org[name] == nil {
			return ""
		}
		return fmt.Sprint(org[name])
	})...)
}

func (v *Values) differ(vendor string, there bool, value func(string) string) []string {
	switch {
	case v.None && there:
		return []string{"there is a record in " + vendor + ", and none is expected"}
	case v.None || v.Fields == nil:
		return nil
	case !there:
		return []string{"there is no record in " + vendor}
	}
	var told []string
	for name, want := range v.Fields {
		if got := value(name); got != want {
			told = append(told, fmt.Sprintf("%s %s is %q, and %q is expected", vendor, name, got, want))
		}
	}
	slices.Sort(told)
	return told
}
