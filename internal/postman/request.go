package postman

import "strings"

// folder is an item that holds others.
func folder(name, description string, items ...*Item) *Item {
	return &Item{Name: name, Description: description, Items: items}
}

// request is an item with a call. The address is {{variable}}/path; the query
// stands apart.
func request(name, method, base, path string, query ...Variable) *Item {
	u := URL{Host: []string{base}, Query: query}
	u.Raw = base
	for part := range strings.SplitSeq(strings.Trim(path, "/"), "/") {
		u.Path = append(u.Path, part)
		u.Raw += "/" + part
	}
	for i, q := range query {
		sign := "&"
		if i == 0 {
			sign = "?"
		}
		u.Raw += sign + q.Key + "=" + q.Value
	}
	return &Item{Name: name, Request: &Request{Method: method, Header: []Variable{}, URL: u, Auth: &Auth{Type: "noauth"}}, Response: []struct{}{}}
}

func (i *Item) describe(text string) *Item {
	i.Request.Description = text
	return i
}

func (i *Item) bearer(token string) *Item {
	i.Request.Auth = &Auth{Type: "bearer", Bearer: []Variable{{Key: "token", Value: token, Type: "string"}}}
	return i
}

func (i *Item) header(name, value string) *Item {
	i.Request.Header = append(i.Request.Header, Variable{Key: name, Value: value})
	return i
}

func (i *Item) json(raw string) *Item {
	body := &Body{Mode: "raw", Raw: raw, Options: &BodyOptions{}}
	body.Options.Raw.Language = "json"
	i.Request.Body = body
	return i.header("Content-Type", "application/json")
}

func (i *Item) form(fields ...Variable) *Item {
	i.Request.Body = &Body{Mode: "urlencoded", URLEncoded: fields}
	return i
}

// before and test add the script that runs before, or after, the request.
func (i *Item) before(parts ...string) *Item { return i.script("prerequest", parts) }
func (i *Item) test(parts ...string) *Item   { return i.script("test", parts) }

func (i *Item) script(listen string, parts []string) *Item {
	var lines []string
	for _, part := range parts {
		if len(lines) > 0 {
			lines = append(lines, "")
		}
		lines = append(lines, strings.Split(strings.TrimRight(part, "\n"), "\n")...)
	}
	i.Events = append(i.Events, Event{Listen: listen, Script: Script{Type: "text/javascript", Exec: lines}})
	return i
}
