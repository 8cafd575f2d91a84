package e2e

import (
	"os"
	"testing"
	"time"
)

// folder is like t.TempDir for commands that run in this process. A renewal of
// a token that was under way when its command ended finishes by itself, so that
// no answer of a vendor is lost, and may still write as the folder is removed.
func folder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "lockstep-e2e-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		const tries = 50
		for i := range tries {
			if err = os.RemoveAll(dir); err == nil {
				return
			}
			time.Sleep(time.Duration(i) * time.Millisecond)
		}
		t.Error(err)
	})
	return dir
}
