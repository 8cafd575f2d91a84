package reconcile

import (
	"html"
	"strings"

	tokens "golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// htmlText is the text that a piece of HTML shows, with line ends where blocks
// begin and end. It reads HTML as a browser does, so that markup which a
// vendor mends, sorts or drops when it stores it leads to the same text.
func htmlText(s string) string {
	var b strings.Builder
	z := tokens.NewTokenizer(strings.NewReader(s))
	hidden := 0 // depth of elements whose content nobody sees
	atStart := true
	newline := func() {
		b.WriteByte('\n')
		atStart = true
	}
	for {
		switch kind := z.Next(); kind {
		case tokens.ErrorToken: // the end: a reader of a string has no other error
			return cleanText(b.String())
		case tokens.TextToken:
			text := strings.ReplaceAll(html.UnescapeString(string(z.Raw())), "\u00a0", " ")
			if hidden > 0 {
				continue
			}
			if atStart {
				text = strings.TrimLeft(text, " \t\r\n")
			}
			if text != "" {
				b.WriteString(text)
				atStart = strings.HasSuffix(text, "\n")
			}
		case tokens.StartTagToken, tokens.SelfClosingTagToken, tokens.EndTagToken:
			name, _ := z.TagName()
			tag := atom.Lookup(name)
			switch {
			case isHidden(tag):
				switch {
				case kind == tokens.StartTagToken:
					hidden++
				case kind == tokens.EndTagToken && hidden > 0:
					hidden--
				}
			case tag == atom.Br:
				newline()
			case isBlock(tag) && !atStart:
				newline()
			}
		}
	}
}

// isHidden tells elements whose text is no content.
func isHidden(tag atom.Atom) bool {
	switch tag {
	case atom.Script, atom.Style, atom.Head, atom.Title, atom.Template, atom.Noscript:
		return true
	}
	return false
}

// isBlock tells elements that begin a line of their own.
func isBlock(tag atom.Atom) bool {
	switch tag {
	case atom.P, atom.Div, atom.Ul, atom.Ol, atom.Li, atom.Dl, atom.Dt, atom.Dd, atom.Table, atom.Tr, atom.Td, atom.Th, atom.Blockquote, atom.Pre, atom.Hr,
		atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6, atom.Section, atom.Article, atom.Header, atom.Footer, atom.Address, atom.Figure:
		return true
	}
	return false
}

// textHTML is HTML that shows the text.
func textHTML(s string) string {
	return strings.ReplaceAll(html.EscapeString(cleanText(s)), "\n", "<br>")
}

// shownText is the canonical form of HTML: what it shows, with white space
// folded, escaped again. Formatting is left out, because both vendors change it
// when they store it: a change of formatting alone is nobody's change.
func shownText(s string) string {
	return html.EscapeString(strings.Join(strings.Fields(htmlText(s)), " "))
}

// cutHTML keeps as much of the text as fits, without formatting: half a tag or
// half an entity would be mended by the vendor into something else.
func cutHTML(s string, limit int) string {
	text := htmlText(s)
	for room := limit; room > 0; {
		short := cutText(text, room)
		over := textLength(textHTML(short)) - limit
		if over <= 0 {
			return textHTML(short)
		}
		room = min(room, textLength(short)) - max(1, over/6)
	}
	return ""
}
