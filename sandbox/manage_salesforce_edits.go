package sandbox

import (
	"maps"
	"net/http"
	"time"

	"github.com/lockstep-sync/lockstep/sandbox/salesforce"
)

// salesforceEditRoutes are the calls that change Salesforce records as a person would.
func (s *Sandbox) salesforceEditRoutes() map[string]func(*http.Request) (any, error) {
	return map[string]func(*http.Request) (any, error){
		"POST /salesforce/records/{object}":               s.createSalesforceRecord,
		"GET /salesforce/records/{object}/{id}":           s.showSalesforceRecord,
		"PATCH /salesforce/records/{object}/{id}":         s.editSalesforceRecord,
		"DELETE /salesforce/records/{object}/{id}":        s.deleteSalesforceRecord,
		"POST /salesforce/records/{object}/{id}/undelete": s.undeleteSalesforceRecord,
		"POST /salesforce/merge":                          s.mergeSalesforceRecords,
		"POST /salesforce/convert-lead":                   s.convertLead,
		"POST /salesforce/empty-recycle-bin":              s.emptyRecycleBin,
	}
}

// join puts all routes into one map.
func join(tables ...map[string]func(*http.Request) (any, error)) map[string]func(*http.Request) (any, error) {
	all := map[string]func(*http.Request) (any, error){}
	for _, t := range tables {
		maps.Copy(all, t)
	}
	return all
}

// editedBy is the part of a body that says who edits, and how long it took.
type editedBy struct {
	Username    string `json:"username,omitempty"`
	TookSeconds int    `json:"tookSeconds,omitempty"`
}

func (s *Sandbox) editor(by editedBy) *salesforce.Editor {
	return s.Salesforce().By(salesforce.Edit{Username: by.Username, Took: time.Duration(max(0, by.TookSeconds)) * time.Second})
}

// salesforceRecord is how a record is shown and edited here.
type salesforceRecord struct {
	ID     string         `json:"id,omitempty"`
	Fields map[string]any `json:"fields,omitempty"`
	editedBy
}

func (s *Sandbox) createSalesforceRecord(r *http.Request) (any, error) {
	var body salesforceRecord
	if err := readBody(r, &body); err != nil {
		return nil, err
	}
	if body.ID != "" {
		return nil, bad("leave id out", "Salesforce gives the ids")
	}
	id, err := s.editor(body.editedBy).Create(r.PathValue("object"), body.Fields)
	if err != nil {
		return nil, err
	}
	made := salesforceRecord{ID: id}
	made.Fields, _ = s.Salesforce().Get(r.PathValue("object"), id)
	return made, nil
}

func (s *Sandbox) showSalesforceRecord(r *http.Request) (any, error) {
	record := salesforceRecord{ID: r.PathValue("id")}
	there := false
	err := careful(func() { record.Fields, there = s.Salesforce().Get(r.PathValue("object"), record.ID) })
	if err == nil && !there {
		err = missing("there is no %s %s, live or in the recycle bin", r.PathValue("object"), record.ID)
	}
	return record, err
}

func (s *Sandbox) editSalesforceRecord(r *http.Request) (any, error) {
	var body salesforceRecord
	if err := readBody(r, &body); err != nil {
		return nil, err
	}
	if _, err := s.showSalesforceRecord(r); err != nil {
		return nil, err
	}
	if err := s.editor(body.editedBy).Update(r.PathValue("object"), r.PathValue("id"), body.Fields); err != nil {
		return nil, err
	}
	return s.showSalesforceRecord(r)
}

func (s *Sandbox) deleteSalesforceRecord(r *http.Request) (any, error) {
	var body editedBy
	if err := readBody(r, &body); err != nil {
		return nil, err
	}
	if _, err := s.showSalesforceRecord(r); err != nil {
		return nil, err
	}
	return nil, s.editor(body).Delete(r.PathValue("object"), r.PathValue("id"))
}

func (s *Sandbox) undeleteSalesforceRecord(r *http.Request) (any, error) {
	var body editedBy
	if err := readBody(r, &body); err != nil {
		return nil, err
	}
	if _, err := s.showSalesforceRecord(r); err != nil {
		return nil, err
	}
	return nil, s.editor(body).Undelete(r.PathValue("object"), r.PathValue("id"))
}

func (s *Sandbox) mergeSalesforceRecords(r *http.Request) (any, error) {
	var body struct {
		Object string   `json:"object"`
		Master string   `json:"masterId"`
		IDs    []string `json:"ids"`
		editedBy
	}
	if err := readBody(r, &body); err != nil {
		return nil, err
	}
	if len(body.IDs) == 0 {
		return nil, bad("name the records that go into the master", "ids is empty")
	}
	return nil, s.editor(body.editedBy).Merge(body.Object, body.Master, body.IDs...)
}

func (s *Sandbox) convertLead(r *http.Request) (any, error) {
	var body struct {
		ID              string `json:"id"`
		AccountID       string `json:"accountId"`
		ContactID       string `json:"contactId"`
		NoOpportunity   bool   `json:"noOpportunity"`
		OpportunityName string `json:"opportunityName"`
		Status          string `json:"status"`
		OwnerID         string `json:"ownerId"`
		LeadSource      bool   `json:"overwriteLeadSource"`
		editedBy
	}
	if err := readBody(r, &body); err != nil {
		return nil, err
	}
	done, err := s.editor(body.editedBy).ConvertLead(body.ID, salesforce.Conversion{
		AccountID: body.AccountID, ContactID: body.ContactID, NoOpportunity: body.NoOpportunity, OpportunityName: body.OpportunityName,
		Status: body.Status, OwnerID: body.OwnerID, OverwriteLeadSource: body.LeadSource,
	})
	if err != nil {
		return nil, err
	}
	return map[string]string{"accountId": done.AccountID, "contactId": done.ContactID, "opportunityId": done.OpportunityID}, nil
}

func (s *Sandbox) emptyRecycleBin(r *http.Request) (any, error) {
	var body struct {
		IDs []string `json:"ids"`
	}
	if err := readBody(r, &body); err != nil {
		return nil, err
	}
	return nil, s.Salesforce().EmptyRecycleBin(body.IDs...)
}
