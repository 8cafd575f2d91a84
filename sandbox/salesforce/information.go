package salesforce

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

func (c *call) versions() (*reply, error) {
	w := &jsonWriter{}
	w.open('[')
	for v := oldestVersion; v <= newestVersion; v++ {
		w.open('{').key("label").str(releaseLabel(v)).key("url").str(fmt.Sprintf("/services/data/v%d.0", v)).key("version").str(fmt.Sprintf("%d.0", v)).close('}')
	}
	return answer(http.StatusOK, w.close(']').b), nil
}

func (c *call) resources() (*reply, error) {
	w := &jsonWriter{}
	w.open('{')
	for _, name := range [...]string{"tooling", "metadata", "eclair", "folders", "prechatForms", "contact-tracing", "jsonxform", "chatter", "tabs", "appMenu",
		"quickActions", "queryAll", "commerce", "wave", "iot", "analytics", "search", "smartdatadiscovery", "composite", "parameterizedSearch", "fingerprint",
		"theme", "nouns", "event", "serviceTemplates", "recent", "connect", "licensing", "limits", "process", "dedupe", "async-queries", "query", "jobs",
		"localizedvalue", "mobile", "emailConnect", "consent", "tokenSecurity", "compactLayouts", "knowledgeManagement", "sobjects", "actions", "support"} {
		w.key(name).str(c.base() + "/" + name)
	}
	w.key("identity").str(c.server.identityURL(c.user))
	return answer(http.StatusOK, w.close('}').b), nil
}

func (c *call) limits() (*reply, error) {
	s := c.server
	used, _ := s.usage.spend(0, s.dailyLimit, s.nowSeconds())
	w := &jsonWriter{}
	w.open('{')
	entry := func(name string, most, remaining int) {
		w.key(name).open('{').key("Max").int(most).key("Remaining").int(remaining).close('}')
	}
	entry("DailyApiRequests", s.dailyLimit, max(0, s.dailyLimit-used))
	entry("DailyBulkApiBatches", 15000, 15000)
	entry("DailyBulkV2QueryJobs", 10000, 10000)
	entry("DailyBulkV2QueryFileStorageMB", 976562, 976562)
	entry("DailyAsyncApexExecutions", 250000, 250000)
	entry("DailyStreamingApiEvents", 10000, 10000)
	entry("DailyWorkflowEmails", 390, 390)
	entry("DataStorageMB", 10240, max(0, 10240-s.storageMB()))
	entry("FileStorageMB", 10240, 10240)
	entry("HourlyODataCallout", 1000, 1000)
	entry("HourlyPublishedPlatformEvents", 50000, 50000)
	entry("MassEmail", 10, 10)
	w.key("PermissionSets").open('{').key("Max").int(1500).key("Remaining").int(1500)
	w.key("CreateCustom").open('{').key("Max").int(1000).key("Remaining").int(1000).close('}').close('}')
	entry("SingleEmail", 15, 15)
	entry("StreamingApiConcurrentClients", 20, 20)
	return answer(http.StatusOK, w.close('}').b), nil
}

// storageMB is what the records take: 2 KB each.
func (s *Server) storageMB() int {
	n := 0
	for _, o := range s.objects {
		n += o.live
	}
	return n * 2 / 1024
}

func (c *call) recordCount() (*reply, error) {
	s := c.server
	names := splitList(c.query.Get("sObjects"))
	if len(names) == 0 {
		names = s.names
	}
	w := &jsonWriter{}
	w.open('{').key("sObjects").open('[')
	for _, name := range names {
		if o := s.object(name); o != nil && s.access(c.user, o).Read {
			w.open('{').key("count").int(o.live).key("name").str(o.name).close('}')
		}
	}
	return answer(http.StatusOK, w.close(']').close('}').b), nil
}

func (c *call) recentItems() (*reply, error) {
	limit := recentLimit
	if n, err := strconv.Atoi(c.query.Get("limit")); err == nil && n > 0 {
		limit = min(n, recentLimit)
	}
	w := &jsonWriter{}
	w.open('[')
	for i := len(c.server.recent) - 1; i >= 0 && limit > 0; i-- {
		id := c.server.recent[i]
		o := c.server.objectOf(id)
		if o == nil || !c.server.access(c.user, o).Read {
			continue
		}
		if r := o.find(id); r != nil && !r.deleted {
			c.recentItem(w, o, r)
			limit--
		}
	}
	return answer(http.StatusOK, w.close(']').b), nil
}

// searchFields are the fields that a search looks into.
func searchFields(o *object, a *access, group string) []*field {
	var fields []*field
	for _, f := range o.fields {
		if !a.canRead(f) || !f.textual() || f.source == fromPhoto {
			continue
		}
		fits := f.filterable()
		switch group {
		case "NAME":
			fits = f.nameField || f.compound == "Name"
		case "EMAIL":
			fits = f.Type == "email"
		case "PHONE":
			fits = f.Type == "phone"
		}
		if fits {
			fields = append(fields, f)
		}
	}
	return fields
}

// found says whether all words of a search occur in the fields of a row. A word
// is looked for at the beginning of words, * and ? are wild.
func found(r *row, fields []*field, words []string) bool {
	for _, w := range words {
		hit := false
		for _, f := range fields {
			if v := r.get(f).text; v != "" && containsWord(v, w) {
				hit = true
				break
			}
		}
		if !hit {
			return false
		}
	}
	return true
}

func containsWord(value, word string) bool {
	value = strings.ToLower(value)
	if strings.ContainsAny(word, "*?") {
		p := likePattern("%" + strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`, "*", "%", "?", "_").Replace(word) + "%")
		return p.match(value)
	}
	for at := 0; ; {
		i := strings.Index(value[at:], word)
		if i < 0 {
			return false
		}
		at += i
		if at == 0 || !isDigit62(value[at-1]) {
			return true
		}
		at++
	}
}
