package hubspot

import (
	"cmp"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

//go:embed templates/*.html
var templateFiles embed.FS

//go:embed assets
var assetFiles embed.FS

const (
	pageRecords   = 50  // records on one page
	pageLinks     = 100 // associations shown of one record
	pageRevisions = 200 // revisions shown of one record
)

// pages shows the account to a person with a browser: its records, and, after
// signing in, the places where credentials are made.
type pages struct {
	s         *Server
	handler   http.Handler
	templates *template.Template
}

func newPages(s *Server) *pages {
	p := &pages{s: s, templates: template.Must(template.ParseFS(templateFiles, "templates/*.html"))}
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", p.handle(p.home))
	mux.Handle("GET /objects/{type}", p.handle(p.records))
	mux.Handle("GET /objects/{type}/{id}", p.handle(p.record))
	mux.Handle("GET /contacts/{portal}/record/{type}/{id}", http.HandlerFunc(p.redirect))
	mux.Handle("GET /assets/", http.FileServerFS(assetFiles))
	p.credentialRoutes(mux)
	mux.Handle("/", p.handle(func(*http.Request) (string, any, *problem) {
		return "", nil, &problem{status: http.StatusNotFound, message: "There is no such page. The API is under /crm/."}
	}))
	p.handler = http.NewCrossOriginProtection().Handler(mux)
	return p
}

func (p *pages) ServeHTTP(w http.ResponseWriter, r *http.Request) { p.handler.ServeHTTP(w, r) }

// page is what every template needs.
type page struct {
	Title    string
	PortalID int64
	PeerURL  string
	User     *User // nil before signing in
	Menu     []tab
}

// tab is a link in a row of links.
type tab struct {
	Text, URL string
	Current   bool
}

func (p *pages) page(r *http.Request, title string) page {
	out := page{Title: title, PortalID: p.s.config.PortalID, PeerURL: *p.s.peerURL.Load()}
	if seen, ok := p.s.directory.session(r); ok {
		out.User = &seen.user
	}
	return out
}

// handle runs a page's function under the account's lock and renders what it gives.
func (p *pages) handle(f func(*http.Request) (name string, data any, refused *problem)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.s.mu.RLock()
		name, data, refused := f(r)
		p.s.mu.RUnlock()
		status := http.StatusOK
		if refused != nil {
			status, name = refused.status, "problem.html"
			data = struct {
				page
				Heading, What string
			}{p.page(r, "Not found"), "Not found", refused.message}
		}
		p.render(w, status, name, data, "")
	})
}

