package e2e

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestStories plays every file in testdata.
func TestStories(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                "testdata",
		RequireUniqueNames: true,
		Setup: func(env *testscript.Env) error {
			secrets := filepath.Join(filepath.Dir(env.WorkDir), filepath.Base(env.WorkDir)+"-secrets")
			if err := os.MkdirAll(secrets, 0o700); err != nil {
				return err
			}
			env.Defer(func() { _ = os.RemoveAll(secrets) })
			world := &world{secrets: secrets}
			env.Values[worldKey{}] = world
			env.Setenv("SECRETS", secrets)
			env.Defer(world.close)
			return nil
		},
		Cmds: commands,
	})
}
