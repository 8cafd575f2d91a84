package hubspot

import (
	"net/http"
	"strconv"
)

// pageFormBytes bounds what a form of a page may send.
const pageFormBytes = 512 << 10

// visit is one request for a page by a person who has signed in.
type visit struct {
	p    *pages
	s    *Server
	r    *http.Request
	w    http.ResponseWriter
	user User
}

// credentialRoutes are the pages on which credentials are made.
func (p *pages) credentialRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /sign-in", p.showSignIn)
	mux.HandleFunc("POST /sign-in", p.signIn)
	mux.HandleFunc("POST /sign-out", p.signOut)
	mux.Handle("POST /choose-account", p.signedIn((*visit).chooseAccount))
	mux.Handle("GET /integrations-settings/{portal}", p.signedIn((*visit).settings))
	mux.Handle("GET /l/api-key/", p.signedIn(func(v *visit) { v.redirect("/api-key/" + v.portal()) }))

	mux.Handle("GET /api-key/{portal}", p.signedIn((*visit).apiKey))
	mux.Handle("POST /api-key/{portal}/{verb}", p.signedIn((*visit).changeAPIKey))

	for _, kind := range appPages() {
		is := func(f func(*visit, appPage)) http.Handler {
			return p.signedIn(func(v *visit) {
				if v.superAdmin(kind.action) {
					f(v, kind)
				}
			})
		}
		base := "/" + kind.path + "/{portal}"
		mux.Handle("GET "+base, is((*visit).listApps))
		mux.Handle("GET "+base+"/create", is((*visit).createForm))
		mux.Handle("POST "+base+"/create", is((*visit).createForm))
		mux.Handle("GET "+base+"/{id}", is((*visit).showApp))
		mux.Handle("GET "+base+"/{id}/edit", is((*visit).editForm))
		mux.Handle("POST "+base+"/{id}/edit", is((*visit).editForm))
		mux.Handle("GET "+base+"/{id}/logs", is((*visit).appLogs))
		mux.Handle("POST "+base+"/{id}/rotate", is((*visit).rotateApp))
		mux.Handle("POST "+base+"/{id}/expire", is((*visit).expireApp))
		mux.Handle("GET "+base+"/{id}/delete", is((*visit).deleteForm))
		mux.Handle("POST "+base+"/{id}/delete", is((*visit).deleteForm))
	}

	mux.Handle("GET /connected-apps/{portal}", p.signedIn((*visit).connectedApps))
	mux.Handle("POST /connected-apps/{portal}/uninstall", p.signedIn((*visit).uninstallApp))
	mux.Handle("GET /developer-projects/{portal}", p.signedIn((*visit).listProjects))
	mux.Handle("POST /developer-projects/{portal}", p.signedIn((*visit).uploadProject))
	mux.Handle("GET /developer-projects/{portal}/{id}", p.signedIn((*visit).showProject))
	mux.Handle("POST /developer-projects/{portal}/{id}/install", p.signedIn((*visit).installProject))

	mux.HandleFunc("GET /oauth/authorize", p.authorize)
	mux.HandleFunc("POST /oauth/authorize", p.authorize)
	mux.HandleFunc("GET /oauth/{portal}/authorize", p.authorize)
	mux.HandleFunc("POST /oauth/{portal}/authorize", p.authorize)
}

// signedIn sends whoever has not signed in to do so, and back.
func (p *pages) signedIn(f func(*visit)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, pageFormBytes)
		seen, ok := p.s.directory.session(r)
		if !ok {
			next := r.URL.RequestURI()
			if r.Method != http.MethodGet {
				next = "/"
			}
			http.Redirect(w, r, signInURL(next), http.StatusSeeOther)
			return
		}
		v := &visit{p: p, s: p.s, r: r, w: w, user: seen.user}
		if portal := r.PathValue("portal"); portal != "" && portal != v.portal() {
			v.notFound("There is no account " + portal + " here.")
			return
		}
		if err := r.ParseForm(); err != nil {
			v.refuse(http.StatusBadRequest, "Not understood", "The form did not arrive whole.")
			return
		}
		f(v)
	})
}

