package legacykey

import (
	"bytes"
	"context"
	"io/fs"
	"path/filepath"
	"sort"
	"strings"
	"time"
	"unicode/utf8"
)

// Options says what Scan looks at.
type Options struct {
	// Paths are files and folders; at least one.
	Paths []string
	// Root is taken off the names in findings when they are below it.
	Root string
	// History walks the git history of each path, too, for secrets only.
	History bool
	// Everything looks at files that .gitignore leaves out, too.
	Everything bool
	// Now decides what has ended; zero means the present.
	Now time.Time
}

// Scan looks through files and returns what it finds, in order of file, line
// and column. It changes nothing and sends nothing anywhere. A path that does
// not exist is fault.NotFound.
func Scan(ctx context.Context, options Options) (*Report, error) {
	if options.Now.IsZero() {
		options.Now = time.Now()
	}
	s := newScanner(options.Now)
	report := &Report{}
	w := &walker{ignore: !options.Everything, seen: map[string]bool{}}
	w.visit = func(name, _ string, _ fs.FileMode, content []byte) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		report.Findings = append(report.Findings, s.file(shorten(name, options.Root), content)...)
		return nil
	}
	for _, path := range options.Paths {
		if err := w.walk(ctx, path); err != nil {
			return nil, err
		}
	}
	report.Files, report.Bytes, report.Skipped = w.files, w.bytes, w.skipped
	for i := range report.Skipped {
		report.Skipped[i].File = shorten(report.Skipped[i].File, options.Root)
	}
	if options.History {
		if err := s.history(ctx, options, report); err != nil {
			return nil, err
		}
	}
	report.finish()
	return report, nil
}

// ScanText looks through one text as if it were the file name.
func ScanText(name string, content []byte, now time.Time) []Finding {
	return newScanner(now).file(name, content)
}

// shorten makes name relative to root when it is below it.
func shorten(name, root string) string {
	if root == "" {
		return name
	}
	relative, err := filepath.Rel(root, filepath.FromSlash(name))
	if err != nil || strings.HasPrefix(relative, "..") {
		return name
	}
	return filepath.ToSlash(relative)
}

// scanner holds what is the same for every file.
type scanner struct {
	now   time.Time
	table map[string]*Rule
	watch *watch
}

func newScanner(now time.Time) *scanner {
	return &scanner{now: now, table: ruleTable(), watch: newWatch()}
}

// file returns the findings of one file.
func (s *scanner) file(name string, content []byte) []Finding {
	k := kindOf(name)
	t := s.watch.read(content, k)
	if t == nil {
		return nil
	}
	var findings []Finding
	done := false
	if k == kindJSON || k == kindNotebook || filepath.Ext(name) == "" && len(content) > 0 && content[0] == '{' {
		findings, done = s.json(t)
	}
	if !done {
		for _, h := range t.hits() {
			findings = append(findings, t.finding(h, s.table, s.now))
		}
	}
	lines := newLineIndex(content)
	for i := range findings {
		f := &findings[i]
		f.File = name
		f.Line, f.Column = lines.at(f.start)
		f.character = 1 + utf8.RuneCount(content[f.start-f.Column+1:f.start])
	}
	return findings
}

// lineIndex turns offsets into lines and columns.
type lineIndex []int

func newLineIndex(content []byte) lineIndex {
	index := lineIndex{0}
	for at := 0; ; {
		i := bytes.IndexByte(content[at:], '\n')
		if i < 0 {
			return index
		}
		at += i + 1
		index = append(index, at)
	}
}

func (l lineIndex) at(offset int) (line, column int) {
	line = sort.Search(len(l), func(i int) bool { return l[i] > offset })
	return line, offset - l[line-1] + 1
}
