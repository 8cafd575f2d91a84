package mapping

import (
	"bytes"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Defaults of what the file need not say.
const (
	DefaultEvery            = time.Minute
	DefaultBudgetHubSpot    = 0.6
	DefaultBudgetSalesforce = 0.3
)

// Parse reads lockstep.yaml. file is its name for messages. The error is a
// *Problems with everything that is wrong with the text by itself; names of
// objects and fields are checked by Bind. Values are taken as they are written:
// `no`, `on` and `007` are texts.
func Parse(file string, src []byte) (*Mapping, error) {
	problems := &Problems{File: file}
	root := document(problems, src)
	if root == nil {
		return nil, problems
	}
	t := &tree{problems: problems}
	t.check(root, group(fileKeys()), "the file", 0)
	if t.full {
		return nil, problems.sorted()
	}
	r := &scan{src: strings.Split(string(src), "\n"), problems: problems}
	m := r.mapping(root)
	m.File = file
	checkMapping(m, problems)
	if problems.failed() {
		return nil, problems.sorted()
	}
	m.Version = m.version()
	return m, nil
}

var yamlLine = regexp.MustCompile(`line ([0-9]+)`)

// document returns the root of the only document, or nil with a problem.
func document(problems *Problems, src []byte) *yaml.Node {
	if len(src) > maxFileBytes {
		problems.errorf(Pos{1, 1}, "yaml.too-large", "take out what is not a mapping", "the file is larger than %d KiB", maxFileBytes>>10)
		return nil
	}
	decoder := yaml.NewDecoder(bytes.NewReader(src))
	var doc, more yaml.Node
	err := decoder.Decode(&doc)
	if err == nil && doc.Kind == yaml.DocumentNode && len(doc.Content) == 1 && !isNull(doc.Content[0]) {
		switch err := decoder.Decode(&more); {
		case err == io.EOF:
			return doc.Content[0]
		case err == nil:
			problems.errorf(at(&more), "yaml.syntax", "take out the line --- and what follows", "the file holds a second document")
			return nil
		default:
			problems.errorf(Pos{lineOf(err), 1}, "yaml.syntax", syntaxMend, "this is not yaml: %s", syntaxText(err))
			return nil
		}
	}
	if err == nil || err == io.EOF {
		problems.errorf(Pos{1, 1}, "yaml.empty", "`lockstep init` writes one", "the file is empty")
		return nil
	}
	problems.errorf(Pos{lineOf(err), 1}, "yaml.syntax", syntaxMend, "this is not yaml: %s", syntaxText(err))
	return nil
}

const syntaxMend = "look at this line and the one above: spaces at the start, a missing colon, quote or bracket (tabs cannot indent)"

// lineOf takes the line out of a yaml error; the library has no typed one.
func lineOf(err error) int {
	if m := yamlLine.FindStringSubmatch(err.Error()); m != nil {
		if n, e := strconv.Atoi(m[1]); e == nil {
			return n
		}
	}
	return 1
}

func syntaxText(err error) string {
	s := strings.TrimPrefix(err.Error(), "yaml: ")
	if i := strings.Index(s, ": "); i >= 0 && strings.HasPrefix(s, "line ") {
		s = s[i+2:]
	}
	return s
}

// scan takes values out of nodes that the tree has checked. Where a node is
// wrong it takes the zero value: the problem is already told.
type scan struct {
	src      []string
	problems *Problems
}

// entry returns the value below name in a group, nil when it is not there.
func entry(n *yaml.Node, name string) *yaml.Node {
	n = resolve(n)
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name {
			return resolve(n.Content[i+1])
		}
	}
	return nil
}

func items(n *yaml.Node) []*yaml.Node {
	n = resolve(n)
	if n == nil || n.Kind != yaml.SequenceNode {
		return nil
	}
	out := make([]*yaml.Node, 0, len(n.Content))
	for _, item := range n.Content {
		out = append(out, resolve(item))
	}
	return out
}