// render writes a page. A form on it leads to this server, and by redirect to
// formTarget if one is given: browsers hold redirects of forms to the policy too.
func (p *pages) render(w http.ResponseWriter, status int, name string, data any, formTarget string) {
	var out strings.Builder
	if err := p.templates.ExecuteTemplate(&out, name, data); err != nil {
		http.Error(w, "This page could not be made: "+err.Error(), http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", strings.TrimSpace("default-src 'none'; style-src 'self'; script-src 'self'; img-src data:; base-uri 'none'; frame-ancestors 'none'; form-action 'self' "+formTarget))
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = fmt.Fprint(w, out.String())
}

type typeRow struct {
	Name, TypeID string
	Count        int
}

func (p *pages) home(r *http.Request) (string, any, *problem) {
	data := struct {
		page
		Types  []typeRow
		Owners []*Owner
		Calls  Calls
	}{page: p.page(r, "Records"), Owners: p.s.owners, Calls: p.s.Calls()}
	for _, t := range p.s.tables {
		if t.alive() != nil {
			data.Types = append(data.Types, typeRow{t.kind.name, t.kind.typeID, len(t.ids)})
		}
	}
	return "home.html", data, nil
}

type recordRow struct {
	URL, Title string
	Values     []string
}

func (p *pages) records(r *http.Request) (string, any, *problem) {
	t := p.s.table(r.PathValue("type"))
	if t == nil {
		return "", nil, notFound()
	}
	data := struct {
		page
		Name, Query, First, Next string
		Total                    int
		Columns                  []string
		Rows                     []recordRow
	}{page: p.page(r, t.kind.name), Name: t.kind.name, Query: r.URL.Query().Get("q"), Total: len(t.ids)}
	shown := append(slices.Clone(t.kind.defaults), t.kind.modified)
	data.Columns = shown
	after, _ := strconv.ParseInt(r.URL.Query().Get("after"), 10, 64)
	words := strings.Fields(strings.ToLower(data.Query))
	start, _ := slices.BinarySearch(t.ids, after)
	address := func(after int64) string {
		q := url.Values{}
		if data.Query != "" {
			q.Set("q", data.Query)
		}
		if after > 0 {
			q.Set("after", strconv.FormatInt(after, 10))
		}
		return "/objects/" + url.PathEscape(t.kind.name) + "?" + q.Encode()
	}
	if after > 0 {
		data.First = address(0)
	}
	for _, rec := range t.records[start:] {
		if !p.holds(t, rec, words) {
			continue
		}
		if len(data.Rows) == pageRecords {
			data.Next = address(rec.id)
			break
		}
		row := recordRow{URL: recordURL(t, rec.id), Title: p.title(t, rec)}
		for _, name := range shown {
			row.Values = append(row.Values, p.s.valueOf(t, rec, t.byName[name]))
		}
		data.Rows = append(data.Rows, row)
	}
	return "records.html", data, nil
}

func recordURL(t *table, id int64) string {
	return "/objects/" + url.PathEscape(t.kind.name) + "/" + strconv.FormatInt(id, 10)
}

// holds wants every word in one of the stored values, or as the id.
func (p *pages) holds(t *table, r *record, words []string) bool {
	if len(words) == 0 {
		return true
	}
	var all strings.Builder
	all.WriteString(strconv.FormatInt(r.id, 10))
	r.each(func(_ int, v string) {
		all.WriteByte('\n')
		all.WriteString(strings.ToLower(v))
	})
	for _, w := range words {
		if !strings.Contains(all.String(), w) {
			return false
		}
	}
	return true
}

// title names a record: its display properties, or its id.
func (p *pages) title(t *table, r *record) string {
	var parts []string
	for _, name := range t.kind.display {
		if v, ok := t.stored(r, name); ok && !(name == "email" && len(parts) > 0) && !(name == "domain" && len(parts) > 0) {
			if t.byName[name].FieldType == "html" {
				v = preview(v)
			}
			parts = append(parts, v)
		}
	}
	if len(parts) == 0 {
		return t.kind.singular + " " + strconv.FormatInt(r.id, 10)
	}
	return strings.Join(parts, " ")
}

type linkRow struct{ URL, Title, Object, Labels string }

type valueRow struct{ Name, Value string }

type revisionRow struct{ At, Property, Value, By string }

type peerLink struct{ URL, ID string }

func (p *pages) record(r *http.Request) (string, any, *problem) {
	t := p.s.table(r.PathValue("type"))
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if t == nil || err != nil {
		return "", nil, notFound()
	}
	rec := t.follow(id)
	if rec == nil {
		rec = t.archivedRecord(id)
	}
	if rec == nil {
		return "", nil, &problem{status: http.StatusNotFound, message: fmt.Sprintf("There is no record %d in %s.", id, t.kind.name)}
	}
	data := struct {
		page
		Name, TypeID, Heading       string
		ID                          int64
		Created, Modified, Archived string
		Peers                       []peerLink
		Links                       []linkRow
		More                        int
		Properties                  []valueRow
		History                     []revisionRow
	}{page: p.page(r, p.title(t, rec)), Name: t.kind.name, TypeID: t.kind.typeID, Heading: p.title(t, rec), ID: rec.id,
		Created: formatMillis(rec.created), Modified: formatMillis(rec.modified)}
	if rec.archivedAt != 0 {
		data.Archived = formatMillis(rec.archivedAt)
	}
	data.Links, data.More = p.links(t, rec)
	for _, d := range t.liveProperties(false) {
		v := p.s.valueOf(t, rec, d)
		if v == "" {
			continue
		}
		data.Properties = append(data.Properties, valueRow{d.Name, v})
		if data.PeerURL != "" && looksLikeSalesforceID(d.Name, v) {
			data.Peers = append(data.Peers, peerLink{strings.TrimSuffix(data.PeerURL, "/") + "/" + v, v})
		}
	}
	for _, h := range slices.Backward(t.history[rec.id]) {
		if len(data.History) == pageRevisions {
			break
		}
		by := p.s.sources[h.Source]
		data.History = append(data.History, revisionRow{formatMillis(h.At), t.properties[h.Property].Name, h.Value, strings.TrimSpace(by.Type + " " + cmp.Or(by.Detail, by.ID))})
	}
	return "record.html", data, nil
}

// looksLikeSalesforceID recognises an id of the other side in a property that is
// named for one.
func looksLikeSalesforceID(name, v string) bool {
	if !strings.Contains(name, "salesforce") || len(v) != 15 && len(v) != 18 {
		return false
	}
	return !strings.ContainsFunc(v, func(c rune) bool {
		return !(c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z')
	})
}

func (p *pages) links(t *table, rec *record) (rows []linkRow, more int) {
	for _, other := range p.s.tables {
		pair := p.s.pair(t, other)
		for _, l := range pair.links[rec.id] {
			target := other.live(l.to)
			if target == nil {
				continue
			}
			if len(rows) == pageLinks {
				more++
				continue
			}
			var labels []string
			pair.typesOf(l, func(at *associationType) {
				if at.label != "" {
					labels = append(labels, at.label)
				}
			})
			rows = append(rows, linkRow{recordURL(other, l.to), p.title(other, target), other.kind.name, strings.Join(labels, ", ")})
		}
	}
	return rows, more
}

// redirect serves the address at which HubSpot's own pages show a record.
func (p *pages) redirect(w http.ResponseWriter, r *http.Request) {
	p.s.mu.RLock()
	t := p.s.table(r.PathValue("type"))
	p.s.mu.RUnlock()
	if t == nil {
		http.NotFound(w, r)
		return
	}
	http.Redirect(w, r, "/objects/"+url.PathEscape(t.kind.name)+"/"+url.PathEscape(r.PathValue("id")), http.StatusFound)
}
