package legacykey

import (
	"bytes"
	"cmp"
	"context"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/lockstep-sync/lockstep/internal/fault"
)

// Change is one file, before and after. Its texts hold what the file holds,
// secrets too: print Diff, which redacts.
type Change struct {
	File   string
	Before []byte
	After  []byte

	path    string
	mode    fs.FileMode
	ended   []string
	waiting []Waiting
}

// Waiting is a use of the key that a person has to move, and why.
type Waiting struct {
	File    string `json:"file"`
	Line    int    `json:"line"`
	Why     string `json:"why"`
	Excerpt string `json:"excerpt"`
}

// Migration is what Migrate would change, or changed.
type Migration struct {
	Changes []Change
	Waiting []Waiting
	Files   int
}

// Migrate rewrites the uses of the HubSpot API key in files into a bearer token
// that comes from HUBSPOT_ACCESS_TOKEN. Without write nothing is changed. With
// it each file is replaced whole (written beside and renamed, mode kept). A
// second run finds nothing to change.
func Migrate(ctx context.Context, options Options, write bool) (*Migration, error) {
	m, r := &Migration{}, newRewriter()
	var programs []Change // whatever could know a variable that holds the key
	w := &walker{ignore: !options.Everything, seen: map[string]bool{}}
	w.visit = func(name, path string, mode fs.FileMode, content []byte) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		name = shorten(name, options.Root)
		after, ended, waiting := r.rewrite(name, content)
		if !bytes.Equal(after, content) {
			m.Changes = append(m.Changes, Change{File: name, Before: content, After: after, path: path, mode: mode, ended: ended, waiting: waiting})
		} else {
			m.Waiting = append(m.Waiting, waiting...)
		}
		if declarationForms[kindOf(name)] != "" && mentionsKey.Match(content) {
			programs = append(programs, Change{File: name, Before: content})
		}
		return nil
	}
	for _, path := range options.Paths {
		if err := w.walk(ctx, path); err != nil {
			return nil, err
		}
	}
	m.Files = w.files
	m.keepShared(r, programs)
	if !write {
		return m, nil
	}
	for _, c := range m.Changes {
		if err := c.write(); err != nil {
			return nil, err
		}
	}
	return m, nil
}

var mentionsKey = regexp.MustCompile(`(?i)key`)

// keepShared gives up the changes that end a variable which another file reads.
func (m *Migration) keepShared(r rewriter, programs []Change) {
	kept := m.Changes[:0]
	for _, c := range m.Changes {
		name, other := sharedName(c, programs)
		if name == "" {
			kept = append(kept, c)
			m.Waiting = append(m.Waiting, c.waiting...)
			continue
		}
		m.Waiting = append(m.Waiting, waitingFor(c.File, r.keyFindings(c.File, c.Before), "its variable "+name+" is used in "+other+", too: change both together")...)
	}
	m.Changes = kept
	slices.SortStableFunc(m.Waiting, func(a, b Waiting) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
	})
}

// sharedName returns a variable of c that another program reads without setting
// it, and that program.
func sharedName(c Change, programs []Change) (name, other string) {
	k := kindOf(c.File)
	for _, name := range c.ended {
		for _, p := range programs {
			if p.File == c.File || kindOf(p.File) != k || k == kindGo && path.Dir(p.File) != path.Dir(c.File) || !bytes.Contains(p.Before, []byte(name)) {
				continue
			}
			if s := readSource(k, string(p.Before)); len(s.anyWords(name)) > 0 && !declares(k, s.src, name) {
				return name, p.File
			}
		}
	}
	return "", ""
}

// write replaces the file, unless it changed since it was read.
func (c *Change) write() (err error) {
	now, err := os.ReadFile(c.path)
	if err != nil {
		return fault.New(fault.Internal, "read %s again", c.File).Wrap(err)
	}
	if !bytes.Equal(now, c.Before) {
		return fault.New(fault.Conflict, "%s was changed by somebody else meanwhile", c.File).WithMend("run lockstep keys migrate again; what was written so far is whole")
	}
	temporary, err := os.CreateTemp(filepath.Dir(c.path), ".lockstep-*")
	if err != nil {
		return fault.New(fault.Internal, "write beside %s", c.File).Wrap(err)
	}
	defer func() {
		if err != nil {
			_ = os.Remove(temporary.Name())
		}
	}()
	_, err = temporary.Write(c.After)
	if err == nil {
		err = temporary.Chmod(c.mode.Perm())
	}
	if err == nil {
		err = temporary.Sync()
	}
	if closed := temporary.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(temporary.Name(), c.path)
	}
	if err != nil {
		return fault.New(fault.Internal, "write %s", c.File).Wrap(err)
	}
	return nil
}

