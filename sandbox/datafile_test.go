package sandbox_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lockstep-sync/lockstep/sandbox"
)

func TestADataFileKeepsEverything(t *testing.T) {
	file := filepath.Join(t.TempDir(), "box.zip")
	first := open(t, sandbox.Config{DataFile: file})
	token := first.Credentials().HubSpot.PrivateApp
	ask(t, first.Client(), "POST", hubSpot+"/crm/v3/objects/contacts", token, `{"properties":{"email":"kept@people.example","firstname":"Łucja"}}`)
	first.Clock().Advance(72 * time.Hour)
	h1, sf1 := state(t, first)
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}

	second, err := sandbox.New(sandbox.Config{Seed: "empty", DataFile: file})
	if err != nil {
		t.Fatal(err)
	}
	h2, sf2 := state(t, second)
	if d := cmp.Diff(h1, h2); d != "" {
		t.Errorf("HubSpot came back changed:\n%.2000s", d)
	}
	if d := cmp.Diff(sf1, sf2); d != "" {
		t.Errorf("Salesforce came back changed:\n%.2000s", d)
	}
	if d := cmp.Diff(first.Credentials(), second.Credentials()); d != "" {
		t.Errorf("credentials came back changed:\n%s", d)
	}
	if off := second.Clock().Now().Sub(first.Clock().Now()).Abs(); off > time.Minute {
		t.Errorf("the clock is off by %v", off)
	}
	if status, body := ask(t, second.Client(), "GET", hubSpot+"/crm/v3/objects/contacts/kept@people.example?idProperty=email", token, ""); status != 200 || !strings.Contains(body, "Łucja") {
		t.Errorf("%d %s", status, body)
	}
	if err := second.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestABrokenDataFileIsLeftAlone(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "box.zip")
	box := open(t, sandbox.Config{DataFile: file})
	if err := box.Save(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	flipped := bytes.Clone(whole)
	flipped[len(flipped)/2] ^= 0xff
	for name, content := range map[string][]byte{
		"a file of another kind is refused":   []byte("contacts,companies\n"),
		"an empty file is refused":            {},
		"half a file is refused":              whole[:len(whole)/2],
		"a file without its end is refused":   whole[:len(whole)-10],
		"a file with one bad byte is refused": flipped,
	} {
		t.Run(name, func(t *testing.T) {
			broken := filepath.Join(dir, "broken.zip")
			if err := os.WriteFile(broken, content, 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := sandbox.New(sandbox.Config{DataFile: broken})
			var e *sandbox.Error
			if !errors.As(err, &e) || !strings.Contains(e.What, "broken.zip") || e.Mend == "" {
				t.Errorf("got %v", err)
			}
			if after, _ := os.ReadFile(broken); !bytes.Equal(after, content) {
				t.Error("the file was changed")
			}
		})
	}
}

func TestSaving(t *testing.T) {
	file := filepath.Join(t.TempDir(), "box.zip")
	box := open(t, sandbox.Config{DataFile: file})
	written := func() time.Time {
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		return info.ModTime()
	}
	if err := box.Save(); err != nil {
		t.Fatal(err)
	}
	first := written()
	if err := box.Save(); err != nil || written() != first {
		t.Errorf("an unchanged state was written again (%v)", err)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(file), ".*")); len(left) > 0 {
		t.Errorf("temporary files are left: %v", left)
	}

	t.Run("a file that another program wrote is not overwritten", func(t *testing.T) {
		if err := os.WriteFile(file, []byte("mine"), 0o600); err != nil {
			t.Fatal(err)
		}
		box.Clock().Advance(time.Hour)
		if err := box.Save(); err == nil {
			t.Error("it was overwritten")
		}
		if content, _ := os.ReadFile(file); string(content) != "mine" {
			t.Errorf("it now holds %d bytes", len(content))
		}
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("a folder that does not exist is a clear error", func(t *testing.T) {
		lost, err := sandbox.New(sandbox.Config{Seed: "empty", DataFile: filepath.Join(t.TempDir(), "none", "box.zip")})
		if err != nil {
			t.Fatal(err)
		}
		var e *sandbox.Error
		if err := lost.Close(); !errors.As(err, &e) || e.Mend == "" {
			t.Errorf("got %v", err)
		}
	})
}
