package hubspot

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// The lengths that a form takes.
const (
	nameLength        = 100
	descriptionLength = 1000
)

// appPage is one kind of app that is made on pages: private apps, service keys.
type appPage struct {
	kind         TokenKind
	path, action string // where it is, and what an ordinary user cannot do
	noun, newOne string
}

func appPages() []appPage {
	return []appPage{
		{PrivateApp, "private-apps", "create or see private apps", "private app", "Create a private app"},
		{ServiceKey, "service-keys", "create or see service keys", "service key", "Create a service key"},
	}
}

func (v *visit) base(k appPage) string { return "/" + k.path + "/" + v.portal() }

// heading is what the year calls the list.
func (v *visit) heading(k appPage) (heading, where string) {
	switch {
	case k.kind == ServiceKey:
		return "Service keys", "Development → Keys → Service keys"
	case v.s.serviceKeysExist():
		return "Legacy apps", "Development → Legacy apps: private apps"
	}
	return "Private Apps", "Settings → Integrations → Private Apps"
}

// closed says why one cannot be made now; "" when one can.
func (v *visit) closed(k appPage) string {
	switch {
	case k.kind == ServiceKey && !v.s.serviceKeysExist():
		return "Service keys exist since 10 February 2026. In this year, make a private app."
	case k.kind == PrivateApp && !v.s.privateAppsCanStart():
		return "Private apps can no longer be created: since 28 September 2026 in accounts made from that day on, since 26 October 2026 in all others. " +
			"Those that exist work on, unsupported from September 2027."
	}
	return ""
}

func (v *visit) listApps(k appPage) {
	type row struct {
		ID                      int64
		Name, Created, LastCall string
		Scopes                  int
	}
	data := struct {
		page
		Heading, Where, Closed, Successor, Base, CreateText string
		CanCreate                                           bool
		Apps                                                []row
	}{page: v.page(""), Closed: v.closed(k), Base: v.base(k), CreateText: k.newOne}
	data.Heading, data.Where = v.heading(k)
	data.Title = data.Heading
	data.CanCreate = data.Closed == ""
	if k.kind == PrivateApp && !data.CanCreate {
		data.Successor = "/service-keys/" + v.portal()
	}
	v.s.mu.RLock()
	for _, a := range v.s.appsOf(k.kind) {
		data.Apps = append(data.Apps, row{a.ID, a.Name, a.CreatedAt.Format("2006-01-02"), v.s.lastCall(a), len(a.Scopes)})
	}
	v.s.mu.RUnlock()
	v.show("apps.html", data)
}

// appInput is what a person has filled in.
type appInput struct {
	Name, Description, Find string
	Scopes                  []string
}

func (v *visit) appInput() appInput {
	f := v.r.PostForm
	in := appInput{strings.TrimSpace(f.Get("name")), strings.TrimSpace(f.Get("description")), strings.TrimSpace(f.Get("find")), slices.Clone(f["scope"])}
	slices.Sort(in.Scopes)
	in.Scopes = slices.Compact(in.Scopes)
	return in
}

// errors lists what is missing.
func (v *visit) errors(in appInput) (errs []string) {
	switch n := utf8.RuneCountInString(in.Name); {
	case n == 0:
		errs = append(errs, "Give it a name.")
	case n > nameLength:
		errs = append(errs, fmt.Sprintf("The name has %d characters and may have %d.", n, nameLength))
	}
	if n := utf8.RuneCountInString(in.Description); n > descriptionLength {
		errs = append(errs, fmt.Sprintf("The description has %d characters and may have %d.", n, descriptionLength))
	}
	if len(without(in.Scopes, []string{"oauth"})) == 0 {
		errs = append(errs, "Tick one scope at least.")
	}
	for _, scope := range v.s.scopes.unknown(in.Scopes) {
		errs = append(errs, "There is no scope "+scope+".")
	}
	return errs
}

