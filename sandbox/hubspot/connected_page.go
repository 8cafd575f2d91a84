package hubspot

import "net/http"

func (v *visit) connectedApps() {
	type row struct {
		Name, ClientID, How, Created, By string
		Scopes                           []scopeLine
	}
	data := struct {
		page
		CanUninstall bool
		Done         string
		Apps         []row
	}{page: v.page("Connected apps"), CanUninstall: v.user.SuperAdmin}
	if v.r.URL.Query().Get("done") == "uninstalled" {
		data.Done = "The app is uninstalled. Its tokens stopped working."
	}
	v.s.mu.RLock()
	for _, a := range v.s.appsOf(OAuth, StaticAuth) {
		if a.ClientID == "" { // a token that was made without an app
			continue
		}
		how := "OAuth"
		if a.Kind == StaticAuth {
			how = "static auth"
		}
		data.Apps = append(data.Apps, row{a.Name, a.ClientID, how, since(a.CreatedAt), v.s.userEmail(a.UserID), v.s.scopes.lines(a.Scopes)})
	}
	v.s.mu.RUnlock()
	v.show("connected.html", data)
}

func (v *visit) uninstallApp() {
	if !v.superAdmin("uninstall apps") {
		return
	}
	if !v.s.uninstall(v.r.PostForm.Get("client")) {
		v.refuse(http.StatusNotFound, "Not found", "This app is not installed.")
		return
	}
	v.redirect("/connected-apps/" + v.portal() + "?done=uninstalled")
}
