package mapping

import (
	"strings"

	"go.yaml.in/yaml/v3"
)

// standardPair is a pair of built-in fields that mean the same in every
// account.
type standardPair struct {
	hubspotObject, salesforceObject string
	hubspot, salesforce             string
	// blank is written to Salesforce where a required field has no value.
	blank string
	// direction is set where only one makes sense, why says so.
	direction, why string
	// options are further keys of the line.
	options []string
	// times is the factor from HubSpot's number to Salesforce's.
	times string
	// table are "VALUE=Value" for the options that both accounts have.
	table []string
}

// standardPairs are those of all presets.
func standardPairs() []standardPair {
	var out []standardPair
	for _, p := range presets() {
		out = append(out, p.pairs...)
	}
	return out
}

func before(pair string) string {
	left, _, _ := strings.Cut(pair, "=")
	return left
}

func after(pair string) string {
	_, right, _ := strings.Cut(pair, "=")
	return right
}

// yamlScalar writes one text so that yaml reads it back as that text.
func yamlScalar(s string) string {
	n := yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s}
	if strings.ContainsAny(s, "{}[],:#&*!|>'\"%@`\n") || strings.TrimSpace(s) != s {
		n.Style = yaml.DoubleQuotedStyle
	}
	out, err := yaml.Marshal(&n)
	if err != nil {
		return `""`
	}
	return strings.TrimRight(string(out), "\n")
}

// yamlExpression writes an expression in single quotes, so that the text in it
// can have double ones.
func yamlExpression(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
