package legacykey

import (
	"bytes"
	"testing"
)

// BenchmarkScan measures one core: text without any trigger, the corpus itself
// (full of findings), and both as they lie in a tree, one part in fifty.
func BenchmarkScan(b *testing.B) {
	var corpus, clean [][2]any
	size := func(files [][2]any) (n int64) {
		for _, f := range files {
			n += int64(len(f[1].([]byte)))
		}
		return n
	}
	t := &testing.T{}
	for _, path := range corpusFiles(t, "testdata/corpus") {
		corpus = append(corpus, [2]any{path, read(t, path)})
	}
	for _, path := range corpusFiles(t, "testdata/clean") {
		clean = append(clean, [2]any{path, bytes.Repeat(read(t, path), 20)})
	}
	tree := append([][2]any{}, corpus...)
	for size(tree) < 50*size(corpus) {
		tree = append(tree, clean...)
	}
	s := newScanner(judged)
	for _, bench := range []struct {
		name  string
		files [][2]any
	}{{"clean", clean}, {"findings", corpus}, {"tree", tree}} {
		b.Run(bench.name, func(b *testing.B) {
			b.SetBytes(size(bench.files))
			for b.Loop() {
				for _, f := range bench.files {
					s.file(f[0].(string), f[1].([]byte))
				}
			}
		})
	}
}
