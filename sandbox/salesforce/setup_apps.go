package salesforce

import (
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

const appsPath = "/setup/external-client-apps"

// flowWords are the flows in the words of the page.
var flowWords = []struct {
	Flow  Flow
	Words string
	About string
}{
	{WebServer, "Authorization Code and Credentials Flow", "A person signs in and allows it; needs a callback URL."},
	{ClientCredentials, "Client Credentials Flow", "The app signs in by itself as the run-as user, on the My Domain host only."},
	{JWTBearer, "JWT Bearer Flow", "The app signs an assertion; needs a certificate."},
	{RefreshToken, "Refresh Token Flow", "Tokens are renewed without a person."},
	{Password, "Username-Password Flow", "Old and about to go; for trying migrations only."},
}

type appsView struct{ Apps []App }

// appsOf lists the apps of one kind.
func (s *Server) appsOf(connected bool) []App {
	return slices.DeleteFunc(s.Apps(), func(a App) bool { return a.Connected != connected })
}

func (s *Server) appsPage(w http.ResponseWriter, r *http.Request, _ map[string]string) {
	s.render(w, r, "apps.html", "External Client App Manager", http.StatusOK, appsView{s.appsOf(false)})
}

type choiceView struct {
	Value, Words, About string
	Chosen              bool
}

// appFormView is the form of an app that is made or changed.
type appFormView struct {
	App            App
	New            bool
	Problem        string
	Callbacks      string
	Certificate    string
	HasCertificate bool
	Flows, Scopes  []choiceView
	Permitted      []choiceView
	RunAs          []choiceView
	Profiles, Sets []choiceView
}

func chosen[T ~string](list []T, value string) bool {
	return slices.ContainsFunc(list, func(one T) bool { return string(one) == value })
}

func (s *Server) appForm(a App, isNew bool, problem string) appFormView {
	v := appFormView{App: a, New: isNew, Problem: problem, Callbacks: strings.Join(a.CallbackURLs, "\n"), HasCertificate: len(a.CertificatePEM) > 0}
	for _, f := range flowWords {
		v.Flows = append(v.Flows, choiceView{string(f.Flow), f.Words, f.About, chosen(a.Flows, string(f.Flow))})
	}
	for _, one := range scopeWords {
		v.Scopes = append(v.Scopes, choiceView{one.Name, one.Words, "", chosen(a.Scopes, one.Name)})
	}
	v.Permitted = []choiceView{
		{string(SelfAuthorized), "All users may self-authorize", "Each user allows it on the consent page.", a.PermittedUsers == SelfAuthorized},
		{string(AdminApproved), "Admin approved users are pre-authorized", "Only those with one of the profiles or permission sets below; no consent page.", a.PermittedUsers == AdminApproved},
	}
	if a.PermittedUsers == EverybodyApproved && !isNew {
		v.Permitted = append(v.Permitted, choiceView{"", "Everybody counts as approved", "A short cut of this sandbox for apps that a script made.", true})
	}
	for _, u := range s.Users() {
		if !u.Inactive {
			v.RunAs = append(v.RunAs, choiceView{Value: u.Username, Words: u.Username, Chosen: strings.EqualFold(u.Username, a.RunAs)})
		}
	}
	for _, name := range s.Profiles() {
		v.Profiles = append(v.Profiles, choiceView{Value: name, Words: name, Chosen: slices.Contains(a.ApprovedProfiles, name)})
	}
	for _, ps := range s.PermissionSets() {
		v.Sets = append(v.Sets, choiceView{Value: ps.Name, Words: ps.Label, Chosen: slices.Contains(a.ApprovedPermissionSets, ps.Name)})
	}
	return v
}

// readAppForm takes what a form says into an app.
func readAppForm(r *http.Request, a App) (App, string) {
	a.Name, a.Description = strings.TrimSpace(r.PostFormValue("name")), strings.TrimSpace(r.PostFormValue("description"))
	a.ContactEmail = strings.TrimSpace(r.PostFormValue("contactEmail"))
	a.CallbackURLs = strings.Fields(r.PostFormValue("callbacks"))
	a.RunAs, a.Scopes, a.Flows = r.PostFormValue("runAs"), r.PostForm["scopes"], nil
	for _, f := range r.PostForm["flows"] {
		a.Flows = append(a.Flows, Flow(f))
	}
	a.RequirePKCE, a.SecretOptional = r.PostFormValue("requirePkce") != "", r.PostFormValue("requireSecret") == ""
	a.RotateRefreshTokens = r.PostFormValue("rotate") != ""
	a.PermittedUsers = PermittedUsers(r.PostFormValue("permittedUsers"))
	a.ApprovedProfiles, a.ApprovedPermissionSets = r.PostForm["profiles"], r.PostForm["permissionSets"]
	if r.PostFormValue("removeCertificate") != "" {
		a.CertificatePEM = nil
	}
	if text := strings.TrimSpace(r.PostFormValue("certificate")); text != "" {
		a.CertificatePEM = []byte(text + "\n")
	}
	if file := uploaded(r, "certificateFile"); len(file) > 0 {
		a.CertificatePEM = file
	}
	a.RefreshIdleDays = 0
	if text := strings.TrimSpace(r.PostFormValue("refreshIdleDays")); text != "" {
		days, err := strconv.Atoi(text)
		if err != nil {
			return a, "The idle life of refresh tokens is a number of days."
		}
		a.RefreshIdleDays = days
	}
	switch {
	case a.Name == "":
		return a, "Give the app a name."
	case !strings.Contains(a.ContactEmail, "@"):
		return a, "Give the e-mail address of who looks after the app."
	case len(a.Flows) == 0:
		return a, "Choose at least one flow."
	case len(a.Scopes) == 0:
		return a, "Choose at least one scope; a sync needs api and refresh_token."
	case a.allowsFlow(JWTBearer) && len(a.CertificatePEM) == 0:
		return a, "The JWT bearer flow needs a certificate: paste or choose a PEM file."
	}
	return a, ""
}

func (a App) allowsFlow(f Flow) bool { return slices.Contains(a.Flows, f) }

// uploaded is the content of a file that came with a form; nil without one.
func uploaded(r *http.Request, name string) []byte {
	if r.MultipartForm == nil {
		return nil
	}
	file, _, err := r.FormFile(name)
	if err != nil {
		return nil
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, pageFormBytes))
	if err != nil {
		return nil
	}
	return content
}

