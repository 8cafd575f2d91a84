package mapping

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"slices"
	"strings"
)

// permissionSet is Salesforce's metadata of a permission set; its elements
// stand in the order of the alphabet, as Salesforce writes them.
// https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/meta_permissionset.htm
type permissionSet struct {
	XMLName     xml.Name           `xml:"http://soap.sforce.com/2006/04/metadata PermissionSet"`
	Description string             `xml:"description"`
	Fields      []fieldPermission  `xml:"fieldPermissions"`
	Activation  bool               `xml:"hasActivationRequired"`
	Label       string             `xml:"label"`
	Objects     []objectPermission `xml:"objectPermissions"`
	Users       []userPermission   `xml:"userPermissions"`
}

type fieldPermission struct {
	Editable bool   `xml:"editable"`
	Field    string `xml:"field"`
	Readable bool   `xml:"readable"`
}

type objectPermission struct {
	AllowCreate      bool   `xml:"allowCreate"`
	AllowDelete      bool   `xml:"allowDelete"`
	AllowEdit        bool   `xml:"allowEdit"`
	AllowRead        bool   `xml:"allowRead"`
	ModifyAllRecords bool   `xml:"modifyAllRecords"`
	Object           string `xml:"object"`
	ViewAllRecords   bool   `xml:"viewAllRecords"`
}

type userPermission struct {
	Enabled bool   `xml:"enabled"`
	Name    string `xml:"name"`
}

// userPermissions are the names that metadata has for what people read in Setup.
// https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/meta_permissionset.htm
var userPermissions = map[string]string{APIEnabled: "ApiEnabled", "Edit Tasks": "EditTask", "Edit Events": "EditEvent"}

// PermissionSet writes the needs of PermissionNeeds as the metadata of a
// Salesforce permission set that grants them and nothing else. It is ready to
// be deployed as permissionsets/NAME.permissionset-meta.xml. Which records the
// user sees is a matter of sharing and not in it.
func PermissionSet(label string, needs []Need) ([]byte, error) {
	set := permissionSet{Label: label,
		Description: "Just what Lockstep needs for the mapping in lockstep.yaml: lockstep check says why each line is here."}
	for _, n := range needs {
		switch {
		case n.Access == "user": // a check box of the user, which no permission set gives
		case userPermissions[n.Name] != "":
			set.Users = append(set.Users, userPermission{Enabled: true, Name: userPermissions[n.Name]})
		case n.Field != "":
			set.Fields = append(set.Fields, fieldPermission{Editable: n.Access == "edit", Field: n.Object + "." + n.Field, Readable: true})
		default:
			set.object(n)
		}
	}
	slices.SortFunc(set.Fields, func(a, b fieldPermission) int { return strings.Compare(a.Field, b.Field) })
	slices.SortFunc(set.Users, func(a, b userPermission) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(set.Objects, func(a, b objectPermission) int { return strings.Compare(a.Object, b.Object) })
	var out bytes.Buffer
	out.WriteString(xml.Header)
	encoder := xml.NewEncoder(&out)
	encoder.Indent("", "    ")
	if err := encoder.Encode(set); err != nil {
		return nil, fmt.Errorf("write the permission set: %w", err)
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}

func (s *permissionSet) object(n Need) {
	i := slices.IndexFunc(s.Objects, func(p objectPermission) bool { return p.Object == n.Object })
	if i < 0 {
		i = len(s.Objects)
		s.Objects = append(s.Objects, objectPermission{Object: n.Object, AllowRead: true})
	}
	switch n.Access {
	case "create":
		s.Objects[i].AllowCreate = true
	case "edit":
		s.Objects[i].AllowEdit = true
	case "delete":
		s.Objects[i].AllowDelete = true
	}
}
