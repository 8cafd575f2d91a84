package sandbox_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"connectrpc.com/connect"
	"github.com/twmb/avro"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/lockstep-sync/lockstep/sandbox"
	"github.com/lockstep-sync/lockstep/sandbox/faults"
	sf "github.com/lockstep-sync/lockstep/sandbox/salesforce"
)

// wire is a message as bytes; the tests read fields by number, as the vendor's
// proto file numbers them.
type wire struct{ b []byte }

type wireCodec struct{}

func (wireCodec) Name() string                  { return "proto" }
func (wireCodec) Marshal(m any) ([]byte, error) { return m.(*wire).b, nil }
func (wireCodec) Unmarshal(b []byte, m any) error {
	m.(*wire).b = slices.Clone(b)
	return nil
}

func (w *wire) text(field protowire.Number, s string) *wire {
	w.b = protowire.AppendString(protowire.AppendTag(w.b, field, protowire.BytesType), s)
	return w
}

func (w *wire) number(field protowire.Number, n int) *wire {
	w.b = protowire.AppendVarint(protowire.AppendTag(w.b, field, protowire.VarintType), uint64(n))
	return w
}

// all are the values of a field: bytes, or a number in decimal digits.
func (w *wire) all(field protowire.Number) (list []string) {
	for b := w.b; len(b) > 0; {
		f, kind, n := protowire.ConsumeTag(b)
		b = b[n:]
		switch kind {
		case protowire.VarintType:
			v, n := protowire.ConsumeVarint(b)
			if b = b[n:]; f == field {
				list = append(list, strconv.FormatUint(v, 10))
			}
		case protowire.BytesType:
			v, n := protowire.ConsumeBytes(b)
			if b = b[n:]; f == field {
				list = append(list, string(v))
			}
		}
	}
	return list
}

func (w *wire) one(field protowire.Number) string {
	if list := w.all(field); len(list) > 0 {
		return list[0]
	}
	return ""
}

// subscriber is a client of the Pub/Sub API.
type subscriber struct {
	t       *testing.T
	box     *sandbox.Sandbox
	client  *http.Client
	url     string
	token   string
	schemas map[string]*avro.Schema
}

func subscribing(t *testing.T, box *sandbox.Sandbox) *subscriber {
	t.Helper()
	return &subscriber{t: t, box: box, client: box.Client(), url: "https://api.pubsub.salesforce.com:7443",
		token: box.Salesforce().IssueToken(sf.IntegrationUsername), schemas: map[string]*avro.Schema{}}
}

func (s *subscriber) stub(method string) *connect.Client[wire, wire] {
	return connect.NewClient[wire, wire](s.client, s.url+"/eventbus.v1.PubSub/"+method, connect.WithGRPC(), connect.WithCodec(wireCodec{}))
}

func (s *subscriber) sign(h http.Header) {
	h.Set("accesstoken", s.token)
	h.Set("instanceurl", s.box.SalesforceURL())
	h.Set("tenantid", s.box.Salesforce().OrgID())
}

func (s *subscriber) ask(method, name string) (*wire, error) {
	r := connect.NewRequest(new(wire).text(1, name))
	s.sign(r.Header())
	answer, err := s.stub(method).CallUnary(s.t.Context(), r)
	if err != nil {
		return nil, err
	}
	return answer.Msg, nil
}

// stream is an open subscription.
type stream struct {
	*subscriber
	*connect.BidiStreamForClient[wire, wire]
}

// subscribe opens a stream and asks for n events. from is a replay id, or
// "latest" or "earliest".
func (s *subscriber) subscribe(ctx context.Context, topic, from string, n int) *stream {
	s.t.Helper()
	open := &stream{s, s.stub("Subscribe").CallBidiStream(ctx)}
	s.sign(open.RequestHeader())
	request := new(wire).text(1, topic).number(4, n)
	switch from {
	case "latest":
	case "earliest":
		request.number(2, 1)
	default:
		request.number(2, 2).text(3, from)
	}
	if err := open.Send(request); err != nil && !errors.Is(err, io.EOF) {
		s.t.Fatal(err)
	}
	return open
}

// event is one decoded event.
type event struct {
	entity, change, origin, key string
	ids                         []string
	number                      int
	changed, nulled             []string
	values                      map[string]any
	replay, schema              string
}

