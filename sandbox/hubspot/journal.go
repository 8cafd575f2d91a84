package hubspot

import (
	"fmt"
	"slices"
	"time"
)

const (
	// journalLife is how long a file of the journal is kept.
	journalLife = 3 * 24 * time.Hour
	// journalGather is the time whose events go into one file.
	journalGather = time.Second
	// journalFileEvents and journalFileBytes bound a file.
	journalFileEvents = 10_000
	journalFileBytes  = 5 << 20
)

// JournalSubscription says what an app finds in its journal.
// https://developers.hubspot.com/docs/api-reference/latest/webhooks-journal/guide
type JournalSubscription struct {
	ID       int64
	AppID    int64
	PortalID int64
	// Type is OBJECT, ASSOCIATION, LIST_MEMBERSHIP, GDPR_PRIVACY_DELETION or
	// APP_LIFECYCLE_EVENT.
	Type         string
	ObjectTypeID string
	Actions      []string
	// Properties, ObjectIDs, AssociatedTypeIDs and ListIDs narrow it; empty means all.
	Properties           []string
	ObjectIDs            []int64
	AssociatedTypeIDs    []string
	ListIDs              []int64
	Filters              []journalFilter
	CreatedAt, UpdatedAt int64 // Unix milliseconds
}

// journalActions are what each type of subscription can be told.
var journalActions = map[string][]string{
	"OBJECT":                {"CREATE", "UPDATE", "DELETE", "MERGE", "RESTORE"},
	"ASSOCIATION":           {"ASSOCIATION_ADDED", "ASSOCIATION_REMOVED"},
	"LIST_MEMBERSHIP":       {"ADDED_TO_LIST", "REMOVED_FROM_LIST"},
	"GDPR_PRIVACY_DELETION": {"GDPR_DELETE"},
	"APP_LIFECYCLE_EVENT":   {"APP_INSTALL", "APP_UNINSTALL"},
}

// journalEvent is one entry of a file.
type journalEvent struct {
	Type, Action string
	PortalID, At int64
	ObjectTypeID string
	ObjectID     int64
	// Names and Values are the properties of a CREATE or UPDATE.
	Names, Values   []string
	Primary, Merged int64
	ToTypeID        string
	ToID            int64
	LinkTypeID      int
	LinkCategory    string
	ListID          int64
}

// journalFile is what an app downloads.
type journalFile struct {
	Offset      string
	PublishedAt int64
	Events      []journalEvent
}

// streamKey names the journal of an app: of one account, or of all with portal 0.
type streamKey struct{ AppID, PortalID int64 }

// stream is a journal: files, oldest first, and what is not in a file yet.
type stream struct {
	Key     streamKey
	Files   []journalFile
	Waiting []journalEvent
	Last    int64 // number of the last file
}

// journal holds the subscriptions and streams of all apps. The lock of hooks
// guards it. No goroutine writes files: whoever reads finds those whose time has
// come by the sandbox's clock.
type journal struct {
	subscriptions []*JournalSubscription
	streams       []*stream
	lastID        int64
}

// stream finds a journal, or starts it.
func (j *journal) stream(key streamKey) *stream {
	for _, st := range j.streams {
		if st.Key == key {
			return st
		}
	}
	st := &stream{Key: key}
	j.streams = append(j.streams, st)
	return st
}

// hear writes an event into the journals of the apps that want it, once each. The
// caller holds the account's lock and that of hooks.
func (j *journal) hear(s *Server, now time.Time, e *event) {
	var told []int64
	for _, sub := range j.subscriptions {
		if sub.PortalID != s.config.PortalID || slices.Contains(told, sub.AppID) || !sub.wants(s, e) {
			continue
		}
		p, ok := s.directory.projectByID(sub.AppID)
		if !ok || s.receiver(&AppWebhooks{AppID: p.AppID, ClientID: p.ClientID}, e.table) == nil {
			continue
		}
		told = append(told, sub.AppID)
		for _, portal := range []int64{0, s.config.PortalID} {
			st := j.stream(streamKey{sub.AppID, portal})
			st.write(s.config.PortalID, e)
			if len(st.Waiting) > journalFileEvents { // nobody reads: at least forget what is too old
				st.publish(now, 0)
			}
		}
	}
}

