package reconcile

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/mapping"
)

// far is one record at the far end of a pair's associations: what each side has
// of it, and what both have had.
type far struct {
	// id is its HubSpot id; one that this plan makes in HubSpot has none yet, and
	// "~" with its Salesforce id stands for it.
	id         string
	hubspot    crm.Ref
	salesforce crm.Ref
	// pair is HubSpot's association, nil without one, labels those of its labels
	// that the mapping names.
	pair   *crm.Relation
	labels []string
	// rows are Salesforce's, oldest first.
	rows []crm.Relation
	ties []crm.Tie
	// aside says why it cannot be compared now, since it is held, excluded, or of
	// an object that has no rows; empty where it can. What was agreed of it stays.
	aside string
}

const (
	// mostMemberships is how many associations of a pair one decision changes; the
	// others follow in the next cycles, so that a plan stays something to be read.
	mostMemberships = 10_000
	// mostWaiting is how many far records that are waited for are named one by one.
	mostWaiting = 20
)

// rows keeps HubSpot's associations with an object and the rows of a Salesforce
// object that join the same records in step, by a three-way merge: what one
// side has and was never agreed on was added there, what it lacks and was agreed
// on was removed there. A row that somebody else made is not removed before it
// was agreed on; it becomes an association in HubSpot. The labels of an
// association are merged in the same way, each with the row of that role.
func (m *merge) rows(a *mapping.BoundAssociation) {
	fars := m.fars(a)
	for _, tie := range m.d.Ties {
		if tie.Association != a.Name() {
			continue
		}
		f := fars[tie.Far]
		if f == nil {
			continue // gone on both sides
		}
		f.ties = append(f.ties, tie)
	}
	later := 0
	for _, id := range sortedFars(fars) {
		f := fars[id]
		if len(m.relations) >= mostMemberships && (f.pair != nil) != (len(f.rows) > 0) && f.aside == "" {
			m.keep(f.ties...)
			later++
			continue
		}
		m.joinFar(a, f)
	}
	if later > 0 {
		// Not merely open: a new pair, of which nothing is known yet, has to come back, too.
		delete(m.open, a.Slot)
		m.pending[crm.HubSpot][a.Slot], m.pending[crm.Salesforce][a.Slot] = true, true
		m.d.note(crm.Reason{Code: NoteWaits, Field: a.Salesforce, Text: fmt.Sprintf("%d further associations follow in the next cycles", later)})
	}
	m.waiting(a, fars)
}

// waiting names the far records that are waited for.
func (m *merge) waiting(a *mapping.BoundAssociation, fars map[string]*far) {
	n := 0
	for _, id := range sortedFars(fars) {
		f := fars[id]
		if f.aside == "" {
			continue
		}
		code := NoteWaits
		if f.salesforce.ID != "" && f.pair != nil {
			code = NoteWrongObject
		}
		if n++; n <= mostWaiting {
			m.d.note(crm.Reason{Code: code, Text: f.aside, Field: a.Salesforce})
		}
	}
	if n > mostWaiting {
		m.d.note(crm.Reason{Code: NoteWaits, Field: a.Salesforce, Text: fmt.Sprintf("%s waits for %d further records that are not on both sides", a.Salesforce, n-mostWaiting)})
	}
}

// onlyReadText says of a list why nothing is written to it.
const onlyReadText = "HubSpot fills this list by its filters (DYNAMIC), so it is only read"

// setAside leaves a far record for the day on which it can be compared.
func (m *merge) setAside(a *mapping.BoundAssociation, f *far, ref crm.Ref, text string) {
	f.aside = text
	m.open[a.Slot] = true
	m.awaits(ref)
}

func sortedFars(fars map[string]*far) []string {
	ids := make([]string, 0, len(fars))
	for id := range fars {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, compareIDs)
	return ids
}