// receive reads one answer.
func (s *stream) receive() (events []event, answer *wire, err error) {
	s.t.Helper()
	answer, err = s.Receive()
	if err != nil {
		return nil, nil, err
	}
	for _, b := range answer.all(1) {
		consumer := &wire{[]byte(b)}
		produced := &wire{[]byte(consumer.one(1))}
		events = append(events, s.decode(produced.one(2), []byte(produced.one(3)), consumer.one(2)))
	}
	return events, answer, nil
}

// take reads events until there are n.
func (s *stream) take(n int) (list []event) {
	s.t.Helper()
	for len(list) < n {
		events, _, err := s.receive()
		if err != nil {
			s.t.Fatalf("after %d of %d events: %v", len(list), n, err)
		}
		list = append(list, events...)
	}
	if len(list) > n {
		s.t.Fatalf("got %d events, want %d", len(list), n)
	}
	return list
}

func (s *subscriber) decode(schemaID string, payload []byte, replay string) event {
	s.t.Helper()
	if s.schemas[schemaID] == nil {
		answer, err := s.ask("GetSchema", schemaID)
		if err != nil {
			s.t.Fatal(err)
		}
		if s.schemas[schemaID], err = avro.Parse(answer.one(1)); err != nil {
			s.t.Fatalf("schema %s: %v\n%s", schemaID, err, answer.one(1))
		}
	}
	schema := s.schemas[schemaID]
	var record map[string]any
	if rest, err := schema.Decode(payload, &record); err != nil || len(rest) > 0 {
		s.t.Fatalf("decode: %v, %d bytes left", err, len(rest))
	}
	head := record["ChangeEventHeader"].(map[string]any)
	e := event{entity: head["entityName"].(string), change: head["changeType"].(string), origin: head["changeOrigin"].(string), key: head["transactionKey"].(string),
		number: int(head["sequenceNumber"].(int32)), values: map[string]any{}, replay: replay, schema: schemaID}
	for _, id := range head["recordIds"].([]any) {
		e.ids = append(e.ids, id.(string))
	}
	delete(record, "ChangeEventHeader")
	for name, v := range record {
		if v != nil {
			e.values[name] = v
		}
	}
	fields := schema.Root().Fields
	expand := func(list any) (names []string) {
		for _, bits := range list.([]any) {
			place, digits, nested := strings.Cut(bits.(string), "-")
			if !nested {
				digits = place
			}
			n, err := strconv.ParseUint(strings.TrimPrefix(digits, "0x"), 16, 64)
			if err != nil && len(digits) <= 18 {
				s.t.Fatalf("bitmap %v: %v", bits, err)
			}
			within, prefix := fields, ""
			if nested {
				at, _ := strconv.Atoi(place)
				prefix = fields[at].Name + "."
				within = fields[at].Type.Branches[1].Fields
				for _, f := range fields { // a record type is written out where it comes first, and named later
					if b := f.Type.Branches; len(within) == 0 && len(b) == 2 && len(b[1].Fields) > 0 && strings.HasSuffix(fields[at].Name, b[1].Name) {
						within = b[1].Fields
					}
				}
			}
			for i, f := range within {
				if i < 64 && n>>i&1 == 1 {
					names = append(names, prefix+f.Name)
				}
			}
		}
		return names
	}
	e.changed, e.nulled = expand(head["changedFields"]), expand(head["nulledFields"])
	return e
}

// rest sends a REST call as the client "lockstep".
func (s *subscriber) rest(method, path, body string) map[string]any {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.box.SalesforceURL()+"/services/data/v66.0"+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+s.token)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Sforce-Call-Options", "client=lockstep")
	answer, err := s.box.Client().Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer answer.Body.Close()
	var told map[string]any
	_ = json.NewDecoder(answer.Body).Decode(&told)
	if answer.StatusCode >= 300 {
		s.t.Fatalf("%s %s: %d %v", method, path, answer.StatusCode, told)
	}
	return told
}

func (s *subscriber) create(object, body string) string {
	s.t.Helper()
	return s.rest("POST", "/sobjects/"+object, body)["id"].(string)
}

func failure(err error) (code connect.Code, reason string) {
	var told *connect.Error
	if !errors.As(err, &told) {
		return 0, fmt.Sprint(err)
	}
	return told.Code(), strings.TrimPrefix(told.Meta().Get("Error-Code"), "sfdc.platform.eventbus.grpc.")
}

