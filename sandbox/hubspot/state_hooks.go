package hubspot

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// savedHooks are what apps want to hear of. What is on its way to them is not kept.
type savedHooks struct {
	Apps             []AppWebhooks
	LastSubscription int64
	LastEvent        int64
	Journal          savedJournal
}

type savedJournal struct {
	Subscriptions []JournalSubscription
	Streams       []stream
	LastID        int64
}

func (h *hooks) save() savedHooks {
	h.mu.Lock()
	defer h.mu.Unlock()
	out := savedHooks{LastSubscription: h.lastSubscription, LastEvent: h.lastEvent}
	for _, a := range h.apps {
		out.Apps = append(out.Apps, a.copy())
	}
	out.Journal = h.journal.save()
	return out
}

func (h *hooks) load(saved savedHooks) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.apps = nil
	for _, a := range saved.Apps {
		h.apps = append(h.apps, &a)
	}
	h.lastSubscription = max(h.lastSubscription, saved.LastSubscription)
	h.lastEvent = max(h.lastEvent, saved.LastEvent)
	h.journal.load(saved.Journal)
	h.recount()
}

func (j *journal) save() savedJournal {
	out := savedJournal{LastID: j.lastID}
	for _, s := range j.subscriptions {
		out.Subscriptions = append(out.Subscriptions, *s)
	}
	for _, st := range j.streams {
		out.Streams = append(out.Streams, stream{Key: st.Key, Files: slices.Clone(st.Files), Waiting: slices.Clone(st.Waiting), Last: st.Last})
	}
	return out
}

func (j *journal) load(saved savedJournal) {
	*j = journal{lastID: saved.LastID}
	for _, s := range saved.Subscriptions {
		j.subscriptions = append(j.subscriptions, &s)
	}
	for _, st := range saved.Streams {
		j.streams = append(j.streams, &st)
	}
}

// savedList is a list with the name of its object type.
type savedList struct {
	Kept list
	Type string
}

func (l *list) save() savedList {
	kept := *l
	kept.Members, kept.Firsts = maps.Clone(l.Members), maps.Clone(l.Firsts)
	return savedList{kept, l.table.kind.name}
}

func (s *Server) loadList(saved savedList) error {
	l, t := saved.Kept, s.tableByName[strings.ToLower(saved.Type)]
	if t == nil {
		return fmt.Errorf("read list %d: there is no object type %s", l.ID, saved.Type)
	}
	l.table, l.Members, l.Firsts = t, orEmpty(l.Members), orEmpty(l.Firsts)
	if l.Branch != nil {
		var refused *problem
		if l.filter, refused = s.newListFilter(t, l.Branch); refused != nil {
			return fmt.Errorf("read list %d: %w", l.ID, refused)
		}
	}
	s.lists, t.lists = append(s.lists, &l), append(t.lists, &l)
	return nil
}
