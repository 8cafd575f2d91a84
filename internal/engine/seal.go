package engine

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"strconv"
	"time"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/fault"
	"github.com/lockstep-sync/lockstep/internal/store"
)

// SealFormat names the format of sealed plans.
const SealFormat = "lockstep-plan/2"

// SealedPlan is a plan as a file: what it would write, to whom, made from
// which state of the records, under a hash. It holds values, and no secrets.
type SealedPlan struct {
	Format     string       `json:"format"`
	Made       time.Time    `json:"made"`
	HubSpot    SealedParty  `json:"hubspot"`
	Salesforce SealedParty  `json:"salesforce"`
	Mapping    string       `json:"mapping_version"`
	Items      []SealedItem `json:"items"`
	// SHA256 over the file's content with this field empty, hexadecimal.
	SHA256 string `json:"sha256"`
}

// SealedParty is one account of a sealed plan.
type SealedParty struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// SealedItem is one thing of a sealed plan.
type SealedItem struct {
	Item
	// Linked: the two were a pair when the plan was made.
	Linked bool `json:"linked,omitempty"`
	// Prints are of the records as the plan saw them.
	HubSpotPrint    string `json:"hubspot_print,omitempty"`
	SalesforcePrint string `json:"salesforce_print,omitempty"`
	HubSpotGone     bool   `json:"hubspot_gone,omitempty"`
	SalesforceGone  bool   `json:"salesforce_gone,omitempty"`
}

// Seal writes the plan's links and writes as a file that Apply takes. The same
// plan gives the same bytes.
func (p *Plan) Seal(ctx context.Context, w io.Writer) error {
	sealed, err := p.Sealed(ctx)
	if err != nil {
		return err
	}
	return sealed.Write(w)
}

// Sealed is the plan's links and writes under their hash.
func (p *Plan) Sealed(ctx context.Context) (*SealedPlan, error) {
	sealed := SealedPlan{Format: SealFormat, Made: p.Made, Mapping: hash16(p.MappingVersion), Items: []SealedItem{},
		HubSpot:    SealedParty{p.Pair.HubSpotID, p.Pair.HubSpotName},
		Salesforce: SealedParty{p.Pair.SalesforceID, p.Pair.SalesforceName}}
	err := p.engine.planRows(ctx, ItemFilter{}, func(row store.PlanRow, d *decided) error {
		if row.Ops&^store.BreaksPolicy != 0 || d.Unlink {
			sealed.Items = append(sealed.Items, p.engine.seal(d))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	sealed.SHA256, err = sealed.sum()
	return &sealed, err
}

// Write writes the file.
func (s *SealedPlan) Write(w io.Writer) error {
	out, err := json.MarshalIndent(s, "", " ")
	if err != nil {
		return err
	}
	if _, err := w.Write(append(out, '\n')); err != nil {
		return fault.New(fault.Internal, "write the sealed plan").Wrap(err).WithMend("check the free space and the rights of the folder")
	}
	return nil
}

func (s SealedPlan) sum() (string, error) {
	s.SHA256 = ""
	body, err := json.Marshal(s)
	if err != nil {
		return "", err
	}
	h := sha256.Sum256(body)
	return hex.EncodeToString(h[:]), nil
}

// ReadSealed reads a sealed plan. A file that is none, is of another format,
// or was changed by a single character is refused with fault.Invalid.
func ReadSealed(r io.Reader) (*SealedPlan, error) {
	broken := func(what string, err error) error {
		f := fault.New(fault.Invalid, "%s", what).WithMend("make a new one: `lockstep plan -o FILE`")
		if err != nil {
			f = f.Wrap(err)
		}
		return f
	}
	in, err := io.ReadAll(r)
	if err != nil {
		return nil, broken("the sealed plan cannot be read", err)
	}
	var s SealedPlan
	d := json.NewDecoder(bytes.NewReader(in))
	d.DisallowUnknownFields()
	if err := d.Decode(&s); err != nil {
		return nil, broken("this is no sealed plan", err)
	}
	if s.Format != SealFormat {
		return nil, broken("the sealed plan is of format "+strconv.Quote(s.Format)+", this Lockstep reads "+SealFormat, nil)
	}
	sum, err := s.sum()
	if err != nil {
		return nil, err
	}
	if sum != s.SHA256 {
		return nil, broken("the sealed plan was changed after it was made: its hash does not fit", nil)
	}
	return &s, nil
}

func hash16(n uint64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatUint(n, 16)
}

func (e *Engine) seal(d *decided) SealedItem {
	it := SealedItem{Item: e.item(d), Linked: d.WasLinked, HubSpotPrint: hash16(d.HubSpotAt.Print), SalesforcePrint: hash16(d.SalesAt.Print),
		HubSpotGone: d.HubGone, SalesforceGone: d.SalesGone}
	if d.NewLink != nil && it.Salesforce == nil {
		it.Salesforce = &Record{Side: crm.Salesforce, Object: d.NewLink.SalesforceObject}
	}
	return it
}