func scalarOf(n *yaml.Node) string {
	if n == nil || n.Kind != yaml.ScalarNode || isNull(n) {
		return ""
	}
	return n.Value
}

func (r *scan) text(n *yaml.Node, name string) (string, Pos) {
	v := entry(n, name)
	if v == nil {
		return "", at(n)
	}
	return scalarOf(v), at(v)
}

func word[T ~string](n *yaml.Node, name string, otherwise T) T {
	if s := scalarOf(entry(n, name)); s != "" {
		return T(s)
	}
	return otherwise
}

// expressionAt is where the first character of an expression stands.
func (r *scan) expressionAt(n *yaml.Node) Pos {
	pos := at(n)
	switch n.Style {
	case yaml.DoubleQuotedStyle, yaml.SingleQuotedStyle:
		pos.Column++
	case yaml.LiteralStyle, yaml.FoldedStyle:
		pos.Line++
		if pos.Line <= len(r.src) {
			line := r.src[pos.Line-1]
			pos.Column = len(line) - len(strings.TrimLeft(line, " ")) + 1
		}
	}
	return pos
}

func (r *scan) expression(n *yaml.Node, name string) (string, Pos) {
	v := entry(n, name)
	if v == nil {
		return "", at(n)
	}
	return strings.TrimRight(scalarOf(v), "\n"), r.expressionAt(v)
}

func (r *scan) mapping(root *yaml.Node) *Mapping {
	m := &Mapping{Every: DefaultEvery, Budget: Budget{HubSpot: DefaultBudgetHubSpot, Salesforce: DefaultBudgetSalesforce}}
	m.HubSpot, _ = r.text(root, "hubspot")
	m.Salesforce, _ = r.text(root, "salesforce")
	if d, err := time.ParseDuration(scalarOf(entry(root, "every"))); err == nil {
		m.Every = d
	}
	m.Wake = r.wake(entry(root, "wake"))
	brakes := entry(root, "brakes")
	m.Brakes = Brakes{Creates: limitOf(entry(brakes, "creates")), Updates: limitOf(entry(brakes, "updates")), Deletes: limitOf(entry(brakes, "deletes"))}
	if s := scalarOf(entry(entry(root, "budget"), "hubspot")); s != "" {
		m.Budget.HubSpot = percent(s)
	}
	if s := scalarOf(entry(entry(root, "budget"), "salesforce")); s != "" {
		m.Budget.Salesforce = percent(s)
	}
	for _, n := range items(entry(root, "objects")) {
		m.Objects = append(m.Objects, r.object(n))
	}
	for _, n := range items(entry(root, "policies")) {
		m.Policies = append(m.Policies, r.policy(n))
	}
	return m
}

func (r *scan) wake(n *yaml.Node) Wake {
	w := Wake{Journal: scalarOf(entry(n, "journal")) == "true", ChangeEvents: scalarOf(entry(n, "change-events")) == "true"}
	if hooks := entry(n, "webhooks"); hooks != nil {
		w.Webhooks = &WakeWebhooks{Listen: DefaultListen}
		w.Webhooks.URL, w.Webhooks.URLPos = r.text(hooks, "url")
		if listen, _ := r.text(hooks, "listen"); listen != "" {
			w.Webhooks.Listen = listen
		}
	}
	return w
}

// limitOf reads a limit. "0" is a limit of nothing: it is kept as a share so
// small that every record exceeds it, because the zero Limit brakes nothing.
func limitOf(n *yaml.Node) Limit {
	s := scalarOf(n)
	switch {
	case s == "":
		return Limit{}
	case strings.HasSuffix(s, "%"):
		return Limit{Share: max(percent(s), smallestShare)}
	}
	count, err := strconv.Atoi(s)
	if err != nil {
		return Limit{}
	}
	if count == 0 {
		return Limit{Share: smallestShare}
	}
	return Limit{Count: count}
}

