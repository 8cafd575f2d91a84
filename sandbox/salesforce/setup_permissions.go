package salesforce

import (
	"net/http"
	"slices"
	"strings"
)

const setsPath = "/setup/permission-sets"

type setsView struct {
	Sets     []setLine
	Problems []string
	Name     string
	XML      string
}

type setLine struct {
	PermissionSet
	Users []string
}

func (s *Server) setsView() setsView {
	var v setsView
	for _, ps := range s.PermissionSets() {
		v.Sets = append(v.Sets, setLine{ps, s.usersWith(ps.Name)})
	}
	return v
}

func (s *Server) usersWith(set string) []string {
	var names []string
	for _, u := range s.Users() {
		if slices.Contains(s.PermissionSetsOf(u.Username), set) {
			names = append(names, u.Username)
		}
	}
	return names
}

func (s *Server) permissionSetsPage(w http.ResponseWriter, r *http.Request, _ map[string]string) {
	s.render(w, r, "permission_sets.html", "Permission Sets", http.StatusOK, s.setsView())
}

func (s *Server) refuseSet(w http.ResponseWriter, r *http.Request, err error) {
	v := s.setsView()
	v.Name, v.XML = r.PostFormValue("name"), r.PostFormValue("xml")
	v.Problems = []string{sentence(err)}
	if problems, ok := err.(PermissionSetProblems); ok {
		v.Problems = problems
	}
	s.render(w, r, "permission_sets.html", "Permission Sets", http.StatusBadRequest, v)
}

// createPermissionSet makes an empty one.
func (s *Server) createPermissionSet(w http.ResponseWriter, r *http.Request, _ map[string]string) {
	label := strings.TrimSpace(r.PostFormValue("label"))
	name := strings.TrimSpace(r.PostFormValue("name"))
	if name == "" {
		name = strings.Join(strings.Fields(label), "_")
	}
	if slices.ContainsFunc(s.PermissionSets(), func(ps PermissionSet) bool { return ps.Name == name }) {
		s.refuseSet(w, r, PermissionSetProblems{"There is a permission set " + name + " already."})
		return
	}
	if err := s.SavePermissionSet(PermissionSet{Name: name, Label: label, UserPermissions: []string{apiEnabled}}); err != nil {
		s.refuseSet(w, r, err)
		return
	}
	http.Redirect(w, r, setsPath+"/"+name, http.StatusSeeOther)
}

// deployByHand takes a metadata file, pasted or chosen.
func (s *Server) deployByHand(w http.ResponseWriter, r *http.Request, _ map[string]string) {
	file := uploaded(r, "file")
	if len(file) == 0 {
		file = []byte(r.PostFormValue("xml"))
	}
	ps, err := s.DeployPermissionSet(strings.TrimSpace(r.PostFormValue("name")), file)
	if err != nil {
		s.refuseSet(w, r, err)
		return
	}
	http.Redirect(w, r, setsPath+"/"+ps.Name, http.StatusSeeOther)
}

type objectRow struct {
	Name, Label string
	ObjectPermission
	Granted int // fields
}

type assignRow struct {
	Username, Profile string
	Has               bool
}

type setView struct {
	PermissionSet
	Problems []string
	Rows     []objectRow
	System   []choiceView
	Users    []assignRow
	File     string
}

// setOf finds the permission set of an address, or answers that there is none.
func (s *Server) setOf(w http.ResponseWriter, r *http.Request, values map[string]string) (PermissionSet, bool) {
	for _, ps := range s.PermissionSets() {
		if ps.Name == values["set"] {
			return ps, true
		}
	}
	s.missingPage(w, r, "There is no permission set "+values["set"]+".")
	return PermissionSet{}, false
}

func (s *Server) setView(ps PermissionSet, problems []string) setView {
	v := setView{PermissionSet: ps, Problems: problems, File: string(ps.XML())}
	s.mu.RLock()
	for _, name := range s.names {
		o := s.object(name)
		if !o.secured() {
			continue
		}
		row := objectRow{Name: o.name, Label: o.label, ObjectPermission: ps.Objects[o.name]}
		for field := range ps.Fields {
			if strings.HasPrefix(field, o.name+".") {
				row.Granted++
			}
		}
		v.Rows = append(v.Rows, row)
	}
	s.mu.RUnlock()
	for _, name := range knownUserPermissions {
		v.System = append(v.System, choiceView{Value: name, Words: strings.ReplaceAll(words(name), "Api", "API"), Chosen: slices.Contains(ps.UserPermissions, name)})
	}
	for _, u := range s.Users() {
		if !u.Inactive {
			v.Users = append(v.Users, assignRow{u.Username, u.Profile, slices.Contains(s.PermissionSetsOf(u.Username), ps.Name)})
		}
	}
	return v
}

func (s *Server) permissionSetPage(w http.ResponseWriter, r *http.Request, values map[string]string) {
	if ps, ok := s.setOf(w, r, values); ok {
		s.render(w, r, "permission_set.html", ps.Label, http.StatusOK, s.setView(ps, nil))
	}
}

