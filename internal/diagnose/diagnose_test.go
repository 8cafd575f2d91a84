package diagnose

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestEveryErrorClass ranges over testdata: each .txt is what a person has at
// hand, each .golden what it is said to mean. A file that is named unknown-… is
// not known, and no other may be.
func TestEveryErrorClass(t *testing.T) {
	files, err := filepath.Glob("testdata/*/*.txt")
	if err != nil || len(files) < 150 {
		t.Fatalf("%d files: %v", len(files), err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(file, ".txt")
		t.Run(strings.TrimPrefix(name, "testdata/"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			exchanges, err := Read(text)
			if err != nil {
				t.Fatal(err)
			}
			var got strings.Builder
			for _, e := range exchanges {
				d := Of(e)
				got.WriteString(d.String())
				for _, f := range d.Findings {
					if unknown := filepath.Base(name) == "unknown" || strings.HasPrefix(name, "testdata/formats/unknown"); f.Known == unknown {
						t.Errorf("known is %v: %+v", f.Known, f)
					}
				}
			}
			if *update {
				if err := os.WriteFile(name+".golden", []byte(got.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(name + ".golden")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got.String()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestEveryGoldenFileHasItsClass keeps the file's name and what is found in it
// together: the first finding's class ends in the name, up to a number.
func TestEveryGoldenFileHasItsClass(t *testing.T) {
	for _, vendor := range []string{"hubspot", "salesforce", "mistake"} {
		files, err := filepath.Glob("testdata/" + vendor + "/*.golden")
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %v", vendor, err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			name, _, _ := strings.Cut(strings.TrimSuffix(filepath.Base(file), ".golden"), "--")
			class := "  " + vendor + "." + name + ": "
			if name == "unknown" {
				class = "  unknown: "
			}
			if !strings.Contains(string(text), class) {
				t.Errorf("%s does not say %s:\n%s", file, strings.TrimSpace(class), text)
			}
		}
	}
}

// TestAnUnclosedQuoteHidesNothing: people write about curl, too.
func TestAnUnclosedQuoteHidesNothing(t *testing.T) {
	exchanges, err := Read([]byte("curl doesn't work:\nHTTP/1.1 403 Forbidden\n\n{\"category\":\"MISSING_SCOPES\",\"message\":\"x\",\"correlationId\":\"c\"}\n" + strings.Repeat("}\n", 600)))
	if err != nil || len(exchanges) != 1 || exchanges[0].Status != 403 {
		t.Errorf("%+v %v", exchanges, err)
	}
}