const smallestShare = 1e-12

func (r *scan) object(n *yaml.Node) Object {
	o := Object{Pos: at(n), Create: word(n, "create", CreateInSalesforce), Deletes: deletesOf(entry(n, "deletes")), Leaves: word(n, "leaves", LeavesStop)}
	o.Name, o.NamePos = r.text(n, "name")
	o.HubSpot, o.HubSpotPos = r.text(n, "hubspot")
	o.HubSpot = hubSpotName(o.HubSpot)
	o.ExternalID, o.ExternalIDPos = r.text(n, "external-id")
	owner := entry(n, "owner")
	o.OwnerByEmail = scalarOf(owner) == "by-email" || scalarOf(entry(owner, "by")) == "email"
	o.OwnerOtherwise = scalarOf(entry(owner, "otherwise"))
	o.Targets = r.targets(entry(n, "salesforce"))
	for _, m := range items(entry(n, "match")) {
		match := Match{Pos: at(m), As: word(m, "as", "text")}
		match.HubSpot, match.HubSpotPos = r.text(m, "hubspot")
		match.Salesforce, match.SalesforcePos = r.text(m, "salesforce")
		o.Match = append(o.Match, match)
	}
	if where := entry(n, "where"); where != nil {
		o.Where.HubSpot, o.Where.HubSpotPos = r.expression(where, "hubspot")
		o.Where.Salesforce, o.Where.SalesforcePos = r.expression(where, "salesforce")
	}
	for _, f := range items(entry(n, "fields")) {
		o.Fields = append(o.Fields, r.field(f))
	}
	for _, a := range items(entry(n, "associations")) {
		o.Associations = append(o.Associations, r.association(a))
	}
	return o
}

func (r *scan) association(n *yaml.Node) Association {
	a := Association{Pos: at(n), On: texts(entry(n, "on")), Role: scalarOf(entry(n, "role")), Labels: valuePairs(entry(n, "labels")),
		Direction: word(n, "direction", Both), Wins: word(n, "wins", WinsHubSpot)}
	a.HubSpot, a.HubSpotPos = r.text(n, "hubspot")
	if far := texts(entry(n, "hubspot")); len(far) > 0 {
		a.HubSpot = far[0]
		a.Also = append(a.Also, far[1:]...)
	}
	a.HubSpot = hubSpotName(a.HubSpot)
	for i := range a.Also {
		a.Also[i] = hubSpotName(a.Also[i])
	}
	a.By, a.ByPos = r.text(n, "by")
	a.Salesforce, a.SalesforcePos = r.text(n, "salesforce")
	if wins := entry(n, "wins"); wins != nil {
		a.WinsPos = at(wins)
	}
	switch a.Salesforce {
	case ContactRole:
		a.Rows = contactRole(a.SalesforcePos)
	case CampaignMember:
		a.Rows = campaignMember(a.SalesforcePos, a.Role)
	}
	if rows := entry(n, "salesforce"); rows != nil && rows.Kind == yaml.MappingNode {
		a.Rows = &Rows{}
		a.Rows.Object, a.Rows.Pos = r.text(rows, "junction")
		a.Rows.Near, a.Rows.NearPos = r.text(rows, "near")
		a.Rows.Far, a.Rows.FarPos = r.text(rows, "far")
		a.Rows.Label, a.Rows.LabelPos = r.text(rows, "label")
		a.Rows.Primary, a.Rows.PrimaryPos = r.text(rows, "primary")
		a.Salesforce, a.SalesforcePos = a.Rows.Object, a.Rows.Pos
	}
	return a
}

// valuePairs reads a table in the order of the file.
func valuePairs(n *yaml.Node) (pairs []ValuePair) {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		pairs = append(pairs, ValuePair{HubSpot: scalarOf(n.Content[i]), Salesforce: scalarOf(resolve(n.Content[i+1])), Pos: at(n.Content[i])})
	}
	return pairs
}