// actionOf is what a subscription's type calls an event; "" when it is not for it.
func (sub *JournalSubscription) actionOf(e *event) string {
	switch sub.Type {
	case "OBJECT":
		return map[verb]string{wasCreated: "CREATE", wasChanged: "UPDATE", wasDeleted: "DELETE", wasMerged: "MERGE", wasRestored: "RESTORE"}[e.verb]
	case "ASSOCIATION":
		return map[verb]string{wasLinked: "ASSOCIATION_ADDED", wasUnlinked: "ASSOCIATION_REMOVED"}[e.verb]
	case "LIST_MEMBERSHIP":
		return map[verb]string{joinedList: "ADDED_TO_LIST", leftList: "REMOVED_FROM_LIST"}[e.verb]
	case "GDPR_PRIVACY_DELETION":
		return map[verb]string{wasErased: "GDPR_DELETE"}[e.verb]
	}
	return ""
}

func (sub *JournalSubscription) wants(s *Server, e *event) bool {
	action := sub.actionOf(e)
	if e.birth && action == "UPDATE" { // part of the creation
		action = "CREATE"
	}
	switch {
	case action == "" || !slices.Contains(sub.Actions, action):
		return false
	case sub.ObjectTypeID != "" && sub.ObjectTypeID != e.table.kind.typeID:
		return false
	case len(sub.ObjectIDs) > 0 && !slices.Contains(sub.ObjectIDs, e.id):
		return false
	case e.verb == wasChanged && len(sub.Properties) > 0 && !slices.Contains(sub.Properties, e.property.Name):
		return false
	case e.pair != nil && len(sub.AssociatedTypeIDs) > 0 && !slices.Contains(sub.AssociatedTypeIDs, e.pair.to.kind.typeID):
		return false
	case e.list != 0 && len(sub.ListIDs) > 0 && !slices.Contains(sub.ListIDs, e.list):
		return false
	}
	return len(sub.Filters) == 0 || slices.ContainsFunc(sub.Filters, func(f journalFilter) bool { return f.match(s, e) })
}

// write adds an event. What one write did to a record is one entry.
func (st *stream) write(portal int64, e *event) {
	made := journalEvent{PortalID: portal, At: e.at, ObjectTypeID: e.table.kind.typeID, ObjectID: e.id, Type: "OBJECT"}
	switch e.verb {
	case wasChanged:
		value := e.shownValue()
		if n := len(st.Waiting); n > 0 {
			last := &st.Waiting[n-1]
			fits := last.Action == "UPDATE" && !e.birth || last.Action == "CREATE" && e.birth
			if fits && last.PortalID == portal && last.At == e.at && last.ObjectTypeID == made.ObjectTypeID && last.ObjectID == e.id {
				if !slices.Contains(last.Names, e.property.Name) {
					last.Names, last.Values = append(last.Names, e.property.Name), append(last.Values, value)
				}
				return
			}
		}
		if e.birth {
			return
		}
		made.Action, made.Names, made.Values = "UPDATE", []string{e.property.Name}, []string{value}
	case wasCreated:
		made.Action = "CREATE"
	case wasDeleted:
		made.Action = "DELETE"
	case wasRestored:
		made.Action = "RESTORE"
	case wasMerged:
		made.Action, made.Primary, made.Merged = "MERGE", e.primary, e.other
	case wasErased:
		made.Type, made.Action = "GDPR_PRIVACY_DELETION", "GDPR_DELETE"
	case joinedList, leftList:
		made.Type, made.Action, made.ListID = "LIST_MEMBERSHIP", "ADDED_TO_LIST", e.list
		if e.verb == leftList {
			made.Action = "REMOVED_FROM_LIST"
		}
	case wasLinked, wasUnlinked:
		made.Type, made.Action, made.ToTypeID, made.ToID = "ASSOCIATION", "ASSOCIATION_ADDED", e.pair.to.kind.typeID, e.to
		if e.verb == wasUnlinked {
			made.Action = "ASSOCIATION_REMOVED"
		}
		for _, t := range e.types {
			made.LinkTypeID, made.LinkCategory = t.id, t.category
			st.Waiting = append(st.Waiting, made)
		}
		return
	}
	st.Waiting = append(st.Waiting, made)
}

