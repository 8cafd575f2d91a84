package trial

import (
	"encoding/xml"
	"io"
	"strings"
)

type junitSuite struct {
	XMLName  xml.Name    `xml:"testsuite"`
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Seconds  float64     `xml:"time,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Class   string        `xml:"classname,attr"`
	Name    string        `xml:"name,attr"`
	Seconds float64       `xml:"time,attr"`
	Failure *junitFailure `xml:"failure,omitempty"`
	Out     string        `xml:"system-out,omitempty"`
}

type junitFailure struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

// WriteJUnit writes results in the form that CI systems show.
func WriteJUnit(w io.Writer, results []Result) error {
	suite := junitSuite{Name: "lockstep test", Tests: len(results)}
	for _, r := range results {
		c := junitCase{Class: "lockstep." + r.Kind, Name: r.Name, Seconds: r.Seconds}
		text := strings.Join(r.Told, "\n")
		if r.OK {
			c.Out = text
		} else {
			suite.Failures++
			c.Failure = &junitFailure{Text: text}
			if len(r.Told) > 0 {
				c.Failure.Message = r.Told[0]
			}
		}
		suite.Seconds += r.Seconds
		suite.Cases = append(suite.Cases, c)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	encoder := xml.NewEncoder(w)
	encoder.Indent("", "  ")
	if err := encoder.Encode(suite); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}
