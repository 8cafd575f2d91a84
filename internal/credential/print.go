package credential

import (
	"fmt"
	"io"
)

// Format keeps tokens out of every print: fmt does not ask the fields of a
// struct how they want to be printed.
func (s *TokenSource) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, "tokens of "+s.name)
}
