package salesforce

import (
	"fmt"
	"slices"
	"strings"
)

// ObjectPermission is what a user may do with an object's records. ViewAll and
// ModifyAll are kept and shown; there is no sharing here that they could pass.
type ObjectPermission struct {
	Read      bool `json:"read"`
	Create    bool `json:"create"`
	Edit      bool `json:"edit"`
	Delete    bool `json:"delete"`
	ViewAll   bool `json:"viewAll,omitempty"`
	ModifyAll bool `json:"modifyAll,omitempty"`
}

// FieldPermission is what a permission set allows with one field.
type FieldPermission struct {
	Read bool `json:"read"`
	Edit bool `json:"edit"`
}

type fieldPermission struct{ Read, Edit bool }

// The profiles that give nothing by themselves. The one for integrations lets
// its users call the API; with the other a permission set must.
const (
	MinimumAccessProfile            = "Minimum Access - Salesforce"
	MinimumAccessIntegrationProfile = "Minimum Access - API Only Integrations"
)

// apiEnabled is the user permission without which no API call is answered.
const apiEnabled = "ApiEnabled"

// user is a User in use. Its profile allows everything, unless it is a minimum
// access one or something was taken away; permission sets add to that.
type user struct {
	User
	id      string
	objects map[string]ObjectPermission           // by lower-case object name
	fields  map[string]map[string]fieldPermission // by lower-case object, field name
	sets    []string                              // API names of its permission sets
	masks   map[*object]*access                   // nil: everything
	noAPI   bool
}

// access is what a user may do with one object. Nil slices mean every field.
type access struct {
	ObjectPermission
	hidden []bool // by field index
	fixed  []bool // not editable
}

func (a *access) canRead(f *field) bool {
	return a.hidden == nil || int(f.index) >= len(a.hidden) || !a.hidden[f.index]
}

func (a *access) canEdit(f *field) bool {
	return a.fixed == nil || int(f.index) >= len(a.fixed) || !a.fixed[f.index]
}

var fullAccess = &access{ObjectPermission: ObjectPermission{Read: true, Create: true, Edit: true, Delete: true}}

// minimal says whether the user's profile gives nothing.
func (u *user) minimal() bool { return strings.HasPrefix(u.Profile, "Minimum Access") }

// restricted says whether the user may not do everything.
func (u *user) restricted() bool { return len(u.objects) > 0 || len(u.fields) > 0 || u.minimal() }

// prepare computes the user's access to all objects; it needs the write lock.
func (u *user) prepare(s *Server) {
	u.masks, u.noAPI = nil, false
	if !u.restricted() {
		return
	}
	sets := s.setsOf(u)
	u.noAPI = u.minimal() && u.Profile != MinimumAccessIntegrationProfile && !anySet(sets, apiEnabled)
	u.masks = map[*object]*access{}
	for _, o := range s.objects {
		a := &access{ObjectPermission: u.objectPermission(s, o, sets)}
		u.maskFields(o, a, sets)
		u.masks[o] = a
	}
}

func (u *user) objectPermission(s *Server, o *object, sets []*PermissionSet) ObjectPermission {
	if parent := s.object(followedObjects[o.name]); parent != nil && u.minimal() {
		p := u.objectPermission(s, parent, sets)
		return ObjectPermission{Read: p.Read, Create: p.Edit, Edit: p.Edit, Delete: p.Edit}
	}
	own, set := u.objects[strings.ToLower(o.name)]
	switch {
	case set:
	case !u.minimal():
		own = fullAccess.ObjectPermission
	case !o.secured():
		may := anySet(sets, activityPermissions[o.name])
		own = ObjectPermission{Read: true, Create: may, Edit: may, Delete: may}
	}
	for _, ps := range sets {
		if p, ok := ps.Objects[o.name]; ok {
			own.Read, own.Create, own.Edit, own.Delete = own.Read || p.Read, own.Create || p.Create, own.Edit || p.Edit, own.Delete || p.Delete
			own.ViewAll, own.ModifyAll = own.ViewAll || p.ViewAll, own.ModifyAll || p.ModifyAll
		}
	}
	return own
}

