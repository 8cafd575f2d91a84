package salesforce

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/lockstep-sync/lockstep/internal/apicall"
	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/fault"
)

// mostDuplicateQuestions bounds how many records are sent singly to learn what
// a duplicate rule found: one call each.
const mostDuplicateQuestions = 20

// Apply sends writes of one object: what comes back from the recycle bin, then
// creates, then updates, then relations, then deletions. One result answers each write, at the same place. Creates are sent
// once, those with an ExternalField as upserts. An error stops everything;
// writes that were not sent carry it.
func (c *Client) Apply(ctx context.Context, writes []crm.Write) ([]crm.Result, error) {
	writes = slices.Clone(writes) // prices and entries are taken out of it
	s := &sender{client: c, results: make([]crm.Result, len(writes)), settled: make([]bool, len(writes))}
	for i := range writes {
		s.results[i].Key = writes[i].Key
	}
	err := s.apply(ctx, writes)
	for i := range writes {
		if s.settled[i] {
			continue
		}
		reason := err
		if reason == nil {
			reason = fault.New(fault.Internal, "the write %s was left out", writes[i].Key)
		}
		s.notDone(item{write: i}, reason)
	}
	return s.results, err
}

// groups sorts writes by the lane that they take.
type groups struct {
	creates, updates, archives []int
	upserts                    map[string][]int
	upsertOrder                []string
	relates, unrelates         []int
	restores                   []int
}

func (s *sender) apply(ctx context.Context, writes []crm.Write) error {
	g, err := s.group(writes)
	if err != nil {
		return err
	}
	d, err := s.schemaFor(ctx, writes, g)
	if err != nil {
		return err
	}
	if err := s.restore(ctx, writes, g.restores); err != nil {
		return err
	}
	if g.creates, err = s.nameEntries(ctx, writes, g.creates); err != nil {
		return err
	}
	if err := s.send(ctx, createLane(), s.encodeAll(d, writes, g.creates)); err != nil {
		return err
	}
	for _, field := range g.upsertOrder {
		if g.upserts[field], err = s.nameEntries(ctx, writes, g.upserts[field]); err != nil {
			return err
		}
		items := s.encodeAll(d, writes, g.upserts[field])
		if err := s.send(ctx, upsertLane(d.object.Name, field), items); err != nil {
			return err
		}
	}
	if err := s.askAboutDuplicates(ctx, writes); err != nil {
		return err
	}
	if g.updates, err = s.takePrices(ctx, writes, g.updates); err != nil {
		return err
	}
	if err := s.send(ctx, updateLane(), s.encodeAll(d, writes, g.updates)); err != nil {
		return err
	}
	if err := s.relate(ctx, writes, g.relates); err != nil {
		return err
	}
	if err := s.unrelate(ctx, writes, g.unrelates); err != nil {
		return err
	}
	return s.archive(ctx, writes, g.archives)
}

func (s *sender) group(writes []crm.Write) (groups, error) {
	g := groups{upserts: map[string][]int{}}
	for i := range writes {
		w := &writes[i]
		if w.Object != writes[0].Object {
			return g, fault.New(fault.Internal, "writes of %s and of %s came in one batch", writes[0].Object, w.Object)
		}
		switch w.Op {
		case crm.Create:
			if w.ExternalField == "" {
				g.creates = append(g.creates, i)
				continue
			}
			if g.upserts[w.ExternalField] == nil {
				g.upsertOrder = append(g.upsertOrder, w.ExternalField)
			}
			g.upserts[w.ExternalField] = append(g.upserts[w.ExternalField], i)
		case crm.Update:
			g.updates = append(g.updates, i)
		case crm.Archive:
			g.archives = append(g.archives, i)
		case crm.Restore:
			g.restores = append(g.restores, i)
		case crm.Relate:
			g.relates = append(g.relates, i)
		case crm.Unrelate:
			g.unrelates = append(g.unrelates, i)
		default:
			return g, fault.New(fault.Internal, "%q is no kind of write", w.Op)
		}
	}
	return g, nil
}

// schemaFor returns the schema, read anew once when a write names a field that
// the remembered one lacks: an administrator may just have added it.
func (s *sender) schemaFor(ctx context.Context, writes []crm.Write, g groups) (*described, error) {
	if len(g.creates)+len(g.upserts)+len(g.updates) == 0 {
		return nil, nil
	}
	d, err := s.client.schema(ctx, writes[0].Object)
	if err != nil {
		return nil, err
	}
	for i := range writes {
		if unknownField(d, &writes[i]) != "" {
			return s.client.describeNow(ctx, writes[0].Object)
		}
	}
	return d, nil
}

// encodeAll writes the records of some writes; those that cannot be written
// have their result.
func (s *sender) encodeAll(d *described, writes []crm.Write, some []int) []item {
	items := make([]item, 0, len(some))
	for _, i := range some {
		w := &writes[i]
		if w.Op == crm.Update && len(w.Fields) == 0 {
			s.settled[i] = true
			s.results[i].ID = longID(w.ID)
			continue
		}
		record, refused := encode(d, w)
		if refused != nil {
			refused.err.Code = refused.cause
			s.fail(item{write: i}, refused.err, "")
			s.results[i].Fields = refused.fields
			continue
		}
		items = append(items, item{write: i, record: record, id: w.ID})
	}
	return items
}

