package salesforce

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/fault"
)

const (
	// maxEncodedQuery keeps a query, as it stands in an address, well within the
	// 16,384 bytes that Salesforce takes for address and headers together.
	maxEncodedQuery = 12_000
	// maxLiteral is the longest text that a WHERE clause may hold.
	maxLiteral = 4_000

	stampLayout = "2006-01-02T15:04:05.000-0700"
	whereLayout = "2006-01-02T15:04:05Z"
)

// query is one SOQL statement over one object and how its rows become records.
type query struct {
	layout    *crm.Layout
	junctions []junction
	where     string
	order     string
	// all asks queryAll, which also returns deleted rows.
	all bool
	// merges asks for MasterRecordId, which not every object has.
	merges bool
	// plain leaves out the stamps, which some system objects lack.
	plain bool
	// calls is raised by one for each call; may be nil.
	calls *int
}

func (q *query) counted() {
	if q.calls != nil {
		*q.calls++
	}
}

func (q *query) resource() string {
	if q.all {
		return "/queryAll"
	}
	return "/query"
}

// columns are the names after SELECT, subqueries left out: Id first, each once.
func (q *query) columns() []string {
	columns := make([]string, 0, len(q.layout.Fields)+5)
	seen := make(map[string]bool, len(q.layout.Fields)+5)
	add := func(name string) {
		if key := strings.ToLower(name); !seen[key] {
			seen[key] = true
			columns = append(columns, name)
		}
	}
	add("Id")
	for _, field := range q.layout.Fields {
		if !isMadeUp(q.layout.Object, field) {
			add(field)
		}
	}
	if !q.plain {
		add("SystemModstamp")
		add("CreatedDate")
	}
	if q.all {
		add("IsDeleted")
	}
	if q.merges {
		add("MasterRecordId")
	}
	return columns
}

// soql returns the statement; more is one further condition.
func (q *query) soql(more string) string {
	var b strings.Builder
	b.WriteString("SELECT ")
	b.WriteString(strings.Join(q.columns(), ", "))
	for i := range q.junctions {
		if q.junctions[i].relationship == "" {
			continue
		}
		b.WriteString(", ")
		b.WriteString(q.junctions[i].subquery(q.all))
	}
	b.WriteString(" FROM ")
	b.WriteString(q.layout.Object)
	b.WriteString(whereClause(q.where, more))
	if q.order != "" {
		b.WriteString(" ORDER BY ")
		b.WriteString(q.order)
	}
	return b.String()
}

// whereClause joins conditions; SOQL wants parentheses where AND and OR meet.
func whereClause(conditions ...string) string {
	var parts []string
	for _, condition := range conditions {
		if condition != "" {
			parts = append(parts, condition)
		}
	}
	switch len(parts) {
	case 0:
		return ""
	case 1:
		return " WHERE " + parts[0]
	}
	return " WHERE (" + strings.Join(parts, ") AND (") + ")"
}

// check refuses names that could be anything but names.
func (q *query) check() error {
	for _, name := range append([]string{q.layout.Object}, q.layout.Fields...) {
		if !apiNameForm.MatchString(name) {
			return fault.New(fault.Invalid, "%q is no name of a Salesforce object or field", name).WithMend("lockstep check")
		}
	}
	return nil
}

