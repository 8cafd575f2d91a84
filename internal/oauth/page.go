package oauth

import (
	"html/template"
	"net/http"
)

// answerPage is all that the browser is shown: no script, nothing from
// elsewhere, no word of what came in.
var answerPage = template.Must(template.New("answer").Parse(`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{{.Title}} – Lockstep</title>
<main>
<h1>{{.Title}}</h1>
<p>{{.Text}}</p>
</main>
</html>
`))

func writePage(w http.ResponseWriter, status int, title, text string) {
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	// The address holds the code: it must not travel on, nor stay.
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Cache-Control", "no-store")
	header.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	header.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_ = answerPage.Execute(w, struct{ Title, Text string }{title, text})
}
