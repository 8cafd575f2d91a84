package salesforce

import (
	"encoding/xml"
	"html"
	"io"
	"strings"
)

// element is an XML element as far as SOAP requests need it: names without
// their namespaces, text, children in order.
type element struct {
	name     string
	text     string
	null     bool // xsi:nil
	children []*element
}

// UnmarshalXML reads any element.
func (e *element) UnmarshalXML(d *xml.Decoder, start xml.StartElement) error {
	e.name = start.Name.Local
	for _, a := range start.Attr {
		if a.Name.Local == "nil" && (a.Value == "true" || a.Value == "1") {
			e.null = true
		}
	}
	for {
		token, err := d.Token()
		if err != nil {
			if err == io.EOF {
				return io.ErrUnexpectedEOF
			}
			return err
		}
		switch token := token.(type) {
		case xml.StartElement:
			child := &element{}
			if err := child.UnmarshalXML(d, token); err != nil {
				return err
			}
			e.children = append(e.children, child)
		case xml.CharData:
			e.text += string(token)
		case xml.EndElement:
			e.text = strings.TrimSpace(e.text)
			return nil
		}
	}
}

// get is the text of the first child of the name, "" when there is none.
func (e *element) get(name string) string {
	if c := e.child(name); c != nil {
		return c.text
	}
	return ""
}

func (e *element) child(name string) *element {
	for _, c := range e.children {
		if c.name == name {
			return c
		}
	}
	return nil
}

// all are the children of the name.
func (e *element) all(name string) []*element {
	var found []*element
	for _, c := range e.children {
		if c.name == name {
			found = append(found, c)
		}
	}
	return found
}

// Limits of the calls.
// https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_convertlead.htm
const (
	convertLimit = 100
	mergeLimit   = 2 // records to merge into a master
)