func (s *Server) newAppPage(w http.ResponseWriter, r *http.Request, _ map[string]string) {
	a := App{Flows: []Flow{WebServer, RefreshToken}, Scopes: []string{"api", "refresh_token", "id"}, RequirePKCE: true, RotateRefreshTokens: true,
		RefreshIdleDays: 30, PermittedUsers: SelfAuthorized, RunAs: IntegrationUsername, ContactEmail: s.visitor(r).Email}
	s.render(w, r, "app_form.html", "New External Client App", http.StatusOK, s.appForm(a, true, ""))
}

func (s *Server) createAppByHand(w http.ResponseWriter, r *http.Request, _ map[string]string) {
	a, problem := readAppForm(r, App{})
	if slices.ContainsFunc(s.appsOf(false), func(other App) bool { return strings.EqualFold(other.Name, a.Name) }) {
		problem = "There is an app of that name already."
	}
	if problem == "" {
		made, err := s.CreateApp(a)
		if err == nil {
			http.Redirect(w, r, appsPath+"/"+made.ClientID, http.StatusSeeOther)
			return
		}
		problem = sentence(err)
	}
	s.render(w, r, "app_form.html", "New External Client App", http.StatusBadRequest, s.appForm(a, true, problem))
}

// sentence makes an error readable at the head of a form.
func sentence(err error) string {
	text := err.Error()
	return strings.ToUpper(text[:1]) + text[1:] + "."
}

// appOf finds the app of an address, or answers that there is none.
func (s *Server) appOf(w http.ResponseWriter, r *http.Request, values map[string]string) (App, bool) {
	for _, a := range s.Apps() {
		if a.ClientID == values["app"] {
			return a, true
		}
	}
	s.missingPage(w, r, "There is no app with this consumer key.")
	return App{}, false
}

func (s *Server) appPage(w http.ResponseWriter, r *http.Request, values map[string]string) {
	if a, ok := s.appOf(w, r, values); ok {
		s.render(w, r, "app_form.html", a.Name, http.StatusOK, s.appForm(a, false, ""))
	}
}

func (s *Server) editApp(w http.ResponseWriter, r *http.Request, values map[string]string) {
	known, ok := s.appOf(w, r, values)
	if !ok {
		return
	}
	a, problem := readAppForm(r, known)
	if problem == "" {
		_, err := s.UpdateApp(a)
		if err == nil {
			http.Redirect(w, r, appsPath+"/"+a.ClientID, http.StatusSeeOther)
			return
		}
		problem = sentence(err)
	}
	s.render(w, r, "app_form.html", known.Name, http.StatusBadRequest, s.appForm(a, false, problem))
}

func (s *Server) consumerPage(w http.ResponseWriter, r *http.Request, values map[string]string) {
	if a, ok := s.appOf(w, r, values); ok {
		s.render(w, r, "consumer.html", "Consumer key and secret", http.StatusOK, a)
	}
}

func (s *Server) rotateByHand(w http.ResponseWriter, r *http.Request, values map[string]string) {
	if a, ok := s.appOf(w, r, values); ok {
		if _, err := s.RotateSecret(a.ClientID); err != nil {
			s.missingPage(w, r, sentence(err))
			return
		}
		http.Redirect(w, r, appsPath+"/"+a.ClientID+"/consumer", http.StatusSeeOther)
	}
}

func (s *Server) deleteApp(w http.ResponseWriter, r *http.Request, values map[string]string) {
	if a, ok := s.appOf(w, r, values); ok {
		if err := s.DeleteApp(a.ClientID); err != nil {
			s.missingPage(w, r, sentence(err))
			return
		}
		http.Redirect(w, r, appsPath, http.StatusSeeOther)
	}
}

type connectedView struct {
	Apps    []App
	Refused bool
}

func (s *Server) connectedAppsPage(w http.ResponseWriter, r *http.Request, _ map[string]string) {
	s.render(w, r, "connected_apps.html", "Connected Apps", http.StatusOK, connectedView{s.appsOf(true), false})
}

// refuseConnectedApp says why none can be made.
// https://developer.salesforce.com/docs/platform/pkg1-dev/guide/connected-apps.md
func (s *Server) refuseConnectedApp(w http.ResponseWriter, r *http.Request, _ map[string]string) {
	s.render(w, r, "connected_apps.html", "Connected Apps", http.StatusForbidden, connectedView{s.appsOf(true), true})
}