func (v *visit) portal() string { return strconv.FormatInt(v.s.PortalID(), 10) }

// page starts a page of the settings.
func (v *visit) page(title string) page {
	out := v.p.page(v.r, title)
	out.Menu = v.menu()
	return out
}

func (v *visit) show(name string, data any) { v.p.render(v.w, http.StatusOK, name, data, "") }

func (v *visit) redirect(to string) { http.Redirect(v.w, v.r, to, http.StatusSeeOther) }

func (v *visit) notFound(what string) { v.refuse(http.StatusNotFound, "Not found", what) }

// refuse shows why something was not done.
func (v *visit) refuse(status int, heading, what string) {
	v.p.render(v.w, status, "problem.html", struct {
		page
		Heading, What string
	}{v.page(heading), heading, what}, "")
}

// superAdmin shows who can do it when this person cannot.
func (v *visit) superAdmin(action string) bool {
	if v.user.SuperAdmin {
		return true
	}
	v.p.render(v.w, http.StatusForbidden, "forbidden.html", struct {
		page
		Action string
		Admins []User
	}{v.page("Not allowed"), action, v.s.directory.superAdmins()}, "")
	return false
}

// menu is the row of links on the settings' pages, by the year's names.
func (v *visit) menu() (menu []tab) {
	for _, section := range v.sections() {
		for _, l := range section.Links {
			menu = append(menu, tab{Text: l.Text, URL: l.URL, Current: l.URL == v.r.URL.Path})
		}
	}
	return menu
}

// settingsLink is a place in the settings; More says what it is for.
type settingsLink struct{ Text, URL, More string }

type settingsSection struct {
	Name  string
	Links []settingsLink
}

// sections are the settings as the year has them.
func (v *visit) sections() []settingsSection {
	at := func(path string) string { return "/" + path + "/" + v.portal() }
	key := settingsLink{"API key", at("api-key"), "gone since 30 November 2022"}
	if v.s.APIKeysWork() {
		key.More = "one key for everything"
	}
	private := settingsLink{"Private Apps", at("private-apps"), "a token with chosen scopes"}
	connected := settingsLink{"Connected apps", at("connected-apps"), "apps of others that were installed"}
	projects := settingsLink{"Projects", at("developer-projects"), "apps with static auth or OAuth"}
	if !v.s.serviceKeysExist() {
		return []settingsSection{
			{"Integrations", []settingsLink{key, private, connected}},
			{"Development", []settingsLink{projects}},
		}
	}
	private.Text, private.More = "Legacy apps", "private apps made before"
	return []settingsSection{
		{"Integrations", []settingsLink{key, connected}},
		{"Development", []settingsLink{{"Service keys", at("service-keys"), "a token with chosen scopes, for programs that call the API"}, projects, private}},
	}
}

func (v *visit) settings() {
	type account struct {
		PortalID int64
		Current  bool
	}
	data := struct {
		page
		Sections []settingsSection
		Accounts []account
		Today    string
	}{page: v.page("Settings"), Sections: v.sections(), Today: v.s.today().Format("January 2006")}
	data.Menu = nil
	for _, s := range v.s.directory.list() {
		data.Accounts = append(data.Accounts, account{s.PortalID(), s == v.s})
	}
	v.show("settings.html", data)
}

func (v *visit) chooseAccount() {
	portal, _ := strconv.ParseInt(v.r.PostForm.Get("portal"), 10, 64)
	if v.s.directory.account(portal) == nil {
		v.notFound("There is no such account here.")
		return
	}
	v.s.directory.choose(v.r, portal)
	v.redirect("/integrations-settings/" + strconv.FormatInt(portal, 10))
}
