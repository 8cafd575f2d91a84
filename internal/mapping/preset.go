package mapping

import (
	"slices"
	"strings"

	"github.com/lockstep-sync/lockstep/internal/fault"
)

// preset is what a suggestion knows of one pair of objects beyond their
// schemas: what means the same in every account, and what to tell people.
type preset struct {
	// name is ours, and what `init --objects` takes.
	name    string
	hubspot string
	targets []string
	// title says the pair in words for whoever is asked.
	title string
	// about are remarks above the object: what is left out and why.
	about []string
	match []presetMatch
	pairs []standardPair
	// computed are lines that give a Salesforce field a value.
	computed []presetComputed
	ends     []presetEnd
	where    presetWhere
	// routes: the first target takes people with a company.
	routes bool
	// shared: other presets map the same Salesforce object, so that an id of
	// HubSpot does not name one record there.
	shared bool
	// needs are other presets without which this one can create nothing.
	needs []string
	// custom: a pair of the account's own, of which nothing is known.
	custom bool
}

type presetMatch struct {
	hubspot, salesforce, as, why string
}

type presetComputed struct {
	salesforce, from, why string
}

// presetEnd is an association that is suggested when its far object is mapped
// in the same file.
type presetEnd struct {
	hubspot string
	// also are further far objects, by the property that holds the id instead.
	also           []string
	by, salesforce string
	direction      string
	on             []string
	why            string
}

type presetWhere struct {
	hubspot, salesforce, why string
	// example is shown as a comment.
	hubspotField, example string
}

// DefaultPresets are the objects that `init` maps when nobody names others.
func DefaultPresets() []string { return []string{"companies", "people", "deals"} }

// PresetChoice is one pair that `init` can map.
type PresetChoice struct {
	// Name is what --objects takes.
	Name string
	// Title says it in words: "tickets and cases".
	Title string
	// HubSpot and Salesforce are the objects that it needs to see.
	HubSpot    string
	Salesforce []string
}

// PresetChoices lists all pairs that are known by name, in the order in which
// a file has them.
func PresetChoices() []PresetChoice {
	var out []PresetChoice
	for _, p := range presets() {
		out = append(out, PresetChoice{Name: p.name, Title: p.title, HubSpot: p.hubspot, Salesforce: p.targets})
	}
	return out
}

// customPrefix begins the name of a pair of the account's own objects:
// "custom:p123_cars=Car__c".
const customPrefix = "custom:"

// PresetObjects lists the objects whose schemas these presets need.
// fault.Invalid names a preset that is not known.
func PresetObjects(names []string) (hubspot, salesforce []string, err error) {
	chosen, err := choose(names)
	if err != nil {
		return nil, nil, err
	}
	for _, p := range chosen {
		hubspot = append(hubspot, p.hubspot)
		salesforce = append(salesforce, p.targets...)
	}
	slices.Sort(salesforce)
	return hubspot, slices.Compact(salesforce), nil
}

// choose finds presets by name and puts them into the order of the file.
func choose(names []string) ([]preset, error) {
	all := presets()
	var out []preset
	for _, p := range all {
		if slices.Contains(names, p.name) {
			out = append(out, p)
		}
	}
	for _, name := range names {
		pair, custom := strings.CutPrefix(name, customPrefix)
		switch {
		case custom:
			p, err := customPreset(pair, out)
			if err != nil {
				return nil, err
			}
			out = append(out, p)
		case !slices.ContainsFunc(all, func(p preset) bool { return p.name == name }):
			var known []string
			for _, p := range all {
				known = append(known, p.name)
			}
			mend := didYouMean(name, known)
			if mend == "" {
				mend = "the names are " + strings.Join(known, ", ") + ", and custom:p123_cars=Car__c for objects of your own"
			}
			return nil, fault.New(fault.Invalid, "there is no pair of objects named %s", quoteShort(name)).WithMend("%s", mend)
		}
	}
	return out, nil
}

// customPreset reads "p123_cars=Car__c".
func customPreset(pair string, others []preset) (preset, error) {
	hubspot, salesforce, ok := strings.Cut(pair, "=")
	if !ok || hubspot == "" || salesforce == "" {
		return preset{}, fault.New(fault.Invalid, "custom:%s does not name two objects", pair).WithMend("write custom:p123_cars=Car__c: HubSpot's name, then Salesforce's")
	}
	// p123_cars is called cars.
	name := hubspot
	if head, rest, ok := strings.Cut(hubspot, "_"); ok && strings.HasPrefix(head, "p") && strings.Trim(head[1:], "0123456789") == "" {
		name = rest
	}
	name = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '_' || r == '-' {
			return r
		}
		return '-'
	}, strings.ToLower(name))
	name = strings.TrimLeft(name, "-_")
	if name == "" || slices.ContainsFunc(others, func(p preset) bool { return p.name == name }) {
		name = strings.Trim("custom-"+name, "-")
	}
	return preset{name: name, hubspot: hubspot, targets: []string{salesforce}, title: hubspot + " and " + salesforce, custom: true}, nil
}
