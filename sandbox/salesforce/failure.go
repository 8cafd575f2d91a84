package salesforce

import (
	"net/http"
	"strings"
)

// failure is one error as the API tells it. At the top of a REST answer its
// code is called errorCode, inside collections and trees statusCode.
// https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/errorcodes.htm
type failure struct {
	status  int // HTTP status when it is the whole answer
	code    string
	message string
	fields  []string // nil leaves the key out, empty writes []
	extra   []byte   // more JSON members, ready to write: "duplicateResult":{…}
}

func (f *failure) Error() string { return f.code + ": " + f.message }

// orNil is the failure as an error, nil when there is none.
func (f *failure) orNil() error {
	if f == nil {
		return nil
	}
	return f
}

var noFields = []string{}

// refuse makes a failure that names fields; with none it writes an empty list.
func refuse(code, message string, fields ...string) *failure {
	if fields == nil {
		fields = noFields
	}
	return &failure{status: http.StatusBadRequest, code: code, message: message, fields: fields}
}

// plain makes a failure without a fields key.
func plain(status int, code, message string) *failure {
	return &failure{status: status, code: code, message: message}
}

func notFound() *failure {
	return plain(http.StatusNotFound, "NOT_FOUND", "The requested resource does not exist")
}

func invalidType(name string) *failure {
	return plain(http.StatusBadRequest, "INVALID_TYPE", "sObject type '"+name+"' is not supported.")
}

func deletedEntity() *failure {
	f := refuse("ENTITY_IS_DELETED", "entity is deleted")
	f.status = http.StatusNotFound
	return f
}

func noAccess() *failure {
	f := refuse("INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id")
	f.status = http.StatusForbidden
	return f
}

func noSuchColumn(name, object string) *failure {
	return plain(http.StatusBadRequest, "INVALID_FIELD", "No such column '"+name+"' on sobject of type "+object)
}

func notWritable(names []string) *failure {
	return refuse("INVALID_FIELD_FOR_INSERT_UPDATE", "Unable to create/update fields: "+strings.Join(names, ", ")+
		". Please check the security settings of this field and verify that it is read/write for your profile or permission set.", names...)
}

func rowLocked(id string) *failure {
	if id == "" {
		return refuse("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record")
	}
	return refuse("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record or 1 records: "+id)
}

// write appends the failure as an object; codeKey is errorCode or statusCode.
func (f *failure) write(w *jsonWriter, codeKey string) {
	w.open('{')
	if codeKey == "statusCode" {
		w.key(codeKey).str(f.code).key("message").str(f.message).key("fields").strs(f.fields)
		w.close('}')
		return
	}
	w.key("message").str(f.message).key(codeKey).str(f.code)
	if f.fields != nil {
		w.key("fields").strs(f.fields)
	}
	if f.extra != nil {
		w.comma()
		w.b = append(w.b, f.extra...)
	}
	w.close('}')
}

// failures is what one record met; it is an error so that handlers can return it.
type failures []*failure

func (fs failures) Error() string { return fs[0].Error() }

func (fs failures) body(codeKey string) []byte {
	w := &jsonWriter{}
	w.open('[')
	for _, f := range fs {
		f.write(w, codeKey)
	}
	return w.close(']').b
}
