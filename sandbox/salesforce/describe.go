package salesforce

import (
	"net/http"
	"sync"
	"time"
)

// describeCache keeps finished describes: by user for those with permissions
// of their own, by "" for all others.
type describeCache struct {
	mu    sync.Mutex
	ready map[describeKey][]byte
}

type describeKey struct {
	object  string
	user    string
	version int
}

func (d *describeCache) clear() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ready = nil
}

func (d *describeCache) get(k describeKey, make func() []byte) []byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	if b, ok := d.ready[k]; ok {
		return b
	}
	if d.ready == nil {
		d.ready = map[describeKey][]byte{}
	}
	b := make()
	d.ready[k] = b
	return b
}

// unchanged answers 304 when the client's copy of the schema is current.
func (c *call) unchanged() *reply {
	modified := c.server.schemaAt.Truncate(time.Second)
	if since, err := http.ParseTime(c.header.Get("If-Modified-Since")); err == nil && !modified.After(since) {
		return answer(http.StatusNotModified, nil)
	}
	return nil
}

func (c *call) described(b []byte) *reply {
	return answer(http.StatusOK, b).with("Last-Modified", c.server.schemaAt.UTC().Format(http.TimeFormat))
}

func (c *call) keyFor(object string) describeKey {
	k := describeKey{object: object, version: c.version}
	if c.user.restricted() {
		k.user = c.user.Username
	}
	return k
}

func (c *call) describeGlobal() (*reply, error) {
	if same := c.unchanged(); same != nil {
		return same, nil
	}
	s := c.server
	return c.described(s.describes.get(c.keyFor(""), func() []byte {
		w := &jsonWriter{}
		w.open('{').key("encoding").str("UTF-8").key("maxBatchSize").int(collectionLimit).key("sobjects").open('[')
		for _, name := range s.names {
			o := s.object(name)
			if a := s.access(c.user, o); a.Read {
				w.open('{')
				c.objectTraits(w, o, a)
				base := c.base() + "/sobjects/" + o.name
				w.key("urls").open('{').key("rowTemplate").str(base + "/{ID}").key("describe").str(base + "/describe").key("sobject").str(base).close('}')
				w.close('}')
			}
		}
		return w.close(']').close('}').b
	})), nil
}

// objectTraits writes the keys that a global describe and an object's share.
func (c *call) objectTraits(w *jsonWriter, o *object, a *access) {
	writes := !o.readOnly
	w.key("activateable").bool(false)
	if c.version >= 57 {
		w.key("associateEntityType").null().key("associateParentEntity").null()
	}
	w.key("createable").bool(writes && a.Create)
	w.key("custom").bool(o.custom).key("customSetting").bool(false).key("deepCloneable").bool(false)
	w.key("deletable").bool(writes && o.deletable && a.Delete).key("deprecatedAndHidden").bool(false)
	w.key("feedEnabled").bool(o.searchable).key("hasSubtypes").bool(false).key("isInterface").bool(false).key("isSubtype").bool(false)
	w.key("keyPrefix").str(o.prefix).key("label").str(o.label).key("labelPlural").str(o.plural).key("layoutable").bool(o.layoutable)
	w.key("mergeable").bool(o.mergeable).key("mruEnabled").bool(o.layoutable).key("name").str(o.name).key("queryable").bool(a.Read)
	w.key("replicateable").bool(true).key("retrieveable").bool(a.Read).key("searchable").bool(o.searchable)
	w.key("triggerable").bool(writes).key("undeletable").bool(o.undeletable && writes).key("updateable").bool(writes && a.Edit)
}

func (c *call) basicInformation() (*reply, error) {
	o, a, problem := c.object()
	if problem != nil {
		return nil, problem
	}
	w := &jsonWriter{}
	w.open('{').key("objectDescribe").open('{')
	c.objectTraits(w, o, a)
	c.objectURLs(w, o)
	w.close('}').key("recentItems").open('[')
	shown := 0
	for i := len(c.server.recent) - 1; i >= 0 && shown < 10; i-- {
		if r := o.find(c.server.recent[i]); r != nil && !r.deleted {
			c.recentItem(w, o, r)
			shown++
		}
	}
	return answer(http.StatusOK, w.close(']').close('}').b), nil
}

