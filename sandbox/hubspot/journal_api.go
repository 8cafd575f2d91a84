package hubspot

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

const (
	// journalLinkLife is how long a file can be downloaded by its address.
	journalLinkLife = 15 * time.Minute
	// journalBatch is how many files one call may name.
	journalBatch = 100
)

// Only an app's own token opens its journal.
func (c *call) needJournal(scope string) *problem {
	if c.token.Kind != ClientCredentials {
		return &problem{status: http.StatusForbidden, category: "MISSING_PERMISSIONS", message: "This call takes an access token of grant_type client_credentials"}
	}
	return c.needAny([]string{scope})
}

func readJournal(c *call) *problem { return c.needJournal("developer.webhooks_journal.read") }

func readJournalSubscriptions(c *call) *problem {
	return c.needJournal("developer.webhooks_journal.subscriptions.read")
}

func writeJournalSubscriptions(c *call) *problem {
	return c.needJournal("developer.webhooks_journal.subscriptions.write")
}

// withStream runs f on the journal that the path and query name, up to date, with
// the lock of hooks held.
func (c *call) withStream(f func(*stream) (int, *problem)) (int, *problem) {
	key := streamKey{AppID: c.token.AppID}
	if c.route.local() {
		key.PortalID = c.s.config.PortalID
		if v := c.parsedQuery().Get("installPortalId"); v != "" {
			portal, err := strconv.ParseInt(v, 10, 64)
			if err != nil {
				return 0, invalid("Invalid value for installPortalId: %q is not a number", v)
			}
			if c.s.directory.account(portal) == nil {
				return 0, invalid("The app is not installed in account %d", portal)
			}
			key.PortalID = portal
		}
	}
	h := c.s.directory.hooks
	delay := time.Duration(h.dials.Setting().Webhooks.DelayMillis) * time.Millisecond
	h.mu.Lock()
	defer h.mu.Unlock()
	st := h.journal.stream(key)
	st.publish(c.s.clock.Now(), delay)
	return f(st)
}

// local tells whether a route is about the journal of one account.
func (r *route) local() bool {
	return len(r.pattern) > 31 && r.pattern[:31] == "webhooks-journal/journal-local/"
}

// readJournalEnd answers GET …/earliest and …/latest.
func readJournalEnd(c *call) (int, *problem) {
	return c.withStream(func(st *stream) (int, *problem) {
		if c.arg("which") != "earliest" && c.arg("which") != "latest" {
			return 0, notFound()
		}
		if len(st.Files) == 0 {
			return http.StatusNoContent, nil
		}
		at := 0
		if c.arg("which") == "latest" {
			at = len(st.Files) - 1
		}
		c.writeJournalFile(st, &st.Files[at])
		return http.StatusOK, nil
	})
}

// readJournalNext answers GET …/offset/{offset}/next: 204 when there is none yet.
func readJournalNext(c *call) (int, *problem) {
	return c.withStream(func(st *stream) (int, *problem) {
		at := st.find(c.arg("offset"))
		if at < 0 {
			return 0, c.lostOffset(c.arg("offset"))
		}
		if at+1 == len(st.Files) {
			return http.StatusNoContent, nil
		}
		c.writeJournalFile(st, &st.Files[at+1])
		return http.StatusOK, nil
	})
}

// lostOffset is for an offset that is not kept any more, or never was.
func (c *call) lostOffset(offset string) *problem {
	p := objectNotFound("There is no journal entry with offset %s. Entries are kept for three days.", offset)
	p.context = []contextEntry{{"offset", []string{offset}}}
	return p
}

func (c *call) journalCount() (int, *problem) {
	n, err := strconv.Atoi(c.arg("count"))
	if err != nil || n < 1 || n > journalBatch {
		return 0, invalid("count must be a number from 1 to %d, got %q", journalBatch, c.arg("count"))
	}
	return n, nil
}