// inBubble plays with an empty sandbox whose Accounts, Contacts, Leads and
// Opportunities have change events.
func inBubble(t *testing.T, play func(t *testing.T, s *subscriber)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		box, err := sandbox.New(sandbox.Config{Seed: "empty"})
		if err != nil {
			t.Fatal(err)
		}
		defer box.Close()
		if err := box.Salesforce().SelectChangeEvents("Account", "Contact", "Lead", "Opportunity"); err != nil {
			t.Fatal(err)
		}
		play(t, subscribing(t, box))
	})
}

func TestChangeEventsTellWhatChanged(t *testing.T) {
	inBubble(t, func(t *testing.T, s *subscriber) {
		all := s.subscribe(t.Context(), "/data/ContactChangeEvent", "earliest", 100)
		defer all.CloseResponse()
		id := s.create("Contact", `{"LastName":"Nowak","Phone":"1","MailingCity":"Bremen","MailingCountry":"Germany","HasOptedOutOfEmail":true,"Birthdate":"1990-02-03"}`)
		s.rest("PATCH", "/sobjects/Contact/"+id, `{"Phone":null,"FirstName":"Ana","MailingCity":"Köln"}`)
		time.Sleep(time.Second)
		s.rest("PATCH", "/sobjects/Contact/"+id, `{"MailingCity":null}`)
		if err := s.box.Salesforce().Delete("Contact", id); err != nil {
			t.Fatal(err)
		}
		if err := s.box.Salesforce().Undelete("Contact", id); err != nil {
			t.Fatal(err)
		}
		got := all.take(5)
		for i, want := range []string{"CREATE", "UPDATE", "UPDATE", "DELETE", "UNDELETE"} {
			if got[i].change != want || got[i].entity != "Contact" || !slices.Equal(got[i].ids, []string{id}) || got[i].number != 1 {
				t.Errorf("event %d is %+v, want %s of %s", i, got[i], want, id)
			}
		}
		made := got[0].values
		name, address := made["Name"].(map[string]any), made["MailingAddress"].(map[string]any)
		if name["LastName"] != "Nowak" || name["FirstName"] != nil || address["City"] != "Bremen" || address["Street"] != nil || made["HasOptedOutOfEmail"] != true ||
			made["Birthdate"] != time.Date(1990, 2, 3, 0, 0, 0, 0, time.UTC).UnixMilli() || made["Title"] != nil || got[0].changed != nil {
			t.Errorf("the create carries %v", made)
		}
		edit := got[1]
		if !slices.Equal(edit.changed, []string{"Phone", "LastModifiedDate", "Name.FirstName", "MailingAddress.City"}) || !slices.Equal(edit.nulled, []string{"Phone"}) {
			t.Errorf("the update changed %v and cleared %v", edit.changed, edit.nulled)
		}
		if n := edit.values["Name"].(map[string]any); n["FirstName"] != "Ana" || n["LastName"] != nil || edit.values["MailingAddress"].(map[string]any)["Country"] != nil || len(edit.values) != 3 {
			t.Errorf("the update carries %v, want just what changed", edit.values)
		}
		if edit.origin != "com/salesforce/api/rest/66.0;client=lockstep" || got[3].origin != "com/salesforce/api/soap/68.0;client=SfdcInternalAPI/" {
			t.Errorf("origins %q and %q", edit.origin, got[3].origin)
		}
		if !slices.Equal(got[2].nulled, []string{"MailingAddress.City"}) || len(got[3].values) != 0 || got[4].values["Name"].(map[string]any)["FirstName"] != "Ana" {
			t.Errorf("got %+v", got[2:])
		}
	})
}

func TestATransactionHasOneKey(t *testing.T) {
	inBubble(t, func(t *testing.T, s *subscriber) {
		lead := s.create("Lead", `{"LastName":"Nowak","Company":"Acme"}`)
		acme, globex := s.create("Account", `{"Name":"Acme"}`), s.create("Account", `{"Name":"Globex"}`)
		var ids []string
		for range 2 {
			ids = append(ids, s.create("Contact", `{"LastName":"Nowak","AccountId":"`+globex+`"}`))
		}
		all := s.subscribe(t.Context(), "/data/ChangeEvents", "latest", 100)
		defer all.CloseResponse()
		synctest.Wait()
		if _, err := s.box.Salesforce().ConvertLead(lead, sf.Conversion{}); err != nil {
			t.Fatal(err)
		}
		told := ""
		for i, e := range all.take(4) {
			told += fmt.Sprintf("%s %s %d; ", e.change, e.entity, e.number)
			if i == 3 && !slices.Contains(e.changed, "ConvertedContactId") {
				t.Errorf("the lead's update changed %v", e.changed)
			}
		}
		if told != "CREATE Account 1; CREATE Contact 2; CREATE Opportunity 3; UPDATE Lead 4; " {
			t.Errorf("a conversion is told as %s", told)
		}
		if err := s.box.Salesforce().Merge("Account", acme, globex); err != nil {
			t.Fatal(err)
		}
		got := all.take(3)
		keys := map[string]bool{}
		told = ""
		for _, e := range got {
			keys[e.key] = true
			told += fmt.Sprintf("%s %s %v; ", e.change, e.entity, e.ids)
		}
		want := fmt.Sprintf("UPDATE Contact %v; DELETE Account [%s]; UPDATE Account [%s]; ", ids, globex, acme)
		if told != want || len(keys) != 1 {
			t.Errorf("a merge is told as %s in %d transactions, want %s in one", told, len(keys), want)
		}
	})
}

