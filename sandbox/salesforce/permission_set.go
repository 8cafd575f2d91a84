package salesforce

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// PermissionSet adds rights to those of a user's profile.
// https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/meta_permissionset.htm
type PermissionSet struct {
	// Name is the API name, Label what people read; it defaults to the name in words.
	Name        string `json:"name"`
	Label       string `json:"label"`
	Description string `json:"description,omitempty"`
	// Objects are by API name, Fields by "Contact.Phone"; of an address only the
	// whole ("Contact.MailingAddress") has a permission.
	Objects map[string]ObjectPermission `json:"objects,omitempty"`
	Fields  map[string]FieldPermission  `json:"fields,omitempty"`
	// UserPermissions are system permissions, such as ApiEnabled.
	UserPermissions []string `json:"userPermissions,omitempty"`
}

// PermissionSetProblems are all reasons for which a permission set was refused,
// in the order of the set. Nothing was saved.
type PermissionSetProblems []string

func (p PermissionSetProblems) Error() string { return strings.Join(p, "; ") }

// knownUserPermissions are the system permissions that a set may have here.
var knownUserPermissions = []string{"ApiEnabled", "ApiUserOnly", "EditTask", "EditEvent", "ViewSetup", "ViewAllData", "ModifyAllData", "ViewRoles",
	"ViewAllUsers", "ConvertLeads", "TransferAnyLead", "TransferAnyEntity", "BulkApiHardDelete", "LightningExperienceUser", "RunReports", "ExportReport",
	"UpdateWithInactiveOwner", "CreateAuditFields", "CustomizeApplication", "AssignPermissionSets", "ManageUsers", "UseAnyApiAuth"}

var apiName = regexp.MustCompile(`^[A-Za-z](_?[A-Za-z0-9])*$`)

const (
	permissionSetLimit = 1500 // of an org
	apiNameLimit       = 80
)

// SavePermissionSet makes the permission set, or replaces the one of its name.
// Users who have it have the new rights at once. An error is
// [PermissionSetProblems] and names everything that is wrong.
func (s *Server) SavePermissionSet(ps PermissionSet) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.savePermissionSet(ps)
}

func (s *Server) savePermissionSet(ps PermissionSet) error {
	kept, problems := s.checkedSet(ps)
	if s.sets[kept.Name] == nil && len(s.sets) >= permissionSetLimit {
		problems = append(problems, fmt.Sprintf("An org may have %d permission sets.", permissionSetLimit))
	}
	if len(problems) > 0 {
		return problems
	}
	s.sets[kept.Name] = kept
	s.permissionsChanged()
	return nil
}

