package hubspot

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/lockstep-sync/lockstep/internal/apicall"
	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/fault"
)

// The scopes that following the journal takes, all by client credentials.
// https://developers.hubspot.com/docs/api-reference/latest/webhooks-journal/guide
const (
	JournalReadScope      = "developer.webhooks_journal.read"
	JournalSubscribeScope = "developer.webhooks_journal.subscriptions.write"
	JournalListScope      = "developer.webhooks_journal.subscriptions.read"
)

const (
	journalVersion = "2026-03"
	// journalEvery is how often the end of the journal is asked for news; its
	// calls count against no limit.
	journalEvery = 5 * time.Second
	// journalFileBytes is the most that one file may have; HubSpot says five
	// megabytes.
	journalFileBytes = 32 << 20
)

// JournalConfig says whose journal is followed. Token is needed.
type JournalConfig struct {
	// Base is the API's address; empty: https://api.hubapi.com.
	Base string
	HTTP *http.Client
	// Token gives the app's own token, by client credentials.
	Token func(context.Context) (string, error)
	// Portal is the account that is followed.
	Portal string
	Log    *slog.Logger
}

// Journal follows HubSpot's webhooks journal: a log of the changes that an app
// subscribed to, kept for three days and read from an offset on.
// https://developers.hubspot.com/docs/api-reference/latest/webhooks-journal/journal-entries/guide
type Journal struct {
	caller *apicall.Caller
	files  *http.Client
	portal string
}

// NewJournal returns a reader; fault.Invalid when Base or Token cannot be used.
func NewJournal(config JournalConfig) (*Journal, error) {
	if config.Token == nil {
		return nil, fault.New(fault.Invalid, "the webhooks journal needs an account that is connected by OAuth").
			WithMend("lockstep connect hubspot --oauth; or take journal: out of lockstep.yaml")
	}
	if config.Base == "" {
		config.Base = Base
	}
	caller, err := apicall.New(apicall.Config{
		Side: crm.HubSpot, Base: config.Base, HTTP: config.HTTP, Log: config.Log,
		Authorize: func(ctx context.Context, r *http.Request) error {
			token, err := config.Token(ctx)
			if err == nil {
				r.Header.Set("Authorization", "Bearer "+token)
			}
			return err
		},
	})
	if err != nil {
		return nil, err
	}
	files := config.HTTP
	if files == nil {
		files = http.DefaultClient
	}
	return &Journal{caller: caller, files: files, portal: config.Portal}, nil
}

// journalSubscription is one subscription, as far as it is ours to look at.
type journalSubscription struct {
	ID           json.Number `json:"id,omitempty"`
	Type         string      `json:"subscriptionType"`
	Portal       int64       `json:"portalId,omitempty"`
	ObjectTypeID string      `json:"objectTypeId,omitempty"`
	Actions      []string    `json:"actions,omitempty"`
	Properties   []string    `json:"properties,omitempty"`
	Associated   []string    `json:"associatedObjectTypeIds,omitempty"`
}

// JournalObject is what a sync wants to hear of one object type.
type JournalObject struct {
	// TypeID is HubSpot's object type id: "0-1".
	TypeID     string
	Properties []string
	// Associated are the type ids of the objects whose associations matter.
	Associated []string
}

// contactsTypeID is the only type whose records may be erased.
const contactsTypeID = "0-1"

// subscriptions are what an object takes: each kind of event has its own.
func (o JournalObject) subscriptions(portal int64) []journalSubscription {
	list := []journalSubscription{{Type: "OBJECT", Portal: portal, ObjectTypeID: o.TypeID, Properties: o.Properties,
		Actions: []string{"CREATE", "UPDATE", "DELETE", "MERGE", "RESTORE"}}}
	if len(o.Associated) > 0 {
		list = append(list, journalSubscription{Type: "ASSOCIATION", Portal: portal, ObjectTypeID: o.TypeID, Associated: o.Associated,
			Actions: []string{"ASSOCIATION_ADDED", "ASSOCIATION_REMOVED"}})
	}
	if o.TypeID == contactsTypeID {
		list = append(list, journalSubscription{Type: "GDPR_PRIVACY_DELETION", Portal: portal, ObjectTypeID: o.TypeID, Actions: []string{"GDPR_DELETE"}})
	}
	return list
}

