package mapping

import (
	"net"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/lockstep-sync/lockstep/internal/crm"
)

// Bounds that keep a mapping within what one person can read and one plan can
// show.
const (
	maxObjects = 50
	maxFields  = 1_000
)

var namePattern = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,62}$`)

// checkMapping reports what is wrong with a mapping by itself, beyond the form
// of each value.
func checkMapping(m *Mapping, p *Problems) {
	if len(m.Objects) == 0 && !p.failed() {
		p.errorf(Pos{1, 1}, "mapping.no-objects", "add one below objects:, or let `lockstep init` write them", "the file maps no objects")
	}
	if len(m.Objects) > maxObjects {
		p.errorf(m.Objects[maxObjects].Pos, "mapping.too-many", "split the file", "the file maps more than %d objects", maxObjects)
		return
	}
	checkWake(m, p)
	checkPolicies(m, p)
	names, hubspot, salesforce := map[string]Pos{}, map[string]string{}, map[string][]*Object{}
	for i := range m.Objects {
		o := &m.Objects[i]
		if o.Name == "" || o.HubSpot == "" || len(o.Targets) == 0 {
			continue
		}
		if !namePattern.MatchString(o.Name) {
			p.errorf(o.NamePos, "mapping.bad-name", "use lower case letters, digits, - and _", "%s cannot be the name of an object", quoteShort(o.Name))
		}
		if first, ok := names[o.Name]; ok {
			p.errorf(o.NamePos, "mapping.duplicate-name", "give each its own name", "two objects are named %s, the first in line %d", o.Name, first.Line)
		}
		names[o.Name] = o.NamePos
		if other, ok := hubspot[o.HubSpot]; ok {
			p.errorf(o.HubSpotPos, "mapping.mapped-twice", "keep one of the two; use several Salesforce objects with `when` rules for one HubSpot object", "HubSpot %s is mapped by %s already", o.HubSpot, other)
		}
		hubspot[o.HubSpot] = o.Name
		for _, t := range o.Targets {
			others := salesforce[t.Object]
			salesforce[t.Object] = append(others, o)
			if len(others) == 0 {
				continue
			}
			other := others[len(others)-1]
			if same := slices.IndexFunc(others, func(x *Object) bool { return x.Where.Salesforce != "" && sameFilter(o, x) }); same >= 0 {
				p.errorf(o.Where.SalesforcePos, "mapping.same-filter", "let each filter take other records, such as where: {salesforce: 'salesforce.TaskSubtype == \"Call\"'}",
					"%s takes the same Salesforce %s records as %s", o.Name, t.Object, others[same].Name)
			}
			switch {
			case o.Where.Salesforce == "" || other.Where.Salesforce == "":
				p.errorf(t.Pos, "mapping.mapped-twice", "keep one of the two, or give both a filter: where: {salesforce: 'salesforce.TaskSubtype == \"Call\"'}",
					"Salesforce %s is mapped by %s already, and nothing says which records are whose", t.Object, other.Name)
			case o.ExternalID != "":
				p.errorf(o.ExternalIDPos, "external-id.shared", "take it out of both", "Salesforce %s is mapped by %s, too, and ids of HubSpot are only different within one of its objects", t.Object, other.Name)
			}
		}
		checkTargets(o, p)
		checkFields(o, p)
		checkOneWriter(o, p)
	}
}

func checkTargets(o *Object, p *Problems) {
	if o.Leaves != "" && o.Leaves != LeavesStop && o.Where.HubSpot == "" && o.Where.Salesforce == "" {
		p.warnf(o.NamePos, "mapping.leaves-nothing", "add `where`, or take `leaves` out", "%s says leaves: %s and has no `where` that a record could leave", o.Name, o.Leaves)
	}
	for i, t := range o.Targets {
		if t.When == "" && i < len(o.Targets)-1 {
			p.warnf(t.Pos, "mapping.unreachable", "give it a `when`, or put it last", "%s takes every new record, so those after it get none", t.Object)
		}
	}
	names := map[string]Pos{}
	for i := range o.Associations {
		a := &o.Associations[i]
		checkOn(o, a.On, a.Pos, p)
		checkRows(a, p)
		if first, ok := names[a.Name()]; ok && a.Rows != nil {
			p.errorf(a.Pos, "association.twice", "keep one of the two", "HubSpot %s and %s stand in two associations, the first in line %d", a.HubSpot, a.Salesforce, first.Line)
		}
		names[a.Name()] = a.Pos
	}
}

// checkRows reports keys that do not fit an association's form.
func checkRows(a *Association, p *Problems) {
	if a.Rows == nil {
		if len(a.Labels) > 0 {
			p.errorf(a.Labels[0].Pos, "association.labels", "take `labels` out, or name an object that joins the two", "a reference field has no label")
		}
		if a.Role != "" {
			p.errorf(a.Pos, "association.labels", "take `role` out, or name an object that joins the two", "a reference field has no role")
		}
		return
	}
	if a.WinsPos != (Pos{}) {
		p.errorf(a.WinsPos, "association.wins", "take `wins` out", "rows of %s are added and removed one by one, so nobody has to win", a.Rows.Object)
	}
	if a.Rows.Label == "" && len(a.Labels) > 0 {
		p.errorf(a.Labels[0].Pos, "association.labels", "add label: and the field of "+a.Rows.Object+" that holds it", "%s has no label field for the labels", a.Rows.Object)
	}
	if a.Rows.Label == "" && a.Role != "" {
		p.errorf(a.Pos, "association.labels", "add label: and the field of "+a.Rows.Object+" that holds it", "%s has no label field for the role", a.Rows.Object)
	}
	taken := map[string]Pos{}
	for _, v := range a.Labels {
		value := strings.ToLower(v.Salesforce)
		if first, ok := taken[value]; ok {
			p.errorf(v.Pos, "association.labels", "give each label a value of its own", "two labels stand for %s, the first in line %d", quoteShort(v.Salesforce), first.Line)
		}
		taken[value] = v.Pos
		if strings.Contains(v.HubSpot, ";") {
			p.errorf(v.Pos, "association.labels", "rename the label in HubSpot", "a label with a semicolon cannot be told from two labels")
		}
	}
	if pos, ok := taken[strings.ToLower(a.Role)]; ok && a.Role != "" {
		p.errorf(pos, "association.labels", "take `role` out, or give it another value", "%s stands for a label and for associations without one", quoteShort(a.Role))
	}
}

func checkOn(o *Object, on []string, pos Pos, p *Problems) {
	for _, name := range on {
		if o.target(name) == nil {
			mend := didYouMean(name, o.targetNames())
			if mend == "" {
				mend = "the objects here are " + strings.Join(o.targetNames(), ", ")
			}
			p.errorf(pos, "mapping.unknown-target", mend, "on: %s is none of the Salesforce objects of %s", name, o.Name)
		}
	}
}

func (o *Object) target(object string) *Target {
	for i := range o.Targets {
		if o.Targets[i].Object == object {
			return &o.Targets[i]
		}
	}
	return nil
}

func (o *Object) targetNames() []string {
	var names []string
	for _, t := range o.Targets {
		names = append(names, t.Object)
	}
	return names
}

func checkFields(o *Object, p *Problems) {
	if len(o.Fields) > maxFields {
		p.errorf(o.Fields[maxFields].Pos, "mapping.too-many", "take out what nobody needs", "%s maps more than %d fields", o.Name, maxFields)
		return
	}
	for i := range o.Fields {
		f := &o.Fields[i]
		checkOn(o, f.On, f.Pos, p)
		switch {
		case f.From == "" && f.HubSpot == "" && f.Salesforce == "":
			p.errorf(f.Pos, "field.incomplete", "write {hubspot: phone, salesforce: Phone}", "a field names neither side")
		case f.From == "" && f.Salesforce == "":
			p.errorf(f.Pos, "field.incomplete", "add salesforce: and the field's name", "%s has no Salesforce field", f.HubSpot)
		case f.From == "" && f.HubSpot == "":
			p.errorf(f.Pos, "field.incomplete", "add hubspot: and the property's name, or from: and an expression", "%s has no HubSpot property", f.Salesforce)
		case f.From != "":
			checkComputed(f, p)
		}
		if f.Blank != "" && f.Direction == ToHubSpot {
			p.errorf(f.Pos, "field.blank", "take `blank` out", "`blank` is written to Salesforce, and this field only goes to HubSpot")
		}
	}
}

func checkComputed(f *Field, p *Problems) {
	if f.HubSpot != "" && f.Salesforce != "" {
		p.errorf(f.Pos, "field.computed", "name only the side that the value is written to", "a field with `from` names both sides")
		return
	}
	if f.HubSpot == "" && f.Salesforce == "" {
		p.errorf(f.Pos, "field.computed", "add salesforce: (or hubspot:) and the field that the value is written to", "a field with `from` names no side")
		return
	}
	if f.Direction != f.naturalDirection() {
		p.errorf(f.Pos, "field.computed", "take `direction` out", "a computed value goes to the side that is named, not %s", f.Direction)
	}
	if len(f.Values) > 0 {
		p.errorf(f.Pos, "field.computed", "put the choice into the expression", "a field with `from` cannot have a value table")
	}
}

// checkOneWriter reports two fields that write one target field.
func checkOneWriter(o *Object, p *Problems) {
	for _, t := range o.Targets {
		toHubSpot, toSalesforce := map[string]Pos{}, map[string]Pos{}
		claim := func(taken map[string]Pos, side, name string, pos Pos) {
			if name == "" {
				return
			}
			if first, ok := taken[strings.ToLower(name)]; ok && first != pos {
				p.errorf(pos, "field.two-writers", "keep one, or limit them with `on` or `direction`", "%s %s is written by two fields, the first in line %d", side, name, first.Line)
				return
			}
			taken[strings.ToLower(name)] = pos
		}
		for i := range o.Fields {
			f := &o.Fields[i]
			if !takes(f.On, t.Object) {
				continue
			}
			if f.Direction != ToHubSpot {
				claim(toSalesforce, "Salesforce", f.Salesforce, f.Pos)
			}
			if f.Direction != ToSalesforce {
				claim(toHubSpot, "HubSpot", f.HubSpot, f.Pos)
			}
		}
		if o.ExternalID != "" {
			claim(toSalesforce, "Salesforce", o.ExternalID, o.ExternalIDPos)
		}
		if o.OwnerByEmail {
			claim(toSalesforce, "Salesforce", "OwnerId", o.NamePos)
			claim(toHubSpot, "HubSpot", "hubspot_owner_id", o.NamePos)
		}
		for i := range o.Associations {
			if a := &o.Associations[i]; takes(a.On, t.Object) && a.Rows == nil && a.Direction.Flows(crm.Salesforce) {
				claim(toSalesforce, "Salesforce", a.Salesforce, a.Pos)
			}
		}
	}
}

// ContactRole is the junction object that an Association may name instead of a
// reference field.
const ContactRole = "OpportunityContactRole"

// checkWake reports a target URL that HubSpot would not take: it posts to https
// only, and a loopback address can only be the sandbox's.
func checkWake(m *Mapping, p *Problems) {
	hooks := m.Wake.Webhooks
	if hooks == nil || hooks.URL == "" {
		return
	}
	u, err := url.Parse(hooks.URL)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		p.errorf(hooks.URLPos, "wake.bad-url", "write the whole target URL, such as https://sync.example.com/hubspot", "%s is no address that HubSpot could post to", quoteShort(hooks.URL))
	case u.Scheme == "http" && !isLoopback(u.Hostname()):
		p.errorf(hooks.URLPos, "wake.bad-url", "put a proxy with https before it, and write its address", "HubSpot posts webhooks to https addresses only")
	}
}

func isLoopback(host string) bool {
	address := net.ParseIP(host)
	return host == "localhost" || address != nil && address.IsLoopback()
}
