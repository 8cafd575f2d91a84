package hubspot

import (
	"net/http"
	"net/url"
	"strconv"
)

// authorize is the page on which a person lets an app into an account.
// https://developers.hubspot.com/docs/apps/developer-platform/build-apps/authentication/oauth/oauth-quickstart-guide
func (p *pages) authorize(w http.ResponseWriter, r *http.Request) {
	in, toPerson, toApp := p.s.readInstall(r.URL.Query())
	chosen := r.PathValue("portal")
	switch number, err := strconv.ParseInt(chosen, 10, 64); {
	case toPerson != "":
	case chosen != "" && (err != nil || p.s.directory.account(number) == nil):
		toPerson = "There is no account " + chosen + " here."
	}
	if toPerson != "" { // an address that may be forged is not led back to
		p.render(w, http.StatusBadRequest, "problem.html", struct {
			page
			Heading, What string
		}{p.page(r, "This app cannot be installed"), "This app cannot be installed", toPerson}, "")
		return
	}
	if toApp != nil {
		http.Redirect(w, r, in.back(url.Values{"error": {toApp.code}, "error_description": {toApp.description}}), http.StatusFound)
		return
	}
	p.signedIn(func(v *visit) {
		if r.Method == http.MethodPost {
			v.decide(in)
			return
		}
		v.askToInstall(in)
	}).ServeHTTP(w, r)
}

func (v *visit) askToInstall(in installRequest) {
	type account struct {
		PortalID int64
		Contacts int
		Current  bool
	}
	data := struct {
		page
		App              ProjectApp
		Admins           []User
		Action, Redirect string
		Accounts         []account
		Scopes, Optional []scopeLine
	}{page: v.page("Connect " + in.project.Name), App: in.project, Admins: v.s.directory.superAdmins(), Action: v.r.URL.RequestURI(),
		Redirect: in.redirect, Scopes: v.s.scopes.lines(in.scopes), Optional: v.s.scopes.lines(in.optional)}
	data.Menu = nil
	for _, s := range v.s.directory.list() {
		if v.r.PathValue("portal") == "" || s == v.s {
			data.Accounts = append(data.Accounts, account{s.PortalID(), s.Count("contacts"), s == v.s})
		}
	}
	target := ""
	if u, err := url.Parse(in.redirect); err == nil {
		target = u.Scheme + "://" + u.Host
	}
	v.p.render(v.w, http.StatusOK, "authorize.html", data, target)
}

func (v *visit) decide(in installRequest) {
	if v.r.PostForm.Get("decision") != "allow" {
		v.redirect(in.back(url.Values{"error": {"access_denied"}, "error_description": {"the user did not allow the app"}}))
		return
	}
	if !v.superAdmin("install apps") {
		return
	}
	portal, _ := strconv.ParseInt(v.r.PostForm.Get("portal"), 10, 64)
	account := v.s.directory.account(portal)
	if account == nil || v.r.PathValue("portal") != "" && account != v.s {
		v.refuse(http.StatusBadRequest, "Choose an account", "Go back and choose the account that the app may use.")
		return
	}
	v.redirect(in.back(url.Values{"code": {account.allow(in, v.user)}}))
}