func TestASubscriberGetsWhatItAsksFor(t *testing.T) {
	inBubble(t, func(t *testing.T, s *subscriber) {
		for i := range 150 {
			s.create("Account", fmt.Sprintf(`{"Name":"Acme %d"}`, i))
		}
		few := s.subscribe(t.Context(), "/data/AccountChangeEvent", "earliest", 2)
		defer few.CloseResponse()
		events, answer, err := few.receive()
		if err != nil || len(events) != 2 || answer.one(4) != "" || answer.one(2) != events[1].replay || answer.one(3) == "" {
			t.Fatalf("got %d events, %v", len(events), err)
		}
		if err := few.Send(new(wire).number(4, 1000)); err != nil {
			t.Fatal(err)
		}
		if events, _, err = few.receive(); err != nil || len(events) != 100 {
			t.Errorf("1000 are cut to 100; got %d, %v", len(events), err)
		}
		began := time.Now()
		if _, _, err := few.receive(); !errors.Is(err, io.EOF) || time.Since(began) != time.Minute {
			t.Errorf("with nothing asked for the stream ends after a minute; got %v after %v", err, time.Since(began))
		}
		more := s.subscribe(t.Context(), "/data/AccountChangeEvent", events[99].replay, 60)
		defer more.CloseResponse()
		if rest := more.take(48); rest[0].values["Name"] != "Acme 102" || rest[47].values["Name"] != "Acme 149" {
			t.Errorf("from a position on come %v to %v", rest[0].values["Name"], rest[47].values["Name"])
		}
		began = time.Now()
		empty, answer, err := more.receive()
		if err != nil || len(empty) != 0 || time.Since(began) != 270*time.Second || answer.one(4) != "12" {
			t.Fatalf("a quiet stream is kept alive after 270 seconds with what is pending; got %v after %v, pending %s", err, time.Since(began), answer.one(4))
		}
		s.create("Account", `{"Name":"Late"}`)
		again := s.subscribe(t.Context(), "/data/AccountChangeEvent", answer.one(2), 10)
		defer again.CloseResponse()
		if got := again.take(1); got[0].values["Name"] != "Late" {
			t.Errorf("after the keepalive's position comes %v", got[0].values)
		}
	})
}