func (s *sender) archive(ctx context.Context, writes []crm.Write, some []int) error {
	return s.remove(ctx, some, func(i int) string { return writes[i].ID })
}

func (s *sender) remove(ctx context.Context, some []int, idOf func(int) string) error {
	items := make([]item, 0, len(some))
	for _, i := range some {
		id, ok := ID18(idOf(i))
		if !ok {
			e := fault.New(fault.Invalid, "%q is no Salesforce record id", idOf(i))
			e.Code = "MALFORMED_ID"
			s.fail(item{write: i}, e, "")
			continue
		}
		items = append(items, item{write: i, id: id})
	}
	return s.send(ctx, deleteLane(), items)
}

// askAboutDuplicates sends refused records again, one by one: only then does
// Salesforce tell which records its duplicate rule found. The rule may let one
// through this time, which makes it a create like any other; for an upsert it
// is one, too, since no record had its key.
// https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/headers_duplicaterules.htm
func (s *sender) askAboutDuplicates(ctx context.Context, writes []crm.Write) error {
	for n, it := range s.duplicates {
		if n == mostDuplicateQuestions {
			break
		}
		var answer itemAnswer
		requestID := ""
		call := apicall.Call{Method: http.MethodPost, Path: "/sobjects/" + url.PathEscape(writes[it.write].Object), Body: it.record, Safety: apicall.Once}
		err := s.client.do(ctx, call, func(status int, header http.Header, body io.Reader) error {
			requestID = requestIDOf(header)
			answer = itemAnswer{}
			return apicall.Into(&answer)(status, header, body)
		})
		switch {
		case err == nil && answer.Success:
			s.settleItem(createLane(), it, &answer, requestID, true)
		case isCode(err, duplicatesDetected):
			s.fail(it, err, "")
		case unknownEffect(err):
			s.fail(it, err, "")
			s.results[it.write].Unknown = true
		case err != nil && stopsEverything(err):
			return err
		}
		// Any other refusal leaves the first one standing.
	}
	return nil
}

// pair is the two ends of a relation.
type pair struct{ near, far string }

// relate adds rows of a relation, or gives a row that is named another role. It
// looks first, so that a repeat adds no second row, and looks again when the
// answer of a create was lost, or when Salesforce says that there is such a row.
func (s *sender) relate(ctx context.Context, writes []crm.Write, some []int) error {
	for _, j := range s.junctionsIn(writes, some) {
		named, unnamed := s.namedRows(&j.junction, writes, j.writes)
		if err := s.send(ctx, updateLane(), named); err != nil {
			return err
		}
		if err := s.relateRows(ctx, &j.junction, writes, unnamed); err != nil {
			return err
		}
		var again []int
		for _, i := range unnamed {
			if s.results[i].Unknown {
				again = append(again, i)
			}
		}
		if len(again) > 0 {
			if err := s.relateRows(ctx, &j.junction, writes, again); err != nil {
				return err
			}
		}
		if err := s.adopt(ctx, &j.junction, writes, unnamed); err != nil {
			return err
		}
	}
	return nil
}

// namedRows are writes that change the role of a row that they name.
func (s *sender) namedRows(j *junction, writes []crm.Write, some []int) (items []item, unnamed []int) {
	for _, i := range some {
		r := writes[i].Relation
		if r.RowID == "" || j.role == "" {
			unnamed = append(unnamed, i)
			continue
		}
		items = append(items, item{write: i, record: junctionRole(j, r.RowID, r.Label), id: r.RowID})
	}
	return items, unnamed
}

// adopt takes rows that were there already for those that Salesforce refused as
// duplicates: where it allows one row for two records, such as a campaign's
// member, that row is the one that was wanted.
func (s *sender) adopt(ctx context.Context, j *junction, writes []crm.Write, some []int) error {
	var refused []int
	for _, i := range some {
		if s.results[i].Cause == "DUPLICATE_VALUE" {
			refused = append(refused, i)
		}
	}
	if len(refused) == 0 {
		return nil
	}
	rows, err := s.rows(ctx, j, writes, refused)
	if err != nil {
		return err
	}
	for _, i := range refused {
		if there := rows[pairOf(&writes[i])]; len(there) > 0 {
			s.results[i] = crm.Result{Key: writes[i].Key, ID: there[0].RowID, RequestID: s.results[i].RequestID}
		}
	}
	return nil
}

// relateRows looks which rows are there and adds or changes the others.
func (s *sender) relateRows(ctx context.Context, j *junction, writes []crm.Write, some []int) error {
	if len(some) == 0 {
		return nil
	}
	rows, err := s.rows(ctx, j, writes, some)
	if err != nil {
		return err
	}
	creates, updates, twins := s.planRows(j, writes, some, rows)
	if err = s.send(ctx, updateLane(), updates); err == nil {
		err = s.send(ctx, createLane(), creates)
	}
	for second, first := range twins {
		if s.settled[first] {
			r := s.results[first]
			r.Key, r.Created = s.results[second].Key, false
			s.results[second], s.settled[second] = r, true
		}
	}
	return err
}