func (c *call) recentItem(w *jsonWriter, o *object, r *row) {
	w.open('{')
	c.writeAttributes(w, o, r)
	w.key("Id").str(r.id)
	if o.nameField != nil {
		w.key(o.nameField.Name).raw(r.appendField(nil, o.nameField))
	}
	w.close('}')
}

func (c *call) objectURLs(w *jsonWriter, o *object) {
	base, page := c.base()+"/sobjects/"+o.name, c.server.origin+"/"
	w.key("urls").open('{')
	w.key("compactLayouts").str(base + "/describe/compactLayouts").key("rowTemplate").str(base + "/{ID}")
	w.key("approvalLayouts").str(base + "/describe/approvalLayouts").key("uiDetailTemplate").str(page + "{ID}")
	w.key("uiEditTemplate").str(page + "{ID}/e").key("defaultValues").str(base + "/defaultValues?recordTypeId&fields")
	w.key("listviews").str(base + "/listviews").key("describe").str(base + "/describe").key("uiNewRecord").str(page + o.prefix + "/e")
	w.key("quickActions").str(base + "/quickActions").key("layouts").str(base + "/describe/layouts").key("sobject").str(base)
	w.close('}')
}

// masterRecordType is the id of the record type that every object has.
const masterRecordType = "012000000000000AAA"

func (c *call) describeObject() (*reply, error) {
	o, a, problem := c.object()
	if problem != nil {
		return nil, problem
	}
	if same := c.unchanged(); same != nil {
		return same, nil
	}
	return c.described(c.server.describes.get(c.keyFor(o.name), func() []byte { return c.fullDescribe(o, a) })), nil
}

func (c *call) fullDescribe(o *object, a *access) []byte {
	w := &jsonWriter{}
	w.open('{').key("actionOverrides").strs(nil)
	c.objectTraits(w, o, a)
	w.key("childRelationships").open('[')
	for _, f := range o.childOrder {
		if c.server.access(c.user, f.object).Read && c.server.access(c.user, f.object).canRead(f) {
			w.open('{').key("cascadeDelete").bool(f.Cascade).key("childSObject").str(f.object.name).key("deprecatedAndHidden").bool(false)
			w.key("field").str(f.Name).key("junctionIdListNames").strs(nil).key("junctionReferenceTo").strs(nil)
			w.key("relationshipName").strOrNull(f.Children).key("restrictedDelete").bool(f.Restrict).close('}')
		}
	}
	w.close(']').key("compactLayoutable").bool(o.layoutable).key("defaultImplementation").null().key("extendedBy").null().key("extendsInterfaces").null()
	w.key("fields").open('[')
	for _, f := range o.fields {
		if a.canRead(f) {
			c.describeField(w, f, a)
		}
	}
	w.close(']').key("implementedBy").null().key("implementsInterfaces").null().key("listviewable").null().key("lookupLayoutable").null()
	w.key("namedLayoutInfos").strs(nil).key("networkScopeFieldName").null()
	w.key("recordTypeInfos").open('[').open('{').key("active").bool(true).key("available").bool(true).key("defaultRecordTypeMapping").bool(true)
	w.key("developerName").str("Master").key("master").bool(true).key("name").str("Master").key("recordTypeId").str(masterRecordType)
	w.key("urls").open('{').key("layout").str(c.base() + "/sobjects/" + o.name + "/describe/layouts/" + masterRecordType).close('}').close('}').close(']')
	w.key("searchLayoutable").bool(o.searchable)
	if c.version >= 57 {
		w.key("sobjectDescribeOption").str("FULL")
	}
	w.key("supportedScopes").open('[').open('{').key("label").str("All " + o.plural).key("name").str("everything").close('}')
	w.open('{').key("label").str("My " + o.plural).key("name").str("mine").close('}').close(']')
	c.objectURLs(w, o)
	return w.close('}').b
}

