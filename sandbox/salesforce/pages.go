package salesforce

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

//go:embed pages/*.html
var pageFiles embed.FS

var pageTemplates = template.Must(template.ParseFS(pageFiles, "pages/*.html"))

// pageRows is how many records a list shows.
const pageRows = 50

// frame is what every page has.
type frame struct {
	Title   string
	PeerURL string
	OrgID   string
	Here    string
	// User is the username of who is signed in, or empty.
	User, Name    string
	Administrator bool
	Body          any
}

type homeView struct {
	SignIn  *loginView // for who is not signed in
	Objects []objectCount
	Rest    []objectCount
}

type objectCount struct {
	Name, Label string
	Count       int
}

type listView struct {
	Object         objectCount
	Query          string
	Columns        []string
	Rows           []listRow
	Total          int
	From, To       int
	Previous, Next string
}

type listRow struct {
	ID, Name string
	Cells    []string
}

type recordView struct {
	Object, Label, ID, Name string
	Deleted                 bool
	Fields                  []fieldView
	Parents                 []linkView
	Children                []childView
}

type fieldView struct {
	Label, Name, Value string
	Link               string
}

type linkView struct{ Label, Object, ID, Name string }

type childView struct {
	Label, Object string
	Rows          []linkView
	More          int
}

// page is one answer to a browser.
type page struct {
	name, title string
	status      int
	body        any
	// formTo is an origin besides this one that the page's forms may lead to.
	formTo string
}

func (s *Server) render(w http.ResponseWriter, r *http.Request, name, title string, status int, body any) {
	s.show(w, r, page{name: name, title: title, status: status, body: body})
}

