package salesforce

import (
	"fmt"
	"slices"
	"strings"
)

// publish turns what a transaction changed into events of the selected objects:
// one for each record, in the order in which they were first touched. Records of
// one kind with just the same change share an event.
func (s *Server) publish(t *transaction) {
	first := map[*row]undo{}
	var touched []*row
	for _, u := range t.undos {
		if !u.object.watched || u.silent {
			continue
		}
		if _, known := first[u.row]; !known {
			first[u.row] = u
			touched = append(touched, u.row)
		}
	}
	var events []*changeEvent
	counts := map[*object]int{}
	for _, r := range touched {
		u := first[r]
		if counts[u.object]++; counts[u.object] > eventsTransaction {
			continue
		}
		if e := s.changed(u.object, r, u); e != nil && !joined(events, e) {
			events = append(events, e)
		}
	}
	for o, n := range counts {
		if n > eventsTransaction {
			events = slices.DeleteFunc(events, func(e *changeEvent) bool { return e.Schema == o.events.ID })
			events = append(events, &changeEvent{Schema: s.changeSchema(o).ID, Type: gapOverflow, IDs: []string{o.prefix + "000000000000AAA"}})
		}
	}
	if len(events) > 0 {
		s.put(t, events)
	}
}

// joined adds the record to the last event when that says just the same.
func joined(events []*changeEvent, e *changeEvent) bool {
	if len(events) == 0 || e.Type == changeCreate {
		return false
	}
	last := events[len(events)-1]
	same := last.Schema == e.Schema && last.Type == e.Type && slices.Equal(last.Changed, e.Changed) && slices.Equal(last.Nulled, e.Nulled) &&
		slices.EqualFunc(last.Values, e.Values, func(a, b eventValue) bool { return a.Field == b.Field && string(a.Bytes) == string(b.Bytes) })
	if same {
		last.IDs = append(last.IDs, e.IDs...)
	}
	return same
}

// changed is the event of one record, nil when nothing happened to it.
func (s *Server) changed(o *object, r *row, u undo) *changeEvent {
	schema := s.changeSchema(o)
	e := &changeEvent{Schema: schema.ID, IDs: []string{r.id}}
	before := u.before
	switch {
	case u.created && r.deleted:
		return nil
	case u.created:
		e.Type, before = changeCreate, row{}
	case !before.deleted && r.deleted:
		e.Type = changeDelete
		return e
	case before.deleted && r.deleted:
		return nil
	case before.deleted:
		e.Type, before = changeUndelete, row{}
	default:
		e.Type = changeUpdate
	}
	size := 0
	for i, f := range schema.fields {
		v := f.value(r)
		if e.Type == changeUpdate {
			if v = f.update(e, i+1, &before, r); v == nil {
				continue
			}
		} else if v == nil {
			continue
		}
		size += len(v)
		e.Values = append(e.Values, eventValue{i + 1, v})
	}
	if size > eventBytes {
		e.gap()
	}
	return e
}

// value is the field as an event of a whole record carries it, nil when it is blank.
func (f *eventField) value(r *row) []byte {
	if f.record == "" {
		v := r.get(f.field)
		if v.null() {
			return nil
		}
		return avroOptional(nil, f.field, v, f.branch)
	}
	b, empty := avroLong(nil, f.branch), true
	for _, p := range f.parts {
		if p == nil {
			b = append(b, 0)
			continue
		}
		v := r.get(p)
		empty = empty && v.null()
		b = avroOptional(b, p, v, 1)
	}
	if empty {
		return nil
	}
	return b
}

// update notes how the field changed and returns what the event carries of it:
// of a compound just the parts that changed. A field that became blank is carried
// as null; one that stayed is nil.
func (f *eventField) update(e *changeEvent, place int, before, after *row) []byte {
	if f.record == "" {
		v := after.get(f.field)
		same := before.get(f.field).equal(v)
		if f.source == fromModifiedDate && after.modified == after.stamp {
			same = false // an edit within the same second is one too
		}
		if same {
			return nil
		}
		e.note(eventBit{place, -1}, v)
		return avroOptional(nil, f.field, v, f.branch)
	}
	b, same := avroLong(nil, f.branch), true
	for i, p := range f.parts {
		if p == nil || before.get(p).equal(after.get(p)) {
			b = append(b, 0)
			continue
		}
		same = false
		v := after.get(p)
		e.note(eventBit{place, i}, v)
		b = avroOptional(b, p, v, 1)
	}
	if same {
		return nil
	}
	return b
}

func (e *changeEvent) note(bit eventBit, now value) {
	e.Changed = append(e.Changed, bit)
	if now.null() {
		e.Nulled = append(e.Nulled, bit)
	}
}

// encode writes the event for a reader who may not see every field.
func (e *changeEvent) encode(schema *eventSchema, hidden func(name string) bool) []byte {
	shown := func(bits []eventBit) []eventBit {
		return slices.DeleteFunc(slices.Clone(bits), func(b eventBit) bool { return hidden(schema.Names[b.Field]) })
	}
	b := avroString(nil, schema.Object)
	b = avroStrings(b, e.IDs)
	b = avroLong(b, int64(e.Type))
	b = avroString(b, e.Origin)
	b = avroString(b, e.Key)
	b = avroLong(b, int64(e.Number))
	b = avroLong(b, e.At)
	b = avroLong(b, e.Commit)
	b = avroString(b, e.User)
	b = avroStrings(b, bitmaps(shown(e.Nulled)))
	b = avroStrings(b, nil)
	b = avroStrings(b, bitmaps(shown(e.Changed)))
	next := 0
	for i := 1; i < len(schema.Names); i++ {
		if next < len(e.Values) && e.Values[next].Field == i {
			value := e.Values[next].Bytes
			next++
			if !hidden(schema.Names[i]) {
				b = append(b, value...)
				continue
			}
		}
		b = append(b, 0)
	}
	return b
}

// bitmaps packs fields as the platform does: a bit for each whole field in one
// hexadecimal number, and for each compound field its place and the bits of its
// parts. Bit 0 is the first field, which is the header.
func bitmaps(bits []eventBit) []string {
	var whole []int
	parts := map[int][]int{}
	var compounds []int
	for _, b := range bits {
		if b.Part < 0 {
			whole = append(whole, b.Field)
			continue
		}
		if parts[b.Field] == nil {
			compounds = append(compounds, b.Field)
		}
		parts[b.Field] = append(parts[b.Field], b.Part)
	}
	var list []string
	if whole != nil {
		list = append(list, bitmap(whole))
	}
	for _, f := range compounds {
		list = append(list, fmt.Sprintf("%d-%s", f, bitmap(parts[f])))
	}
	return list
}

func bitmap(bits []int) string {
	digits := make([]byte, slices.Max(bits)/8*2+2)
	for i := range digits {
		nibble := 0
		for k := range 4 {
			if slices.Contains(bits, (len(digits)-1-i)*4+k) {
				nibble |= 1 << k
			}
		}
		digits[i] = "0123456789ABCDEF"[nibble]
	}
	return "0x" + string(digits)
}

// changeOrigin names the API and the caller, so that a client can tell its own changes.
// https://developer.salesforce.com/docs/atlas.en-us.change_data_capture.meta/change_data_capture/cdc_event_fields_header.htm
func (c *call) changeOrigin() string {
	api, client := "rest", c.option("Sforce-Call-Options", "client")
	if strings.Contains(strings.ToLower(c.path), "/services/soap/") {
		api, client = "soap", c.client
	}
	return fmt.Sprintf("com/salesforce/api/%s/%d.0;client=%s", api, c.version, client)
}