// describeField writes all keys of a field, in alphabetical order.
// https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_sobject_describe.htm
func (c *call) describeField(w *jsonWriter, f *field, a *access) {
	length, precision, scale, digits := f.Length, 0, 0, 0
	byteLength := 3 * length
	switch {
	case f.kind() == number && f.Type == "int":
		digits, length, byteLength = f.Digits, 0, 0
	case f.kind() == number:
		precision, scale, length, byteLength = f.Precision, f.Scale, 0, 0
	case f.Type == "id" || f.reference():
		byteLength = longIDLength
	case f.kind() != text || f.Type == "address" || f.Type == "base64":
		length, byteLength = 0, 0
	}
	w.open('{').key("aggregatable").bool(f.filterable() && f.Type != "boolean").key("aiPredictionField").bool(false).key("autoNumber").bool(f.autoNumber)
	w.key("byteLength").int(byteLength).key("calculated").bool(f.calculated() || f.autoNumber).key("calculatedFormula").strOrNull(f.Formula).key("cascadeDelete").bool(f.Cascade)
	w.key("caseSensitive").bool(f.CaseSensitive).key("compoundFieldName").strOrNull(f.compound).key("controllerName").null()
	w.key("createable").bool(f.createable() && a.canEdit(f)).key("custom").bool(f.custom())
	w.key("defaultValue")
	switch {
	case f.Type == "boolean":
		w.bool(f.Default == "true")
	default:
		w.null()
	}
	w.key("defaultValueFormula").null().key("defaultedOnCreate").bool(f.Defaulted).key("dependentPicklist").bool(false).key("deprecatedAndHidden").bool(false)
	w.key("digits").int(digits).key("displayLocationInDecimal").bool(false).key("encrypted").bool(false).key("externalId").bool(f.ExternalID)
	w.key("extraTypeInfo").strOrNull(f.extra).key("filterable").bool(f.filterable()).key("filteredLookupInfo").null()
	w.key("formulaTreatNullNumberAsZero").bool(false).key("groupable").bool(f.groupable()).key("highScaleNumber").bool(false).key("htmlFormatted").bool(false)
	w.key("idLookup").bool(f.idLookup()).key("inlineHelpText").strOrNull(f.HelpText).key("label").str(f.Label).key("length").int(length)
	w.key("mask").null().key("maskType").null().key("name").str(f.Name).key("nameField").bool(f.nameField).key("namePointing").bool(len(f.ReferenceTo) > 1)
	w.key("nillable").bool(f.nillable()).key("permissionable").bool(f.permissionable())
	w.key("picklistValues").open('[')
	for _, v := range f.Picklist {
		w.open('{').key("active").bool(!v.Inactive).key("defaultValue").bool(v.Default).key("label").str(v.Label).key("validFor").null().key("value").str(v.Value).close('}')
	}
	w.close(']').key("polymorphicForeignKey").bool(len(f.ReferenceTo) > 1).key("precision").int(precision).key("queryByDistance").bool(f.Type == "address")
	w.key("referenceTargetField").null().key("referenceTo").strs(f.ReferenceTo).key("relationshipName").strOrNull(f.Relationship).key("relationshipOrder")
	if f.MasterDetail {
		w.int(f.masterOrder())
	} else {
		w.null()
	}
	w.key("restrictedDelete").bool(f.Restrict).key("restrictedPicklist").bool(f.Restricted).key("scale").int(scale)
	w.key("searchPrefilterable").bool(f.reference()).key("soapType").str(f.soapType()).key("sortable").bool(f.sortable()).key("type").str(f.Type)
	w.key("unique").bool(f.Unique).key("updateable").bool(f.updateable() && a.canEdit(f)).key("writeRequiresMasterRead").bool(false).close('}')
}

// masterOrder is 0 for the first master of the object, 1 for the second.
func (f *field) masterOrder() int {
	n := 0
	for _, other := range f.object.fields[:f.index] {
		if other.MasterDetail {
			n++
		}
	}
	return n
}

func (f *field) soapType() string {
	switch f.Type {
	case "id", "reference":
		return "tns:ID"
	case "boolean":
		return "xsd:boolean"
	case "int", "long":
		return "xsd:int"
	case "double", "currency", "percent":
		return "xsd:double"
	case "date":
		return "xsd:date"
	case "datetime":
		return "xsd:dateTime"
	case "time":
		return "xsd:time"
	case "address":
		return "urn:address"
	case "base64":
		return "xsd:base64Binary"
	}
	return "xsd:string"
}
