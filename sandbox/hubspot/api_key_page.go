package hubspot

import "time"

// callLogShown is how many calls a page shows of a log.
const callLogShown = 100

// logView is a call log as a page shows it.
type logView struct {
	Calls []logLine
	Total int
}

type logLine struct {
	At, Method, Path string
	Status           int
	Agent            string
}

func (s *Server) viewLog(a *app) logView {
	entries, total := a.log.since(s.clock.Now().Add(-logDays))
	view := logView{Total: total}
	for _, e := range entries[:min(len(entries), callLogShown)] {
		view.Calls = append(view.Calls, logLine{e.at.Format("2006-01-02 15:04:05"), e.method, e.path, e.status, e.agent})
	}
	return view
}

// lastCall says when an app last called; "" for never.
func (s *Server) lastCall(a *app) string {
	entries, _ := a.log.since(time.Time{})
	if len(entries) == 0 {
		return ""
	}
	return entries[0].at.Format("2006-01-02 15:04")
}

// apiKey is Settings → Integrations → API key: gone, or as it was.
func (v *visit) apiKey() { v.showAPIKey("") }

func (v *visit) showAPIKey(refused string) {
	data := struct {
		page
		Works, ServiceKeys bool
		App                *app
		Key, Made, Error   string
		Log                logView
	}{page: v.page("API key"), Works: v.s.APIKeysWork(), ServiceKeys: v.s.serviceKeysExist(), Error: refused}
	if data.Works && !v.superAdmin("manage the API key") {
		return
	}
	v.s.mu.RLock()
	if apps := v.s.appsOf(APIKey); data.Works && len(apps) > 0 {
		data.App = apps[0]
		data.Log = v.s.viewLog(apps[0])
		if tokens := v.s.tokensOf(apps[0]); len(tokens) > 0 {
			data.Made = tokens[len(tokens)-1].CreatedAt.Format("2 January 2006")
			if v.r.URL.Query().Has("show") {
				data.Key = tokens[len(tokens)-1].Token
			}
		}
	}
	v.s.mu.RUnlock()
	v.show("api_key.html", data)
}

func (v *visit) changeAPIKey() {
	if !v.s.APIKeysWork() {
		v.apiKey()
		return
	}
	if !v.superAdmin("manage the API key") {
		return
	}
	v.s.mu.Lock()
	apps := v.s.appsOf(APIKey)
	refused := ""
	switch verb := v.r.PathValue("verb"); {
	case verb == "generate" && len(apps) == 0:
		v.s.addApp(App{Kind: APIKey, Name: "API key", UserID: v.user.ID}, "")
		v.s.version.Add(1)
	case verb == "generate":
		refused = "The account has a key already. Rotate it to get another one."
	case len(apps) == 0:
		refused = "The account has no key."
	case verb == "rotate":
		v.s.rotate(apps[0], false)
	case verb == "deactivate":
		v.s.deleteApp(apps[0])
	default:
		refused = "A key can be generated, rotated and deactivated."
	}
	v.s.mu.Unlock()
	if refused != "" {
		v.showAPIKey(refused)
		return
	}
	v.redirect("/api-key/" + v.portal() + "?show=1")
}
