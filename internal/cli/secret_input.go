package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/lockstep-sync/lockstep/internal/credential"
)

// secretLimitBytes is more than any credential has; what is longer is some
// other file.
const secretLimitBytes = 64 << 10

// secretInput says where a secret may come from. Exactly one way is used, the
// first that is there: the flag with "-" (stdin), the file, the environment
// variable, a prompt on a terminal.
type secretInput struct {
	// what it is, for messages: "HubSpot token".
	what string
	// flag is the flag's name and value what was given to it.
	flag  string
	value string
	// fileFlag and file are the same for the file.
	fileFlag string
	file     string
	env      string
	// whole reads all of stdin (a PEM file) and not just its first line.
	whole bool
}

// readSecret returns the secret's text as it was given, not yet cleaned.
func (g *global) readSecret(in secretInput) (string, error) {
	switch {
	case in.value != "" && in.value != "-":
		return "", usage(
			fmt.Sprintf("pipe it in (… --%s - < secret.txt), or leave the flag out to be asked; if others use this machine, replace the secret: it is in the shell's history now", in.flag),
			"a %s is not taken from the command line, where it would stand in the process list and the shell's history", in.what)
	case in.value == "-":
		return g.secretFromStdin(in)
	case in.file != "":
		return g.secretFromFile(in)
	}
	if in.env != "" {
		if text := g.env(in.env); text != "" {
			return text, nil
		}
	}
	if g.terminal(g.In) && g.ReadSecret != nil {
		fmt.Fprintf(g.Err, "%s (not shown): ", in.what)
		text, err := g.ReadSecret()
		fmt.Fprintln(g.Err)
		if err != nil {
			return "", fmt.Errorf("read the %s: %w", in.what, err)
		}
		return text, nil
	}
	return "", usage(in.ways(), "no %s was given", in.what)
}

// ways lists how the secret can be given.
func (in secretInput) ways() string {
	ways := []string{fmt.Sprintf("--%s - and the secret on stdin", in.flag)}
	if in.fileFlag != "" {
		ways = append(ways, fmt.Sprintf("--%s FILE", in.fileFlag))
	}
	if in.env != "" {
		ways = append(ways, "the environment variable "+in.env)
	}
	return "give it by " + strings.Join(ways, ", or ")
}

func (g *global) secretFromStdin(in secretInput) (string, error) {
	if g.terminal(g.In) && g.ReadSecret != nil {
		fmt.Fprintf(g.Err, "%s (not shown): ", in.what)
		text, err := g.ReadSecret()
		fmt.Fprintln(g.Err)
		return text, err
	}
	reader := bufio.NewReader(io.LimitReader(g.In, secretLimitBytes))
	if in.whole {
		text, err := io.ReadAll(reader)
		return string(text), err
	}
	text, err := reader.ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("read the %s from stdin: %w", in.what, err)
	}
	if strings.TrimSpace(text) == "" {
		return "", usage(in.ways(), "stdin held no %s", in.what)
	}
	return text, nil
}

func (g *global) secretFromFile(in secretInput) (string, error) {
	name := g.path(in.file)
	info, err := os.Stat(name)
	if err != nil || info.IsDir() {
		return "", usage(fmt.Sprintf("check the path given with --%s", in.fileFlag), "the file %s cannot be read", in.file)
	}
	if info.Size() > secretLimitBytes {
		return "", usage(fmt.Sprintf("check the path given with --%s", in.fileFlag), "the file %s is too long to be a %s", in.file, in.what)
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return "", usage("check who may read it", "the file %s cannot be read", in.file)
	}
	return string(text), nil
}

// shown is a word of the command line as it may be repeated in a message:
// what might be a secret is not.
func shown(word string) string {
	const longest = 40
	if form := credential.Classify(word).Form; form != credential.FormUnknown && form != credential.FormURL && form != credential.FormEmpty {
		return "[something that looks like a " + string(form) + "]"
	}
	if len(word) > longest || strings.Contains(word, "pat-") {
		return "[…]"
	}
	return fmt.Sprintf("%q", word)
}