func (v *visit) createForm(k appPage) {
	if why := v.closed(k); why != "" {
		heading, _ := v.heading(k)
		v.refuse(409, heading, why)
		return
	}
	in := v.appInput()
	step := v.r.PostForm.Get("step")
	errs := v.errors(in)
	if len(errs) == 0 {
		errs = v.full(k)
	}
	switch {
	case step == "confirm" && len(errs) == 0:
		v.s.mu.Lock()
		made := v.s.addApp(App{Kind: k.kind, Name: in.Name, Description: in.Description, Scopes: in.Scopes, UserID: v.user.ID}, "")
		v.s.version.Add(1)
		v.s.mu.Unlock()
		v.redirect(fmt.Sprintf("%s/%d?done=created&show=1", v.base(k), made.AppID))
	case step == "review" && len(errs) == 0:
		v.confirm(in, v.base(k)+"/create", "Create "+in.Name+"?", "Whoever has its token can do this in account "+v.portal()+":", "Continue creating", "Go back")
	default:
		if step != "review" && step != "confirm" {
			errs = nil
		}
		v.form(k, in, errs, k.newOne, v.base(k)+"/create", "Create "+k.noun)
	}
}

// full refuses one app too many.
func (v *visit) full(k appPage) []string {
	v.s.mu.RLock()
	defer v.s.mu.RUnlock()
	if k.kind == PrivateApp && len(v.s.appsOf(PrivateApp)) >= privateAppLimit {
		return []string{fmt.Sprintf("An account can have %d private apps. Delete one that is no longer used.", privateAppLimit)}
	}
	return nil
}

// confirm asks before something is done.
func (v *visit) confirm(in appInput, action, question, text, yes, no string) {
	v.show("app_confirm.html", struct {
		page
		appInput
		Action, Question, Text, Yes, No string
		Scopes                          []scopeLine
		Hidden                          []string
	}{v.page(question), in, action, question, text, yes, no, v.s.scopes.lines(in.Scopes), in.Scopes})
}

// tick is a box of the form.
type tick struct {
	Scope, Words string
	Ticked       bool
}

type tickRow struct {
	Label, Name string // Name is the scope without its verb
	Read, Write *tick
}

type tickGroup struct {
	Number int
	Name   string
	Rows   []tickRow
}

// form shows the form. A search narrows what is shown; what was ticked stays so.
func (v *visit) form(k appPage, in appInput, errs []string, heading, action, submit string) {
	data := struct {
		page
		appInput
		Errors                        []string
		Heading, Action, Base, Submit string
		HasDescription                bool
		Ticked                        int
		Hidden                        []string
		Groups                        []tickGroup
	}{page: v.page(heading), appInput: in, Errors: errs, Heading: heading, Action: action, Base: v.base(k), Submit: submit,
		HasDescription: k.kind == PrivateApp, Hidden: slices.Clone(in.Scopes), Ticked: len(without(in.Scopes, []string{"oauth"}))}
	box := func(scope string) *tick {
		if scope == "" {
			return nil
		}
		data.Hidden = slices.DeleteFunc(data.Hidden, func(s string) bool { return s == scope })
		return &tick{scope, v.s.scopes.words[scope], slices.Contains(in.Scopes, scope)}
	}
	find := strings.ToLower(in.Find)
	for n, g := range v.s.scopes.groups {
		group := tickGroup{Number: n, Name: g.Name}
		for _, r := range g.Rows {
			name := strings.TrimSuffix(strings.TrimSuffix(r.Read+r.Both, ".read"), ".write")
			if !strings.Contains(strings.ToLower(strings.Join([]string{r.Label, r.Read, r.Write, r.Both}, " ")), find) {
				continue
			}
			row := tickRow{Label: r.Label, Name: name, Read: box(r.Read), Write: box(r.Write)}
			if r.Both != "" {
				row.Read = box(r.Both)
			}
			group.Rows = append(group.Rows, row)
		}
		if len(group.Rows) > 0 {
			data.Groups = append(data.Groups, group)
		}
	}
	v.show("app_form.html", data)
}

// named runs f on the app in the path under the account's lock; a page is shown
// when there is none.
func (v *visit) named(k appPage, f func(*app)) bool {
	id, _ := strconv.ParseInt(v.r.PathValue("id"), 10, 64)
	v.s.mu.Lock()
	a := v.s.appByID[id]
	found := a != nil && a.Kind == k.kind && a.DeletedAt.IsZero()
	if found {
		f(a)
	}
	v.s.mu.Unlock()
	if !found {
		v.notFound("There is no such " + k.noun + ".")
	}
	return found
}

// appView is the page of one app.
type appView struct {
	page
	Base, Parent, Tab, Name, Description, Done string
	ID                                         int64
	Tabs                                       []tab
	Token, Rotated, Origin                     string
	Old                                        []string
	Scopes                                     []scopeLine
	Log                                        logView
}

