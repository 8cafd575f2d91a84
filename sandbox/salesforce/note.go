package salesforce

import (
	"encoding/base64"
	"html"
	"net/http"
	"regexp"
	"strings"

	"github.com/lockstep-sync/lockstep/sandbox/salesforce/soql"
)

// Notes are content notes: the record holds a title and, base64-encoded on the
// way in, a piece of HTML; links say which records they are on.
// https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_contentnote.htm

var htmlTag = regexp.MustCompile(`<[^>]*>`)

const notePreview = 255 // characters

// deriveNote computes size and preview of a note.
func (s *Server) deriveNote(t *transaction, o *object, d *draft, before *row, given map[*field]bool) {
	content := o.byName["content"]
	if before == nil {
		d.set(o.byName["fileextension"], textOf("snote"))
		d.set(o.byName["filetype"], textOf("SNOTE"))
	}
	if before != nil && !given[content] {
		return
	}
	body, _ := base64.StdEncoding.DecodeString(d.get(content).text)
	d.set(o.byName["contentsize"], numberOf(float64(len(body))))
	d.set(o.byName["contentmodifieddate"], datetimeOf(t.now))
	d.set(o.byName["latestpublishedversionid"], textOf(makeID("068", 1000+s.seed%100_000+s.changes)))
	preview := []rune(strings.TrimSpace(html.UnescapeString(htmlTag.ReplaceAllString(string(body), " "))))
	d.set(o.byName["textpreview"], textOf(string(preview[:min(len(preview), notePreview)])))
}

// linkOwner links a new note to its owner, as the platform does.
func (s *Server) linkOwner(t *transaction, o *object, r *row) {
	links := s.object("ContentDocumentLink")
	d := &draft{}
	d.set(links.byName["linkedentityid"], r.get(o.owner))
	d.set(links.byName["contentdocumentid"], textOf(r.id))
	d.set(links.byName["sharetype"], textOf("I"))
	d.set(links.byName["visibility"], textOf("AllUsers"))
	t.create(links, d.cells, r.created, r.modified, r.createdBy)
}

// noteRules checks that a note's content is base64.
func noteRules(o *object, d *draft) *failure {
	if _, err := base64.StdEncoding.DecodeString(d.get(o.byName["content"]).text); err != nil {
		return refuse("INVALID_BASE64_DATA", "The content is not encoded in base64.", "Content")
	}
	return nil
}

// linkRules refuses a second link of a note to the same record.
func (s *Server) linkRules(o *object, d *draft, before *row) *failure {
	if before != nil {
		return nil
	}
	for _, other := range o.match(o.byName["contentdocumentid"], d.get(o.byName["contentdocumentid"])) {
		if other.get(o.byName["linkedentityid"]).equal(d.get(o.byName["linkedentityid"])) {
			return refuse("DUPLICATE_VALUE", "duplicate value found: <unknown> duplicates value on record with id: <unknown>")
		}
	}
	return nil
}

// blob answers the content of a base64 field, which is what its value points to.
func (c *call) blob(f *field, r *row) *reply {
	body, _ := base64.StdEncoding.DecodeString(r.get(f).text)
	done := answer(http.StatusOK, body)
	done.contentType = "application/octetstream"
	return done
}

// appendBlob writes where the content of a base64 field is.
func (r *row) appendBlob(b []byte, f *field) []byte {
	if r.get(f).null() {
		return append(b, "null"...)
	}
	return appendString(b, "/services/data/v68.0/sobjects/"+f.object.name+"/"+r.id+"/"+f.Name)
}

// linkFilter refuses queries for links that name neither notes nor records.
func (b *binder) linkFilter(o *object, where soql.Condition) error {
	if o.name == "ContentDocumentLink" && !filtersLinks(where) {
		return b.fail("MALFORMED_QUERY", "Implementation restriction: ContentDocumentLink requires a filter by a single Id on ContentDocumentId or LinkedEntityId using the equals operator or multiple Id's using the IN operator.", -1)
	}
	return nil
}

func filtersLinks(c soql.Condition) bool {
	named := func(e soql.Expression) bool {
		p, ok := e.(soql.Path)
		return ok && (strings.EqualFold(p.Names[len(p.Names)-1], "ContentDocumentId") || strings.EqualFold(p.Names[len(p.Names)-1], "LinkedEntityId") || strings.EqualFold(p.Names[len(p.Names)-1], "Id"))
	}
	switch c := c.(type) {
	case soql.And:
		for _, part := range c {
			if filtersLinks(part) {
				return true
			}
		}
	case soql.Comparison:
		return c.Op == "=" && named(c.Left)
	case soql.In:
		return c.Op == "IN" && named(c.Left)
	}
	return false
}