// quote writes a SOQL text literal.
// https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select_quotedstringescapes.htm
func quote(text string) string {
	var b strings.Builder
	b.Grow(len(text) + 2)
	b.WriteByte('\'')
	for _, r := range text {
		switch r {
		case '\'', '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case '\n':
			b.WriteString(`\n`)
		case '\r':
			b.WriteString(`\r`)
		case '\t':
			b.WriteString(`\t`)
		case '\b':
			b.WriteString(`\b`)
		case '\f':
			b.WriteString(`\f`)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('\'')
	return b.String()
}

// literal writes value as SOQL wants it for a field of this kind; ok is false
// for a value that no record can hold.
func literal(kind crm.Kind, value string) (text string, ok bool) {
	switch kind {
	case crm.KindInteger, crm.KindNumber, crm.KindCurrency, crm.KindPercent:
		return numberText(value, kind)
	case crm.KindBool:
		return boolText(value)
	case crm.KindDate:
		return dateText(value)
	case crm.KindDateTime:
		t, ok := parseMoment(value)
		return t.UTC().Format("2006-01-02T15:04:05.000Z"), ok
	case crm.KindID, crm.KindReference, crm.KindOwner:
		id, ok := ID18(value)
		return quote(id), ok
	}
	return quote(value), len(value) <= maxLiteral
}

// membership writes "field IN (…)" as often as needed so that each statement
// made of q stays short enough. Literals that are alike are written once.
func (q *query) membership(field string, literals []string) []query {
	room := maxEncodedQuery - len(escape(q.soql("x IN ()"))) - len(escape(field))
	var statements []query
	var parts []string
	size := 0
	flush := func() {
		if len(parts) > 0 {
			one := *q
			one.where = field + " IN (" + strings.Join(parts, ",") + ")"
			if q.where != "" {
				one.where = "(" + q.where + ") AND (" + one.where + ")"
			}
			statements = append(statements, one)
		}
		parts, size = nil, 0
	}
	seen := make(map[string]bool, len(literals))
	for _, l := range literals {
		if seen[l] {
			continue
		}
		seen[l] = true
		length := len(escape(l)) + len(escape(","))
		if size+length > room {
			flush()
		}
		parts, size = append(parts, l), size+length
	}
	flush()
	return statements
}

// escape writes text for the query part of an address, blanks as %20: inside a
// composite call a plus sign would have to be trusted to mean a blank.
func escape(text string) string {
	return strings.ReplaceAll(url.QueryEscape(text), "+", "%20")
}

// parseStamp reads the form in which Salesforce tells times, as microseconds; 0
// when it is none.
func parseStamp(text string) int64 {
	t, err := time.Parse(stampLayout, text)
	if err != nil {
		if t, err = time.Parse(time.RFC3339Nano, text); err != nil {
			return 0
		}
	}
	return t.UnixMicro()
}

// since writes a moment for a WHERE clause, whole seconds, earlier if need be.
func since(micros int64) string {
	return time.UnixMicro(max(micros, 0)).UTC().Truncate(time.Second).Format(whereLayout)
}

// numberText checks a number and writes it as JSON and SOQL do.
func numberText(text string, kind crm.Kind) (string, bool) {
	text = strings.TrimPrefix(strings.TrimSpace(text), "+")
	if _, err := strconv.ParseFloat(text, 64); err != nil || strings.ContainsAny(text, "xXpP_nNiI") {
		return "", false
	}
	negative := strings.HasPrefix(text, "-")
	text = strings.TrimPrefix(text, "-")
	if strings.HasPrefix(text, ".") {
		text = "0" + text
	}
	whole, fraction, dotted := strings.Cut(text, ".")
	for len(whole) > 1 && whole[0] == '0' && whole[1] >= '0' && whole[1] <= '9' {
		whole = whole[1:]
	}
	if dotted && (fraction == "" || fraction[0] < '0' || fraction[0] > '9') {
		return "", false
	}
	if kind == crm.KindInteger {
		if strings.Trim(fraction, "0") != "" || strings.ContainsAny(whole, "eE") {
			return "", false
		}
		fraction, dotted = "", false
	}
	text = whole
	if dotted {
		text += "." + fraction
	}
	if negative {
		text = "-" + text
	}
	return text, true
}

func boolText(text string) (string, bool) {
	switch strings.ToLower(strings.TrimSpace(text)) {
	case "true", "1":
		return "true", true
	case "false", "0":
		return "false", true
	}
	return "", false
}

func dateText(text string) (string, bool) {
	t, err := time.Parse(time.DateOnly, text)
	// Salesforce keeps dates from 1700 to 4000.
	if err != nil || t.Year() < 1700 || t.Year() > 4000 {
		return "", false
	}
	return text, true
}

// clockText writes a time of day as Salesforce does.
func clockText(text string) (string, bool) {
	t, err := time.Parse("15:04:05.999Z", text)
	return t.Format("15:04:05.000Z"), err == nil
}

func parseMoment(text string) (time.Time, bool) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999Z0700"} {
		if t, err := time.Parse(layout, text); err == nil && t.Year() >= 1700 && t.Year() <= 4000 {
			return t, true
		}
	}
	return time.Time{}, false
}

func plural(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %ss", n, one)
}