// fars sorts associations and rows by the record at their far end. Those that
// cannot be compared leave the slot open, and are decided when that ends.
func (m *merge) fars(a *mapping.BoundAssociation) map[string]*far {
	found := map[string]*far{}
	of := func(id string) *far {
		if found[id] == nil {
			found[id] = &far{id: id}
		}
		return found[id]
	}
	known := m.d.known()
	if m.d.HubSpot != nil {
		for i := range m.d.HubSpot.Relations {
			r := &m.d.HubSpot.Relations[i]
			if r.Object != a.HubSpot {
				continue
			}
			f := of(r.ID)
			f.hubspot, f.pair, f.labels = crm.Ref{Side: crm.HubSpot, Object: r.Object, ID: r.ID}, r, mappedLabels(a, r.Label)
			switch other, standing := known.Counterpart(a.Mapping, f.hubspot); {
			case standing == Linked && !slices.Contains(a.ReferenceTo, other.Object):
				f.salesforce = other
				m.setAside(a, f, f.hubspot, fmt.Sprintf("HubSpot %s %s is a %s in Salesforce, which %s cannot join", a.HubSpot, r.ID, other.Object, a.Salesforce))
			case standing == Linked:
				f.salesforce = other
			case standing != Planned:
				m.setAside(a, f, f.hubspot, waitsText(a, f.hubspot, standing))
			}
		}
	}
	if m.d.Salesforce == nil {
		return found
	}
	for _, r := range m.d.Salesforce.Relations {
		if r.Junction != a.Salesforce {
			continue
		}
		ref := crm.Ref{Side: crm.Salesforce, Object: a.RowEnd(r.Object).Object, ID: wideID(r.ID)}
		other, standing := known.Counterpart(a.Mapping, ref)
		if standing != Linked {
			other = crm.Ref{ID: "~" + ref.ID}
		}
		f := of(other.ID)
		f.salesforce, f.rows = ref, append(f.rows, r)
		if standing != Linked && standing != Planned {
			m.setAside(a, f, ref, waitsText(a, ref, standing))
		}
		slices.SortFunc(f.rows, func(x, y crm.Relation) int { return cmp.Compare(x.RowID, y.RowID) })
	}
	return found
}

