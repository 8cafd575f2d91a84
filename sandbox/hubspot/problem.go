package hubspot

import (
	"fmt"
	"strings"
)

// problem is an answer that refuses: the vendor's error envelope.
// https://developers.hubspot.com/docs/api-reference/error-handling
type problem struct {
	status      int
	message     string
	category    string
	subCategory string
	errorType   string
	policyName  string
	groupName   string
	context     []contextEntry
	links       [][2]string
	errors      []problemDetail
	// oauthError and oauthStatus are set on refusals of the OAuth endpoints.
	oauthError, oauthStatus string
	// html, when set, is the whole body, as from a proxy before the API.
	html string
	// headers are set on the answer.
	headers [][2]string
}

type contextEntry struct {
	key    string
	values []string
}

type problemDetail struct {
	message     string
	code        string
	in          string
	subCategory string
	context     []contextEntry
}

// Error is the message of the body, which never holds a token.
func (p *problem) Error() string { return p.message }

func (e *encoder) problem(p *problem, correlation string) {
	e.object()
	e.textField("status", "error")
	e.problemMembers(p, correlation)
	e.endObject()
}

// batchProblem is an entry of a 207 answer, which has no correlation id.
func (e *encoder) batchProblem(p *problem) {
	e.object()
	e.textField("status", "error")
	e.problemMembers(p, "")
	e.endObject()
}

func (e *encoder) problemMembers(p *problem, correlation string) {
	if p.category != "" {
		e.textField("category", p.category)
	}
	if p.subCategory != "" {
		e.textField("subCategory", p.subCategory)
	}
	e.textField("message", p.message)
	if p.errorType != "" {
		e.textField("errorType", p.errorType)
	}
	if correlation != "" {
		e.textField("correlationId", correlation)
	}
	if p.policyName != "" {
		e.textField("policyName", p.policyName)
	}
	if p.groupName != "" {
		e.textField("groupName", p.groupName)
	}
	if len(p.context) > 0 {
		e.context(p.context)
	}
	if len(p.errors) > 0 {
		e.key("errors")
		e.array()
		for _, d := range p.errors {
			e.object()
			e.textField("message", d.message)
			if d.in != "" {
				e.textField("in", d.in)
			}
			if d.code != "" {
				e.textField("code", d.code)
			}
			if d.subCategory != "" {
				e.textField("subCategory", d.subCategory)
			}
			if len(d.context) > 0 {
				e.context(d.context)
			}
			e.endObject()
		}
		e.endArray()
	}
	if len(p.links) > 0 {
		e.key("links")
		e.object()
		for _, l := range p.links {
			e.textField(l[0], l[1])
		}
		e.endObject()
	}
}

func (e *encoder) context(entries []contextEntry) {
	e.key("context")
	e.object()
	for _, c := range entries {
		e.textsField(c.key, c.values)
	}
	e.endObject()
}

func invalid(format string, args ...any) *problem {
	return &problem{status: 400, category: "VALIDATION_ERROR", message: fmt.Sprintf(format, args...)}
}

func invalidBody(message string) *problem {
	return &problem{status: 400, message: "Invalid input JSON " + message}
}

func missingFields(names ...string) *problem {
	return invalid("Invalid input JSON on line 1, column 1: Some required fields were not set: [%s]", strings.Join(names, ", "))
}

func unknownType(name string) *problem {
	return invalid("Unable to infer object type from: %s", name)
}

func notFound() *problem { return &problem{status: 404, message: "resource not found"} }

func notNumeric(id string) *problem {
	return &problem{status: 404, category: "OBJECT_NOT_FOUND", message: "Object not found.  objectId are usually numeric.",
		context: []contextEntry{{"id", []string{id}}}}
}

func objectNotFound(format string, args ...any) *problem {
	return &problem{status: 404, category: "OBJECT_NOT_FOUND", message: fmt.Sprintf(format, args...)}
}

func someNotFound(t *table, ids []string) *problem {
	return &problem{status: 404, category: "OBJECT_NOT_FOUND",
		message: fmt.Sprintf("Could not get some %s objects, they may be deleted or not exist. Check that ids are valid.", strings.ToUpper(t.kind.singular)),
		context: []contextEntry{{"ids", ids}}}
}

func contactExists(id int64) *problem {
	message := "Contact already exists"
	if id != 0 {
		message = fmt.Sprintf("Contact already exists. Existing ID: %d", id)
	}
	return &problem{status: 409, category: "CONFLICT", message: message}
}

func propertyTaken(name string) *problem {
	return &problem{status: 409, category: "OBJECT_ALREADY_EXISTS", subCategory: "Properties.PROPERTY_WITH_NAME_EXISTS",
		message: fmt.Sprintf("A property named '%s' already exists.", name)}
}

func invalidProperty(name, why string) *problem {
	return &problem{status: 400, category: "VALIDATION_ERROR", subCategory: "Properties.PROPERTY_CREATE_FAILED_VALIDATION",
		message: "Property failed validation.",
		errors:  []problemDetail{{message: why, context: []contextEntry{{"propertyName", []string{name}}}}}}
}

// badValue is one refused value; a call reports all of them at once.
type badValue struct {
	property string
	code     string
	message  string
}

func invalidValues(portalID int64, bad []badValue) *problem {
	p := &problem{status: 400, category: "VALIDATION_ERROR"}
	var e encoder
	e.array()
	for _, b := range bad {
		e.object()
		e.boolField("isValid", false)
		e.textField("message", b.message)
		e.textField("error", b.code)
		e.textField("name", b.property)
		e.textField("localizedErrorMessage", b.message)
		e.numberField("portalId", portalID)
		e.endObject()
		p.errors = append(p.errors, problemDetail{message: b.message, code: b.code, context: []contextEntry{{"propertyName", []string{b.property}}}})
	}
	e.endArray()
	p.message = "Property values were not valid: " + string(e.b)
	return p
}
