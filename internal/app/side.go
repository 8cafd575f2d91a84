package app

import (
	"context"

	"github.com/lockstep-sync/lockstep/internal/credential"
	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/engine"
	"github.com/lockstep-sync/lockstep/internal/fault"
)

// Side is a client whose refusals are told in words of the account that it
// belongs to: which credential, under which name, and the step that mends it.
type Side struct {
	engine.Side
	Credential credential.Account
}

// explain turns a refusal into its explanation and leaves all else alone.
func (s *Side) explain(err error) error {
	if fault.KindOf(err) != fault.Denied {
		return err
	}
	return Explain(err, s.Credential)
}

// Account is engine.Side's.
func (s *Side) Account(ctx context.Context) (crm.Account, error) {
	account, err := s.Side.Account(ctx)
	if err == nil && account.Scopes == nil && s.Credential.Kind == credential.HubSpotOAuth {
		account.Scopes = s.Credential.Scopes // HubSpot tells an app's scopes with its tokens
	}
	return account, s.explain(err)
}

// Objects is engine.Side's.
func (s *Side) Objects(ctx context.Context) ([]crm.Object, error) {
	objects, err := s.Side.Objects(ctx)
	return objects, s.explain(err)
}

// Describe is engine.Side's.
func (s *Side) Describe(ctx context.Context, object string) (*crm.Object, error) {
	schema, err := s.Side.Describe(ctx, object)
	return schema, s.explain(err)
}

// Owners is engine.Side's.
func (s *Side) Owners(ctx context.Context) ([]crm.Owner, error) {
	owners, err := s.Side.Owners(ctx)
	return owners, s.explain(err)
}

// Read is engine.Side's.
func (s *Side) Read(ctx context.Context, read crm.Read, yield func([]crm.Record) error) (crm.ReadReport, error) {
	report, err := s.Side.Read(ctx, read, yield)
	return report, s.explain(err)
}

// Changes is engine.Side's.
func (s *Side) Changes(ctx context.Context, read crm.Read, sinceMicros int64, yield func([]crm.Record) error) (crm.ReadReport, error) {
	report, err := s.Side.Changes(ctx, read, sinceMicros, yield)
	return report, s.explain(err)
}

// Lookup is engine.Side's.
func (s *Side) Lookup(ctx context.Context, read crm.Read, ids []string) ([]crm.Record, error) {
	records, err := s.Side.Lookup(ctx, read, ids)
	return records, s.explain(err)
}

// Relations is engine.Side's.
func (s *Side) Relations(ctx context.Context, read crm.Read, ids []string) ([]crm.Record, int, error) {
	records, calls, err := s.Side.Relations(ctx, read, ids)
	return records, calls, s.explain(err)
}

// userTeller is a client that knows the check boxes of the user.
type userTeller interface {
	UserHas(ctx context.Context, field string) (has, told bool, err error)
}

// UserHas tells whether a check box of the Salesforce user is ticked; told is
// false where that cannot be seen.
func (s *Side) UserHas(ctx context.Context, field string) (has, told bool, err error) {
	client, ok := s.Side.(userTeller)
	if !ok {
		return false, false, nil
	}
	has, told, err = client.UserHas(ctx, field)
	return has, told, s.explain(err)
}

// labeller is a client that knows the labels of associations.
type labeller interface {
	AssociationLabels(ctx context.Context, from, to string) ([]string, error)
}

// AssociationLabels lists HubSpot's labels for associations between two objects;
// nil for a side that has none.
func (s *Side) AssociationLabels(ctx context.Context, from, to string) ([]string, error) {
	client, ok := s.Side.(labeller)
	if !ok {
		return nil, nil
	}
	labels, err := client.AssociationLabels(ctx, from, to)
	return labels, s.explain(err)
}

// Find is engine.Side's.
func (s *Side) Find(ctx context.Context, read crm.Read, field string, values []string) ([]crm.Record, error) {
	records, err := s.Side.Find(ctx, read, field, values)
	return records, s.explain(err)
}

// Gone is engine.Side's.
func (s *Side) Gone(ctx context.Context, read crm.Read, createdMicros int64, yield func([]crm.Record) error) error {
	return s.explain(s.Side.Gone(ctx, read, createdMicros, yield))
}

// FieldTimes is engine.Side's.
func (s *Side) FieldTimes(ctx context.Context, object string, ids, fields []string) (map[string]map[string]crm.FieldTime, error) {
	times, err := s.Side.FieldTimes(ctx, object, ids, fields)
	return times, s.explain(err)
}

// historian is a client that knows what fields held before.
type historian interface {
	FieldHistory(ctx context.Context, object, id string, fields []string) (map[string][]crm.FieldRevision, map[string]bool, error)
}

// FieldHistory tells what fields of a record were set to, oldest first, and of which
// fields that is all; nil for a side that keeps no such history.
func (s *Side) FieldHistory(ctx context.Context, object, id string, fields []string) (map[string][]crm.FieldRevision, map[string]bool, error) {
	client, ok := s.Side.(historian)
	if !ok {
		return nil, nil, nil
	}
	revisions, whole, err := client.FieldHistory(ctx, object, id, fields)
	return revisions, whole, s.explain(err)
}

// Apply is engine.Side's.
func (s *Side) Apply(ctx context.Context, writes []crm.Write) ([]crm.Result, error) {
	results, err := s.Side.Apply(ctx, writes)
	return results, s.explain(err)
}
