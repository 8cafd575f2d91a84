package legacykey

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestNoTextBreaksTheRewriting cuts files of the corpus anywhere, and takes
// pieces out: what comes out is either the same text, or one without key uses
// in programs; and a second run changes nothing.
func TestNoTextBreaksTheRewriting(t *testing.T) {
	t.Parallel()
	files := corpusFiles(t, "testdata/corpus")
	contents := map[string][]byte{}
	for _, file := range files {
		contents[file] = read(t, file)
	}
	rapid.Check(t, func(rt *rapid.T) {
		file := rapid.SampledFrom(files).Draw(rt, "file")
		content := contents[file]
		from := rapid.IntRange(0, len(content)).Draw(rt, "from")
		to := rapid.IntRange(from, min(len(content), from+80)).Draw(rt, "to")
		text := append(append([]byte{}, content[:from]...), content[to:]...)
		if rapid.Bool().Draw(rt, "cut") {
			text = content[:from]
		}
		after, _ := Rewrite(file, text)
		if bytes.Equal(after, text) {
			return
		}
		if k := kindOf(file); declarationForms[k] != "" && len(newRewriter().keyFindings(file, after)) > 0 {
			rt.Fatalf("a program was changed in part:\n%s", after)
		}
		again, _ := Rewrite(file, after)
		if !bytes.Equal(after, again) {
			rt.Fatalf("a second run changes the file:\n%s\n---\n%s", after, again)
		}
	})
}

// TestNoFindingHoldsASecret plants secrets in every form and looks for them in
// everything that is told.
func TestNoFindingHoldsASecret(t *testing.T) {
	t.Parallel()
	planted := []string{
		"00000000-fa4e-4000-8000-0000000000", "fake-4000-8000-0000000000", "fakeSecurityToken", "fake-password",
		"AQ0fake0fake", "fake0fake0fake0fake", "0000000000000000001", "CiRuYTEtZmFrZS1mYWtl",
	}
	for _, path := range corpusFiles(t, "testdata/corpus") {
		content := read(t, path)
		var told []string
		for _, f := range ScanText(path, content, judged) {
			told = append(told, f.Excerpt, f.What, f.Mend, f.Where)
		}
		after, waiting := Rewrite(path, content)
		for _, w := range waiting {
			told = append(told, w.Excerpt, w.Why)
		}
		change := Change{File: filepath.Base(path), Before: content, After: after}
		told = append(told, change.Diff())
		for _, secret := range planted {
			for _, text := range told {
				if strings.Contains(text, secret) {
					t.Errorf("%s: %q is told in %q", path, secret, text)
				}
			}
		}
	}
}
