package cli

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"golang.org/x/text/width"
)

// cellColumns is the widest a cell of a table gets on a terminal; longer text
// is cut there and whole in a pipe and in --json.
const cellColumns = 72

// oneLine takes out what would break a line of output.
var oneLine = strings.NewReplacer("\t", " ", "\n", " ", "\r", "")

// table is rows under a header: aligned for a terminal; tab-separated, without
// header and uncut, for a pipe.
type table struct {
	header []string
	// right marks the columns that hold numbers.
	right map[int]bool
	// indent stands before each line on a terminal.
	indent string
	rows   [][]string
}

// newTable returns a table; a header that starts with ">" is a column of
// numbers.
func newTable(header ...string) *table {
	t := &table{right: map[int]bool{}}
	for i, h := range header {
		if strings.HasPrefix(h, ">") {
			t.right[i] = true
			h = h[1:]
		}
		t.header = append(t.header, h)
	}
	return t
}

// add appends a row; numbers get thousands separators on a terminal only.
func (t *table) add(cells ...any) {
	row := make([]string, len(cells))
	for i, c := range cells {
		switch c := c.(type) {
		case int:
			row[i] = strconv.Itoa(c)
		case string:
			row[i] = c
		default:
			row[i] = fmt.Sprint(c)
		}
	}
	t.rows = append(t.rows, row)
}

// write prints the table to w as fits the stream.
func (t *table) write(w io.Writer, terminal bool) {
	if !terminal {
		for _, row := range t.rows {
			for i, cell := range row {
				row[i] = oneLine.Replace(cell)
			}
			fmt.Fprintln(w, strings.Join(row, "\t"))
		}
		return
	}
	t.aligned(w)
}

// aligned prints the table for eyes, whatever w is.
func (t *table) aligned(w io.Writer) { t.lines(w, append([][]string{t.header}, t.rows...), 1) }

// body prints the table for eyes, without its header.
func (t *table) body(w io.Writer) { t.lines(w, t.rows, 0) }

// lines prints lines of cells, the first of which are headers.
func (t *table) lines(w io.Writer, lines [][]string, headers int) {
	shown := make([][]string, len(lines))
	widths := make([]int, len(t.header))
	for l, row := range lines {
		shown[l] = make([]string, len(row))
		for i, cell := range row {
			if l >= headers && t.right[i] {
				cell = separated(cell)
			}
			cell = cut(oneLine.Replace(cell), cellColumns)
			shown[l][i] = cell
			if i < len(widths) {
				widths[i] = max(widths[i], columns(cell))
			}
		}
	}
	for _, row := range shown {
		var line strings.Builder
		line.WriteString(t.indent)
		for i, cell := range row {
			if i >= len(widths) {
				break
			}
			if i > 0 {
				line.WriteString("  ")
			}
			pad := strings.Repeat(" ", widths[i]-columns(cell))
			if t.right[i] {
				line.WriteString(pad + cell)
			} else {
				line.WriteString(cell + pad)
			}
		}
		fmt.Fprintln(w, strings.TrimRight(line.String(), " "))
	}
}

// columns is how many columns of a terminal text fills.
func columns(text string) int {
	n := 0
	for _, r := range text {
		switch width.LookupRune(r).Kind() {
		case width.EastAsianWide, width.EastAsianFullwidth:
			n += 2
		default:
			n++
		}
	}
	return n
}

// cut shortens text to at most limit columns, with an ellipsis.
func cut(text string, limit int) string {
	if columns(text) <= limit {
		return text
	}
	n := 0
	for i, r := range text {
		n += columns(string(r))
		if n > limit-1 {
			return text[:i] + "…"
		}
	}
	return text
}

// separated puts thousands separators into a whole number: 12345 -> 12,345.
func separated(number string) string {
	digits := strings.TrimPrefix(number, "-")
	if len(digits) < 4 || strings.Trim(digits, "0123456789") != "" {
		return number
	}
	var b strings.Builder
	for i, r := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(r)
	}
	return strings.TrimSuffix(number, digits) + b.String()
}

// count writes a number of things for sentences: "1 record", "12,345 records".
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return separatedInt(n) + " " + many
}

// separatedInt is separated for an int.
func separatedInt(n int) string { return separated(strconv.Itoa(n)) }
