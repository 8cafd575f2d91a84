package salesforce

import (
	"errors"

	"google.golang.org/protobuf/encoding/protowire"
)

// The messages of eventbus.v1, read and written by hand: generated code would
// register their names a second time in a program that also holds a client.
// https://github.com/forcedotcom/pub-sub-api/blob/main/pubsub_api.proto

// wireFields calls each with the fields of a message: number for varints, data
// for the rest.
func wireFields(b []byte, each func(field protowire.Number, number uint64, data []byte)) *grpcError {
	for len(b) > 0 {
		field, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			return malformed(protowire.ParseError(n))
		}
		b = b[n:]
		switch kind {
		case protowire.VarintType:
			v, n := protowire.ConsumeVarint(b)
			if n < 0 {
				return malformed(protowire.ParseError(n))
			}
			each(field, v, nil)
			b = b[n:]
		case protowire.BytesType:
			v, n := protowire.ConsumeBytes(b)
			if n < 0 {
				return malformed(protowire.ParseError(n))
			}
			each(field, 0, v)
			b = b[n:]
		default:
			n := protowire.ConsumeFieldValue(field, kind, b)
			if n < 0 {
				return malformed(errors.New("a field of an unknown type"))
			}
			b = b[n:]
		}
	}
	return nil
}

func malformed(err error) *grpcError {
	return &grpcError{grpcInternal, "", "the message cannot be parsed: " + err.Error()}
}

func wireText(b []byte, field protowire.Number, s string) []byte {
	if s == "" {
		return b
	}
	return protowire.AppendString(protowire.AppendTag(b, field, protowire.BytesType), s)
}

func wireData(b []byte, field protowire.Number, data []byte) []byte {
	if len(data) == 0 {
		return b
	}
	return protowire.AppendBytes(protowire.AppendTag(b, field, protowire.BytesType), data)
}

func wireNumber(b []byte, field protowire.Number, n int64) []byte {
	if n == 0 {
		return b
	}
	return protowire.AppendVarint(protowire.AppendTag(b, field, protowire.VarintType), uint64(n))
}

func wireBool(b []byte, field protowire.Number, v bool) []byte {
	if !v {
		return b
	}
	return wireNumber(b, field, 1)
}

// The presets of a subscription's start.
const (
	replayLatest   = 0
	replayEarliest = 1
	replayCustom   = 2
)

// fetchRequest is FetchRequest and ManagedFetchRequest.
type fetchRequest struct {
	topic, subscription, developerName string
	preset                             int
	replayID                           []byte
	requested                          int32
	commit                             *commitRequest
}

type commitRequest struct {
	id       string
	replayID []byte
}

func readFetchRequest(b []byte) (*fetchRequest, *grpcError) {
	r := &fetchRequest{}
	return r, wireFields(b, func(field protowire.Number, n uint64, data []byte) {
		switch field {
		case 1:
			r.topic = string(data)
		case 2:
			r.preset = int(n)
		case 3:
			r.replayID = data
		case 4:
			r.requested = int32(n)
		}
	})
}

func readManagedFetchRequest(b []byte) (*fetchRequest, *grpcError) {
	r := &fetchRequest{}
	var inner *grpcError
	err := wireFields(b, func(field protowire.Number, n uint64, data []byte) {
		switch field {
		case 1:
			r.subscription = string(data)
		case 2:
			r.developerName = string(data)
		case 3:
			r.requested = int32(n)
		case 5:
			r.commit = &commitRequest{}
			inner = wireFields(data, func(field protowire.Number, _ uint64, data []byte) {
				switch field {
				case 1:
					r.commit.id = string(data)
				case 2:
					r.commit.replayID = data
				}
			})
		}
	})
	if err == nil {
		err = inner
	}
	return r, err
}

// readName reads the one text of TopicRequest and SchemaRequest.
func readName(b []byte) (name string, problem *grpcError) {
	problem = wireFields(b, func(field protowire.Number, _ uint64, data []byte) {
		if field == 1 {
			name = string(data)
		}
	})
	return name, problem
}

// delivery is FetchResponse and ManagedFetchResponse.
type delivery struct {
	events  []deliveredEvent
	latest  []byte
	pending int
	commit  []byte // a CommitReplayResponse
}

type deliveredEvent struct {
	id, schema      string
	payload, replay []byte
}

func (d *delivery) message(rpc string) []byte {
	var b []byte
	for _, e := range d.events {
		var event []byte
		event = wireText(event, 1, e.id)
		event = wireText(event, 2, e.schema)
		event = wireData(event, 3, e.payload)
		b = wireData(b, 1, wireData(wireData(nil, 1, event), 2, e.replay))
	}
	b = wireData(b, 2, d.latest)
	b = wireText(b, 3, rpc)
	b = wireNumber(b, 4, int64(d.pending))
	return wireData(b, 5, d.commit)
}
