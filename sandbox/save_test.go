package sandbox

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"
)

func TestAChangedStateIsSavedWithinSeconds(t *testing.T) {
	file := filepath.Join(t.TempDir(), "box.zip")
	synctest.Test(t, func(t *testing.T) {
		s, err := New(Config{DataFile: file})
		if err != nil {
			t.Fatal(err)
		}
		s.running.Go(s.keepSaving)
		time.Sleep(2 * saveEvery)
		first, err := stampOf(file)
		if err != nil {
			t.Fatal("the new state was not saved:", err)
		}
		time.Sleep(2 * saveEvery)
		if same, _ := stampOf(file); same != first {
			t.Error("an unchanged state was saved again")
		}
		s.HubSpot().Insert("contacts", map[string]string{"email": "late@people.example"}, s.clock.Now(), s.clock.Now())
		time.Sleep(2 * saveEvery)
		if changed, _ := stampOf(file); changed == first {
			t.Error("the change was not saved")
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}

// halfway breaks off while it saves, as a full disk does.
type halfway struct{}

func (halfway) SaveState(w io.Writer) error {
	_, err := io.WriteString(w, "the first half")
	return errors.Join(err, errors.New("no space left on device"))
}

func (halfway) LoadState(io.Reader) error { return nil }

func TestASaveThatBreaksOffLeavesTheOldFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "box.zip")
	if err := os.WriteFile(file, []byte("the old state"), 0o600); err != nil {
		t.Fatal(err)
	}
	err := writeDataFile(file, about{}, halfway{}, halfway{})
	var e *Error
	if !errors.As(err, &e) || e.Mend == "" {
		t.Errorf("got %v, want an error with a mend", err)
	}
	if content, _ := os.ReadFile(file); string(content) != "the old state" {
		t.Errorf("the file now holds %q", content)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(file), ".*")); len(left) > 0 {
		t.Errorf("temporary files are left: %v", left)
	}
}
