package cli

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
)

func TestATableIsForEyesOnATerminalAndForProgramsInAPipe(t *testing.T) {
	table := func() *table {
		t := newTable("NAME", ">RECORDS", "CITY")
		t.add("companies", 12345, "Köln")
		t.add("李", 7, "Bad\tHomburg\n")
		return t
	}
	var terminal, pipe bytes.Buffer
	table().write(&terminal, true)
	table().write(&pipe, false)
	wantTerminal := "NAME       RECORDS  CITY\n" +
		"companies   12,345  Köln\n" +
		"李               7  Bad Homburg\n"
	if diff := cmp.Diff(wantTerminal, terminal.String()); diff != "" {
		t.Errorf("terminal (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff("companies\t12345\tKöln\n李\t7\tBad Homburg \n", pipe.String()); diff != "" {
		t.Errorf("pipe (-want +got):\n%s", diff)
	}
}

func TestNumbersAreSeparated(t *testing.T) {
	for in, want := range map[string]string{"0": "0", "999": "999", "1000": "1,000", "-1234567": "-1,234,567", "12a4": "12a4", "": ""} {
		if got := separated(in); got != want {
			t.Errorf("separated(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestEveryCommandHasHelpWithAnExample(t *testing.T) {
	root := newRootCommand(&global{Streams: Streams{In: strings.NewReader(""), Out: &bytes.Buffer{}, Err: &bytes.Buffer{}}})
	var walk func(*cobra.Command)
	walk = func(c *cobra.Command) {
		if c.Name() == "help" || c.Name() == "completion" {
			return
		}
		if c.Short == "" {
			t.Errorf("%s says nothing of itself", c.CommandPath())
		}
		if !c.HasSubCommands() && c.Example == "" {
			t.Errorf("%s has no example", c.CommandPath())
		}
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk(root)
	var out bytes.Buffer
	if code := Run(context.Background(), []string{"--help"}, Streams{Out: &out, Err: &out}); code != 0 || !strings.Contains(out.String(), "lockstep demo") {
		t.Errorf("help ended with %d:\n%s", code, &out)
	}
}
