package salesforce

import "strings"

// User is a person or an integration that may sign in.
type User struct {
	// Username is unique and looks like an e-mail address.
	Username string `json:"username"`
	// Email defaults to the username.
	Email     string `json:"email,omitempty"`
	FirstName string `json:"firstName,omitempty"`
	// LastName defaults to the part of the username before the @.
	LastName string `json:"lastName,omitempty"`
	// Password is for the SOAP login; a visibly fake one is made when empty.
	Password string `json:"password,omitempty"`
	// SecurityToken may follow the password.
	SecurityToken string `json:"securityToken,omitempty"`
	// Profile is a profile's name; "Standard User" when empty. A profile whose name
	// that begins with "Minimum Access" gives nothing, so that permission sets alone count.
	Profile  string `json:"profile,omitempty"`
	Inactive bool   `json:"inactive,omitempty"`
}

// AddUser adds a user and returns the id of its User record.
func (s *Server) AddUser(u User) (id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.addUser(u).id
}

func (s *Server) addUser(u User) *user {
	if known := s.users[strings.ToLower(u.Username)]; known != nil {
		return known
	}
	local, _, _ := strings.Cut(u.Username, "@")
	if u.LastName == "" {
		u.LastName = local
	}
	if u.Email == "" {
		u.Email = u.Username
	}
	if u.Profile == "" {
		u.Profile = "Standard User"
	}
	if u.Password == "" {
		u.Password = "fake-password-" + s.fakeText("password", u.Username, 8)
	}
	if u.SecurityToken == "" {
		u.SecurityToken = "fakeToken" + s.fakeText("security", u.Username, 8)
	}
	t := s.begin(s.admin)
	r := s.load(t, "User", map[string]any{
		"Username": u.Username, "Email": u.Email, "FirstName": u.FirstName, "LastName": u.LastName,
		"Alias": clip(local, 8), "CommunityNickname": clip(local, 40), "IsActive": !u.Inactive,
		"TimeZoneSidKey": "GMT", "LocaleSidKey": "en_US", "EmailEncodingKey": "UTF-8", "LanguageLocaleKey": "en_US",
		"ProfileId": s.profile(t, u.Profile), "UserType": "Standard", "CompanyName": "Lockstep Sandbox",
		"UserPermissionsMarketingUser": true,
	}, s.clock.Now(), s.clock.Now())
	made := &user{User: u, id: r.id}
	made.prepare(s)
	s.users[strings.ToLower(u.Username)] = made
	s.byUserID[r.id] = made
	return made
}

// enroll lets a user that was made as a record sign in.
func (s *Server) enroll(r *row) {
	o := s.object("User")
	text := func(name string) string { return r.get(o.byName[name]).text }
	profile := s.row(text("profileid"))
	u := User{Username: text("username"), Email: text("email"), FirstName: text("firstname"), LastName: text("lastname"),
		Profile: profile.get(s.object("Profile").nameField).text, Inactive: !r.get(o.byName["isactive"]).isTrue(),
		Password: "fake-password-" + s.fakeText("password", text("username"), 8), SecurityToken: "fakeToken" + s.fakeText("security", text("username"), 8)}
	made := &user{User: u, id: r.id}
	made.prepare(s)
	s.users[strings.ToLower(u.Username)], s.byUserID[r.id] = made, made
}

func clip(s string, n int) string { return s[:min(len(s), n)] }

// profile finds a profile by name, or makes it.
func (s *Server) profile(t *transaction, name string) string {
	o := s.object("Profile")
	for _, r := range o.rows {
		if r != nil && strings.EqualFold(r.get(o.nameField).text, name) {
			return r.id
		}
	}
	return s.load(t, "Profile", map[string]any{"Name": name, "UserType": "Standard"}, s.clock.Now(), s.clock.Now()).id
}

// Users lists the users by username, with their passwords: a sandbox has no secrets.
func (s *Server) Users() []User {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var list []User
	o := s.object("User")
	for _, r := range o.rows {
		if r != nil {
			if u := s.byUserID[r.id]; u != nil {
				list = append(list, u.User)
			}
		}
	}
	return list
}

// The users that every org starts with.
const (
	AdministratorUsername = "admin@lockstep-dev-ed.example"
	IntegrationUsername   = "integration@lockstep-dev-ed.example"
)

// populate makes what no org is without: itself, profiles, two users, and the
// read-only rows that explain picklists.
func (s *Server) populate() {
	now := s.clock.Now()
	t := s.begin(nil)
	s.load(t, "Organization", map[string]any{
		"Name": "Lockstep Sandbox", "OrganizationType": "Developer Edition", "InstanceName": "LCK1", "IsSandbox": false,
		"DefaultLocaleSidKey": "en_US", "LanguageLocaleKey": "en_US", "TimeZoneSidKey": "GMT", "FiscalYearStartMonth": 1,
		"PrimaryContact": "Ada Administrator", "Country": "US",
	}, now, now)
	s.admin = s.addUser(User{Username: AdministratorUsername, FirstName: "Ada", LastName: "Administrator", Profile: "System Administrator"})
	// The administrator made himself: only now is there an id to say so.
	s.claim(s.admin.id)
	s.addUser(User{Username: IntegrationUsername, FirstName: "Integration", LastName: "User", Profile: "Salesforce API Only System Integrations"})
	t = s.begin(s.admin)
	s.profile(t, "Standard User")
	s.connectLegacyApp()
	for _, st := range standardStages {
		s.addStage(t, st)
	}
	explain := func(object, field, flag string, marked ...string) {
		listed := s.object(strings.TrimSuffix(strings.TrimSuffix(object, "Status"), "Priority")).field(field)
		for i, v := range listed.Picklist {
			flagged := false
			for _, m := range marked {
				flagged = flagged || m == v.Value
			}
			s.load(t, object, map[string]any{"MasterLabel": v.Label, "ApiName": v.Value, "SortOrder": i + 1, "IsDefault": v.Default, flag: flagged}, now, now)
		}
	}
	explain("LeadStatus", "Status", "IsConverted", "Closed - Converted")
	explain("TaskStatus", "Status", "IsClosed", "Completed")
	explain("TaskPriority", "Priority", "IsHighPriority", "High")
	explain("CaseStatus", "Status", "IsClosed", "Closed")
	s.load(t, "Pricebook2", map[string]any{"Name": "Standard Price Book", "IsActive": true, "IsStandard": true}, now, now)
}

// claim names an editor on rows that were made before there was any user.
func (s *Server) claim(id string) {
	for _, o := range s.objects {
		for _, r := range o.rows {
			if r.createdBy == "" {
				r.createdBy, r.modifiedBy = id, id
			}
		}
	}
}