func (v *visit) appView(k appPage, a *app, current string) appView {
	base := v.base(k)
	own := fmt.Sprintf("%s/%d", base, a.ID)
	view := appView{page: v.page(a.Name), Base: base, Tab: current, ID: a.ID, Name: a.Name, Description: a.Description, Origin: *v.s.origin.Load()}
	view.Parent, _ = v.heading(k)
	view.Tabs = []tab{{"Auth", own, current == "auth"}, {"Basic info and scopes", own + "/edit", false}, {"Logs", own + "/logs", current == "logs"}}
	return view
}

func (v *visit) showApp(k appPage) {
	var view appView
	if !v.named(k, func(a *app) {
		view = v.appView(k, a, "auth")
		view.Scopes = v.s.scopes.lines(a.Scopes)
		for _, t := range v.s.tokensOf(a) {
			if t.ExpiredAt.IsZero() {
				view.Rotated = t.CreatedAt.Format("2 January 2006")
				if v.r.URL.Query().Has("show") {
					view.Token = t.Token
				}
				continue
			}
			view.Old = append(view.Old, t.ExpiredAt.Format("2 January 2006 15:04 MST"))
		}
	}) {
		return
	}
	view.Done = map[string]string{
		"created": "It is ready. Copy its token and keep it like a password.",
		"rotated": "This is the new token. The one before stopped working now.",
		"later":   "This is the new token. The one before works for seven more days.",
		"expired": "The old token stopped working.",
		"saved":   "The changes are saved. The token is the same.",
	}[v.r.URL.Query().Get("done")]
	v.show("app.html", view)
}

func (v *visit) appLogs(k appPage) {
	var view appView
	if v.named(k, func(a *app) {
		view = v.appView(k, a, "logs")
		view.Log = v.s.viewLog(a)
	}) {
		v.show("app.html", view)
	}
}

func (v *visit) rotateApp(k appPage) {
	later := v.r.PostForm.Get("when") == "later"
	done := "rotated"
	if later {
		done = "later"
	}
	var id int64
	if v.named(k, func(a *app) { id = a.ID; v.s.rotate(a, later) }) {
		v.redirect(fmt.Sprintf("%s/%d?done=%s&show=1", v.base(k), id, done))
	}
}

func (v *visit) expireApp(k appPage) {
	var id int64
	if v.named(k, func(a *app) { id = a.ID; v.s.expireOld(a) }) {
		v.redirect(fmt.Sprintf("%s/%d?done=expired", v.base(k), id))
	}
}

func (v *visit) editForm(k appPage) {
	in := v.appInput()
	step := v.r.PostForm.Get("step")
	errs := v.errors(in)
	saved := false
	var id int64
	if !v.named(k, func(a *app) {
		id = a.ID
		switch {
		case step == "":
			in = appInput{Name: a.Name, Description: a.Description, Scopes: slices.Clone(a.Scopes)}
		case step == "review" && len(errs) == 0:
			v.s.editApp(a, in.Name, in.Description, in.Scopes)
			saved = true
		}
	}) {
		return
	}
	own := fmt.Sprintf("%s/%d", v.base(k), id)
	if saved {
		v.redirect(own + "?done=saved")
		return
	}
	if step != "review" {
		errs = nil
	}
	v.form(k, in, errs, "Edit "+in.Name, own+"/edit", "Commit changes")
}

func (v *visit) deleteForm(k appPage) {
	var id int64
	var name, last string
	confirmed := v.r.PostForm.Get("step") == "confirm"
	if !v.named(k, func(a *app) {
		id, name, last = a.ID, a.Name, v.s.lastCall(a)
		if confirmed {
			v.s.deleteApp(a)
		}
	}) {
		return
	}
	switch {
	case confirmed:
		v.redirect(v.base(k))
	case v.r.PostForm.Get("step") == "back":
		v.redirect(fmt.Sprintf("%s/%d", v.base(k), id))
	default:
		text := "Its token stops at once, and nothing brings it back. It has made no call so far."
		if last != "" {
			text = "Its token stops at once, and nothing brings it back. Its last call was on " + last + "."
		}
		v.confirm(appInput{}, fmt.Sprintf("%s/%d/delete", v.base(k), id), "Delete "+name+"?", text, "Delete", "Keep it")
	}
}

// since is a day as a page writes it.
func since(t time.Time) string { return t.Format("2 January 2006") }
