package legacykey

import (
	"fmt"
	"strings"
)

// diffContext is how many unchanged lines surround a change.
const diffContext = 3

// Diff is the change as a unified diff, every secret redacted: it is for eyes,
// not for patch.
func (c *Change) Diff() string {
	before, after := splitLines(string(c.Before)), splitLines(string(c.After))
	steps := diffLines(before, after)
	var b strings.Builder
	fmt.Fprintf(&b, "--- %s\n+++ %s\n", c.File, c.File)
	for i := 0; i < len(steps); {
		if steps[i].mark == ' ' {
			i++
			continue
		}
		from, to, quiet := max(0, i-diffContext), i, 0
		for to < len(steps) && quiet <= 2*diffContext {
			if steps[to].mark == ' ' {
				quiet++
			} else {
				quiet = 0
			}
			to++
		}
		to -= max(0, quiet-diffContext)
		hunk := steps[from:to]
		olds, news := 0, 0
		for _, s := range hunk {
			if s.mark != '+' {
				olds++
			}
			if s.mark != '-' {
				news++
			}
		}
		fmt.Fprintf(&b, "@@ -%d,%d +%d,%d @@\n", hunk[0].old+1, olds, hunk[0].new+1, news)
		for _, s := range hunk {
			b.WriteByte(s.mark)
			b.WriteString(redact(strings.TrimRight(s.text, "\r"), false))
			b.WriteByte('\n')
		}
		i = to
	}
	return b.String()
}

func splitLines(text string) []string {
	lines := strings.Split(text, "\n")
	if n := len(lines); lines[n-1] == "" {
		lines = lines[:n-1]
	}
	return lines
}

type diffStep struct {
	mark     byte
	text     string
	old, new int // lines before this one
}

// diffLines finds the shortest way from a to b, line by line. A rewrite touches
// few lines, so what is equal at both ends is set aside first.
func diffLines(a, b []string) []diffStep {
	head := 0
	for head < len(a) && head < len(b) && a[head] == b[head] {
		head++
	}
	tail := 0
	for tail < len(a)-head && tail < len(b)-head && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	var steps []diffStep
	for i := range head {
		steps = append(steps, diffStep{' ', a[i], i, i})
	}
	steps = append(steps, diffMiddle(a[head:len(a)-tail], b[head:len(b)-tail], head)...)
	for i := tail; i > 0; i-- {
		steps = append(steps, diffStep{' ', a[len(a)-i], len(a) - i, len(b) - i})
	}
	return steps
}

// diffCells bounds the table of the exact comparison; larger middles are told
// as removed and added whole.
const diffCells = 4 << 20

func diffMiddle(a, b []string, offset int) []diffStep {
	var steps []diffStep
	if len(a)*len(b) > diffCells {
		for i, line := range a {
			steps = append(steps, diffStep{'-', line, offset + i, offset})
		}
		for i, line := range b {
			steps = append(steps, diffStep{'+', line, offset + len(a), offset + i})
		}
		return steps
	}
	common := make([][]int32, len(a)+1)
	for i := range common {
		common[i] = make([]int32, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				common[i][j] = common[i+1][j+1] + 1
			} else {
				common[i][j] = max(common[i+1][j], common[i][j+1])
			}
		}
	}
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			steps = append(steps, diffStep{' ', a[i], offset + i, offset + j})
			i, j = i+1, j+1
		case j == len(b) || i < len(a) && common[i+1][j] >= common[i][j+1]:
			steps = append(steps, diffStep{'-', a[i], offset + i, offset + j})
			i++
		default:
			steps = append(steps, diffStep{'+', b[j], offset + i, offset + j})
			j++
		}
	}
	return steps
}