// readJournalEnds answers GET …/batch/earliest/{count} and …/batch/latest/{count}.
func readJournalEnds(c *call) (int, *problem) {
	n, refused := c.journalCount()
	if refused != nil {
		return 0, refused
	}
	return c.withStream(func(st *stream) (int, *problem) {
		files := st.Files
		switch c.arg("which") {
		case "earliest":
			files = files[:min(n, len(files))]
		case "latest":
			files = files[max(0, len(files)-n):]
		default:
			return 0, notFound()
		}
		return c.writeJournalFiles(st, files, nil)
	})
}

// readJournalNexts answers GET …/batch/{offset}/next/{count}.
func readJournalNexts(c *call) (int, *problem) {
	n, refused := c.journalCount()
	if refused != nil {
		return 0, refused
	}
	return c.withStream(func(st *stream) (int, *problem) {
		at := st.find(c.arg("offset"))
		if at < 0 {
			return 0, c.lostOffset(c.arg("offset"))
		}
		files := st.Files[at+1:]
		return c.writeJournalFiles(st, files[:min(n, len(files))], nil)
	})
}

// offsetInput is an offset, as text or as {"id": …}.
type offsetInput string

// UnmarshalJSONFrom reads both forms.
func (in *offsetInput) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	if d.PeekKind() == '"' {
		token, err := d.ReadToken()
		*in = offsetInput(token.String())
		return err
	}
	var v idInput
	err := json.UnmarshalDecode(d, &v)
	*in = offsetInput(v.ID.value)
	return err
}

// readJournalOffsets answers POST …/batch/read: 207 when some are not kept.
func readJournalOffsets(c *call) (int, *problem) {
	var in struct {
		Inputs []offsetInput `json:"inputs"`
	}
	if refused := c.decode(&in); refused != nil {
		return 0, refused
	}
	if refused := batchSize(len(in.Inputs)); refused != nil {
		return 0, refused
	}
	return c.withStream(func(st *stream) (int, *problem) {
		var files []journalFile
		var lost []*problem
		for _, offset := range in.Inputs {
			if at := st.find(string(offset)); at >= 0 {
				files = append(files, st.Files[at])
			} else {
				lost = append(lost, c.lostOffset(string(offset)))
			}
		}
		return c.writeJournalFiles(st, files, lost)
	})
}

func (c *call) writeJournalFiles(st *stream, files []journalFile, lost []*problem) (int, *problem) {
	if len(files) == 0 && len(lost) == 0 {
		return http.StatusNoContent, nil
	}
	c.openBatch()
	for i := range files {
		c.writeJournalFile(st, &files[i])
	}
	return c.closeBatch(http.StatusOK, lost)
}

// writeJournalFile tells where a file is to be had, for a while and without a token.
func (c *call) writeJournalFile(st *stream, f *journalFile) {
	until := c.s.clock.Now().Add(journalLinkLife).UnixMilli()
	c.out.object()
	c.out.textField("url", fmt.Sprintf("%s/webhooks-journal-files/%d/%d/%s?expires=%d&signature=%s",
		*c.s.origin.Load(), st.Key.AppID, st.Key.PortalID, f.Offset, until, c.s.linkSignature(st.Key, f.Offset, until)))
	c.out.millisField("expiresAt", until)
	c.out.textField("currentOffset", f.Offset)
	c.out.endObject()
}

func (s *Server) linkSignature(key streamKey, offset string, until int64) string {
	mac := hmac.New(sha256.New, []byte(s.DeveloperKey()))
	fmt.Fprintf(mac, "%d/%d/%s/%d", key.AppID, key.PortalID, offset, until)
	return hex.EncodeToString(mac.Sum(nil))
}