// deletesOf reads one policy for both sides, or one for each.
func deletesOf(n *yaml.Node) Deletes {
	if s := scalarOf(n); s != "" {
		return Deletes{DeletePolicy(s), DeletePolicy(s)}
	}
	return Deletes{InHubSpot: word(n, "in-hubspot", DeletesIgnore), InSalesforce: word(n, "in-salesforce", DeletesIgnore)}
}

func (r *scan) targets(n *yaml.Node) []Target {
	if s := scalarOf(n); s != "" {
		return []Target{{Pos: at(n), Object: s}}
	}
	var out []Target
	for _, item := range items(n) {
		if s := scalarOf(item); s != "" {
			out = append(out, Target{Pos: at(item), Object: s})
			continue
		}
		target := Target{Pos: at(item)}
		if v := entry(item, "object"); v != nil {
			target.Object, target.Pos = scalarOf(v), at(v)
		}
		target.When, target.WhenPos = r.expression(item, "when")
		if target.Object != "" {
			out = append(out, target)
		}
	}
	return out
}

func (r *scan) field(n *yaml.Node) Field {
	f := Field{Pos: at(n), Wins: word(n, "wins", WinsNewest), TooLong: word(n, "too-long", "hold"), TooLongGiven: entry(n, "too-long") != nil, ShiftGiven: entry(n, "times") != nil, Blank: scalarOf(entry(n, "blank")), On: texts(entry(n, "on"))}
	f.HubSpot, f.HubSpotPos = r.text(n, "hubspot")
	f.Salesforce, f.SalesforcePos = r.text(n, "salesforce")
	f.From, f.FromPos = r.expression(n, "from")
	f.Direction = word(n, "direction", f.naturalDirection())
	f.Values = valuePairs(entry(n, "values"))
	f.Shift, f.ShiftPos = r.shift(n)
	f.Unmapped = word(n, "unmapped", "hold")
	if use := scalarOf(entry(entry(n, "unmapped"), "use")); use != "" {
		f.Unmapped, f.UnmappedValue = "use", use
	}
	return f
}

// powerOfTen matches the factors by which a number can be taken without
// rounding, there and back.
var powerOfTen = regexp.MustCompile(`^(?:1(0*)|0?\.(0*)1)$`)

// maxShift is more than any two units differ.
const maxShift = 9

// shift reads `times`.
func (r *scan) shift(n *yaml.Node) (int, Pos) {
	text, pos := r.text(n, "times")
	if text == "" {
		return 0, pos
	}
	m := powerOfTen.FindStringSubmatch(text)
	places := 0
	switch {
	case m == nil:
	case strings.HasPrefix(text, "1"):
		places = len(m[1])
	default:
		places = -len(m[2]) - 1
	}
	if m == nil || places > maxShift || places < -maxShift {
		r.problems.errorf(pos, "field.times", "write a power of ten, such as 100 or 0.001; for any other, compute each way with `from`", "times: %s cannot be undone without rounding", text)
	}
	return places, pos
}

// naturalDirection is the direction where the file names none: to the side
// that an expression is written to, else both ways.
func (f *Field) naturalDirection() Direction {
	switch {
	case f.From == "":
		return Both
	case f.HubSpot != "":
		return ToHubSpot
	}
	return ToSalesforce
}

func texts(n *yaml.Node) []string {
	if s := scalarOf(n); s != "" {
		return []string{s}
	}
	var out []string
	for _, item := range items(n) {
		if s := scalarOf(item); s != "" {
			out = append(out, s)
		}
	}
	return out
}

// takes tells whether a list of `on` takes in the Salesforce object.
func takes(on []string, object string) bool {
	if len(on) == 0 {
		return true
	}
	for _, o := range on {
		if o == object {
			return true
		}
	}
	return false
}
