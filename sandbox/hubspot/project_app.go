package hubspot

import (
	"encoding/json"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"
)

// The limits of an app's file.
// https://developers.hubspot.com/docs/apps/developer-platform/build-apps/overview
const (
	appUIDLength   = 64
	appFileBytes   = 256 << 10
	projectAppsMax = 200
)

// ProjectApp is an app that a developer made as a project, to be installed with a
// static token in its own account or by OAuth in any.
type ProjectApp struct {
	UID          string    `json:"uid"`
	AppID        int64     `json:"appId"`
	Name         string    `json:"name"`
	Description  string    `json:"description,omitempty"`
	Distribution string    `json:"distribution"` // private or marketplace
	Auth         string    `json:"auth"`         // static or oauth
	RedirectURLs []string  `json:"redirectUrls,omitempty"`
	Required     []string  `json:"requiredScopes"`
	Optional     []string  `json:"optionalScopes,omitempty"`
	Conditional  []string  `json:"conditionallyRequiredScopes,omitempty"`
	ClientID     string    `json:"clientId"`
	ClientSecret string    `json:"clientSecret"`
	PortalID     int64     `json:"portalId"` // the account that it was uploaded to
	UploadedAt   time.Time `json:"uploadedAt"`
}

// AppFileError lists all that is wrong with an app's file.
type AppFileError struct{ Problems []string }

func (e *AppFileError) Error() string {
	return "the file was refused: " + strings.Join(e.Problems, "; ")
}

// appFile is src/app/app-hsmeta.json as far as it matters here.
type appFile struct {
	UID    string `json:"uid"`
	Type   string `json:"type"`
	Config struct {
		Name         string `json:"name"`
		Description  string `json:"description"`
		Distribution string `json:"distribution"`
		Auth         struct {
			Type         string   `json:"type"`
			RedirectURLs []string `json:"redirectUrls"`
			Required     []string `json:"requiredScopes"`
			Optional     []string `json:"optionalScopes"`
			Conditional  []string `json:"conditionallyRequiredScopes"`
		} `json:"auth"`
	} `json:"config"`
}