// Subscribe makes sure that changes of these objects reach the journal. It adds
// what is missing and takes nothing away; calling it again is harmless.
func (j *Journal) Subscribe(ctx context.Context, objects []JournalObject) error {
	portal, err := strconv.ParseInt(j.portal, 10, 64)
	if err != nil {
		return fault.New(fault.Invalid, "the account's portal id %q is no number", j.portal).WithMend("lockstep connect hubspot")
	}
	var there struct {
		Results []journalSubscription `json:"results"`
	}
	path := "/webhooks-journal/subscriptions/" + journalVersion
	if err := j.caller.Do(ctx, apicall.Call{Method: http.MethodGet, Path: path, Uncounted: true}, apicall.Into(&there)); err != nil {
		return err
	}
	for _, o := range objects {
		for _, want := range o.subscriptions(portal) {
			i := slices.IndexFunc(there.Results, func(s journalSubscription) bool { return s.same(want) })
			if i >= 0 && there.Results[i].covers(want) {
				continue
			}
			if i >= 0 { // what somebody else wanted of it stays
				want.Actions = union(want.Actions, there.Results[i].Actions)
				want.Properties = union(want.Properties, there.Results[i].Properties)
				want.Associated = union(want.Associated, there.Results[i].Associated)
			}
			body, err := json.Marshal(want)
			if err != nil {
				return err
			}
			err = j.caller.Do(ctx, apicall.Call{Method: http.MethodPost, Path: path, Body: body, Safety: apicall.Keyed, Uncounted: true}, nil)
			if err != nil && fault.KindOf(err) != fault.Conflict { // it is there already
				return err
			}
		}
	}
	return nil
}

func (s journalSubscription) same(want journalSubscription) bool {
	return s.Type == want.Type && s.ObjectTypeID == want.ObjectTypeID && (s.Portal == 0 || s.Portal == want.Portal)
}

// covers tells whether a subscription brings all that is wanted. One without
// properties brings all properties.
func (s journalSubscription) covers(want journalSubscription) bool {
	within := func(wanted, there []string) bool {
		return !slices.ContainsFunc(wanted, func(w string) bool { return !slices.Contains(there, w) })
	}
	return within(want.Actions, s.Actions) && within(want.Associated, s.Associated) &&
		(want.Type != "OBJECT" || len(s.Properties) == 0 || within(want.Properties, s.Properties))
}

func union(a, b []string) []string {
	out := slices.Clone(a)
	for _, x := range b {
		if !slices.Contains(out, x) {
			out = append(out, x)
		}
	}
	return out
}

// Follow reads the journal from mark on (an offset; "" starts at its end) until
// ctx ends, and hands on what it finds with the new mark, also when there is no
// news but time. A mark that the journal no longer knows is a gap: a hint about
// everything comes instead, and following goes on at the end. Errors that
// waiting mends are waited out; others end it.
func (j *Journal) Follow(ctx context.Context, mark string, hear func(hints []crm.Hint, mark string) error) error {
	empty := false // there was nothing in the journal: what comes first is news
	for {
		hints, next, err := j.next(ctx, mark, empty)
		switch kind := fault.KindOf(err); {
		case ctx.Err() != nil:
			return nil
		case err == nil:
		case kind == fault.NotFound && mark != "":
			hints, next = []crm.Hint{{Side: crm.HubSpot, Why: "the journal no longer holds what came after " + mark}}, ""
		case kind == fault.Unavailable, kind == fault.RateLimited:
			if sleep(ctx, max(journalEvery, retryAfter(err))) != nil {
				return nil
			}
			continue
		default:
			return err
		}
		if err := hear(hints, next); err != nil {
			return err
		}
		news := next != mark
		empty = mark == "" && !news
		mark = next
		if !news && sleep(ctx, journalEvery) != nil {
			return nil
		}
	}
}

