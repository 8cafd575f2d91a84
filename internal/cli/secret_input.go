package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/lockstep-sync/lockstep/internal/credential"
)

// secretLimitBytes is more than any credential has; what is longer is some
// other file.
const secretLimitBytes = 64 << 10

// secretInput says where a secret may come from. Exactly one way is used, the
// first that is there: the flag with "-" (stdin), the file descriptor, the file,
// the environment variable, a prompt on a terminal.
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
	// fd is an open file descriptor to read it from, if fromFD is set.
	fd     int
	fromFD bool
	// whole reads all of stdin (a PEM file) and not just its first line.
	whole bool
}

// secretFlags are the three flags by which a secret may be handed over: - for
// stdin, a file, an open file descriptor.
type secretFlags struct {
	value, file string
	fd          int
}

// add adds the flags --NAME, --NAME-file and --NAME-fd.
func (s *secretFlags) add(flags *pflag.FlagSet, name, what string) {
	flags.StringVar(&s.value, name, "", "- reads the "+what+" from stdin")
	flags.StringVar(&s.file, name+"-file", "", "a file that holds the "+what)
	flags.IntVar(&s.fd, name+"-fd", -1, "an open file descriptor to read the "+what+" from")
}

// given tells whether one of the flags was used.
func (s *secretFlags) given() bool { return s.value != "" || s.file != "" || s.fd >= 0 }

// input says where the secret comes from. env may be empty.
func (s *secretFlags) input(what, name, env string) secretInput {
	return secretInput{what: what, flag: name, value: s.value, fileFlag: name + "-file", file: s.file, fd: s.fd, fromFD: s.fd >= 0, env: env}
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
	case in.fromFD:
		return g.secretFromFD(in)
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
	ways = append(ways, fmt.Sprintf("--%s-fd N", in.flag))
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
	return in.read(g.In, "stdin")
}

// secretFromFD reads from a descriptor that the caller has opened, as shells do
// with 3<file or <(command).
func (g *global) secretFromFD(in secretInput) (string, error) {
	if in.fd == 1 || in.fd == 2 {
		return "", usage("open one for it: --"+in.flag+"-fd 3 3<secret.txt", "file descriptor %d is for output", in.fd)
	}
	if in.fd == 0 {
		return g.secretFromStdin(in)
	}
	file := os.NewFile(uintptr(in.fd), "file descriptor "+strconv.Itoa(in.fd))
	if file == nil {
		return "", usage(in.ways(), "there is no file descriptor %d", in.fd)
	}
	defer file.Close()
	if _, err := file.Stat(); err != nil {
		return "", usage("open it in the shell: --"+in.flag+"-fd "+strconv.Itoa(in.fd)+" "+strconv.Itoa(in.fd)+"<secret.txt", "file descriptor %d is not open", in.fd)
	}
	return in.read(file, file.Name())
}

// read reads the secret from a stream: its first line, or the whole of it.
func (in secretInput) read(from io.Reader, name string) (string, error) {
	reader := bufio.NewReader(io.LimitReader(from, secretLimitBytes))
	var text string
	var err error
	if in.whole {
		var all []byte
		all, err = io.ReadAll(reader)
		text = string(all)
	} else if text, err = reader.ReadString('\n'); errors.Is(err, io.EOF) {
		err = nil
	}
	if err != nil {
		return "", fmt.Errorf("read the %s from %s: %w", in.what, name, err)
	}
	if strings.TrimSpace(text) == "" {
		return "", usage(in.ways(), "%s held no %s", name, in.what)
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