// soapRecords runs the calls that REST has no resource for: convertLead, merge,
// undelete, emptyRecycleBin; and delete, which goes with them. Every record has
// its own result.
func (c *call) soapRecords(operation *element) *reply {
	s := c.server
	limit := collectionLimit
	var items []*element
	var each func(*element) (string, failures)
	switch operation.name {
	case "convertLead":
		items, limit, each = operation.all("leadConverts"), convertLimit, c.soapConvert
	case "merge":
		items, each = operation.all("request"), c.soapMerge
	case "undelete":
		items, each = operation.all("ids"), func(e *element) (string, failures) { return c.soapByID(e.text, true, c.undeleteOne) }
	case "emptyRecycleBin":
		items, each = operation.all("ids"), func(e *element) (string, failures) {
			return c.soapByID(e.text, true, func(o *object, r *row) *failure {
				s.purgeBelow(o, r)
				return nil
			})
		}
	case "delete":
		items, each = operation.all("ids"), func(e *element) (string, failures) { return c.soapByID(e.text, false, c.remove) }
	default:
		return soapFault("INVALID_OPERATION", "No operation available for this request")
	}
	if _, fitted := s.usage.spend(1, s.dailyLimit, s.nowSeconds()); !fitted {
		return soapFault("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
	}
	c.soapWrite = true
	if len(items) > limit {
		return soapFault("EXCEEDED_ID_LIMIT", "too many records in one call")
	}
	var results strings.Builder
	for _, item := range items {
		mark := c.tx.mark()
		result, problems := each(item)
		if problems != nil {
			c.tx.rollback(mark)
		} else {
			c.rows++
		}
		results.WriteString("<result>")
		for _, p := range problems {
			results.WriteString("<errors>")
			for _, name := range p.fields {
				results.WriteString("<fields>" + html.EscapeString(name) + "</fields>")
			}
			results.WriteString("<message>" + html.EscapeString(p.message) + "</message><statusCode>" + p.code + "</statusCode></errors>")
		}
		results.WriteString(result)
		if problems == nil {
			results.WriteString("<success>true</success></result>")
		} else {
			results.WriteString("<success>false</success></result>")
		}
	}
	return soapAnswer(operation.name, results.String())
}

func soapTag(name, text string) string {
	if text == "" {
		return "<" + name + ` xsi:nil="true"/>`
	}
	return "<" + name + ">" + html.EscapeString(text) + "</" + name + ">"
}

// soapByID runs an operation on the record that an id names, which must be in
// the recycle bin or must not.
func (c *call) soapByID(text string, binned bool, run func(*object, *row) *failure) (string, failures) {
	id, ok := longID(text)
	o := c.server.objectOf(id)
	if !ok || o == nil {
		return soapTag("id", ""), failures{refuse("MALFORMED_ID", "malformed id "+text)}
	}
	r := o.find(id)
	switch {
	case r == nil:
		return soapTag("id", ""), failures{refuse("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")}
	case r.deleted && !binned:
		return soapTag("id", ""), failures{deletedEntity()}
	case !r.deleted && binned:
		return soapTag("id", ""), failures{refuse("UNDELETE_FAILED", "Entity is not in the recycle bin")}
	}
	if problem := run(o, r); problem != nil {
		return soapTag("id", id), failures{problem}
	}
	return soapTag("id", id), nil
}

func (c *call) undeleteOne(o *object, r *row) *failure {
	if !c.server.access(c.user, o).Delete {
		return noAccess()
	}
	return c.server.undelete(c.tx, o, r)
}

// soapConvert runs one LeadConvert.
func (c *call) soapConvert(e *element) (string, failures) {
	s := c.server
	leads := s.object("Lead")
	id, _ := longID(e.get("leadId"))
	var done Converted
	result := func() string {
		return soapTag("accountId", done.AccountID) + soapTag("contactId", done.ContactID) + soapTag("leadId", id) +
			soapTag("opportunityId", done.OpportunityID) + soapTag("relatedPersonAccountId", "")
	}
	lead := leads.find(id)
	switch {
	case lead == nil:
		return result(), failures{refuse("INVALID_ID_FIELD", "invalid lead id: "+e.get("leadId"), "leadId")}
	case lead.deleted:
		return result(), failures{deletedEntity()}
	case !s.convertedStatus(e.get("convertedStatus")):
		return result(), failures{refuse("INVALID_STATUS", "invalid convertedStatus: "+e.get("convertedStatus"), "convertedStatus")}
	case !s.access(c.user, leads).Edit || !s.access(c.user, s.object("Account")).Create || !s.access(c.user, s.object("Contact")).Create:
		return result(), failures{noAccess()}
	}
	if problem := c.meetLock(lead); problem != nil {
		return result(), failures{problem}
	}
	long := func(name string) string {
		id, _ := longID(e.get(name))
		return id
	}
	made, problem := s.convert(c.tx, lead, Conversion{
		AccountID: long("accountId"), ContactID: long("contactId"), OwnerID: long("ownerId"), Status: e.get("convertedStatus"),
		NoOpportunity: e.get("doNotCreateOpportunity") == "true", OpportunityName: e.get("opportunityName"),
		OverwriteLeadSource: e.get("overwriteLeadSource") == "true",
	})
	if problem != nil {
		return result(), failures{problem}
	}
	done = made
	return result(), nil
}

// convertedStatus says whether a lead status means converted.
func (s *Server) convertedStatus(name string) bool {
	o := s.object("LeadStatus")
	for _, r := range o.rows {
		if r != nil && strings.EqualFold(r.get(o.byName["apiname"]).text, name) && r.get(o.byName["isconverted"]).isTrue() {
			return true
		}
	}
	return false
}

// soapMerge runs one MergeRequest. Fields of the master record are its new values.
func (c *call) soapMerge(e *element) (string, failures) {
	s := c.server
	wanted := e.child("masterRecord")
	var merged, related string
	result := func(id string) string { return soapTag("id", id) + merged + related }
	if wanted == nil {
		return result(""), failures{refuse("REQUIRED_FIELD_MISSING", "Required fields are missing: [masterRecord]")}
	}
	id, _ := longID(wanted.get("Id"))
	o := s.object(wanted.get("type"))
	if o == nil || o.find(id) == nil {
		return result(""), failures{refuse("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")}
	}
	master := o.find(id)
	if master.deleted {
		return result(""), failures{deletedEntity()}
	}
	if a := s.access(c.user, o); !a.Edit || !a.Delete {
		return result(""), failures{noAccess()}
	}
	var losers []*row
	for _, other := range e.all("recordToMergeIds") {
		long, _ := longID(other.text)
		r := o.find(long)
		if r == nil {
			return result(id), failures{refuse("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")}
		}
		losers = append(losers, r)
		merged += soapTag("mergedRecordIds", long)
	}
	if len(losers) == 0 || len(losers) > mergeLimit {
		return result(id), failures{refuse("NUMBER_OUTSIDE_VALID_RANGE", "one or two records can be merged into a master")}
	}
	for _, r := range append([]*row{master}, losers...) {
		if problem := c.meetLock(r); problem != nil {
			return result(id), failures{problem}
		}
	}
	touched := c.tx.mark()
	if problem := s.merge(c.tx, o, master, losers); problem != nil {
		return result(id), failures{problem}
	}
	for _, u := range c.tx.undos[touched:] {
		if u.object != o {
			related += soapTag("updatedRelatedIds", u.row.id)
		}
	}
	n := &node{kind: '{'}
	for _, f := range wanted.children {
		switch {
		case f.name == "type" || f.name == "Id":
		case f.name == "fieldsToNull":
			n.members = append(n.members, member{f.text, &node{kind: 'n'}})
		case f.null || f.text == "":
			n.members = append(n.members, member{f.name, &node{kind: 'n'}})
		default:
			n.members = append(n.members, member{f.name, &node{kind: '"', text: f.text}})
		}
	}
	if len(n.members) > 0 {
		if problems := c.update(o, master, n, ""); problems != nil {
			return result(id), problems
		}
		c.rows--
	}
	return result(id), nil
}
