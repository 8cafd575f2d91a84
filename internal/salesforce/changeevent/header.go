package changeevent

import (
	"strings"

	"github.com/twmb/avro"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/fault"
)

// header is what is read of an event.
// https://developer.salesforce.com/docs/atlas.en-us.change_data_capture.meta/change_data_capture/cdc_event_fields_header.htm
type header struct {
	EntityName   string
	RecordIDs    []string
	ChangeType   string
	ChangeOrigin string
}

// own marks changes that were made with our Sforce-Call-Options header.
const own = "client=lockstep"

// decode reads the header of a payload that was written by schema. The values
// behind it are decoded as well, since Avro has no way past them, and dropped.
func decode(schema *avro.Schema, payload []byte) (header, error) {
	var event any
	if _, err := schema.Decode(payload, &event); err != nil {
		return header{}, fault.New(fault.Unavailable, "a change event of Salesforce cannot be read").Wrap(err)
	}
	fields, _ := event.(map[string]any)
	head, ok := fields["ChangeEventHeader"].(map[string]any)
	if !ok {
		return header{}, fault.New(fault.Unavailable, "a change event of Salesforce has no header")
	}
	text := func(name string) string {
		s, _ := head[name].(string)
		return s
	}
	h := header{EntityName: text("entityName"), ChangeType: text("changeType"), ChangeOrigin: text("changeOrigin")}
	ids, _ := head["recordIds"].([]any)
	for _, id := range ids {
		if s, ok := id.(string); ok {
			h.RecordIDs = append(h.RecordIDs, s)
		}
	}
	return h, nil
}

// hints are the records that an event is about: none for our own writes, the
// whole object where the bus says that it left something out.
func (h header) hints() []crm.Hint {
	ours := false
	for part := range strings.SplitSeq(h.ChangeOrigin, ";") {
		ours = ours || strings.TrimSpace(part) == own
	}
	if ours {
		return nil
	}
	whole := crm.Hint{Side: crm.Salesforce, Object: h.EntityName, Why: h.ChangeType}
	if h.ChangeType == "GAP_OVERFLOW" {
		return []crm.Hint{whole}
	}
	var hints []crm.Hint
	for _, id := range h.RecordIDs {
		if strings.HasSuffix(id, "*") { // a change of a field's type: every record
			return []crm.Hint{whole}
		}
		hint := whole
		hint.ID = id
		hints = append(hints, hint)
	}
	return hints
}