// publish puts what waits into files as far as the time has come, and drops files
// that are too old.
func (st *stream) publish(now time.Time, delay time.Duration) {
	for len(st.Waiting) > 0 {
		first := st.Waiting[0].At
		n, size := 0, 0
		for n < len(st.Waiting) && n < journalFileEvents && size < journalFileBytes && st.Waiting[n].At < first+journalGather.Milliseconds() {
			size += st.Waiting[n].size()
			n++
		}
		at := first + journalGather.Milliseconds() + delay.Milliseconds()
		if n < len(st.Waiting) && (n == journalFileEvents || size >= journalFileBytes) { // full before its time
			at = st.Waiting[n-1].At + delay.Milliseconds()
		}
		if at > now.UnixMilli() {
			break
		}
		st.Last++
		st.Files = append(st.Files, journalFile{Offset: journalOffset(st, at), PublishedAt: at, Events: slices.Clone(st.Waiting[:n])})
		st.Waiting = st.Waiting[n:]
	}
	oldest := now.Add(-journalLife).UnixMilli()
	st.Files = slices.DeleteFunc(st.Files, func(f journalFile) bool { return f.PublishedAt < oldest })
}

// size is about how many bytes an entry has in a file.
func (e *journalEvent) size() int {
	n := 160
	for i, name := range e.Names {
		n += len(name) + len(e.Values[i]) + 6
	}
	return n
}

// journalOffset is a UUID in order of time.
func journalOffset(st *stream, at int64) string {
	return fmt.Sprintf("%08x-%04x-7%03x-8%03x-%012x", at>>16&0xffffffff, at&0xffff, st.Last>>12&0xfff, st.Last&0xfff, st.Key.AppID&0xffffff<<24|st.Key.PortalID&0xffffff)
}

// find is the position of a file.
func (st *stream) find(offset string) int {
	return slices.IndexFunc(st.Files, func(f journalFile) bool { return f.Offset == offset })
}

// journalBody writes a file as it is downloaded.
func journalBody(f *journalFile) []byte {
	var e encoder
	e.object()
	e.textField("offset", f.Offset)
	e.key("journalEvents")
	e.array()
	for i := range f.Events {
		e.journalEvent(&f.Events[i])
	}
	e.endArray()
	e.millisField("publishedAt", f.PublishedAt)
	e.endObject()
	return e.b
}

func (e *encoder) journalEvent(in *journalEvent) {
	e.object()
	e.textField("type", in.Type)
	e.numberField("portalId", in.PortalID)
	e.millisField("occurredAt", in.At)
	e.textField("action", in.Action)
	switch in.Type {
	case "ASSOCIATION":
		e.textField("fromObjectTypeId", in.ObjectTypeID)
		e.numberField("fromObjectId", in.ObjectID)
		e.textField("toObjectTypeId", in.ToTypeID)
		e.numberField("toObjectId", in.ToID)
		e.textField("associationCategory", in.LinkCategory)
		e.numberField("associationTypeId", int64(in.LinkTypeID))
		e.endObject()
		return
	case "APP_LIFECYCLE_EVENT":
		e.textField("eventTypeId", in.ObjectTypeID)
		e.endObject()
		return
	case "LIST_MEMBERSHIP":
		e.numberField("listId", in.ListID)
	}
	e.textField("objectTypeId", in.ObjectTypeID)
	e.numberField("objectId", in.ObjectID)
	if in.Action == "MERGE" {
		e.numberField("primaryObjectId", in.Primary)
		e.key("mergedObjectIds")
		e.array()
		e.number(in.Merged)
		e.endArray()
		e.numberField("newObjectId", in.ObjectID)
	}
	if in.Action == "CREATE" || in.Action == "UPDATE" {
		e.key("propertyChanges")
		e.object()
		for i, name := range in.Names {
			e.anyKey(name)
			e.text(in.Values[i])
		}
		e.endObject()
	}
	e.endObject()
}

// The ids of the two events of an app's life.
const (
	appInstalled   = "4-1909196"
	appUninstalled = "4-1916193"
)

// lifecycle writes that an app came to an account or left it. The caller holds the
// account's lock.
func (h *hooks) lifecycle(s *Server, clientID, action string) {
	if h.active.Load() == 0 {
		return
	}
	p, ok := s.directory.project(clientID)
	if !ok {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, sub := range h.journal.subscriptions {
		if sub.AppID != p.AppID || sub.Type != "APP_LIFECYCLE_EVENT" || !slices.Contains(sub.Actions, action) {
			continue
		}
		made := journalEvent{Type: sub.Type, Action: action, PortalID: s.config.PortalID, At: s.nowMillis(), ObjectTypeID: appInstalled}
		if action == "APP_UNINSTALL" {
			made.ObjectTypeID = appUninstalled
		}
		for _, portal := range []int64{0, s.config.PortalID} {
			st := h.journal.stream(streamKey{p.AppID, portal})
			st.Waiting = append(st.Waiting, made)
		}
		return
	}
}