func (u *user) maskFields(o *object, a *access, sets []*PermissionSet) {
	own := u.fields[strings.ToLower(o.name)]
	if len(own) == 0 && (!u.minimal() || !o.secured()) {
		return
	}
	a.hidden, a.fixed = make([]bool, len(o.fields)), make([]bool, len(o.fields))
	for _, f := range o.fields {
		if !f.permissionable() {
			continue
		}
		g := f.governor()
		p, ok := own[g.lower]
		if !ok {
			may := !u.minimal() || !o.secured()
			p = fieldPermission{may, may}
		}
		for _, ps := range sets {
			granted := ps.Fields[o.name+"."+g.Name]
			p.Read, p.Edit = p.Read || granted.Read, p.Edit || granted.Edit
		}
		a.hidden[f.index], a.fixed[f.index] = !p.Read, !p.Edit
	}
}

// access is the user's access to an object.
func (s *Server) access(u *user, o *object) *access {
	if u.masks == nil {
		return fullAccess
	}
	if a := u.masks[o]; a != nil {
		return a
	}
	return fullAccess
}

// permissionsChanged makes access and describes anew; it needs the write lock.
func (s *Server) permissionsChanged() {
	for _, u := range s.users {
		u.prepare(s)
	}
	s.describes.clear()
	s.schemaAt = s.clock.Now()
	s.changes++
}

// SetPermission sets what a user's profile allows with an object. Users start
// with all rights, those with a minimum access profile with none; permission
// sets add to what is set here. A user or object that does not exist panics.
func (s *Server) SetPermission(username, objectName string, p ObjectPermission) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u, o := s.users[strings.ToLower(username)], s.object(objectName)
	if u == nil || o == nil {
		panic(fmt.Sprintf("salesforce sandbox: no user %s or object %s", username, objectName))
	}
	if u.objects == nil {
		u.objects = map[string]ObjectPermission{}
	}
	u.objects[strings.ToLower(o.name)] = p
	s.permissionsChanged()
}

// SetFieldPermission sets a user's field-level security in the profile: a field
// that cannot be read is absent for that user, one that cannot be edited refuses
// writes. Parts of an address share that of the whole. A user or field that does
// not exist panics, and so does one that the system needs (required fields, ids,
// owners, names, audit fields): nobody can restrict those.
func (s *Server) SetFieldPermission(username, objectName, fieldName string, read, edit bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u, o := s.users[strings.ToLower(username)], s.object(objectName)
	if u == nil || o == nil || o.field(fieldName) == nil {
		panic(fmt.Sprintf("salesforce sandbox: no user %s or field %s.%s", username, objectName, fieldName))
	}
	f := o.field(fieldName)
	if !f.permissionable() {
		panic(fmt.Sprintf("salesforce sandbox: field %s.%s is needed by the system, no permission can hide it", o.name, f.Name))
	}
	name := strings.ToLower(o.name)
	if u.fields == nil {
		u.fields = map[string]map[string]fieldPermission{}
	}
	if u.fields[name] == nil {
		u.fields[name] = map[string]fieldPermission{}
	}
	u.fields[name][f.governor().lower] = fieldPermission{Read: read, Edit: edit && read}
	s.permissionsChanged()
}

// SetProfile gives a user another profile, which is made if there is none of
// that name.
func (s *Server) SetProfile(username, profile string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.users[strings.ToLower(username)]
	if u == nil {
		return fmt.Errorf("there is no user %s", username)
	}
	if profile = strings.TrimSpace(profile); profile == "" {
		return fmt.Errorf("a profile of user %s needs a name", username)
	}
	if u == s.admin && profile != u.Profile {
		return fmt.Errorf("user %s stays the administrator: somebody has to be", username)
	}
	t := s.begin(s.admin)
	id := s.profile(t, profile)
	o := s.object("User")
	r := o.find(u.id)
	d := draftOf(r)
	d.set(o.field("ProfileId"), textOf(id))
	t.update(o, r, d.cells, false)
	u.Profile = profile
	s.permissionsChanged()
	return nil
}

// Profiles lists the names of the profiles.
func (s *Server) Profiles() []string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var names []string
	o := s.object("Profile")
	for _, r := range o.rows {
		if r != nil {
			names = append(names, r.get(o.nameField).text)
		}
	}
	for _, name := range []string{MinimumAccessProfile, MinimumAccessIntegrationProfile} {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
