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
}

// journalActions are what a sync wants to hear of an object.
var journalActions = []string{"CREATE", "UPDATE", "DELETE", "MERGE", "RESTORE", "ASSOCIATION_ADDED", "ASSOCIATION_REMOVED"}

// Subscribe makes sure that changes of these object types (by type id, "0-1") reach the
// journal, for the properties that are named. It adds what is missing and
// takes nothing away; calling it again is harmless.
func (j *Journal) Subscribe(ctx context.Context, properties map[string][]string) error {
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
	objects := make([]string, 0, len(properties))
	for object := range properties {
		objects = append(objects, object)
	}
	slices.Sort(objects)
	for _, object := range objects {
		want := journalSubscription{Type: "OBJECT", Portal: portal, ObjectTypeID: object, Actions: journalActions, Properties: properties[object]}
		if slices.ContainsFunc(there.Results, func(s journalSubscription) bool { return s.covers(want) }) {
			continue
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
	return nil
}

func (s journalSubscription) covers(want journalSubscription) bool {
	if s.Type != want.Type || s.ObjectTypeID != want.ObjectTypeID || s.Portal != 0 && s.Portal != want.Portal {
		return false
	}
	for _, a := range want.Actions {
		if !slices.Contains(s.Actions, a) {
			return false
		}
	}
	for _, p := range want.Properties {
		if len(s.Properties) > 0 && !slices.Contains(s.Properties, p) {
			return false
		}
	}
	return true
}

// Follow reads the journal from mark on (an offset; "" starts at its end) until
// ctx ends, and hands on what it finds with the new mark, also when there is no
// news but time. A mark that the journal no longer knows is a gap: a hint about
// everything comes instead, and following goes on at the end. Errors that
// waiting mends are waited out; others end it.
func (j *Journal) Follow(ctx context.Context, mark string, hear func(hints []crm.Hint, mark string) error) error {
	for {
		hints, next, err := j.next(ctx, mark)
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
func (j *Journal) next(ctx context.Context, mark string) ([]crm.Hint, string, error) {
	place := "/latest"
	if mark != "" {
		place = "/offset/" + url.PathEscape(mark) + "/next"
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
	if mark == "" {
		// The first call only finds the end: what came before is read by the poll.
		return nil, file.Offset, nil
	}
	hints, err := j.file(ctx, file.URL)
	return hints, file.Offset, err
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
