package cli

import (
	"bytes"
	"crypto/ed25519"
	"os"
	"path/filepath"
	"strings"

	"github.com/lockstep-sync/lockstep/internal/app"
	"github.com/lockstep-sync/lockstep/internal/credential"
	"github.com/lockstep-sync/lockstep/internal/engine"
	"github.com/lockstep-sync/lockstep/internal/fault"
	"github.com/lockstep-sync/lockstep/internal/page"
)

// writeReports signs what was found and writes it to the files that were asked
// for.
func (g *global) writeReports(report *engine.Report, v *engine.Verification, files []string) error {
	a, err := g.open()
	if err != nil {
		return err
	}
	key, made, err := credential.SigningKey(a.StateDir())
	if err != nil {
		return err
	}
	public := key.Public().(ed25519.PublicKey)
	signed, err := report.Sign(v, key)
	if err != nil {
		return err
	}
	if made {
		g.say("A key for reports was made: %s. Tell it to those who get them; it is kept in %s.",
			engine.KeyFingerprint(public), filepath.Join(a.StateDir(), credential.SigningKeyFile))
	}
	for _, file := range files {
		content, err := signed.JSON()
		if isPage(file) {
			var out bytes.Buffer
			err = page.WriteVerification(&out, signed, engine.KeyFingerprint(public))
			content = engine.SignPage(out.Bytes(), key)
		}
		if err != nil {
			return err
		}
		if err := app.ReplaceFile(g.path(file), content); err != nil {
			return err
		}
		g.say("Signed by the key %s in %s.", engine.KeyFingerprint(public), file)
	}
	return nil
}

func isPage(file string) bool {
	ext := strings.ToLower(filepath.Ext(file))
	return ext == ".html" || ext == ".htm"
}

// checkedJSON is what verify --check --json prints.
type checkedJSON struct {
	OK         bool               `json:"ok"`
	Key        string             `json:"key"`
	PublicKey  string             `json:"public_key"`
	Ours       bool               `json:"ours"`
	Made       string             `json:"made"`
	HubSpot    engine.SealedParty `json:"hubspot"`
	Salesforce engine.SealedParty `json:"salesforce"`
	Read       int                `json:"read"`
	Closed     bool               `json:"closed"`
	InStep     bool               `json:"in_step"`
	Drift      engine.Drift       `json:"drift_millionths"`
}

// checkReport verifies a report by nothing but its file.
func (g *global) checkReport(file string) error {
	opened, err := os.Open(g.path(file))
	if err != nil {
		return usage("lockstep verify --report "+file, "the report %s cannot be read", shown(file))
	}
	defer func() { _ = opened.Close() }()
	checked, err := engine.CheckReport(opened)
	if err != nil {
		if fault.KindOf(err) == fault.Conflict {
			return &exitError{fault.ExitRecords, err}
		}
		return err
	}
	a, err := g.open()
	if err != nil {
		return err
	}
	ours, err := credential.SigningKeyOf(a.StateDir())
	if err != nil {
		return err
	}
	isOurs := ours != nil && engine.KeyFingerprint(ours) == checked.Key
	r := checked.Report
	made := r.Made.UTC().Format("2006-01-02T15:04:05Z")
	if g.json {
		return g.printJSON(checkedJSON{true, checked.Key, checked.Signature.PublicKey, isOurs, made, r.HubSpot, r.Salesforce, r.Read, r.Closed, r.InStep, r.Drift})
	}
	what := "The report"
	if checked.Page {
		what = "The page"
	}
	whose := "another place's key: ask whoever gave you the file whether it is theirs"
	if isOurs {
		whose = "this place's own key"
	}
	g.print("%s is as it was signed, by the key %s (%s).", what, checked.Key, whose)
	verdict := "in step"
	switch {
	case !r.Closed:
		verdict = "not proved: the sums do not close"
	case !r.InStep:
		verdict = "not in step"
	}
	g.print("HubSpot account %s%s and Salesforce organization %s%s on %s: %s read, %s, drift %s.", r.HubSpot.ID, titled(r.HubSpot.ID, r.HubSpot.Name),
		r.Salesforce.ID, titled(r.Salesforce.ID, r.Salesforce.Name), made, count(r.Read, "thing", "things"), verdict, r.Drift.Percent())
	return nil
}