// downloadJournal answers the address of a file.
func downloadJournal(c *call) (int, *problem) {
	app, errA := strconv.ParseInt(c.arg("app"), 10, 64)
	portal, errB := strconv.ParseInt(c.arg("portal"), 10, 64)
	until, errC := strconv.ParseInt(c.parsedQuery().Get("expires"), 10, 64)
	key, offset := streamKey{app, portal}, c.arg("offset")
	if errA != nil || errB != nil || errC != nil || c.parsedQuery().Get("signature") != c.s.linkSignature(key, offset, until) || c.s.nowMillis() >= until {
		return 0, &problem{status: http.StatusForbidden, message: "Request has expired"}
	}
	h := c.s.directory.hooks
	h.mu.Lock()
	defer h.mu.Unlock()
	st := h.journal.stream(key)
	at := st.find(offset)
	if at < 0 {
		return 0, notFound()
	}
	c.out.b = append(c.out.b, journalBody(&st.Files[at])...)
	return http.StatusOK, nil
}

// upsertJournalSubscription answers POST webhooks-journal/subscriptions: the same
// type for the same object type and account takes the place of the old one.
func upsertJournalSubscription(c *call) (int, *problem) {
	var in struct {
		Type            string   `json:"subscriptionType"`
		PortalID        int64    `json:"portalId"`
		ObjectTypeID    string   `json:"objectTypeId"`
		EventTypeID     string   `json:"eventTypeId"`
		Actions         []string `json:"actions"`
		Properties      []string `json:"properties"`
		ObjectIDs       []int64  `json:"objectIds"`
		AssociatedTypes []string `json:"associatedObjectTypeIds"`
		ListIDs         []int64  `json:"listIds"`
	}
	if refused := c.decode(&in); refused != nil {
		return 0, refused
	}
	made := JournalSubscription{AppID: c.token.AppID, PortalID: in.PortalID, Type: in.Type, ObjectTypeID: in.ObjectTypeID, Actions: in.Actions,
		Properties: in.Properties, ObjectIDs: in.ObjectIDs, AssociatedTypeIDs: in.AssociatedTypes, ListIDs: in.ListIDs}
	if refused := c.judgeJournalSubscription(&made); refused != nil {
		return 0, refused
	}
	h := c.s.directory.hooks
	h.mu.Lock()
	defer h.mu.Unlock()
	now := c.s.nowMillis()
	made.CreatedAt, made.UpdatedAt = now, now
	kept := &made
	i := slices.IndexFunc(h.journal.subscriptions, func(old *JournalSubscription) bool {
		return old.AppID == made.AppID && old.PortalID == made.PortalID && old.Type == made.Type && old.ObjectTypeID == made.ObjectTypeID
	})
	if i >= 0 {
		old := h.journal.subscriptions[i]
		made.ID, made.CreatedAt, made.Filters = old.ID, old.CreatedAt, old.Filters
		h.journal.subscriptions[i] = kept
	} else {
		h.journal.lastID++
		made.ID = h.journal.lastID
		h.journal.subscriptions = append(h.journal.subscriptions, kept)
	}
	c.webhooksChanged()
	c.out.journalSubscription(kept)
	return http.StatusOK, nil
}

func (c *call) judgeJournalSubscription(in *JournalSubscription) *problem {
	allowed, known := journalActions[in.Type]
	switch {
	case in.Type == "":
		return missingFields("subscriptionType")
	case !known:
		return invalid("%q is not a subscriptionType that this account knows", in.Type)
	case len(in.Actions) == 0:
		return missingFields("actions")
	}
	for _, action := range in.Actions {
		if !slices.Contains(allowed, action) {
			return invalid("The action %q is not valid for subscriptions of type %s", action, in.Type)
		}
	}
	if in.Type == "APP_LIFECYCLE_EVENT" {
		return nil
	}
	account := c.s.directory.account(in.PortalID)
	p, ok := c.s.directory.projectByID(in.AppID)
	if in.PortalID == 0 {
		return missingFields("portalId")
	}
	if account == nil || !ok {
		return invalid("The app is not installed in account %d", in.PortalID)
	}
	account.mu.RLock()
	defer account.mu.RUnlock()
	if account.installed(p) == nil {
		return invalid("The app is not installed in account %d", in.PortalID)
	}
	if in.ObjectTypeID == "" {
		if in.Type == "LIST_MEMBERSHIP" {
			return nil
		}
		return missingFields("objectTypeId")
	}
	t := account.table(in.ObjectTypeID)
	if t == nil {
		return unknownType(in.ObjectTypeID)
	}
	in.ObjectTypeID = t.kind.typeID
	if account.receiver(&AppWebhooks{AppID: p.AppID, ClientID: p.ClientID}, t) == nil {
		return missingScopes(false, t.objectScopes("read"))
	}
	return nil
}