func TestPositions(t *testing.T) {
	inBubble(t, func(t *testing.T, s *subscriber) {
		refused := func(when, position, want string) {
			t.Helper()
			open := s.subscribe(t.Context(), "/data/AccountChangeEvent", position, 1)
			defer open.CloseResponse()
			_, _, err := open.receive()
			if code, reason := failure(err); code != connect.CodeInvalidArgument || reason != want {
				t.Errorf("%s: %v %s, want %s", when, code, reason, want)
			}
		}
		refused("no position", "", "subscription.fetch.replayid.validation.failed")
		refused("bytes of another make", "\x00\x00\x00\x00\x00\x01", "subscription.fetch.replayid.corrupted")
		s.create("Account", `{"Name":"Acme"}`)
		first := s.subscribe(t.Context(), "/data/AccountChangeEvent", "earliest", 1)
		defer first.CloseResponse()
		saved := first.take(1)[0].replay
		refused("a byte changed", saved[:10]+"x"+saved[11:], "subscription.fetch.replayid.corrupted")
		s.box.Clock().Advance(71 * time.Hour)
		s.token = s.box.Salesforce().IssueToken(sf.IntegrationUsername)
		s.create("Account", `{"Name":"Globex"}`)
		good := s.subscribe(t.Context(), "/data/AccountChangeEvent", saved, 1)
		defer good.CloseResponse()
		if got := good.take(1)[0]; got.values["Name"] != "Globex" {
			t.Errorf("got %v", got.values)
		}
		s.box.Clock().Advance(2 * time.Hour)
		s.token = s.box.Salesforce().IssueToken(sf.IntegrationUsername)
		refused("after 72 hours", saved, "subscription.fetch.replayid.validation.failed")
		oldest := s.subscribe(t.Context(), "/data/AccountChangeEvent", "earliest", 2)
		defer oldest.CloseResponse()
		second := oldest.take(1)[0]
		if second.values["Name"] != "Globex" {
			t.Errorf("the earliest event is %v, want the one within 72 hours", second.values)
		}
		s.box.Salesforce().LoseReplayPositions()
		refused("when positions were lost", second.replay, "subscription.fetch.replayid.validation.failed")
		s.create("Account", `{"Name":"Initech"}`)
		fresh := s.subscribe(t.Context(), "/data/AccountChangeEvent", "earliest", 1)
		defer fresh.CloseResponse()
		if got := fresh.take(1)[0]; got.values["Name"] != "Initech" {
			t.Errorf("after the loss comes %v", got.values)
		}
		s.box.Dials().Set(faults.Setting{ChangeEvents: faults.ChangeEvents{LostPositions: 1}})
		refused("by the dial", string(s.box.Salesforce().ChangeEvents().Latest), "subscription.fetch.replayid.validation.failed")
	})
}

func TestWhoMaySubscribe(t *testing.T) {
	inBubble(t, func(t *testing.T, s *subscriber) {
		topic := func(change func(*subscriber)) (connect.Code, string) {
			other := *s
			change(&other)
			_, err := other.ask("GetTopic", "/data/AccountChangeEvent")
			return failure(err)
		}
		if code, reason := topic(func(s *subscriber) { s.token = "00D!nobody" }); code != connect.CodeUnauthenticated || reason != "service.auth.error" {
			t.Errorf("a wrong token: %v %s", code, reason)
		}
		if code, reason := topic(func(s *subscriber) { s.token = "" }); code != connect.CodeUnauthenticated || reason != "service.auth.headers.invalid" {
			t.Errorf("no token: %v %s", code, reason)
		}
		told, err := s.ask("GetTopic", "/data/AccountChangeEvent")
		if err != nil || told.one(1) != "/data/AccountChangeEvent" || told.one(2) != s.box.Salesforce().OrgID() || told.one(4) != "1" || told.one(3) != "" || told.one(5) == "" {
			t.Errorf("got %v, %v", told, err)
		}
		for name, want := range map[string]string{"/data/UnicornChangeEvent": "topic.not.found", "/data/Account": "topic.not.found", "/event/X__e": "topic.not.found", "": "topic.validation.empty"} {
			if _, err := s.ask("GetTopic", name); err == nil {
				t.Errorf("topic %q is there", name)
			} else if _, reason := failure(err); reason != want {
				t.Errorf("topic %q: %s, want %s", name, reason, want)
			}
		}
		if _, err := s.ask("GetSchema", "nope"); err == nil {
			t.Error("an unknown schema is there")
		}
		if _, err := s.ask("Publish", ""); connect.CodeOf(err) != connect.CodeUnimplemented {
			t.Errorf("publish: %v", err)
		}
		open := s.subscribe(t.Context(), "/data/ChangeEvents", "latest", 5)
		defer open.CloseResponse()
		synctest.Wait()
		s.box.Salesforce().ExpireAll()
		if _, err := s.box.Salesforce().By(sf.Edit{}).Create("Account", map[string]any{"Name": "Acme"}); err != nil {
			t.Fatal(err)
		}
		if _, _, err := open.receive(); connect.CodeOf(err) != connect.CodeUnauthenticated {
			t.Errorf("a stream outlives its session: %v", err)
		}
	})
}

