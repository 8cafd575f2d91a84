package salesforce

import (
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

func roundTo(f float64, places int) float64 {
	p := math.Pow10(places)
	return math.Round(f*p) / p
}

// parseText reads a field's value from text; problem is not "" when it cannot.
func parseText(f *field, s string) (v value, problem string) {
	ok := true
	switch f.kind() {
	case text:
		return textOf(s), ""
	case boolean:
		switch {
		case strings.EqualFold(s, "true"):
			v = boolOf(true)
		case strings.EqualFold(s, "false"):
			v = boolOf(false)
		default:
			ok = false
		}
	case number:
		n, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
		ok = err == nil && !math.IsNaN(n) && !math.IsInf(n, 0)
		v = numberOf(n)
	case date:
		v, ok = parseDate(s)
	case datetime:
		v, ok = parseDatetime(s)
	case daytime:
		v, ok = parseDaytime(s)
	}
	if !ok {
		return value{}, "value not of required type: " + s
	}
	return v, ""
}

// fromJSON reads a field's value from a request body. body is nil where the
// platform names the field instead of the place (collections).
func fromJSON(f *field, n *node, body []byte) (value, *failure) {
	if n.kind == 'n' || n.kind == '"' && strings.TrimSpace(n.text) == "" {
		return value{}, nil
	}
	fits := false
	switch f.kind() {
	case text:
		fits = n.kind == '"'
	case boolean:
		fits = n.kind == 't' || n.kind == 'f' || n.kind == '"'
	case number:
		fits = n.kind == '0' || n.kind == '"'
		if f.Type == "int" && strings.ContainsAny(n.text, ".eE") {
			whole, err := strconv.ParseFloat(n.text, 64)
			fits = err == nil && whole == math.Trunc(whole)
		}
	default:
		fits = n.kind == '"'
	}
	if fits {
		if f.kind() == text {
			s := strings.TrimSpace(n.text)
			return textOf(s), nil
		}
		v, problem := parseText(f, n.literal())
		if problem == "" {
			return v, nil
		}
	}
	if body == nil {
		return value{}, refuse("INVALID_TYPE_ON_FIELD_IN_RECORD", f.Label+": value not of required type: "+n.literal(), f.Name)
	}
	line, column := position(body, n.end)
	return value{}, plain(http.StatusBadRequest, "JSON_PARSER_ERROR", fmt.Sprintf(
		"Cannot deserialize instance of %s from %s value %s or request may be missing a required field at [line:%d, column:%d]",
		f.Type, n.token(), n.literal(), line, column))
}

// admit checks a value against its field and gives it the form it is stored in.
func (s *Server) admit(f *field, v value) (value, *failure) {
	if v.null() {
		return v, nil
	}
	switch f.Type {
	case "picklist":
		return admitPicklist(f, v)
	case "multipicklist":
		return admitMultiPicklist(f, v)
	case "email":
		if !validEmail(v.text) {
			return v, refuse("INVALID_EMAIL_ADDRESS", f.Label+": invalid email address: "+v.text, f.Name)
		}
	case "reference":
		return s.admitReference(f, v)
	case "int":
		if math.Abs(v.number) >= math.Pow10(f.Digits) {
			return v, outside(f, v)
		}
	case "double", "currency", "percent":
		if math.Abs(v.number) >= math.Pow10(f.Precision-f.Scale) {
			return v, outside(f, v)
		}
	}
	if v.kind == text {
		return v, tooLong(f, v)
	}
	return v, nil
}

func outside(f *field, v value) *failure {
	return refuse("NUMBER_OUTSIDE_VALID_RANGE", f.Label+": value outside of valid range on numeric field: "+v.String(), f.Name)
}

func tooLong(f *field, v value) *failure {
	if len(v.text) <= f.Length || utf8.RuneCountInString(v.text) <= f.Length {
		return nil
	}
	return refuse("STRING_TOO_LONG", fmt.Sprintf("%s: data value too large: %s (max length=%d)", f.Label, v.text, f.Length), f.Name)
}

// admitPicklist finds the listed value in any case; others pass only unrestricted.
func admitPicklist(f *field, v value) (value, *failure) {
	for _, p := range f.Picklist {
		if !p.Inactive && strings.EqualFold(p.Value, v.text) {
			return textOf(p.Value), nil
		}
	}
	if f.Restricted {
		return v, refuse("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", f.Label+": bad value for restricted picklist field: "+v.text, f.Name)
	}
	return v, tooLong(f, v)
}

// admitMultiPicklist puts the values into the order of the list, each once.
func admitMultiPicklist(f *field, v value) (value, *failure) {
	type placed struct {
		value string
		place int
	}
	var chosen []placed
	for part := range strings.SplitSeq(v.text, ";") {
		part = strings.TrimSpace(part)
		if part == "" {
			continue
		}
		p := placed{part, len(f.Picklist)}
		for i, known := range f.Picklist {
			if !known.Inactive && strings.EqualFold(known.Value, part) {
				p = placed{known.Value, i}
				break
			}
		}
		if p.place == len(f.Picklist) && f.Restricted {
			return v, refuse("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", f.Label+": bad value for restricted picklist field: "+part, f.Name)
		}
		if !slices.ContainsFunc(chosen, func(c placed) bool { return c.value == p.value }) {
			chosen = append(chosen, p)
		}
	}
	slices.SortStableFunc(chosen, func(a, b placed) int { return a.place - b.place })
	values := make([]string, len(chosen))
	for i, c := range chosen {
		values[i] = c.value
	}
	v = textOf(strings.Join(values, ";"))
	return v, tooLong(f, v)
}

// validEmail is the platform's check: one @, no blanks, a dotted domain whose
// last label has two characters or more.
func validEmail(s string) bool {
	if len(s) == 0 || strings.ContainsAny(s, " \t\r\n,;:<>()[]\"\\") || strings.Count(s, "@") != 1 {
		return false
	}
	local, domain, _ := strings.Cut(s, "@")
	if local == "" || len(local) > 64 || strings.HasPrefix(local, ".") || strings.HasSuffix(local, ".") || strings.Contains(local, "..") {
		return false
	}
	labels := strings.Split(domain, ".")
	if len(labels) < 2 {
		return false
	}
	for _, l := range labels {
		if l == "" || strings.HasPrefix(l, "-") || strings.HasSuffix(l, "-") {
			return false
		}
	}
	return len(labels[len(labels)-1]) >= 2
}

// admitReference finds the record that an id names.
func (s *Server) admitReference(f *field, v value) (value, *failure) {
	id, ok := longID(v.text)
	target := s.objectOf(id)
	if !ok || target == nil || !slices.Contains(f.multi, target) {
		// Parents that this org does not hold take any well-formed id of no known object.
		if ok && len(f.multi) < len(f.ReferenceTo) && target == nil {
			return textOf(id), nil
		}
		return v, refuse("MALFORMED_ID", f.Label+": id value of incorrect type: "+v.text, f.Name)
	}
	r := target.find(id)
	if r == nil {
		return v, refuse("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", f.Name)
	}
	if r.deleted {
		return v, refuse("ENTITY_IS_DELETED", "entity is deleted", f.Name)
	}
	if f.Name == "OwnerId" && target.name == "User" && !r.get(target.byName["isactive"]).isTrue() {
		return v, refuse("INACTIVE_OWNER_OR_USER", fmt.Sprintf("operation performed with inactive user [%s] as owner of %s", id, strings.ToLower(f.object.name)), f.Name)
	}
	return textOf(id), nil
}
