package salesforce

import (
	"slices"
	"strings"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/fault"
)

// junction is a relation between two objects that is a record of its own.
type junction struct {
	// near and far are the two objects; nearField and farField refer to them.
	near, far           string
	nearField, farField string
	// also are further references to far records, of other objects.
	also []crm.JunctionEnd
	// object is the junction's own, relationship its name in a subquery of near;
	// where that is not known the rows are read by themselves.
	object       string
	relationship string
	// role and primary are fields; empty where the junction has none.
	role    string
	primary string
}

// junctionsOf are the relations of an object that are not a field of it.
// https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_opportunitycontactrole.htm
func junctionsOf(object string) []junction {
	if object != "Opportunity" {
		return nil
	}
	return []junction{{
		near: "Opportunity", nearField: "OpportunityId",
		far: "Contact", farField: "ContactId",
		object: "OpportunityContactRole", relationship: "OpportunityContactRoles",
		role: "Role", primary: "IsPrimary",
	}}
}

// junctionTo finds the relation of object to far, by the far object's name or
// the junction's own.
func junctionTo(object, far string) (junction, error) {
	for _, j := range junctionsOf(object) {
		if j.far == far || j.object == far {
			return j, nil
		}
	}
	e := fault.New(fault.Invalid, "Salesforce relates no %s to a %s by a record of its own", object, far)
	if far == "Lead" {
		return junction{}, e.WithMend("only contacts have roles: convert the lead, or let the mapping make the person a Contact")
	}
	return junction{}, e.WithMend("map the reference field instead, such as AccountId")
}

// joining is the junction that a caller describes.
func joining(object string, described crm.Junction) (junction, error) {
	for _, j := range junctionsOf(object) {
		if j.object == described.Object {
			return j, nil
		}
	}
	names := []string{described.Object, described.Near, described.Label, described.Primary}
	for _, end := range described.Ends() {
		names = append(names, end.Field, end.Object)
	}
	for _, name := range names {
		if name != "" && !apiNameForm.MatchString(name) {
			return junction{}, fault.New(fault.Invalid, "%q is no name of a Salesforce object or field", name).WithMend("lockstep check")
		}
	}
	return junction{near: object, nearField: described.Near, far: described.FarObject, farField: described.Far, object: described.Object,
		also: described.Also, role: described.Label, primary: described.Primary}, nil
}

func relationsOf(read crm.Read) ([]junction, error) {
	var found []junction
	for _, described := range read.Junctions {
		j, err := joining(read.Layout.Object, described)
		if err != nil {
			return nil, err
		}
		found = append(found, j)
	}
	for _, far := range read.Relations {
		j, err := junctionTo(read.Layout.Object, far)
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(found, func(k junction) bool { return k.object == j.object }) {
			found = append(found, j)
		}
	}
	return found, nil
}

// subquery reads the rows along with the near record. Inside queryAll it
// returns deleted rows, too, so it has to ask which are.
func (j *junction) subquery(all bool) string {
	deleted := ""
	if all {
		deleted = ", IsDeleted"
	}
	return "(SELECT Id, " + strings.Join(j.fields(), ", ") + deleted + " FROM " + j.relationship + ")"
}

// fields are what is read of a row besides its near record.
func (j *junction) fields() []string {
	var names []string
	for _, end := range j.ends() {
		names = append(names, end.Field)
	}
	return slices.DeleteFunc(append(names, j.role, j.primary), func(name string) bool { return name == "" })
}

// ends are the references to far records, the first that counts first.
func (j *junction) ends() []crm.JunctionEnd {
	return append([]crm.JunctionEnd{{Field: j.farField, Object: j.far}}, j.also...)
}

// fieldTo is the reference that leads to a far object.
func (j *junction) fieldTo(object string) string {
	for _, end := range j.also {
		if end.Object == object {
			return end.Field
		}
	}
	return j.farField
}

// layout is how the rows are read by themselves.
func (j *junction) layout() *crm.Layout {
	return crm.NewLayout(j.object, append([]string{j.nearField}, j.fields()...))
}

// relation turns a row that was read by itself into a relation of the near record.
func (j *junction) relation(row *crm.Record) (near string, relation crm.Relation) {
	end := crm.JunctionEnd{Object: j.far}
	id := ""
	for _, e := range j.ends() {
		if text := row.Value(e.Field).Text; text != "" {
			end, id = e, longID(text)
			break
		}
	}
	return row.Value(j.nearField).Text, crm.Relation{
		Object:   end.Object,
		ID:       id,
		Label:    row.Value(j.role).Text,
		Primary:  row.Value(j.primary).Text == "true",
		RowID:    row.ID,
		Junction: j.object,
	}
}