// editObjectPermissions takes the ticks of all objects and system permissions.
func (s *Server) editObjectPermissions(w http.ResponseWriter, r *http.Request, values map[string]string) {
	ps, ok := s.setOf(w, r, values)
	if !ok {
		return
	}
	ps.Objects = map[string]ObjectPermission{}
	for _, row := range s.setView(ps, nil).Rows {
		ticks := r.PostForm["object."+row.Name]
		has := func(right string) bool { return slices.Contains(ticks, right) }
		ps.Objects[row.Name] = ObjectPermission{Read: has("read"), Create: has("create"), Edit: has("edit"), Delete: has("delete"), ViewAll: has("viewAll"), ModifyAll: has("modifyAll")}
	}
	ps.UserPermissions = r.PostForm["system"]
	if err := s.SavePermissionSet(ps); err != nil {
		s.render(w, r, "permission_set.html", ps.Label, http.StatusBadRequest, s.setView(ps, err.(PermissionSetProblems)))
		return
	}
	http.Redirect(w, r, setsPath+"/"+ps.Name, http.StatusSeeOther)
}

func (s *Server) assignByHand(w http.ResponseWriter, r *http.Request, values map[string]string) {
	ps, ok := s.setOf(w, r, values)
	if !ok {
		return
	}
	if err := s.assign(ps.Name, r.PostFormValue("username"), r.PostFormValue("remove") == ""); err != nil {
		s.render(w, r, "permission_set.html", ps.Label, http.StatusBadRequest, s.setView(ps, []string{sentence(err)}))
		return
	}
	http.Redirect(w, r, setsPath+"/"+ps.Name, http.StatusSeeOther)
}

func (s *Server) deleteSetByHand(w http.ResponseWriter, r *http.Request, values map[string]string) {
	ps, ok := s.setOf(w, r, values)
	if !ok {
		return
	}
	if err := s.DeletePermissionSet(ps.Name); err != nil {
		s.render(w, r, "permission_set.html", ps.Label, http.StatusConflict, s.setView(ps, []string{sentence(err)}))
		return
	}
	http.Redirect(w, r, setsPath, http.StatusSeeOther)
}

type fieldRow struct {
	Name, Label string
	Why         string // why it has no permission
	FieldPermission
	Fixed bool // nobody edits it
}

type fieldsView struct {
	Set      PermissionSet
	Object   string
	Label    string
	Problems []string
	Rows     []fieldRow
}

func (s *Server) fieldsView(ps PermissionSet, objectName string, problems []string) (fieldsView, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	o := s.object(objectName)
	if o == nil || !o.secured() {
		return fieldsView{}, false
	}
	v := fieldsView{Set: ps, Object: o.name, Label: o.label, Problems: problems}
	for _, f := range o.fields {
		row := fieldRow{Name: f.Name, Label: f.Label, FieldPermission: ps.Fields[o.name+"."+f.Name]}
		switch {
		case f.governor() != f:
			continue
		case !f.permissionable() && f.Required && f.createable():
			row.Why = "required: everybody has it who has the object"
		case !f.permissionable():
			row.Why = "the system's own: always visible"
		}
		row.Fixed = f.source == stored && !f.createable() && !f.updateable()
		v.Rows = append(v.Rows, row)
	}
	return v, true
}

func (s *Server) fieldPermissionsPage(w http.ResponseWriter, r *http.Request, values map[string]string) {
	ps, ok := s.setOf(w, r, values)
	if !ok {
		return
	}
	v, ok := s.fieldsView(ps, values["object"], nil)
	if !ok {
		s.missingPage(w, r, "Object "+values["object"]+" has no permissions of its own.")
		return
	}
	s.render(w, r, "permission_fields.html", v.Label+" fields of "+ps.Label, http.StatusOK, v)
}

// editFieldPermissions takes the ticks of one object's fields. Who may edit may read.
func (s *Server) editFieldPermissions(w http.ResponseWriter, r *http.Request, values map[string]string) {
	ps, ok := s.setOf(w, r, values)
	if !ok {
		return
	}
	v, ok := s.fieldsView(ps, values["object"], nil)
	if !ok {
		s.missingPage(w, r, "Object "+values["object"]+" has no permissions of its own.")
		return
	}
	for _, row := range v.Rows {
		full := v.Object + "." + row.Name
		delete(ps.Fields, full)
		ticks := r.PostForm["field."+row.Name]
		if row.Why == "" && len(ticks) > 0 {
			ps.Fields[full] = FieldPermission{Read: true, Edit: slices.Contains(ticks, "edit")}
		}
	}
	if err := s.SavePermissionSet(ps); err != nil {
		v.Problems = err.(PermissionSetProblems)
		s.render(w, r, "permission_fields.html", v.Label+" fields of "+ps.Label, http.StatusBadRequest, v)
		return
	}
	http.Redirect(w, r, setsPath+"/"+ps.Name+"/"+v.Object, http.StatusSeeOther)
}