type junctionWrites struct {
	junction junction
	writes   []int
}

// junctionsIn sorts relation writes by relation; those that name none have
// their result.
func (s *sender) junctionsIn(writes []crm.Write, some []int) []junctionWrites {
	var found []junctionWrites
	at := map[string]int{}
	for _, i := range some {
		j, err := junctionFor(&writes[i])
		if err == nil {
			err = checkPair(writes[i])
		}
		if err != nil {
			s.fail(item{write: i}, err, "")
			continue
		}
		place, known := at[j.object]
		if !known {
			place = len(found)
			at[j.object] = place
			found = append(found, junctionWrites{junction: j})
		}
		found[place].writes = append(found[place].writes, i)
	}
	return found
}

// junctionFor finds the junction of a write: as it describes it, else by the
// object at the far end.
func junctionFor(w *crm.Write) (junction, error) {
	if w.Junction != nil {
		return joining(w.Object, *w.Junction)
	}
	return junctionTo(w.Object, w.Relation.Object)
}

func checkPair(w crm.Write) error {
	for _, id := range []string{w.ID, w.Relation.ID} {
		if _, ok := ID18(id); !ok {
			return fault.New(fault.Invalid, "%q is no Salesforce record id", id)
		}
	}
	return nil
}

func pairOf(w *crm.Write) pair { return pair{longID(w.ID), longID(w.Relation.ID)} }

// rows reads the rows that the near records of some writes have, oldest first.
func (s *sender) rows(ctx context.Context, j *junction, writes []crm.Write, some []int) (map[pair][]crm.Relation, error) {
	near := make([]string, 0, len(some))
	for _, i := range some {
		near = append(near, longID(writes[i].ID))
	}
	slices.Sort(near)
	near = slices.Compact(near)
	rows := make(map[pair][]crm.Relation)
	err := s.client.junctionRows(ctx, j, near, nil, func(near string, relation crm.Relation) {
		p := pair{near, relation.ID}
		rows[p] = append(rows[p], relation)
	})
	return rows, err
}

// rowFor finds the row that a write asks for among those of its two records: one
// of the same role, else one without a role; any when no role is asked for.
func rowFor(rows []crm.Relation, want crm.Relation) (crm.Relation, bool) {
	for _, row := range rows {
		if strings.EqualFold(row.Label, want.Label) {
			return row, true
		}
	}
	for _, row := range rows {
		if row.Label == "" || want.Label == "" {
			return row, true
		}
	}
	return crm.Relation{}, false
}

// planRows decides for each write whether a row is to be added or changed, or
// is right as it is. twins are writes that ask for the same row as an earlier one.
func (s *sender) planRows(j *junction, writes []crm.Write, some []int, rows map[pair][]crm.Relation) (creates, updates []item, twins map[int]int) {
	type wanted struct {
		pair
		role string
	}
	twins = map[int]int{}
	planned := map[wanted]int{}
	for _, i := range some {
		w := &writes[i]
		p := pairOf(w)
		if first, twice := planned[wanted{p, w.Relation.Label}]; twice {
			twins[i] = first
			continue
		}
		planned[wanted{p, w.Relation.Label}] = i
		row, exists := rowFor(rows[p], w.Relation)
		if !exists {
			want := w.Relation
			want.ID = p.far
			creates = append(creates, item{write: i, record: junctionRecord(j, p.near, want)})
			continue
		}
		// One row is not given two roles.
		rows[p] = slices.DeleteFunc(slices.Clone(rows[p]), func(r crm.Relation) bool { return r.RowID == row.RowID })
		if change := junctionUpdate(j, row, w.Relation); change != nil {
			updates = append(updates, item{write: i, record: change, id: row.RowID})
			continue
		}
		s.settled[i] = true
		s.results[i] = crm.Result{Key: w.Key, ID: row.RowID}
	}
	return creates, updates, twins
}

// unrelate removes rows of a relation, looking up those that are not named.
func (s *sender) unrelate(ctx context.Context, writes []crm.Write, some []int) error {
	rowID := map[int]string{}
	var named, unnamed []int
	for _, i := range some {
		if id := writes[i].Relation.RowID; id != "" {
			rowID[i] = id
			named = append(named, i)
		} else {
			unnamed = append(unnamed, i)
		}
	}
	for _, j := range s.junctionsIn(writes, unnamed) {
		rows, err := s.rows(ctx, &j.junction, writes, j.writes)
		if err != nil {
			return err
		}
		for _, i := range j.writes {
			there := rows[pairOf(&writes[i])]
			if len(there) == 0 {
				s.settled[i] = true // nothing relates them any more
				continue
			}
			rowID[i] = there[0].RowID
			named = append(named, i)
		}
	}
	return s.remove(ctx, named, func(i int) string { return rowID[i] })
}