func TestEventsHideWhatAUserMayNotSee(t *testing.T) {
	inBubble(t, func(t *testing.T, s *subscriber) {
		org := s.box.Salesforce()
		org.SetFieldPermission(sf.IntegrationUsername, "Contact", "Phone", false, false)
		org.SetPermission(sf.IntegrationUsername, "Lead", sf.ObjectPermission{})
		s.token = org.IssueToken(sf.IntegrationUsername)
		all := s.subscribe(t.Context(), "/data/ChangeEvents", "latest", 5)
		defer all.CloseResponse()
		synctest.Wait()
		by := org.By(sf.Edit{})
		if _, err := by.Create("Lead", map[string]any{"LastName": "Hidden", "Company": "X"}); err != nil {
			t.Fatal(err)
		}
		id, err := by.Create("Contact", map[string]any{"LastName": "Nowak", "Phone": "1"})
		if err != nil {
			t.Fatal(err)
		}
		if err := by.Update("Contact", id, map[string]any{"Phone": "2", "Title": "CEO"}); err != nil {
			t.Fatal(err)
		}
		got := all.take(2)
		if got[0].entity != "Contact" || got[0].values["Phone"] != nil || got[1].values["Phone"] != nil || slices.Contains(got[1].changed, "Phone") || !slices.Contains(got[1].changed, "Title") {
			t.Errorf("got %+v", got)
		}
		hidden := s.subscribe(t.Context(), "/data/LeadChangeEvent", "latest", 5)
		defer hidden.CloseResponse()
		if _, _, err := hidden.receive(); connect.CodeOf(err) != connect.CodePermissionDenied {
			t.Errorf("an object that may not be read: %v", err)
		}
	})
}

func TestASchemaFollowsTheFields(t *testing.T) {
	inBubble(t, func(t *testing.T, s *subscriber) {
		org := s.box.Salesforce()
		s.create("Account", `{"Name":"Acme"}`)
		if err := org.AddField("Account", sf.Field{Name: "Tier__c", Type: "double"}); err != nil {
			t.Fatal(err)
		}
		if err := org.AddField("Account", sf.Field{Name: "Shout__c", Formula: "UPPER(Name)"}); err != nil {
			t.Fatal(err)
		}
		s.create("Account", `{"Name":"Globex","Tier__c":2}`)
		all := s.subscribe(t.Context(), "/data/AccountChangeEvent", "earliest", 5)
		defer all.CloseResponse()
		got := all.take(2)
		_, computed := got[1].values["Shout__c"]
		if got[0].schema == got[1].schema || got[1].values["Tier__c"] != 2.0 || computed {
			t.Errorf("schemas %s and %s, values %v", got[0].schema, got[1].schema, got[1].values)
		}
	})
}

func TestTheDialsOfChangeEvents(t *testing.T) {
	inBubble(t, func(t *testing.T, s *subscriber) {
		run := func(dials faults.ChangeEvents) (list []event) {
			t.Helper()
			open := s.subscribe(t.Context(), "/data/AccountChangeEvent", "latest", 100)
			defer open.CloseResponse()
			synctest.Wait()
			s.box.Dials().Set(faults.Setting{Seed: 5, ChangeEvents: dials})
			for i := range 20 {
				s.create("Account", fmt.Sprintf(`{"Name":"Acme %d"}`, i))
			}
			s.box.Dials().Set(faults.Setting{})
			for {
				events, _, err := open.receive()
				if err != nil {
					t.Fatal(err)
				}
				if len(events) == 0 { // the keepalive
					return list
				}
				list = append(list, events...)
			}
		}
		if got := run(faults.ChangeEvents{Duplicates: 0.5}); len(got) <= 22 || len(got) >= 38 {
			t.Errorf("half of 20 twice are %d", len(got))
		} else {
			seen, twice := map[string]int{}, false
			for _, e := range got {
				seen[e.replay]++
				twice = twice || seen[e.replay] == 2
			}
			if len(seen) != 20 || !twice {
				t.Errorf("%d different positions, want 20, some twice", len(seen))
			}
		}
		if got := run(faults.ChangeEvents{Drops: 0.5}); len(got) < 3 || len(got) > 17 {
			t.Errorf("half of 20 are %d", len(got))
		}
		gaps := 0
		for _, e := range run(faults.ChangeEvents{Gaps: 0.5}) {
			if e.change == "GAP_CREATE" && len(e.values) == 0 && len(e.ids) == 1 {
				gaps++
			}
		}
		if gaps < 3 || gaps > 17 {
			t.Errorf("half of 20 are %d gaps", gaps)
		}
		open := s.subscribe(t.Context(), "/data/AccountChangeEvent", "latest", 100)
		defer open.CloseResponse()
		synctest.Wait()
		s.box.Dials().Set(faults.Setting{ChangeEvents: faults.ChangeEvents{DelayMillis: 30_000}})
		began := time.Now()
		s.create("Account", `{"Name":"Late"}`)
		tip := s.box.Salesforce().ChangeEvents().Latest
		open.take(1)
		if late := time.Since(began); late < 30*time.Second || late > 31*time.Second {
			t.Errorf("the event came after %v, want 30 seconds", late)
		}
		// A position that was told while the event was on its way lies before it.
		after := s.subscribe(t.Context(), "/data/AccountChangeEvent", string(tip), 1)
		defer after.CloseResponse()
		if got := after.take(1)[0]; got.values["Name"] != "Late" {
			t.Errorf("got %v", got.values)
		}
	})
}