func (e *encoder) journalSubscription(in *JournalSubscription) {
	e.object()
	e.numberField("id", in.ID)
	e.numberField("appId", in.AppID)
	e.textField("subscriptionType", in.Type)
	if in.PortalID != 0 {
		e.numberField("portalId", in.PortalID)
	}
	e.textField("objectTypeId", in.ObjectTypeID)
	e.textsField("actions", in.Actions)
	if len(in.Properties) > 0 {
		e.textsField("properties", in.Properties)
	}
	if len(in.AssociatedTypeIDs) > 0 {
		e.textsField("associatedObjectTypeIds", in.AssociatedTypeIDs)
	}
	e.numbersField("objectIds", in.ObjectIDs)
	e.numbersField("listIds", in.ListIDs)
	e.millisField("createdAt", in.CreatedAt)
	e.millisField("updatedAt", in.UpdatedAt)
	e.endObject()
}

// numbersField leaves an empty list out.
func (e *encoder) numbersField(name string, numbers []int64) {
	if len(numbers) == 0 {
		return
	}
	e.key(name)
	e.array()
	for _, n := range numbers {
		e.number(n)
	}
	e.endArray()
}

// ownSubscription finds one of the app's subscriptions, with the lock of hooks held;
// unlock is to be called when refused is nil.
func (c *call) ownSubscription() (at int, unlock func(), refused *problem) {
	h := c.s.directory.hooks
	h.mu.Lock()
	at = slices.IndexFunc(h.journal.subscriptions, func(s *JournalSubscription) bool {
		return s.AppID == c.token.AppID && strconv.FormatInt(s.ID, 10) == c.arg("id")
	})
	if at < 0 {
		h.mu.Unlock()
		return 0, nil, objectNotFound("There is no subscription %s", c.arg("id"))
	}
	return at, h.mu.Unlock, nil
}

func listJournalSubscriptions(c *call) (int, *problem) {
	h := c.s.directory.hooks
	h.mu.Lock()
	defer h.mu.Unlock()
	c.out.object()
	c.out.key("results")
	c.out.array()
	for _, s := range h.journal.subscriptions {
		if s.AppID == c.token.AppID {
			c.out.journalSubscription(s)
		}
	}
	c.out.endArray()
	c.out.endObject()
	return http.StatusOK, nil
}

func readJournalSubscription(c *call) (int, *problem) {
	at, unlock, refused := c.ownSubscription()
	if refused != nil {
		return 0, refused
	}
	defer unlock()
	c.out.journalSubscription(c.s.directory.hooks.journal.subscriptions[at])
	return http.StatusOK, nil
}

func deleteJournalSubscription(c *call) (int, *problem) {
	at, unlock, refused := c.ownSubscription()
	if refused != nil {
		return 0, refused
	}
	defer unlock()
	j := &c.s.directory.hooks.journal
	j.subscriptions = slices.Delete(j.subscriptions, at, at+1)
	c.webhooksChanged()
	return http.StatusNoContent, nil
}

// deleteJournalSubscriptions answers DELETE …/portals/{portal}: all for one account.
func deleteJournalSubscriptions(c *call) (int, *problem) {
	h := c.s.directory.hooks
	h.mu.Lock()
	defer h.mu.Unlock()
	h.journal.subscriptions = slices.DeleteFunc(h.journal.subscriptions, func(s *JournalSubscription) bool {
		return s.AppID == c.token.AppID && strconv.FormatInt(s.PortalID, 10) == c.arg("portal")
	})
	c.webhooksChanged()
	return http.StatusNoContent, nil
}