// UploadApp takes an app-hsmeta.json, as a project's upload and deploy do, into
// the account. A file with a uid that is there already changes that app: what
// has it installed keeps its scopes until it installs again. Errors are
// *[AppFileError].
func (s *Server) UploadApp(file []byte) (ProjectApp, error) {
	var in appFile
	if len(file) > appFileBytes {
		return ProjectApp{}, &AppFileError{[]string{fmt.Sprintf("it is larger than %d bytes", appFileBytes)}}
	}
	if err := json.Unmarshal(file, &in); err != nil {
		return ProjectApp{}, &AppFileError{[]string{"it is not the JSON of an app: " + err.Error()}}
	}
	if problems := s.inspect(&in); len(problems) > 0 {
		return ProjectApp{}, &AppFileError{problems}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.directory
	d.mu.Lock()
	defer d.mu.Unlock()
	at := slices.IndexFunc(d.projects, func(p ProjectApp) bool { return p.UID == in.UID && p.PortalID == s.config.PortalID })
	var p ProjectApp
	if at >= 0 {
		p = d.projects[at]
	} else {
		if len(d.projects) >= projectAppsMax {
			return ProjectApp{}, &AppFileError{[]string{fmt.Sprintf("there are %d apps already", projectAppsMax)}}
		}
		s.lastAppID += 1 + int64(s.random.IntN(50))
		p = ProjectApp{UID: in.UID, AppID: s.lastAppID, PortalID: s.config.PortalID,
			ClientID:     fmt.Sprintf("00000000-fa4e-4000-9000-%012x", s.secret()),
			ClientSecret: fmt.Sprintf("00000000-fa4e-4000-a000-%012x", s.secret())}
		d.projects = append(d.projects, p)
		at = len(d.projects) - 1
	}
	a := in.Config.Auth
	p.Name, p.Description, p.Distribution, p.Auth = in.Config.Name, in.Config.Description, in.Config.Distribution, a.Type
	p.RedirectURLs, p.Required, p.Optional, p.Conditional = a.RedirectURLs, withOAuth(a.Required), a.Optional, a.Conditional
	p.UploadedAt = s.clock.Now()
	d.projects[at] = p
	s.version.Add(1)
	return p, nil
}

// inspect lists everything that is wrong with an app's file.
func (s *Server) inspect(in *appFile) (problems []string) {
	bad := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	a := in.Config.Auth
	switch {
	case in.UID == "":
		bad("uid is missing")
	case len(in.UID) > appUIDLength:
		bad("uid has %d characters, and may have %d", len(in.UID), appUIDLength)
	}
	if in.Type != "app" {
		bad(`type is %q, and must be "app"`, in.Type)
	}
	if strings.TrimSpace(in.Config.Name) == "" {
		bad("config.name is missing")
	}
	if in.Config.Distribution != "private" && in.Config.Distribution != "marketplace" {
		bad(`config.distribution is %q, and must be "private" or "marketplace"`, in.Config.Distribution)
	}
	switch a.Type {
	case "static":
		if in.Config.Distribution == "marketplace" {
			bad(`an app for the marketplace must have config.auth.type "oauth"`)
		}
	case "oauth":
		if len(a.RedirectURLs) == 0 {
			bad("config.auth.redirectUrls is empty, and OAuth needs one at least")
		}
	default:
		bad(`config.auth.type is %q, and must be "static" or "oauth"`, a.Type)
	}
	for _, text := range a.RedirectURLs {
		if why := badRedirect(text); why != "" {
			bad("redirect URL %q %s", text, why)
		}
	}
	if len(a.Required) == 0 {
		bad("config.auth.requiredScopes is empty")
	}
	seen := map[string]bool{}
	for _, scope := range slices.Concat(a.Required, a.Optional, a.Conditional) {
		if !s.scopes.known(scope) {
			bad("there is no scope %q", scope)
		}
		if seen[scope] {
			bad("scope %q is there twice", scope)
		}
		seen[scope] = true
	}
	return problems
}

// badRedirect says why an address cannot be a redirect URL; "" when it can.
func badRedirect(text string) string {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "":
		return "is no address"
	case u.Fragment != "":
		return "has a fragment"
	case net.ParseIP(u.Hostname()) != nil:
		return "names a bare IP address; use a host name, or http://localhost"
	case u.Scheme == "https", u.Scheme == "http" && u.Hostname() == "localhost":
		return ""
	}
	return "must be https, or http://localhost"
}

// ProjectApps lists the apps of all accounts' developers.
func (s *Server) ProjectApps() []ProjectApp {
	s.directory.mu.Lock()
	defer s.directory.mu.Unlock()
	return slices.Clone(s.directory.projects)
}

// project finds an app by its client id.
func (d *directory) project(clientID string) (ProjectApp, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	i := slices.IndexFunc(d.projects, func(p ProjectApp) bool { return p.ClientID == clientID })
	if i < 0 {
		return ProjectApp{}, false
	}
	return d.projects[i], true
}

// projectByID finds an app by its number.
func (d *directory) projectByID(appID int64) (ProjectApp, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	i := slices.IndexFunc(d.projects, func(p ProjectApp) bool { return p.AppID == appID })
	if i < 0 {
		return ProjectApp{}, false
	}
	return d.projects[i], true
}

// installed finds the live installation of an app in this account.
func (s *Server) installed(p ProjectApp) *app {
	for _, a := range s.apps {
		if a.ClientID == p.ClientID && a.DeletedAt.IsZero() && a.Kind != ClientCredentials {
			return a
		}
	}
	return nil
}

// installStatic installs an app with static auth, anew if it was: that gives it a
// fresh token with the scopes of the file as it is now.
func (s *Server) installStatic(p ProjectApp, by User) *app {
	if old := s.installed(p); old != nil {
		s.deleteApp(old)
	}
	t := s.addApp(App{Kind: StaticAuth, Name: p.Name, Description: p.Description, Scopes: p.Required, ClientID: p.ClientID, UserID: by.ID}, "")
	s.version.Add(1)
	return t.app
}

// secret makes the next number that secrets of OAuth are made of. It follows from
// the seed alone, so that refreshing a token does not change the next record's id.
func (s *Server) secret() uint64 {
	s.lastSecret++
	x := s.config.Seed ^ s.lastSecret*0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return (x ^ x>>31) & 0xffffffffffff
}
