package diagnose

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode/utf8"

	"github.com/lockstep-sync/lockstep/internal/fault"
)

// LimitBytes is the largest record that is read: a HAR file of a long session.
const LimitBytes = 64 << 20

// Read finds the calls in a text, whatever it is: a HAR file, a newman report,
// curl with its output, an HTTP message with or without headers, a copy of
// Postman's console, or an answer's body alone. A text in which no call can be
// seen is one empty-handed Exchange with that text as its body. The error is
// fault.Invalid, for what is no text or too large.
func Read(text []byte) ([]Exchange, error) {
	if len(text) > LimitBytes {
		return nil, fault.New(fault.Invalid, "this is larger than %d MB", LimitBytes>>20).WithMend("cut out the one call that failed")
	}
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	if !utf8.Valid(text) || bytes.IndexByte(text, 0) >= 0 {
		return nil, fault.New(fault.Invalid, "this is no text").WithMend("save the call as a HAR file, or copy it as cURL")
	}
	trimmed := bytes.TrimSpace(text)
	if len(trimmed) == 0 {
		return nil, fault.New(fault.Invalid, "there is nothing to read").WithMend("lockstep diagnose FILE, or paste the call and end with ctrl-D")
	}
	if trimmed[0] == '{' && json.Valid(trimmed) {
		if found, ok := readHAR(trimmed); ok {
			return found, nil
		}
		if found, ok := readNewman(trimmed); ok {
			return found, nil
		}
		return []Exchange{{Body: string(trimmed)}}, nil
	}
	if found := readTranscript(strings.ReplaceAll(string(text), "\r\n", "\n")); len(found) > 0 {
		return found, nil
	}
	return []Exchange{{Body: string(trimmed)}}, nil
}