func TestGapsAndTheEndOfStreams(t *testing.T) {
	inBubble(t, func(t *testing.T, s *subscriber) {
		org := s.box.Salesforce()
		id := s.create("Account", `{"Name":"Acme"}`)
		open := s.subscribe(t.Context(), "/data/AccountChangeEvent", "latest", 10)
		defer open.CloseResponse()
		synctest.Wait()
		if err := org.EmitGap("Account", "UPDATE", id[:15]); err != nil {
			t.Fatal(err)
		}
		if err := org.EmitGap("Account", "OVERFLOW"); err != nil {
			t.Fatal(err)
		}
		got := open.take(2)
		if got[0].change != "GAP_UPDATE" || got[0].ids[0] != id || got[1].change != "GAP_OVERFLOW" || got[1].ids[0] != "001000000000000AAA" {
			t.Errorf("got %+v", got)
		}
		for _, wrong := range []error{org.EmitGap("Case", "UPDATE", id), org.EmitGap("Account", "SIDEWAYS", id), org.EmitGap("Account", "UPDATE"), org.EmitGap("Account", "UPDATE", "x")} {
			if wrong == nil {
				t.Error("a wrong gap was emitted")
			}
		}
		org.EndStreams()
		if _, _, err := open.receive(); connect.CodeOf(err) != connect.CodeUnavailable {
			t.Errorf("an ended stream: %v", err)
		}
		org.SetEventAllowance(3)
		limited := s.subscribe(t.Context(), "/data/AccountChangeEvent", "earliest", 10)
		defer limited.CloseResponse()
		limited.take(1)
		if _, _, err := limited.receive(); connect.CodeOf(err) != connect.CodeResourceExhausted {
			t.Errorf("beyond the allowance: %v", err)
		}
	})
}

func TestOnlySelectedObjectsHaveEvents(t *testing.T) {
	inBubble(t, func(t *testing.T, s *subscriber) {
		org := s.box.Salesforce()
		s.create("Case", `{"Subject":"Broken"}`)
		if kept := org.ChangeEvents().Kept; kept != 0 {
			t.Errorf("%d events of what nobody selected", kept)
		}
		if err := org.SelectChangeEvents("Account", "Contact", "Lead", "Case", "Task", "Event"); err == nil {
			t.Error("six objects were selected")
		}
		if err := org.SelectChangeEvents("Organization"); err == nil {
			t.Error("an object without change events was selected")
		}
		if err := org.SelectChangeEvents(); err != nil {
			t.Fatal(err)
		}
		s.create("Account", `{"Name":"Acme"}`)
		if state := org.ChangeEvents(); state.Kept != 0 || len(state.Objects) != 0 {
			t.Errorf("got %+v", state)
		}
	})
}

func TestAManagedSubscriptionKeepsItsPosition(t *testing.T) {
	inBubble(t, func(t *testing.T, s *subscriber) {
		id, err := s.box.Salesforce().AddManagedSubscription("Sync", "/data/AccountChangeEvent", true)
		if err != nil {
			t.Fatal(err)
		}
		s.create("Account", `{"Name":"One"}`)
		s.create("Account", `{"Name":"Two"}`)
		open := func(field protowire.Number, name string) *stream {
			m := &stream{s, s.stub("ManagedSubscribe").CallBidiStream(t.Context())}
			s.sign(m.RequestHeader())
			if err := m.Send(new(wire).text(field, name).number(3, 1)); err != nil {
				t.Fatal(err)
			}
			return m
		}
		first := open(2, "Sync")
		one := first.take(1)[0]
		if one.values["Name"] != "One" {
			t.Errorf("got %v", one.values)
		}
		busy := open(1, id)
		if _, _, err := busy.receive(); connect.CodeOf(err) != connect.CodeFailedPrecondition {
			t.Errorf("a second client on one subscription: %v", err)
		}
		_ = busy.CloseResponse()
		commit := new(wire)
		commit.b = protowire.AppendBytes(protowire.AppendTag(nil, 5, protowire.BytesType), new(wire).text(1, "c1").text(2, one.replay).b)
		if err := first.Send(commit); err != nil {
			t.Fatal(err)
		}
		if _, answer, err := first.receive(); err != nil || (&wire{[]byte(answer.one(5))}).one(1) != "c1" || (&wire{[]byte(answer.one(5))}).one(3) != "" {
			t.Errorf("the commit is answered by %v, %v", answer, err)
		}
		_ = first.CloseRequest()
		_ = first.CloseResponse()
		synctest.Wait()
		again := open(1, id)
		defer again.CloseResponse()
		if got := again.take(1)[0]; got.values["Name"] != "Two" {
			t.Errorf("behind the committed position comes %v", got.values)
		}
		if unknown := open(2, "Other"); true {
			if _, _, err := unknown.receive(); connect.CodeOf(err) != connect.CodeNotFound {
				t.Errorf("an unknown subscription: %v", err)
			}
			_ = unknown.CloseResponse()
		}
	})
}

