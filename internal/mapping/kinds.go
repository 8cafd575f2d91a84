package mapping

import "github.com/lockstep-sync/lockstep/internal/crm"

// family groups the kinds that convert alike.
type family int

const (
	familyNone family = iota
	familyText
	familyNumber
	familyBool
	familyMoment
	familyClock
	familyPick
	familyMultiPick
	familyID
)

func familyOf(k crm.Kind) family {
	switch k {
	case crm.KindText, crm.KindLongText, crm.KindHTML, crm.KindPhone, crm.KindEmail, crm.KindURL:
		return familyText
	case crm.KindInteger, crm.KindNumber, crm.KindCurrency, crm.KindPercent:
		return familyNumber
	case crm.KindBool:
		return familyBool
	case crm.KindDate, crm.KindDateTime:
		return familyMoment
	case crm.KindTime:
		return familyClock
	case crm.KindPicklist:
		return familyPick
	case crm.KindMultiPicklist:
		return familyMultiPick
	case crm.KindID:
		return familyID
	}
	return familyNone
}

// converts tells whether values of one kind can be written to a field of the
// other. It follows what HubSpot's own integration allows, and more where
// nothing can be lost: https://knowledge.hubspot.com/salesforce/map-hubspot-properties-to-salesforce-fields
func converts(from, to crm.Kind) bool {
	a, b := familyOf(from), familyOf(to)
	switch {
	case a == familyNone || b == familyNone || b == familyID:
		return false
	case a == b, b == familyText, a == familyText:
		return true
	case a == familyPick:
		return b == familyMultiPick || b == familyBool
	case a == familyBool:
		return b == familyPick
	}
	return false
}

// isNumber and isText are what the rules below ask most.
func isText(k crm.Kind) bool { return familyOf(k) == familyText }

// options returns the values that a field takes: its own options, or the
// stages and pipelines of its object where those are the options.
func options(o *crm.Object, f *crm.Field) []crm.Option {
	if len(f.Options) > 0 || len(o.Pipelines) == 0 {
		return f.Options
	}
	var out []crm.Option
	switch f.Name {
	case stageProperty(o):
		for _, p := range o.Pipelines {
			for _, s := range p.Stages {
				out = append(out, crm.Option{Value: s.ID, Label: s.Label, Active: true})
			}
		}
	case pipelineProperty(o):
		for _, p := range o.Pipelines {
			out = append(out, crm.Option{Value: p.ID, Label: p.Label, Active: true})
		}
	}
	return out
}

// stageProperty and pipelineProperty name the two HubSpot properties that hold
// a record's place in a pipeline; empty for objects without pipelines. Deals
// use names of their own, all others hs_pipeline and hs_pipeline_stage:
// https://developers.hubspot.com/docs/api-reference/crm-pipelines-v3/guide
func stageProperty(o *crm.Object) string {
	for _, name := range []string{"dealstage", "hs_pipeline_stage"} {
		if len(o.Pipelines) > 0 && o.Field(name) != nil {
			return name
		}
	}
	return ""
}

func pipelineProperty(o *crm.Object) string {
	switch stageProperty(o) {
	case "dealstage":
		return "pipeline"
	case "hs_pipeline_stage":
		return "hs_pipeline"
	}
	return ""
}
