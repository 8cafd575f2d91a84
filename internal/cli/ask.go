package cli

import (
	"errors"
	"fmt"
	"io"
	"strings"
)

// answerLimitBytes is more than anybody types at a question.
const answerLimitBytes = 4 << 10

// interactive tells whether a person can be asked: never in a pipe.
func (g *global) interactive() bool {
	return g.terminal(g.In) && g.ReadSecret != nil && !g.json
}

// ask puts a question on stderr and returns the answer; fallback when it is
// empty. Only where interactive.
func (g *global) ask(question, fallback string) (string, error) {
	if fallback != "" {
		question += " [" + fallback + "]"
	}
	fmt.Fprintf(g.Err, "%s: ", question)
	answer, err := g.readLine()
	if err != nil {
		return "", err
	}
	if answer == "" {
		return fallback, nil
	}
	return answer, nil
}

// askYes asks for yes or no, and says why it matters.
func (g *global) askYes(question, why string) (bool, error) {
	fmt.Fprintf(g.Err, "\n%s\n  (%s)\n", question, why)
	for range 3 {
		answer, err := g.ask("yes or no", "no")
		if err != nil {
			return false, err
		}
		switch strings.ToLower(answer) {
		case "y", "yes":
			return true, nil
		case "n", "no":
			return false, nil
		}
	}
	return false, usage("answer yes or no", "the question was not answered")
}

// readLine reads one line of stdin and not a byte more: what follows may be
// for a prompt that shows nothing.
func (g *global) readLine() (string, error) {
	var line []byte
	var b [1]byte
	for len(line) < answerLimitBytes {
		n, err := g.In.Read(b[:])
		if n == 1 && b[0] == '\n' {
			return strings.TrimSpace(string(line)), nil
		}
		line = append(line, b[:n]...)
		if errors.Is(err, io.EOF) {
			if len(line) > 0 {
				return strings.TrimSpace(string(line)), nil
			}
			return "", usage("give what is needed by flags: --help lists them", "the terminal was closed before the question was answered")
		}
		if err != nil {
			return "", fmt.Errorf("read the answer: %w", err)
		}
	}
	return "", usage("answer in a few words", "the answer is too long")
}
