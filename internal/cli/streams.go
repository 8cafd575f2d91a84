package cli

import (
	"io"
	"path/filepath"
	"time"
)

// Streams is all that a command may touch of the process that runs it: tests
// and the demo run the whole program with their own.
type Streams struct {
	In  io.Reader
	Out io.Writer // results
	Err io.Writer // talk: progress, remarks, errors
	// Env looks an environment variable up; nil means that none is set.
	Env func(string) string
	// IsTerminal tells whether one of In, Out and Err is a person's terminal;
	// nil means that none is.
	IsTerminal func(stream any) bool
	// ReadSecret reads one line from the terminal without showing it. It is
	// called only when In is a terminal; nil means that no prompt can be made.
	ReadSecret func() (string, error)
	// Dir is where relative paths start; empty means the process's own directory.
	Dir string
	// Now is the machine's clock by which the state of the pair is dated; nil means
	// time.Now.
	Now func() time.Time
}

// terminal tells whether stream is a person's terminal.
func (s Streams) terminal(stream any) bool {
	return s.IsTerminal != nil && s.IsTerminal(stream)
}

// env returns an environment variable, or "".
func (s Streams) env(name string) string {
	if s.Env == nil {
		return ""
	}
	return s.Env(name)
}

// path returns name as seen from Dir.
func (s Streams) path(name string) string {
	if s.Dir == "" || name == "" || filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(s.Dir, name)
}

// colour tells whether stream may carry colours: a terminal, and NO_COLOR is
// not set (https://no-color.org).
func (s Streams) colour(stream any) bool {
	return s.terminal(stream) && s.env("NO_COLOR") == "" && s.env("TERM") != "dumb"
}