// mappedLabels are those labels of an association that the mapping names.
func mappedLabels(a *mapping.BoundAssociation, labels string) []string {
	var out []string
	for _, label := range splitLabels(labels) {
		if a.HasLabel(label) {
			out = append(out, label)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func splitLabels(labels string) []string {
	if labels == "" {
		return nil
	}
	return strings.Split(labels, ";")
}

// joinFar decides about one far record.
func (m *merge) joinFar(a *mapping.BoundAssociation, f *far) {
	toHubSpot, toSalesforce := a.Direction.Flows(crm.HubSpot), a.Direction.Flows(crm.Salesforce)
	inHubSpot, inSalesforce := f.pair != nil, len(f.rows) > 0
	// What a record comes back without was ended by nobody.
	back := m.d.known().Back(a.Mapping, f.hubspot) || m.d.known().Back(a.Mapping, f.salesforce) || m.d.Back == crm.HubSpot && !inHubSpot || m.d.Back == crm.Salesforce && !inSalesforce
	tied := len(f.ties) > 0 && !back
	switch {
	case f.aside != "", inHubSpot != inSalesforce && f.apart(""):
		m.keep(f.ties...)
	case inHubSpot && inSalesforce:
		m.mergeLabels(a, f)
	case inHubSpot && tied && toHubSpot:
		m.endPair(a, f, "")
	case inHubSpot && !tied && toSalesforce:
		m.startRows(a, f, f.labels, nil)
	case inSalesforce && tied && toSalesforce:
		m.endTiedRows(a, f)
	case inSalesforce && !tied && toHubSpot:
		m.startPair(a, f, f.rows)
	case inHubSpot || inSalesforce:
		m.keep(f.ties...) // it was ended where it is not given: it stays away
	}
}

func (m *merge) keep(ties ...crm.Tie) { m.d.out.Ties = append(m.d.out.Ties, ties...) }

// tie is what is agreed of a far record: the association itself, or a label.
func (f *far) tie(a *mapping.BoundAssociation, label, row string) crm.Tie {
	id := f.id
	if strings.HasPrefix(id, "~") {
		id = ""
	}
	return crm.Tie{Association: a.Name(), Far: id, Label: label, RowID: row}
}

func (f *far) tied(label string) bool {
	return slices.ContainsFunc(f.ties, func(t crm.Tie) bool { return t.Label == label })
}

// Apart stands in a tie in place of a row: what only one side has is known to both,
// as after an undo, and stays so until the other side has it, too.
const Apart = "apart"

func (f *far) apart(label string) bool {
	return slices.ContainsFunc(f.ties, func(t crm.Tie) bool { return t.Label == label && t.RowID == Apart })
}

// TiesOf are the ties of a pair whose associations are to stay as they are:
// agreed where both sides have them, apart where one does.
func TiesOf(o *mapping.BoundObject, s Snapshot) []crm.Tie {
	target := o.Target(s.Salesforce.Layout.Object)
	if target == nil {
		return nil
	}
	m := newMerge(&decider{object: o, Snapshot: s}, target, "")
	var ties []crm.Tie
	for i := range target.Associations {
		a := &target.Associations[i]
		if !a.Junction {
			continue
		}
		fars := m.fars(a)
		for _, id := range sortedFars(fars) {
			f := fars[id]
			if f.aside != "" {
				continue
			}
			row := func(has bool, label string) string {
				i := slices.IndexFunc(f.rows, func(r crm.Relation) bool { return label == "" || a.LabelOf(r.Label) == label })
				if !has || i < 0 {
					return Apart
				}
				return f.rows[i].RowID
			}
			ties = append(ties, f.tie(a, "", row(f.pair != nil, "")))
			labels := slices.Clone(f.labels)
			for _, r := range f.rows {
				if label := a.LabelOf(r.Label); label != "" {
					labels = append(labels, label)
				}
			}
			slices.Sort(labels)
			for _, label := range slices.Compact(labels) {
				ties = append(ties, f.tie(a, label, row(slices.Contains(f.labels, label), label)))
			}
		}
	}
	slices.SortFunc(ties, compareTies)
	return ties
}

// mergeLabels keeps the labels of an association and the roles of its rows the
// same; that the two are associated at all is agreed.
func (m *merge) mergeLabels(a *mapping.BoundAssociation, f *far) {
	byLabel := map[string][]crm.Relation{}
	for _, r := range f.rows {
		label := a.LabelOf(r.Label)
		byLabel[label] = append(byLabel[label], r)
	}
	all := slices.Clone(f.labels)
	for label := range byLabel {
		all = append(all, label)
	}
	for _, t := range f.ties {
		all = append(all, t.Label)
	}
	slices.Sort(all)
	var starts, ends []string
	var startRoles []string
	var endRows []crm.Relation
	toHubSpot, toSalesforce := a.Direction.Flows(crm.HubSpot), a.Direction.Flows(crm.Salesforce)
	for _, label := range slices.Compact(all) {
		if label == "" {
			continue
		}
		inHubSpot, rows, tied := slices.Contains(f.labels, label), byLabel[label], f.tied(label)
		switch {
		case inHubSpot && len(rows) > 0:
			m.keep(f.tie(a, label, rows[0].RowID))
		case f.apart(label) && (inHubSpot || len(rows) > 0):
			m.keep(f.tie(a, label, Apart))
		case inHubSpot && tied && toHubSpot:
			ends = append(ends, label)
		case inHubSpot && !tied && toSalesforce:
			startRoles = append(startRoles, label)
		case len(rows) > 0 && tied && toSalesforce:
			endRows = append(endRows, rows...)
		case len(rows) > 0 && !tied && toHubSpot:
			starts = append(starts, label)
		case tied && (inHubSpot || len(rows) > 0):
			m.keep(f.tie(a, label, ""))
		}
	}
	// A row whose label ended takes the role of one that starts, and stays.
	m.keep(f.tie(a, "", lasting(f.rows, endRows[min(len(startRoles), len(endRows)):])))
	m.startRows(a, f, startRoles, endRows)
	if len(starts) > 0 {
		var rows []crm.Relation
		for _, label := range starts {
			rows = append(rows, byLabel[label]...)
		}
		m.startPair(a, f, rows)
	}
	if len(ends) > 0 {
		m.endPair(a, f, strings.Join(ends, ";"))
	}
}

// lasting is the oldest row that will still be there once some have ended: where
// all end, the first of them stays without a role.
func lasting(rows, ended []crm.Relation) string {
	for _, r := range rows {
		if !slices.ContainsFunc(ended, func(e crm.Relation) bool { return e.RowID == r.RowID }) {
			return r.RowID
		}
	}
	return ended[0].RowID
}

// startRows gives Salesforce a row for each of the labels, or one without a role
// when there are none and none is there. Rows whose label ended take another role
// before they are removed, and the last one stays without any.
func (m *merge) startRows(a *mapping.BoundAssociation, f *far, labels []string, ended []crm.Relation) {
	left := len(f.rows) - len(ended)
	if left == 0 && len(labels) == 0 {
		labels = []string{""}
	}
	spare := slices.Clone(ended)
	for _, r := range f.rows {
		if r.Label == "" || a.Role != "" && strings.EqualFold(r.Label, a.Role) {
			spare = append(spare, r) // without a role: it may take one
		}
	}
	removed := len(ended)
	for i, label := range labels {
		if label == "" && left > 0 {
			continue
		}
		r := m.rowChange(a, f.salesforce.Object)
		r.Far, r.FarMapping, r.Role = f.hubspot, a.Mapping, a.RoleOf(label)
		r.Primary = f.pair != nil && f.pair.Primary
		text := "add " + a.Salesforce
		if len(spare) > 0 && a.Rows.Label != "" {
			r.RowID, r.Relabel, text = spare[0].RowID, true, "give "+a.Salesforce+" another "+a.Rows.Label
			spare = spare[1:]
			removed--
		}
		if label != "" {
			r.Ties = append(r.Ties, f.tie(a, label, r.RowID))
		}
		if len(f.rows) == 0 && i == 0 {
			r.Ties = append(r.Ties, f.tie(a, "", ""))
		}
		if _, standing := m.d.known().Counterpart(a.Mapping, r.Far); standing == Planned {
			m.unknown[crm.Salesforce][a.Slot] = true
		}
		m.relate(crm.Salesforce, crm.Relate, r, text)
	}
	for i := range removed {
		m.endRow(a, spare[i])
	}
}

// rowChange is a change to a row that leads to a record of a Salesforce object,
// before it is said to which.
func (m *merge) rowChange(a *mapping.BoundAssociation, object string) *RelationChange {
	join, end := a.Join(), a.RowEnd(object)
	return &RelationChange{Object: join.Object, FarObject: end.Object, FarField: end.Field, NearField: join.Near, LabelField: join.Label, PrimaryField: join.Primary}
}

func (m *merge) endRow(a *mapping.BoundAssociation, row crm.Relation) {
	r := m.rowChange(a, row.Object)
	r.RowID, r.FarID, r.Role = row.RowID, wideID(row.ID), row.Label
	m.relate(crm.Salesforce, crm.Unrelate, r, "remove "+a.Salesforce)
}

// endTiedRows removes the rows of an association that ended in HubSpot. One that
// was added meanwhile was never agreed on, and starts the association anew.
func (m *merge) endTiedRows(a *mapping.BoundAssociation, f *far) {
	var fresh []crm.Relation
	for _, r := range f.rows {
		label := a.LabelOf(r.Label)
		switch {
		case f.tied(label) || len(f.rows) == 1 || slices.ContainsFunc(f.ties, func(t crm.Tie) bool { return t.RowID == r.RowID }):
			m.endRow(a, r)
		default:
			fresh = append(fresh, r)
		}
	}
	if len(fresh) > 0 && a.Direction.Flows(crm.HubSpot) {
		m.startPair(a, f, fresh)
	}
}

// startPair gives HubSpot the association of rows, with their labels besides
// those that it has.
func (m *merge) startPair(a *mapping.BoundAssociation, f *far, rows []crm.Relation) {
	r := &RelationChange{Far: f.salesforce, FarMapping: a.Mapping, Object: a.HubSpot, FarObject: a.HubSpot}
	var labels []string
	if f.pair != nil {
		labels, r.Primary, r.Relabel = splitLabels(f.pair.Label), f.pair.Primary, true
	} else {
		r.Ties = []crm.Tie{f.tie(a, "", rows[0].RowID)}
	}
	for _, row := range rows {
		label := a.LabelOf(row.Label)
		if tie := f.tie(a, label, row.RowID); label != "" && !slices.Contains(labels, label) {
			labels, r.Ties = append(labels, label), append(r.Ties, tie)
		}
	}
	slices.Sort(labels)
	r.Role = strings.Join(labels, ";")
	if _, standing := m.d.known().Counterpart(a.Mapping, r.Far); standing == Planned {
		m.unknown[crm.HubSpot][a.Slot] = true
	}
	m.relate(crm.HubSpot, crm.Relate, r, "associate with HubSpot "+a.HubSpot)
}

// endPair ends HubSpot's association, or labels of it.
func (m *merge) endPair(a *mapping.BoundAssociation, f *far, labels string) {
	text := "end the association with HubSpot " + a.HubSpot + " " + f.id
	if labels != "" {
		text = "end " + labels + " of the association with HubSpot " + a.HubSpot + " " + f.id
	}
	m.relate(crm.HubSpot, crm.Unrelate, &RelationChange{Object: a.HubSpot, FarObject: a.HubSpot, FarID: f.id, Role: labels, Relabel: labels != ""}, text)
}

func (m *merge) relate(side crm.Side, op crm.Op, r *RelationChange, text string) {
	object, id := m.d.object.HubSpotSchema.Name, ""
	rec := m.d.HubSpot
	if side == crm.Salesforce {
		object, rec = m.target.Object, m.d.Salesforce
	}
	if rec != nil {
		id = rec.ID
	}
	m.relations = append(m.relations, PlannedWrite{Side: side, Op: op, Object: object, ID: id, Relation: r, Reason: crm.Reason{Code: CodeUpdated, Text: text, Field: r.Object}})
}

// hasRows tells whether associations of a target are kept as rows.
func hasRows(t *mapping.BoundTarget) bool {
	return slices.ContainsFunc(t.Associations, func(a mapping.BoundAssociation) bool { return a.Junction })
}

// retie settles what is agreed of the pair's associations.
func (m *merge) retie() {
	if !hasRows(m.target) {
		return
	}
	slices.SortFunc(m.d.out.Ties, compareTies)
	was := slices.Clone(m.d.Ties)
	slices.SortFunc(was, compareTies)
	m.d.out.Retie = !slices.Equal(was, m.d.out.Ties)
	for _, w := range m.relations {
		m.d.out.Retie = m.d.out.Retie || len(w.Relation.Ties) > 0
	}
}

func compareTies(a, b crm.Tie) int {
	return cmp.Or(cmp.Compare(a.Association, b.Association), compareIDs(a.Far, b.Far), cmp.Compare(a.Label, b.Label), cmp.Compare(a.RowID, b.RowID))
}

// compareRows lists the associations and labels that only one side has.
func (m *merge) compareRows(out []Difference, a *mapping.BoundAssociation) []Difference {
	fars := m.fars(a)
	for _, id := range sortedFars(fars) {
		f := fars[id]
		differ := func(in crm.Side, label string) {
			diff := Difference{HubSpotField: a.HubSpot, SalesforceField: a.Salesforce}
			held := &diff.HubSpot
			shown := f.id
			if in == crm.Salesforce {
				held, shown = &diff.Salesforce, f.salesforce.ID
			}
			if label != "" {
				shown += " (" + label + ")"
			}
			switch *held = crm.Text(shown); {
			case f.aside != "":
				diff.Allowed = f.aside
			case m.d.object.OnlyReads():
				diff.Allowed = onlyReadText
			case a.Direction != mapping.Both:
				diff.Allowed = "direction: " + string(a.Direction)
			}
			out = append(out, diff)
		}
		var roles []string
		for _, r := range f.rows {
			roles = append(roles, a.LabelOf(r.Label))
		}
		switch {
		case len(f.rows) == 0:
			differ(crm.HubSpot, strings.Join(f.labels, ";"))
			continue
		case f.pair == nil:
			differ(crm.Salesforce, "")
			continue
		}
		for _, label := range f.labels {
			if !slices.Contains(roles, label) {
				differ(crm.HubSpot, label)
			}
		}
		slices.Sort(roles)
		for _, label := range slices.Compact(roles) {
			if label != "" && !slices.Contains(f.labels, label) {
				differ(crm.Salesforce, label)
			}
		}
	}
	return out
}