func retryAfter(err error) time.Duration {
	if f, ok := fault.As(err); ok {
		return f.RetryAfter
	}
	return 0
}

// next reads the file after mark. Without news mark comes back as it is.
// Without a mark it looks for the end of the journal, or where that was seen
// empty, for its first file.
func (j *Journal) next(ctx context.Context, mark string, empty bool) ([]crm.Hint, string, error) {
	place := "/latest"
	switch {
	case mark != "":
		place = "/offset/" + url.PathEscape(mark) + "/next"
	case empty:
		place = "/earliest"
	}
	var file struct {
		URL    string `json:"url"`
		Offset string `json:"currentOffset"`
	}
	err := j.caller.Do(ctx, apicall.Call{Method: http.MethodGet, Path: "/webhooks-journal/journal-local/" + journalVersion + place,
		Query: url.Values{"installPortalId": {j.portal}}, Uncounted: true}, apicall.Into(&file))
	if err != nil || file.Offset == "" {
		return nil, mark, err
	}
	if mark == "" && !empty {
		// The first call only finds the end: what came before is read by the poll.
		return nil, file.Offset, nil
	}
	hints, err := j.file(ctx, file.URL)
	if err != nil {
		return nil, mark, err
	}
	return hints, file.Offset, nil
}

// file fetches one file of the journal. Its address is signed by itself, so no
// token goes there.
func (j *Journal) file(ctx context.Context, address string) ([]crm.Hint, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, fault.New(fault.Unavailable, "HubSpot named an address of a journal file that cannot be read")
	}
	answer, err := j.files.Do(r)
	if err != nil {
		return nil, fault.New(fault.Unavailable, "a file of HubSpot's webhooks journal cannot be fetched").WithMend("it is tried again")
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(answer.Body, journalFileBytes))
	if err != nil || answer.StatusCode != http.StatusOK {
		return nil, fault.New(fault.Unavailable, "a file of HubSpot's webhooks journal came with status %d", answer.StatusCode).WithMend("it is tried again")
	}
	return JournalHints(body, j.portal)
}

// journalEvent is one event of a file, as far as it is a hint.
type journalEvent struct {
	Type         string        `json:"type"`
	Portal       json.Number   `json:"portalId"`
	Action       string        `json:"action"`
	ObjectTypeID string        `json:"objectTypeId"`
	ObjectID     json.Number   `json:"objectId"`
	FromTypeID   string        `json:"fromObjectTypeId"`
	FromID       json.Number   `json:"fromObjectId"`
	ToTypeID     string        `json:"toObjectTypeId"`
	ToID         json.Number   `json:"toObjectId"`
	PrimaryID    json.Number   `json:"primaryObjectId"`
	NewID        json.Number   `json:"newObjectId"`
	MergedIDs    []json.Number `json:"mergedObjectIds"`
}

// JournalHints reads one file of the journal.
func JournalHints(body []byte, portal string) ([]crm.Hint, error) {
	var file struct {
		Events []journalEvent `json:"journalEvents"`
	}
	if err := json.Unmarshal(body, &file); err != nil {
		return nil, fault.New(fault.Unavailable, "a file of HubSpot's webhooks journal cannot be read").WithMend("it is tried again")
	}
	var hints []crm.Hint
	for _, e := range file.Events {
		if portal != "" && e.Portal.String() != portal {
			continue
		}
		add := func(object string, ids ...json.Number) {
			for _, id := range ids {
				if object != "" && id != "" {
					hints = append(hints, crm.Hint{Side: crm.HubSpot, Object: object, ID: id.String(), Why: e.Action})
				}
			}
		}
		add(e.ObjectTypeID, e.ObjectID, e.PrimaryID, e.NewID)
		add(e.ObjectTypeID, e.MergedIDs...)
		add(e.FromTypeID, e.FromID)
		add(e.ToTypeID, e.ToID)
	}
	return hints, nil
}