// checkedSet is the set with the names as the schema spells them, and what the
// platform would not deploy.
func (s *Server) checkedSet(ps PermissionSet) (*PermissionSet, PermissionSetProblems) {
	var problems PermissionSetProblems
	refuse := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	kept := &PermissionSet{Name: strings.TrimSpace(ps.Name), Label: strings.TrimSpace(ps.Label), Description: strings.TrimSpace(ps.Description),
		Objects: map[string]ObjectPermission{}, Fields: map[string]FieldPermission{}}
	if !apiName.MatchString(kept.Name) || len(kept.Name) > apiNameLimit {
		refuse("The API name %q must begin with a letter and have only letters, digits and single underscores, at most %d.", kept.Name, apiNameLimit)
	}
	if kept.Label == "" {
		kept.Label = strings.ReplaceAll(kept.Name, "_", " ")
	}
	for _, name := range slices.Sorted(maps.Keys(ps.Objects)) {
		switch o := s.object(name); {
		case o == nil:
			refuse("In field: object - no CustomObject named %s found", name)
		case !o.secured():
			refuse("Object %s has no object permissions: %s.", o.name, whyNoPermissions(o.name))
		default:
			if p := ps.Objects[name]; p != (ObjectPermission{}) {
				kept.Objects[o.name] = p
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(kept.Objects)) {
		for _, missing := range dependencies(name, kept.Objects) {
			refuse("%s", missing)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(ps.Fields)) {
		s.checkField(name, ps.Fields[name], kept, refuse)
	}
	for _, name := range ps.UserPermissions {
		switch {
		case !slices.Contains(knownUserPermissions, name):
			refuse("Unknown user permission: %s", name)
		case !slices.Contains(kept.UserPermissions, name):
			kept.UserPermissions = append(kept.UserPermissions, name)
		}
	}
	slices.Sort(kept.UserPermissions)
	return kept, problems
}

func (s *Server) checkField(name string, p FieldPermission, kept *PermissionSet, refuse func(string, ...any)) {
	objectName, fieldName, _ := strings.Cut(name, ".")
	o := s.object(objectName)
	if o == nil || o.field(fieldName) == nil {
		refuse("In field: field - no CustomField named %s found", name)
		return
	}
	f := o.field(fieldName)
	full := o.name + "." + f.Name
	switch {
	case f.governor() != f:
		// The metadata API knows an address as a whole only.
		refuse("In field: field - no CustomField named %s found; use %s.%s, the whole of the address", full, o.name, f.governor().Name)
	case !f.permissionable() && f.Required:
		refuse("You cannot deploy to a required field: %s", full)
	case !f.permissionable():
		refuse("Field %s has no field-level security: everybody sees it who sees the record.", full)
	case p.Edit && !p.Read:
		refuse("Field permission %s: editable needs readable.", full)
	case p.Edit && f.source == stored && !f.createable() && !f.updateable():
		refuse("Field %s is not editable by anybody: make it readable only.", full)
	case p.Read:
		kept.Fields[full] = p
	}
}

func whyNoPermissions(object string) string {
	if parent := followedObjects[object]; parent != "" {
		return "its records follow " + parent
	}
	if permission := activityPermissions[object]; permission != "" {
		return "reading follows the record that it belongs to, writing takes the user permission " + permission
	}
	return "every user may read it"
}

// dependencies are the rights that an object's rights need and lack.
func dependencies(name string, all map[string]ObjectPermission) []string {
	p := all[name]
	var missing []string
	need := func(has bool, right string, present bool, other string) {
		if has && !present {
			missing = append(missing, "Permission "+right+" "+name+" depends on permission(s): "+other)
		}
	}
	need(p.Create, "Create", p.Read, "Read "+name)
	need(p.Edit, "Edit", p.Read, "Read "+name)
	need(p.Delete, "Delete", p.Read && p.Edit, "Read "+name+", Edit "+name)
	need(p.ViewAll, "View All", p.Read, "Read "+name)
	need(p.ModifyAll, "Modify All", p.Read && p.Edit && p.Delete && p.ViewAll, "Read "+name+", Edit "+name+", Delete "+name+", View All "+name)
	if parent := parentObjects[name]; parent != "" {
		need(p.Read, "Read", all[parent].Read, "Read "+parent)
	}
	return missing
}

// DeletePermissionSet removes a permission set that nobody has any more.
func (s *Server) DeletePermissionSet(name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sets[name] == nil {
		return fmt.Errorf("there is no permission set %s", name)
	}
	for _, u := range s.users {
		if slices.Contains(u.sets, name) {
			return fmt.Errorf("permission set %s is assigned to %s: unassign it first", name, u.Username)
		}
	}
	delete(s.sets, name)
	s.permissionsChanged()
	return nil
}

// AssignPermissionSet gives a user a permission set; a second time is no error.
func (s *Server) AssignPermissionSet(name, username string) error {
	return s.assign(name, username, true)
}

// UnassignPermissionSet takes a permission set from a user who may not have it.
func (s *Server) UnassignPermissionSet(name, username string) error {
	return s.assign(name, username, false)
}

func (s *Server) assign(name, username string, has bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.users[strings.ToLower(username)]
	if u == nil {
		return fmt.Errorf("there is no user %s", username)
	}
	if s.sets[name] == nil {
		return fmt.Errorf("there is no permission set %s", name)
	}
	u.sets = slices.DeleteFunc(u.sets, func(one string) bool { return one == name })
	if has {
		u.sets = append(u.sets, name)
		slices.Sort(u.sets)
	}
	s.permissionsChanged()
	return nil
}

// PermissionSets lists the permission sets by name.
func (s *Server) PermissionSets() []PermissionSet {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var list []PermissionSet
	for _, name := range slices.Sorted(maps.Keys(s.sets)) {
		list = append(list, s.sets[name].clone())
	}
	return list
}

// PermissionSetsOf lists the names of a user's permission sets.
func (s *Server) PermissionSetsOf(username string) []string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if u := s.users[strings.ToLower(username)]; u != nil {
		return slices.Clone(u.sets)
	}
	return nil
}

func (ps *PermissionSet) clone() PermissionSet {
	c := *ps
	c.Objects, c.Fields, c.UserPermissions = maps.Clone(ps.Objects), maps.Clone(ps.Fields), slices.Clone(ps.UserPermissions)
	return c
}

func (s *Server) setsOf(u *user) []*PermissionSet {
	var sets []*PermissionSet
	for _, name := range u.sets {
		if ps := s.sets[name]; ps != nil {
			sets = append(sets, ps)
		}
	}
	return sets
}

func anySet(sets []*PermissionSet, userPermission string) bool {
	return userPermission != "" && slices.ContainsFunc(sets, func(ps *PermissionSet) bool { return slices.Contains(ps.UserPermissions, userPermission) })
}
