package cli

import (
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// versionJSON is what `version --json` prints.
type versionJSON struct {
	Version string `json:"version"`
	Commit  string `json:"commit,omitempty"`
	Go      string `json:"go"`
	System  string `json:"system"`
}

func newVersionCommand(g *global) *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Say which Lockstep this is",
		Example: "  lockstep version",
		Args:    noArguments,
		RunE: func(*cobra.Command, []string) error {
			v := buildVersion()
			if g.json {
				return g.printJSON(v)
			}
			if v.Commit != "" {
				g.print("lockstep %s (%s, %s, %s)", v.Version, v.Commit, v.Go, v.System)
				return nil
			}
			g.print("lockstep %s (%s, %s)", v.Version, v.Go, v.System)
			return nil
		},
	}
}

func buildVersion() versionJSON {
	v := versionJSON{Version: "development", Go: runtime.Version(), System: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	if info.Main.Version != "" && info.Main.Version != "(devel)" {
		v.Version = info.Main.Version
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			v.Commit = s.Value[:12]
		}
	}
	return v
}