// TestPubSubOverAPort is the same over a socket: HTTP/2 without TLS, on the port
// that also answers REST; and a restart from the data file keeps the stream.
func TestPubSubOverAPort(t *testing.T) {
	file := t.TempDir() + "/sandbox.data"
	listen := func() (*sandbox.Sandbox, *subscriber) {
		box, err := sandbox.New(sandbox.Config{Seed: "empty", DataFile: file})
		if err != nil {
			t.Fatal(err)
		}
		if err := box.Listen(t.Context()); err != nil {
			t.Fatal(err)
		}
		s := subscribing(t, box)
		transport := &http.Transport{Protocols: new(http.Protocols)}
		transport.Protocols.SetUnencryptedHTTP2(true)
		t.Cleanup(transport.CloseIdleConnections)
		s.client, s.url = &http.Client{Transport: transport}, box.SalesforceURL()
		return box, s
	}
	box, s := listen()
	if err := box.Salesforce().SelectChangeEvents("Account"); err != nil {
		t.Fatal(err)
	}
	if _, err := box.Salesforce().AddManagedSubscription("Sync", "/data/ChangeEvents", false); err != nil {
		t.Fatal(err)
	}
	s.create("Account", `{"Name":"Acme"}`)
	s.create("Account", `{"Name":"Globex"}`)
	open := s.subscribe(t.Context(), "/data/AccountChangeEvent", "earliest", 1)
	first := open.take(1)[0]
	waiting := s.subscribe(t.Context(), "/data/AccountChangeEvent", "latest", 1)
	began := make(chan error, 1)
	go func() {
		_, _, err := waiting.receive()
		began <- err
	}()
	if err := box.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-began; err == nil {
		t.Error("a stream outlives the sandbox")
	}
	box, s = listen()
	defer box.Close()
	if state := box.Salesforce().ChangeEvents(); state.Kept != 2 || !slices.Equal(state.Objects, []string{"Account"}) {
		t.Errorf("after the restart: %+v", state)
	}
	s.create("Account", `{"Name":"Initech"}`)
	again := s.subscribe(t.Context(), "/data/AccountChangeEvent", first.replay, 10)
	defer again.CloseResponse()
	if got := again.take(2); got[0].values["Name"] != "Globex" || got[1].values["Name"] != "Initech" {
		t.Errorf("got %v and %v", got[0].values, got[1].values)
	}
}

func TestAResetBeginsTheBusAnew(t *testing.T) {
	inBubble(t, func(t *testing.T, s *subscriber) {
		s.create("Account", `{"Name":"Acme"}`)
		open := s.subscribe(t.Context(), "/data/AccountChangeEvent", "earliest", 2)
		defer open.CloseResponse()
		saved := open.take(1)[0].replay
		time.Sleep(time.Second)
		if err := s.box.Reset(); err != nil {
			t.Fatal(err)
		}
		if _, _, err := open.receive(); connect.CodeOf(err) != connect.CodeUnavailable {
			t.Errorf("a stream of the former world: %v", err)
		}
		if state := s.box.Salesforce().ChangeEvents(); len(state.Objects) != 0 || state.Kept != 0 {
			t.Errorf("after the reset: %+v", state)
		}
		s.token = s.box.Salesforce().IssueToken(sf.IntegrationUsername)
		again := s.subscribe(t.Context(), "/data/AccountChangeEvent", saved, 1)
		defer again.CloseResponse()
		if _, _, err := again.receive(); connect.CodeOf(err) != connect.CodeInvalidArgument {
			t.Errorf("a position of the former world: %v", err)
		}
	})
}
