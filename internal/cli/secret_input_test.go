//go:build unix

package cli

import (
	"bytes"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/lockstep-sync/lockstep/internal/fault"
)

// descriptor returns an open file descriptor that gives text; the reader closes it.
func descriptor(t *testing.T, text string) int {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	w.Close()
	fd, err := syscall.Dup(int(r.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	return fd
}

func TestASecretComesFromOnePlace(t *testing.T) {
	file := t.TempDir() + "/secret"
	if err := os.WriteFile(file, []byte("fake-from-file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	g := func() *global {
		return &global{Streams: Streams{
			In: strings.NewReader("fake-from-stdin\nmore\n"), Out: io.Discard, Err: io.Discard,
			Env: func(name string) string { return map[string]string{"FAKE_SECRET": "fake-from-env"}[name] },
		}}
	}
	tests := []struct {
		name  string
		flags secretFlags
		env   string
		want  string
	}{
		{"stdin", secretFlags{value: "-", fd: -1}, "FAKE_SECRET", "fake-from-stdin\n"},
		{"a file", secretFlags{file: file, fd: -1}, "FAKE_SECRET", "fake-from-file\n"},
		{"a file descriptor, its first line", secretFlags{fd: descriptor(t, "fake-from-fd\nmore\n")}, "FAKE_SECRET", "fake-from-fd\n"},
		{"file descriptor 0 is stdin", secretFlags{fd: 0}, "FAKE_SECRET", "fake-from-stdin\n"},
		{"the environment", secretFlags{fd: -1}, "FAKE_SECRET", "fake-from-env"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := g().readSecret(test.flags.input("token", "token", test.env))
			if err != nil || got != test.want {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
	refused := []struct {
		name  string
		flags secretFlags
		want  string
	}{
		{"the command line", secretFlags{value: "fake-in-argv", fd: -1}, "not taken from the command line"},
		{"an empty descriptor", secretFlags{fd: descriptor(t, "\n")}, "held no token"},
		{"a descriptor for output", secretFlags{fd: 1}, "for output"},
		{"nothing, in a pipe", secretFlags{fd: -1}, "no token was given"},
	}
	for _, test := range refused {
		t.Run(test.name, func(t *testing.T) {
			_, err := g().readSecret(test.flags.input("token", "token", ""))
			if fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), test.want) || fault.MendOf(err) == "" {
				t.Errorf("got %v; mend %q", err, fault.MendOf(err))
			}
			if err != nil && strings.Contains(err.Error()+fault.MendOf(err), "fake-in-argv") {
				t.Errorf("the secret is repeated: %v", err)
			}
		})
	}
}

func TestALineIsReadWithoutABytePastIt(t *testing.T) {
	in := strings.NewReader("first answer \r\nhidden")
	g := &global{Streams: Streams{In: in, Err: &bytes.Buffer{}}}
	if got, err := g.ask("question", ""); err != nil || got != "first answer" {
		t.Errorf("got %q, %v", got, err)
	}
	if rest, _ := io.ReadAll(in); string(rest) != "hidden" {
		t.Errorf("what follows is %q", rest)
	}
	if _, err := g.ask("question", "fallback"); fault.KindOf(err) != fault.Invalid {
		t.Errorf("a closed terminal: %v", err)
	}
	long := &global{Streams: Streams{In: strings.NewReader(strings.Repeat("x", answerLimitBytes+1)), Err: io.Discard}}
	if _, err := long.ask("question", ""); fault.KindOf(err) != fault.Invalid {
		t.Errorf("an answer without an end: %v", err)
	}
}
