package salesforce

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

const metadataNamespace = "http://soap.sforce.com/2006/04/metadata"

// permissionSetFile is the metadata form of a permission set, in the order of
// the alphabet as the platform writes it.
type permissionSetFile struct {
	XMLName     xml.Name      `xml:"PermissionSet"`
	Namespace   string        `xml:"xmlns,attr"`
	FullName    string        `xml:"fullName,omitempty"`
	Description string        `xml:"description,omitempty"`
	Fields      []fieldLine   `xml:"fieldPermissions"`
	Activation  bool          `xml:"hasActivationRequired"`
	Label       string        `xml:"label"`
	Objects     []objectLine  `xml:"objectPermissions"`
	Users       []userLine    `xml:"userPermissions"`
	Others      []unknownLine `xml:",any"`
}

type fieldLine struct {
	Editable bool   `xml:"editable"`
	Field    string `xml:"field"`
	Readable bool   `xml:"readable"`
}

type objectLine struct {
	Create        bool   `xml:"allowCreate"`
	Delete        bool   `xml:"allowDelete"`
	Edit          bool   `xml:"allowEdit"`
	Read          bool   `xml:"allowRead"`
	ModifyAll     bool   `xml:"modifyAllRecords"`
	Object        string `xml:"object"`
	ViewAllFields bool   `xml:"viewAllFields,omitempty"`
	ViewAll       bool   `xml:"viewAllRecords"`
}

type userLine struct {
	Enabled bool   `xml:"enabled"`
	Name    string `xml:"name"`
}

type unknownLine struct{ XMLName xml.Name }

// harmlessElements say things that this org has nothing of.
var harmlessElements = []string{"license", "userLicense", "tabSettings", "applicationVisibilities", "classAccesses", "pageAccesses", "customPermissions",
	"recordTypeVisibilities", "flowAccesses", "customMetadataTypeAccesses", "customSettingAccesses", "externalDataSourceAccesses"}

// DeployPermissionSet saves a permission set from its metadata file, the content
// of permissionsets/NAME.permissionset-meta.xml. When name is empty, the file's
// fullName counts, and then its label with underscores for blanks. Errors name
// every object and field that does not exist or cannot be granted.
func (s *Server) DeployPermissionSet(name string, file []byte) (PermissionSet, error) {
	ps, err := readPermissionSet(name, file)
	if err != nil {
		return PermissionSet{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.savePermissionSet(ps); err != nil {
		return PermissionSet{}, err
	}
	return s.sets[ps.Name].clone(), nil
}

func readPermissionSet(name string, file []byte) (PermissionSet, error) {
	var f permissionSetFile
	d := xml.NewDecoder(bytes.NewReader(file))
	if err := d.Decode(&f); err != nil {
		return PermissionSet{}, PermissionSetProblems{"The file is no permission set: " + xmlProblem(err)}
	}
	var problems PermissionSetProblems
	if f.XMLName.Space != metadataNamespace {
		problems = append(problems, fmt.Sprintf("The PermissionSet element must have xmlns=%q.", metadataNamespace))
	}
	for _, other := range f.Others {
		if !slices.Contains(harmlessElements, other.XMLName.Local) {
			problems = append(problems, fmt.Sprintf("Element %s invalid at this location in type PermissionSet", other.XMLName.Local))
		}
	}
	if f.Label == "" {
		problems = append(problems, "Required field is missing: label")
	}
	ps := PermissionSet{Name: name, Label: f.Label, Description: f.Description, Objects: map[string]ObjectPermission{}, Fields: map[string]FieldPermission{}}
	if ps.Name == "" {
		ps.Name = strings.TrimSpace(f.FullName)
	}
	if ps.Name == "" {
		ps.Name = strings.Join(strings.FieldsFunc(f.Label, func(r rune) bool { return r > 'z' || !strings.ContainsRune(digits62, r) }), "_")
	}
	for _, l := range f.Objects {
		if _, twice := ps.Objects[l.Object]; twice {
			problems = append(problems, "Duplicate objectPermissions: "+l.Object)
		}
		ps.Objects[l.Object] = ObjectPermission{Read: l.Read, Create: l.Create, Edit: l.Edit, Delete: l.Delete, ViewAll: l.ViewAll, ModifyAll: l.ModifyAll}
	}
	for _, l := range f.Fields {
		if _, twice := ps.Fields[l.Field]; twice {
			problems = append(problems, "Duplicate fieldPermissions: "+l.Field)
		}
		ps.Fields[l.Field] = FieldPermission{Read: l.Readable, Edit: l.Editable}
	}
	for _, l := range f.Users {
		if l.Enabled {
			ps.UserPermissions = append(ps.UserPermissions, l.Name)
		}
	}
	if len(problems) > 0 {
		return PermissionSet{}, problems
	}
	return ps, nil
}

func xmlProblem(err error) string {
	var syntax *xml.SyntaxError
	switch {
	case errors.Is(err, io.EOF):
		return "it is empty."
	case errors.As(err, &syntax):
		return fmt.Sprintf("line %d: %s.", syntax.Line, syntax.Msg)
	}
	return err.Error() + "."
}

// XML is the metadata file of the permission set.
func (ps PermissionSet) XML() []byte {
	f := permissionSetFile{Namespace: metadataNamespace, Description: ps.Description, Label: ps.Label}
	for _, name := range slices.Sorted(maps.Keys(ps.Fields)) {
		f.Fields = append(f.Fields, fieldLine{Editable: ps.Fields[name].Edit, Field: name, Readable: ps.Fields[name].Read})
	}
	for _, name := range slices.Sorted(maps.Keys(ps.Objects)) {
		p := ps.Objects[name]
		f.Objects = append(f.Objects, objectLine{Create: p.Create, Delete: p.Delete, Edit: p.Edit, Read: p.Read, ModifyAll: p.ModifyAll, Object: name, ViewAll: p.ViewAll})
	}
	for _, name := range ps.UserPermissions {
		f.Users = append(f.Users, userLine{Enabled: true, Name: name})
	}
	out, err := xml.MarshalIndent(f, "", "    ")
	if err != nil {
		return nil // strings and booleans always have a form
	}
	return append([]byte(xml.Header), append(out, '\n')...)
}