func (s *Server) show(w http.ResponseWriter, r *http.Request, p page) {
	var b bytes.Buffer
	f := frame{Title: p.title, Body: p.body, Here: r.URL.RequestURI()}
	u := s.visitor(r)
	s.mu.RLock()
	f.PeerURL, f.OrgID = s.peerURL, s.orgID
	if u != nil {
		f.User, f.Name, f.Administrator = u.Username, s.nameOf(s.object("User").find(u.id)), s.administers(u)
	}
	s.mu.RUnlock()
	if err := pageTemplates.ExecuteTemplate(&b, p.name, f); err != nil {
		http.Error(w, "The page could not be made.", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", strings.TrimSpace("default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'self' "+p.formTo))
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	if u != nil {
		h.Set("Cache-Control", "no-store")
	}
	w.WriteHeader(p.status)
	w.Write(b.Bytes())
}

func (s *Server) missingPage(w http.ResponseWriter, r *http.Request, what string) {
	s.render(w, r, "missing.html", "Not found", http.StatusNotFound, what)
}

// homePage lists the objects with their counts.
func (s *Server) homePage(w http.ResponseWriter, r *http.Request, _ map[string]string) {
	var v homeView
	s.mu.RLock()
	for _, name := range s.names {
		o := s.object(name)
		c := objectCount{o.name, o.plural, o.live}
		if o.searchable && o.live > 0 || o.custom {
			v.Objects = append(v.Objects, c)
		} else {
			v.Rest = append(v.Rest, c)
		}
	}
	s.mu.RUnlock()
	if s.visitor(r) == nil {
		v.SignIn = s.loginView("", "")
	}
	s.render(w, r, "home.html", "Salesforce sandbox", http.StatusOK, v)
}

// listColumns are the fields that a list shows beside the name, as far as the object has them.
var listColumns = [...]string{"Email", "Company", "AccountId", "Phone", "Website", "StageName", "Amount", "CloseDate", "Status", "Industry", "Subject", "OpportunityId", "ContactId", "Role"}

func (s *Server) objectPage(w http.ResponseWriter, r *http.Request, values map[string]string) {
	q := strings.TrimSpace(r.URL.Query().Get("q"))
	from, err := strconv.Atoi(r.URL.Query().Get("from"))
	if err != nil || from < 0 {
		from = 0
	}
	s.mu.RLock()
	o := s.object(values["object"])
	if o == nil {
		s.mu.RUnlock()
		s.missingPage(w, r, "There is no object "+values["object"]+".")
		return
	}
	v := listView{Object: objectCount{o.name, o.plural, o.live}, Query: q, From: from}
	var shown []*field
	for _, name := range listColumns {
		if f := o.byName[strings.ToLower(name)]; f != nil && len(shown) < 4 {
			shown = append(shown, f)
			v.Columns = append(v.Columns, f.Label)
		}
	}
	words, fields := searchWords(q), searchFields(o, fullAccess, "ALL")
	for i := len(o.rows) - 1; i >= 0; i-- {
		record := o.rows[i]
		if record == nil || record.deleted || len(words) > 0 && !found(record, fields, words) {
			continue
		}
		if v.Total >= from && len(v.Rows) < pageRows {
			line := listRow{ID: record.id, Name: s.nameOf(record)}
			for _, f := range shown {
				line.Cells = append(line.Cells, s.shown(record, f))
			}
			v.Rows = append(v.Rows, line)
		}
		v.Total++
	}
	s.mu.RUnlock()
	v.To = from + len(v.Rows)
	link := func(at int) string {
		return "/objects/" + v.Object.Name + "?" + url.Values{"q": {q}, "from": {strconv.Itoa(at)}}.Encode()
	}
	if from > 0 {
		v.Previous = link(max(0, from-pageRows))
	}
	if v.To < v.Total {
		v.Next = link(v.To)
	}
	s.render(w, r, "list.html", v.Object.Label, http.StatusOK, v)
}

// nameOf is what a person calls a record.
func (s *Server) nameOf(r *row) string {
	o := s.objectOf(r.id)
	if o != nil && o.nameField != nil {
		if name := r.get(o.nameField).String(); name != "" {
			return name
		}
	}
	return r.id
}

// shown is a field's value for a person: a parent's name instead of its id.
func (s *Server) shown(r *row, f *field) string {
	if f.source == fromAddress {
		var parts []string
		for _, p := range f.parts[:5] {
			if v := r.get(p).String(); v != "" {
				parts = append(parts, v)
			}
		}
		return strings.Join(parts, ", ")
	}
	v := r.get(f)
	if f.reference() {
		if parent := s.row(v.text); parent != nil {
			return s.nameOf(parent)
		}
	}
	return v.String()
}

func (s *Server) recordPage(w http.ResponseWriter, r *http.Request, values map[string]string) {
	s.mu.RLock()
	id, _ := longID(values["id"])
	o := s.object(values["object"])
	if o == nil || o.find(id) == nil {
		s.mu.RUnlock()
		s.missingPage(w, r, "There is no "+values["object"]+" "+values["id"]+".")
		return
	}
	v := s.recordView(o, o.find(id))
	s.mu.RUnlock()
	s.render(w, r, "record.html", v.Name, http.StatusOK, v)
}

// childRows is how many children of one kind a record's page shows.
const childRows = 20

func (s *Server) recordView(o *object, r *row) recordView {
	v := recordView{Object: o.name, Label: o.label, ID: r.id, Name: s.nameOf(r), Deleted: r.deleted}
	for _, f := range o.fields {
		if f.source == fromPhoto || f.compound != "" && f.compound != "Name" || f.source == fromDeleted {
			continue
		}
		text := s.shown(r, f)
		if text == "" {
			continue
		}
		line := fieldView{Label: f.Label, Name: f.Name, Value: text}
		if f.reference() {
			if parent := s.row(r.get(f).text); parent != nil {
				p := s.objectOf(parent.id)
				line.Link = "/objects/" + p.name + "/" + parent.id
				if p.name != "User" {
					v.Parents = append(v.Parents, linkView{f.Label, p.name, parent.id, text})
				}
			}
		}
		v.Fields = append(v.Fields, line)
	}
	for _, f := range o.childOrder {
		if f.Children == "" || f.object.indexes[f.index] == nil {
			continue
		}
		c := childView{Label: f.object.plural, Object: f.object.name}
		for _, child := range f.object.match(f, textOf(r.id)) {
			if len(c.Rows) == childRows {
				c.More++
				continue
			}
			name := s.nameOf(child)
			if name == child.id {
				name = s.describeChild(f, child)
			}
			c.Rows = append(c.Rows, linkView{Object: f.object.name, ID: child.id, Name: name})
		}
		if len(c.Rows) > 0 {
			v.Children = append(v.Children, c)
		}
	}
	return v
}

// describeChild names a child that has no name by its other parents and its role.
func (s *Server) describeChild(link *field, child *row) string {
	var parts []string
	for _, f := range link.object.fields {
		if f != link && f.reference() && f.source == stored && f.Name != "OwnerId" || f.Name == "Role" {
			if text := s.shown(child, f); text != "" {
				parts = append(parts, text)
			}
		}
	}
	if parts == nil {
		return child.id
	}
	return strings.Join(parts, " · ")
}

// redirectToRecord leads the vendor's record addresses to the page here.
func (s *Server) redirectToRecord(w http.ResponseWriter, r *http.Request, values map[string]string) {
	id, ok := longID(values["id"])
	s.mu.RLock()
	o := s.objectOf(id)
	s.mu.RUnlock()
	if !ok || o == nil {
		s.missingPage(w, r, "There is no page "+r.URL.Path+".")
		return
	}
	http.Redirect(w, r, "/objects/"+o.name+"/"+id, http.StatusFound)
}
