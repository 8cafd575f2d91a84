package cli

import (
	"os"

	"golang.org/x/term"
)

// ProcessStreams returns the streams of this process.
func ProcessStreams() Streams {
	return Streams{
		In:  os.Stdin,
		Out: os.Stdout,
		Err: os.Stderr,
		Env: os.Getenv,
		IsTerminal: func(stream any) bool {
			file, ok := stream.(*os.File)
			return ok && term.IsTerminal(int(file.Fd()))
		},
		ReadSecret: func() (string, error) {
			text, err := term.ReadPassword(int(os.Stdin.Fd()))
			return string(text), err
		},
	}
}
