package salesforce

import (
	"fmt"
	"strings"
	"time"
)

// Edit says who changes records through an [Editor], and how. The zero Edit is
// the administrator in the browser.
type Edit struct {
	// Username is the person; the administrator when empty.
	Username string
	// Took is how long the transaction ran before it was committed: its stamps are
	// those of the saving, so much earlier than the moment at which others see the
	// rows. The dial of late commits does not add to it.
	Took time.Duration
}

// Editor changes records as one person would in the user interface: stamps
// move, names and types are checked, and nothing else is. An error leaves
// everything as it was.
type Editor struct {
	server *Server
	edit   Edit
	tx     *transaction // of Together
}

// By returns an editor. An unknown username is told by its methods.
func (s *Server) By(e Edit) *Editor { return &Editor{server: s, edit: e} }

// browserOrigin is what change events name as the origin of an edit in the browser.
// https://developer.salesforce.com/docs/atlas.en-us.change_data_capture.meta/change_data_capture/cdc_event_fields_header.htm
const browserOrigin = "com/salesforce/api/soap/68.0;client=SfdcInternalAPI/"

// within runs one transaction of the editor.
func (e *Editor) within(what string, change func(t *transaction) error) error {
	s := e.server
	if e.tx != nil {
		mark := e.tx.mark()
		if err := change(e.tx); err != nil {
			e.tx.rollback(mark)
			return fmt.Errorf("%s: %w", what, err)
		}
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweepBin()
	u := s.admin
	if e.edit.Username != "" {
		if u = s.users[strings.ToLower(e.edit.Username)]; u == nil {
			return fmt.Errorf("%s: there is no user %s", what, e.edit.Username)
		}
	}
	t := s.begin(u)
	t.origin = browserOrigin
	if e.edit.Took > 0 {
		t.take(e.edit.Took)
	}
	if err := change(t); err != nil {
		t.rollback(0)
		return fmt.Errorf("%s: %w", what, err)
	}
	t.commit()
	return nil
}

// Together makes all edits of a function one transaction, with one stamp, which
// an error takes back as a whole. The function must use the editor that it is
// given and nothing else of the server.
func (e *Editor) Together(edits func(e *Editor) error) error {
	return e.within("edit together", func(t *transaction) error {
		return edits(&Editor{server: e.server, edit: e.edit, tx: t})
	})
}

// Create makes a record; what the platform computes is filled in.
func (e *Editor) Create(objectName string, fields map[string]any) (id string, err error) {
	err = e.within("create "+objectName, func(t *transaction) error {
		at := time.Unix(t.now, 0)
		r, err := e.server.loaded(t, objectName, fields, at, at)
		if err == nil {
			id = r.id
		}
		return err
	})
	return id, err
}

// Update changes fields of a record. Values are as for [Server.Insert].
func (e *Editor) Update(objectName, id string, fields map[string]any) error {
	return e.within("update "+objectName+" "+id, func(t *transaction) error {
		s := e.server
		o, r, err := s.located(objectName, id)
		if err != nil {
			return err
		}
		d := draftOf(r)
		given := map[*field]bool{}
		for name, v := range fields {
			f := o.field(name)
			if f == nil || f.source != stored {
				return fmt.Errorf("no field %s to write", name)
			}
			cell, err := trusted(f, v)
			if err != nil {
				return err
			}
			d.set(f, cell)
			given[f] = true
		}
		keepSum(o, d, r)
		s.derive(t, o, d, r, given)
		t.update(o, r, d.cells, false)
		s.afterUpdate(t, o, r)
		return nil
	})
}

// Delete puts a record into the recycle bin, and its children as the platform does.
func (e *Editor) Delete(objectName, id string) error {
	return e.within("delete "+objectName+" "+id, func(t *transaction) error {
		o, r, err := e.server.located(objectName, id)
		if err == nil {
			err = e.server.deleteRow(t, o, r).orNil()
		}
		return err
	})
}

// Undelete takes a record out of the recycle bin, with the children that went
// there with it.
func (e *Editor) Undelete(objectName, id string) error {
	return e.within("undelete "+objectName+" "+id, func(t *transaction) error {
		o, r, err := e.server.binned(objectName, id)
		if err == nil {
			err = e.server.undelete(t, o, r).orNil()
		}
		return err
	})
}

// Merge folds records of Account, Contact or Lead into a master, as a person in
// the user interface or a SOAP client would: what belongs to the others moves
// to the master, the others go to the recycle bin with MasterRecordId set. The
// master's fields stay as they are.
// https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_merge.htm
func (e *Editor) Merge(objectName, masterID string, ids ...string) error {
	return e.within("merge", func(t *transaction) error {
		s := e.server
		o, master, err := s.located(objectName, masterID)
		if err != nil {
			return err
		}
		var losers []*row
		for _, id := range ids {
			_, loser, err := s.located(objectName, id)
			if err != nil {
				return err
			}
			losers = append(losers, loser)
		}
		return s.merge(t, o, master, losers).orNil()
	})
}

// ConvertLead converts a lead. Existing records get only their empty fields filled.
// https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_convertlead.htm
func (e *Editor) ConvertLead(id string, c Conversion) (done Converted, err error) {
	err = e.within("convert lead "+id, func(t *transaction) error {
		_, lead, err := e.server.located("Lead", id)
		if err != nil {
			return err
		}
		var problem *failure
		done, problem = e.server.convert(t, lead, c)
		return problem.orNil()
	})
	return done, err
}

// Update edits a record as the administrator; see [Editor.Update].
func (s *Server) Update(objectName, id string, fields map[string]any) error {
	return s.By(Edit{}).Update(objectName, id, fields)
}

// Delete deletes a record as the administrator; see [Editor.Delete].
func (s *Server) Delete(objectName, id string) error { return s.By(Edit{}).Delete(objectName, id) }

// Undelete restores a record as the administrator; see [Editor.Undelete].
func (s *Server) Undelete(objectName, id string) error { return s.By(Edit{}).Undelete(objectName, id) }

// Merge merges records as the administrator; see [Editor.Merge].
func (s *Server) Merge(objectName, masterID string, ids ...string) error {
	return s.By(Edit{}).Merge(objectName, masterID, ids...)
}

// ConvertLead converts a lead as the administrator; see [Editor.ConvertLead].
func (s *Server) ConvertLead(id string, c Conversion) (Converted, error) {
	return s.By(Edit{}).ConvertLead(id, c)
}
