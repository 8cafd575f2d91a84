package crm

// Outcome is what became of one thing (a linked pair, or an unlinked record on
// either side) in a cycle. Each thing has exactly one, always with a reason.
type Outcome string

// The outcomes.
const (
	// Synced: a write was made, or a link was.
	Synced Outcome = "synced"
	// Unchanged: both sides already agree.
	Unchanged Outcome = "unchanged"
	// Excluded: a rule of the mapping leaves it out.
	Excluded Outcome = "excluded"
	// Held: a person has to decide or mend something first.
	Held Outcome = "held"
	// Pending: it will be done, but not in this cycle (a brake, a sealed plan, a budget).
	Pending Outcome = "pending"
	// Failed: the vendor refused it or could not be reached.
	Failed Outcome = "failed"
)

// Outcomes lists all, in the order in which people are shown them.
var Outcomes = []Outcome{Synced, Unchanged, Excluded, Held, Pending, Failed}

// Reason says why a thing has its outcome: a stable code for programs, a
// sentence for people, and the step that would change it.
type Reason struct {
	// Code is stable, lower case with dots: "held.ambiguous-match".
	Code string `json:"code"`
	// Text is one sentence, with the field and the value's shape, never a secret.
	Text string `json:"text"`
	// Mend is the command, click or yaml line that would help; may be empty.
	Mend string `json:"mend,omitempty"`
	// Field is our mapped field's native name, where one is to blame.
	Field string `json:"field,omitempty"`
}

// Tally counts things by outcome.
type Tally struct {
	Synced    int `json:"synced"`
	Unchanged int `json:"unchanged"`
	Excluded  int `json:"excluded"`
	Held      int `json:"held"`
	Pending   int `json:"pending"`
	Failed    int `json:"failed"`
}

// Add counts one thing.
func (t *Tally) Add(o Outcome) {
	switch o {
	case Synced:
		t.Synced++
	case Unchanged:
		t.Unchanged++
	case Excluded:
		t.Excluded++
	case Held:
		t.Held++
	case Pending:
		t.Pending++
	case Failed:
		t.Failed++
	}
}

// Sum adds all outcomes up.
func (t Tally) Sum() int {
	return t.Synced + t.Unchanged + t.Excluded + t.Held + t.Pending + t.Failed
}

// Link is two records, one on each side, that are the same thing; pinned by
// both ids. Base holds, field by field of the mapping in its order, a 64-bit
// hash of what each side held (canonical form) when the two last agreed.
type Link struct {
	Mapping          string // name of the mapping's object: "people"
	HubSpotID        string
	SalesforceObject string
	SalesforceID     string
	Base             Base
}

// Base is the state in which the two sides of a link last agreed. The slices
// are aligned with BaseFields of the mapping at the version BaseVersion; hash 0
// means "nothing known of this field yet".
type Base struct {
	Version    uint64
	HubSpot    []uint64
	Salesforce []uint64
}

// Forget makes nothing known of one field; a slot that the base does not have is
// left alone.
func (b Base) Forget(slot int) {
	if slot >= 0 && slot < len(b.HubSpot) && slot < len(b.Salesforce) {
		b.HubSpot[slot], b.Salesforce[slot] = 0, 0
	}
}

// Tie is one association that both sides of a link have had, where Salesforce
// keeps it as a record of its own. It belongs to the near record's link.
type Tie struct {
	// Association names it among those of the mapping: "contacts/OpportunityContactRole".
	Association string
	// Far is the HubSpot id of the far record, Label HubSpot's label of the pair,
	// empty for the plain association.
	Far   string
	Label string
	// RowID is the Salesforce record that carries it; empty when it is not known.
	RowID string
}
