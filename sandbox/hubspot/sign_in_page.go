package hubspot

import (
	"net/http"
	"net/url"
	"strconv"
)

func signInURL(next string) string {
	if next == "/" {
		return "/sign-in"
	}
	return "/sign-in?" + url.Values{"next": {next}}.Encode()
}

func (p *pages) showSignIn(w http.ResponseWriter, r *http.Request) {
	p.render(w, http.StatusOK, "sign_in.html", struct {
		page
		Next  string
		Users []User
	}{p.page(r, "Sign in"), r.URL.Query().Get("next"), p.s.directory.users}, "")
}

func (p *pages) signIn(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, pageFormBytes)
	id, _ := strconv.ParseInt(r.PostFormValue("user"), 10, 64)
	user, ok := p.s.directory.user(id)
	if !ok {
		http.Redirect(w, r, "/sign-in", http.StatusSeeOther)
		return
	}
	p.s.directory.signIn(w, session{user, p.s.PortalID()})
	next := r.PostFormValue("next")
	if !here(next) {
		next = "/integrations-settings/" + strconv.FormatInt(p.s.PortalID(), 10)
	}
	http.Redirect(w, r, next, http.StatusSeeOther)
}

func (p *pages) signOut(w http.ResponseWriter, r *http.Request) {
	p.s.directory.signOut(w, r)
	http.Redirect(w, r, "/sign-in", http.StatusSeeOther)
}
