// Package cli is the command line: one file per command, each an options
// struct, a parse step and a run step. Results go to stdout, talk goes to
// stderr; a terminal gets aligned tables and progress bars, a pipe gets
// tab-separated lines and one line per step, --json gets objects with stable
// names (docs/operations.md). An error ends with the step that mends it, and
// its kind is translated into the exit code here and nowhere else.
package cli
