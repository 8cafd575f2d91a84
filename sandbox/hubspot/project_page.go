package hubspot

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// sampleApp is what the upload form starts with.
const sampleApp = `{
  "uid": "my_app",
  "type": "app",
  "config": {
    "name": "My app",
    "description": "Reads contacts",
    "distribution": "private",
    "auth": {
      "type": "oauth",
      "redirectUrls": ["http://localhost:3000/oauth-callback"],
      "requiredScopes": ["oauth", "crm.objects.contacts.read"],
      "optionalScopes": [],
      "conditionallyRequiredScopes": []
    }
  }
}
`

func (v *visit) listProjects() {
	if v.superAdmin("create or see apps of projects") {
		v.projects(sampleApp, nil)
	}
}

func (v *visit) projects(file string, errs []string) {
	data := struct {
		page
		Apps   []ProjectApp
		File   string
		Errors []string
	}{page: v.page("Projects"), File: file, Errors: errs}
	for _, p := range v.s.ProjectApps() {
		if p.PortalID == v.s.PortalID() {
			data.Apps = append(data.Apps, p)
		}
	}
	v.show("projects.html", data)
}

func (v *visit) uploadProject() {
	if !v.superAdmin("create or see apps of projects") {
		return
	}
	file := v.r.PostForm.Get("file")
	made, err := v.s.UploadApp([]byte(file))
	var refused *AppFileError
	if errors.As(err, &refused) {
		v.projects(file, refused.Problems)
		return
	}
	v.redirect(fmt.Sprintf("/developer-projects/%s/%d?done=uploaded", v.portal(), made.AppID))
}

// projectInPath finds the app, or shows that there is none.
func (v *visit) projectInPath() (ProjectApp, bool) {
	if !v.superAdmin("create or see apps of projects") {
		return ProjectApp{}, false
	}
	id, _ := strconv.ParseInt(v.r.PathValue("id"), 10, 64)
	for _, p := range v.s.ProjectApps() {
		if p.AppID == id && p.PortalID == v.s.PortalID() {
			return p, true
		}
	}
	v.notFound("There is no such app in this account.")
	return ProjectApp{}, false
}

func (v *visit) showProject() {
	p, ok := v.projectInPath()
	if !ok {
		return
	}
	data := struct {
		page
		App                             ProjectApp
		Show, Installed, Changed        bool
		Token, Done                     string
		Required, Conditional, Optional []scopeLine
		InstallURLs                     []string
	}{page: v.page(p.Name), App: p, Show: v.r.URL.Query().Has("show"), Required: v.s.scopes.lines(p.Required),
		Conditional: v.s.scopes.lines(p.Conditional), Optional: v.s.scopes.lines(p.Optional)}
	data.Done = map[string]string{
		"uploaded":  "The app is uploaded and deployed.",
		"installed": "The app is installed. Copy its token and keep it like a password.",
	}[v.r.URL.Query().Get("done")]
	v.s.mu.RLock()
	if a := v.s.installed(p); a != nil {
		data.Installed, data.Changed = true, !slices.Equal(a.Scopes, p.Required)
		if tokens := v.s.tokensOf(a); len(tokens) > 0 {
			data.Token = tokens[len(tokens)-1].Token
		}
	}
	v.s.mu.RUnlock()
	for _, redirect := range p.RedirectURLs {
		q := url.Values{"client_id": {p.ClientID}, "redirect_uri": {redirect}, "scope": {strings.Join(p.Required, " ")}}
		if len(p.Optional) > 0 {
			q.Set("optional_scope", strings.Join(p.Optional, " "))
		}
		data.InstallURLs = append(data.InstallURLs, *v.s.origin.Load()+"/oauth/authorize?"+q.Encode())
	}
	v.show("project.html", data)
}

func (v *visit) installProject() {
	p, ok := v.projectInPath()
	if !ok {
		return
	}
	if p.Auth != "static" {
		v.refuse(409, "Not installed", "An app with OAuth is installed from its install address.")
		return
	}
	v.s.mu.Lock()
	v.s.installStatic(p, v.user)
	v.s.mu.Unlock()
	v.redirect(fmt.Sprintf("/developer-projects/%s/%d?done=installed&show=1", v.portal(), p.AppID))
}
