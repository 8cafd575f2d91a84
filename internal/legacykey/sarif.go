package legacykey

import (
	"encoding/json"
	"io"
	"net/url"
	"strings"
)

// The parts of SARIF 2.1.0 that code hosts read
// (https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html).
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool       sarifTool     `json:"tool"`
		ColumnKind string        `json:"columnKind"`
		Results    []sarifResult `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name           string      `json:"name"`
		InformationURI string      `json:"informationUri"`
		Version        string      `json:"version,omitempty"`
		Rules          []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID            string             `json:"id"`
		Short         sarifText          `json:"shortDescription"`
		Full          sarifText          `json:"fullDescription"`
		Help          sarifText          `json:"help"`
		HelpURI       string             `json:"helpUri"`
		Configuration sarifConfiguration `json:"defaultConfiguration"`
	}
	sarifConfiguration struct {
		Level string `json:"level"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifResult struct {
		RuleID       string            `json:"ruleId"`
		RuleIndex    int               `json:"ruleIndex"`
		Level        string            `json:"level"`
		Message      sarifText         `json:"message"`
		Locations    []sarifLocation   `json:"locations"`
		Fingerprints map[string]string `json:"partialFingerprints"`
	}
	sarifLocation struct {
		Physical sarifPhysical  `json:"physicalLocation"`
		Logical  []sarifLogical `json:"logicalLocations,omitempty"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   sarifRegion   `json:"region"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifRegion struct {
		StartLine   int       `json:"startLine"`
		StartColumn int       `json:"startColumn"`
		Snippet     sarifText `json:"snippet"`
	}
	sarifLogical struct {
		FullyQualifiedName string `json:"fullyQualifiedName"`
	}
)

// WriteSARIF writes the report as SARIF 2.1.0, with version as that of the tool.
func (r *Report) WriteSARIF(w io.Writer, version string) error {
	run := sarifRun{ColumnKind: "unicodeCodePoints", Results: []sarifResult{}}
	run.Tool.Driver = sarifDriver{Name: "lockstep keys scan", InformationURI: "https://github.com/lockstep-sync/lockstep", Version: version}
	index := map[string]int{}
	for i, rule := range rules() {
		index[rule.ID] = i
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRule{
			ID: rule.ID, Short: sarifText{rule.Title}, Full: sarifText{rule.Title + ". Until: " + rule.Until + "."},
			Help: sarifText{rule.Mend}, HelpURI: rule.Source, Configuration: sarifConfiguration{sarifLevel(defaultSeverity(r, rule))},
		})
	}
	for _, f := range r.Findings {
		message := f.What + ". Until: " + f.Until + ". Next: " + f.Mend + "."
		if f.Commit != "" {
			message = "In commit " + f.Commit + ": " + message
		}
		result := sarifResult{
			RuleID: f.Rule, RuleIndex: index[f.Rule], Level: sarifLevel(f.Severity), Message: sarifText{message},
			Fingerprints: map[string]string{"lockstep/v1": f.Rule + ":" + f.File + ":" + f.Excerpt},
		}
		location := sarifLocation{Physical: sarifPhysical{
			Artifact: sarifArtifact{fileURI(f.File)}, Region: sarifRegion{f.Line, f.character, sarifText{f.Excerpt}},
		}}
		if f.Where != "" {
			location.Logical = []sarifLogical{{f.Where}}
		}
		result.Locations = []sarifLocation{location}
		run.Results = append(run.Results, result)
	}
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(sarifLog{
		Schema: "https://json.schemastore.org/sarif-2.1.0.json", Version: "2.1.0", Runs: []sarifRun{run},
	})
}

// defaultSeverity is the severity with which the rule was met, or its own.
func defaultSeverity(r *Report, rule Rule) Severity {
	for _, count := range r.Rules {
		if count.Rule == rule.ID {
			return count.Severity
		}
	}
	if rule.severity != "" {
		return rule.severity
	}
	return SeverityWarning
}

// sarifLevel is the same word in both tables.
func sarifLevel(s Severity) string { return string(s) }

// fileURI is a relative reference, segment by segment.
func fileURI(file string) string {
	parts := strings.Split(file, "/")
	for i, part := range parts {
		parts[i] = url.PathEscape(part)
	}
	return strings.Join(parts, "/")
}
