package salesforce

import (
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/lockstep-sync/lockstep/sandbox/faults"
)

// pubSubService is the path that all its calls start with.
const pubSubService = "/eventbus.v1.PubSub/"

// servePubSub answers one call of the Pub/Sub API.
// https://developer.salesforce.com/docs/platform/pub-sub-api/references/methods/pubsub-api-methods.html
func (s *Server) servePubSub(w http.ResponseWriter, r *http.Request) {
	method, ours := strings.CutPrefix(r.URL.Path, pubSubService)
	// Nothing here writes records, so that faults of writes pass by.
	verdict := s.dials.Draw("salesforce", http.MethodGet, r.URL.Path)
	if verdict.Latency > 0 && !pause(r.Context(), verdict.Latency) || verdict.Kind == faults.CutBefore {
		panic(http.ErrAbortHandler)
	}
	g := openGRPC(w, r, s.transactionKey(-int64(s.tally.nth("gRPC "+method))))
	err := s.pubSub(g, method, ours, verdict)
	if verdict.Kind == faults.CutAfter {
		panic(http.ErrAbortHandler)
	}
	g.finish(err)
}

func (s *Server) pubSub(g *grpcCall, method string, ours bool, verdict faults.Verdict) error {
	switch verdict.Kind {
	case faults.TooMany:
		return grpcFail(grpcResourceExhausted, "service.protection.triggered", "Too many requests. Try again later.")
	case faults.ServerError:
		return grpcFail(grpcUnavailable, "service.unavailable", "The service is unavailable. Try again later.")
	}
	if !ours {
		return &grpcError{grpcUnimplemented, "", "there is no service of " + g.r.URL.Path}
	}
	who, problem := s.pubSubUser(g.r.Header, verdict.Kind == faults.Expired)
	if problem != nil {
		return problem
	}
	switch method {
	case "GetTopic":
		return s.unary(g, func(name string) ([]byte, *grpcError) { return s.topicInfo(who, name, g.id) })
	case "GetSchema":
		return s.unary(g, func(id string) ([]byte, *grpcError) { return s.schemaInfo(id, g.id) })
	case "Subscribe":
		return s.subscribe(g, who)
	case "ManagedSubscribe":
		return s.managedSubscribe(g, who)
	}
	return &grpcError{grpcUnimplemented, "", "method " + method + " is not there"}
}

// subscriber is who calls, and with what.
type subscriber struct {
	token string
	user  *user
}

// pubSubUser finds the session that the metadata names.
// https://developer.salesforce.com/docs/platform/pub-sub-api/guide/supported-auth.html
func (s *Server) pubSubUser(h http.Header, expired bool) (*subscriber, *grpcError) {
	token, instance, tenant := h.Get("Accesstoken"), h.Get("Instanceurl"), h.Get("Tenantid")
	if token == "" || instance == "" || tenant == "" {
		return nil, grpcFail(grpcUnauthenticated, "service.auth.headers.invalid", "An authentication header is invalid or blank. Provide accesstoken, instanceurl and tenantid.")
	}
	who := &subscriber{token: token}
	tenant = tenant[strings.LastIndexByte(tenant, '/')+1:]
	if id, ok := longID(tenant); ok && id == s.orgID && !expired {
		who.user = s.alive(token)
	}
	if who.user == nil {
		if expired {
			s.sessions.revoke(token)
		}
		return nil, noSession()
	}
	return who, nil
}

func noSession() *grpcError {
	return grpcFail(grpcUnauthenticated, "service.auth.error", "An authentication exception occurred. Provide a valid session token, instance URL and tenant ID.")
}

// alive is the user of a session that may call APIs; nil when there is none.
func (s *Server) alive(token string) *user {
	found := s.sessions.use(token, s.nowSeconds())
	if found == nil || !found.mayCallAPI() {
		return nil
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if !s.userActive(found.user) || found.user.noAPI {
		return nil
	}
	return found.user
}

// unary answers a call of one message with one.
func (s *Server) unary(g *grpcCall, answer func(name string) ([]byte, *grpcError)) error {
	b, err := g.receive()
	if err != nil {
		if errors.Is(err, io.EOF) {
			return &grpcError{grpcInternal, "", "the call has no message"}
		}
		return err
	}
	name, problem := readName(b)
	if problem != nil {
		return problem
	}
	body, problem := answer(name)
	if problem != nil {
		return problem
	}
	return g.send(body)
}

const allTopic = "/data/ChangeEvents"

// topic finds the object of a topic; nil means all selected ones.
func (s *Server) topic(name string, u *user) (*object, *grpcError) {
	if name == "" {
		return nil, grpcFail(grpcInvalidArgument, "topic.validation.empty", "The topic name is blank.")
	}
	if name == allTopic {
		return nil, nil
	}
	if entity, ok := strings.CutPrefix(name, "/data/"); ok {
		object, isEvent := strings.CutSuffix(entity, "ChangeEvent")
		if strings.HasSuffix(object, "__") {
			object += "c"
		}
		if o := s.objects[strings.ToLower(object)]; isEvent && o != nil && !o.readOnly && eventEntity(o.name) == entity {
			if !s.access(u, o).Read {
				return nil, grpcFail(grpcPermissionDenied, "subscription.topic.cannot.subscribe", "You don't have permission to subscribe to "+name+".")
			}
			return o, nil
		}
	}
	return nil, grpcFail(grpcNotFound, "topic.not.found", "The topic "+name+" doesn't exist.")
}

func (s *Server) topicInfo(who *subscriber, name, rpc string) ([]byte, *grpcError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, problem := s.topic(name, who.user)
	if problem != nil {
		return nil, problem
	}
	b := wireText(nil, 1, name)
	b = wireText(b, 2, s.orgID)
	b = wireBool(b, 4, true)
	if o != nil {
		b = wireText(b, 5, s.changeSchema(o).ID)
	}
	return wireText(b, 6, rpc), nil
}

func (s *Server) schemaInfo(id, rpc string) ([]byte, *grpcError) {
	if id == "" {
		return nil, grpcFail(grpcInvalidArgument, "schema.validation.failed", "The schema ID is blank.")
	}
	s.bus.mu.Lock()
	known := s.bus.schemas[id]
	s.bus.mu.Unlock()
	if known == nil {
		return nil, grpcFail(grpcNotFound, "schema.meta.permission", "The schema "+id+" can't be accessed. Verify the schema ID.")
	}
	return wireText(wireText(wireText(nil, 1, known.JSON), 2, known.ID), 3, rpc), nil
}
