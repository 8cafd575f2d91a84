package sandbox

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/lockstep-sync/lockstep/sandbox/story"
)

// TestTheDocumentTellsAll keeps docs/sandbox-differences.md in step with the code.
func TestTheDocumentTellsAll(t *testing.T) {
	content, err := os.ReadFile("../docs/sandbox-differences.md")
	if err != nil {
		t.Fatal(err)
	}
	document := string(content)
	if !strings.Contains(document, guide) {
		t.Error("the management calls in the document differ from guide.go: copy the constant there")
	}
	for _, kind := range story.Kinds() {
		if !strings.Contains(document, kind.String()) {
			t.Errorf("the document does not name the mess %q", kind)
		}
	}
}

// TestTheGuideTellsEveryCall compares the text with the routes.
func TestTheGuideTellsEveryCall(t *testing.T) {
	files, err := filepath.Glob("manage*.go")
	if err != nil {
		t.Fatal(err)
	}
	var source []byte
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		source = append(source, content...)
	}
	told := regexp.MustCompile(` +`).ReplaceAllString(guide, " ")
	for _, route := range regexp.MustCompile(`"((?:GET|POST|PUT|PATCH|DELETE) /[^" ]+)":`).FindAllStringSubmatch(string(source), -1) {
		if !strings.Contains(told, route[1]) {
			t.Errorf("the guide does not tell %s", route[1])
		}
	}
}