// rewriteDay is the day for which the result is judged: every rule about the
// key has ended by then.
var rewriteDay = day(2026, time.November, 23)

// Rewrite returns content with its key uses moved to a bearer token, and what
// waits for a person. A program is changed whole or not at all.
func Rewrite(name string, content []byte) ([]byte, []Waiting) {
	after, _, waiting := newRewriter().rewrite(name, content)
	return after, waiting
}

// rewriter judges every file by one scanner.
type rewriter struct{ *scanner }

func newRewriter() rewriter { return rewriter{newScanner(rewriteDay)} }

// rewrite says, too, which variables ended.
func (r rewriter) rewrite(name string, content []byte) (result []byte, ended []string, waiting []Waiting) {
	before := r.keyFindings(name, content)
	if len(before) == 0 {
		return content, nil, nil
	}
	text, restore := withoutCarriage(content)
	k := kindOf(name)
	var after, why string
	whole := false
	switch k {
	case kindJavaScript, kindPython, kindGo, kindPHP, kindRuby, kindCSharp, kindJava:
		after, ended, why = rewriteProgram(k, text)
		whole = true
	case kindShell:
		after, why = rewriteShell(text, nil)
	case kindProse:
		after, why = rewriteShell(text, fencedLines(text))
	case kindYAML:
		if insomnia5.MatchString(text) {
			after, why = rewriteInsomnia5(text)
		} else {
			after, why = rewriteYAML(text)
		}
	case kindEnv, kindSettings:
		after, why = rewriteEnv(text)
	case kindJSON:
		after, why = rewriteCollection(text)
	case kindBruno:
		after, why = rewriteBruno(text)
	case kindHistory:
		return content, nil, waitingFor(name, before, "a shell history is nobody's source: delete the line")
	case kindNotebook:
		return content, nil, waitingFor(name, before, "notebooks are not rewritten: change the cell in Jupyter")
	default:
		return content, nil, waitingFor(name, before, "this kind of file is not rewritten")
	}
	if after == text || after == "" {
		return content, nil, waitingFor(name, before, orText(why, "this form is not known"))
	}
	result = restore(after)
	left := r.keyFindings(name, result)
	if whole && len(left) > 0 {
		return content, nil, waitingFor(name, before, orText(why, "one use of the key in this file is in a form that is not known, so the file is left as it is"))
	}
	return result, ended, append(waitingFor(name, left, orText(why, "this form is not known")), instructions(name, result, before)...)
}

// keyFindings are the uses of the key that a rewrite has to end.
func (r rewriter) keyFindings(name string, content []byte) []Finding {
	var list []Finding
	for _, f := range r.file(name, content) {
		if isKeyRule(f.Rule) {
			list = append(list, f)
		}
	}
	return list
}

func waitingFor(name string, findings []Finding, why string) []Waiting {
	var list []Waiting
	for _, f := range findings {
		list = append(list, Waiting{File: name, Line: f.Line, Why: why, Excerpt: f.Excerpt})
	}
	return list
}

// instructions are what has to be done beside the file.
func instructions(name string, result []byte, before []Finding) []Waiting {
	if len(before) == 0 || !bytes.Contains(result, []byte("secrets."+tokenName)) {
		return nil
	}
	line := 1 + bytes.Count(result[:bytes.Index(result, []byte("secrets."+tokenName))], []byte("\n"))
	return []Waiting{{File: name, Line: line, Why: "make the secret " + tokenName + " in the settings of the repository, with the token of a service key", Excerpt: tokenName}}
}

// tokenName is the environment variable that rewritten code reads.
const tokenName = "HUBSPOT_ACCESS_TOKEN"

// withoutCarriage lets the rewriting work on lines that end in \n alone; restore
// brings the file's own line ends back.
func withoutCarriage(content []byte) (string, func(string) []byte) {
	text := string(content)
	if n := strings.Count(text, "\r\n"); n > 0 && n == strings.Count(text, "\n") {
		return strings.ReplaceAll(text, "\r\n", "\n"), func(s string) []byte { return []byte(strings.ReplaceAll(s, "\n", "\r\n")) }
	}
	return text, func(s string) []byte { return []byte(s) }
}
