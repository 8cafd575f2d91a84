package engine

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/lockstep-sync/lockstep/internal/fault"
)

// ReportFormat names the format of verification reports.
const ReportFormat = "lockstep-verification/1"

// reportFindings is how many findings of each verdict a report carries: enough to
// work with, and the file can still be mailed. How many more there are, the counts
// tell.
const reportFindings = 250

// reportBytes is the most that is read of a report's file.
const reportBytes = 64 << 20

// Report is what a verification found, as a file that can be given to others.
type Report struct {
	Format     string      `json:"format"`
	Made       time.Time   `json:"made"`
	Program    string      `json:"program"`
	HubSpot    SealedParty `json:"hubspot"`
	Salesforce SealedParty `json:"salesforce"`
	Mapping    string      `json:"mapping_version"`
	*Verification
	// Findings are the first things that are not in step, or only by leave of the
	// mapping.
	Findings []Finding `json:"findings"`
	// Left is how many findings are not in the report.
	Left int `json:"findings_left_out"`

	carried map[Verdict]int
}

// Signature is an Ed25519 signature over a report's canonical JSON: the value
// under "report" with the keys of every object sorted, without white space, as
// encoding/json writes it without escaping HTML.
type Signature struct {
	Algorithm string `json:"algorithm"`
	// PublicKey and Value are base64.
	PublicKey string `json:"public_key"`
	Value     string `json:"value"`
}

// SignedReport is the content of a report's file.
type SignedReport struct {
	Report    *Report   `json:"report"`
	Signature Signature `json:"signature"`
}

// NewReport collects what Verify finds: give its Collect as Verify's yield.
func (e *Engine) NewReport(program string) *Report {
	return &Report{Format: ReportFormat, Program: program, Mapping: hash16(e.mapping.Version), Findings: []Finding{}}
}

// Collect takes a finding.
func (r *Report) Collect(f Finding) {
	if r.carried == nil {
		r.carried = map[Verdict]int{}
	}
	if r.carried[f.Verdict]++; r.carried[f.Verdict] > reportFindings {
		r.Left++
		return
	}
	r.Findings = append(r.Findings, f)
}

// Sign closes the report under a key.
func (r *Report) Sign(v *Verification, key ed25519.PrivateKey) (*SignedReport, error) {
	r.Verification, r.Made = v, now()
	r.HubSpot, r.Salesforce = SealedParty{v.Pair.HubSpotID, v.Pair.HubSpotName}, SealedParty{v.Pair.SalesforceID, v.Pair.SalesforceName}
	body, err := canonical(r)
	if err != nil {
		return nil, err
	}
	return &SignedReport{r, Signature{Algorithm: "Ed25519", PublicKey: base64.StdEncoding.EncodeToString(key.Public().(ed25519.PublicKey)),
		Value: base64.StdEncoding.EncodeToString(ed25519.Sign(key, body))}}, nil
}

// canonical writes a value as the signature takes it.
func canonical(v any) ([]byte, error) {
	raw, ok := v.(json.RawMessage)
	if !ok {
		var err error
		if raw, err = json.Marshal(v); err != nil {
			return nil, err
		}
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var tree any
	if err := d.Decode(&tree); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(tree); err != nil { // maps are written with sorted keys
		return nil, err
	}
	return bytes.TrimRight(out.Bytes(), "\n"), nil
}

// JSON is the report's file.
func (s *SignedReport) JSON() ([]byte, error) {
	out, err := json.MarshalIndent(s, "", " ")
	return append(out, '\n'), err
}

// pageSignature is the last line of a report as a page: the signature over all
// bytes before it, under the same key.
var pageSignature = regexp.MustCompile(`<!-- lockstep page signature, Ed25519: ([A-Za-z0-9+/=]+) -->\n$`)

// SignPage closes a page that shows the report.
func SignPage(page []byte, key ed25519.PrivateKey) []byte {
	return append(page, "<!-- lockstep page signature, Ed25519: "+base64.StdEncoding.EncodeToString(ed25519.Sign(key, page))+" -->\n"...)
}

// CheckedReport is what a look at a report's file proves.
type CheckedReport struct {
	*SignedReport
	// Key is the fingerprint of the key that signed it.
	Key string
	// Page: the file was a page, and all of it is as it was signed.
	Page bool
}

// KeyFingerprint names a public key for people: the first 16 bytes of its
// SHA-256, hexadecimal, in groups of four.
func KeyFingerprint(key ed25519.PublicKey) string {
	sum := sha256.Sum256(key)
	text := hex.EncodeToString(sum[:16])
	var groups []string
	for i := 0; i < len(text); i += 4 {
		groups = append(groups, text[i:i+4])
	}
	return strings.Join(groups, " ")
}

var embedded = regexp.MustCompile(`(?s)<script type="application/json" id="lockstep-report">(.*?)</script>`)

// CheckReport reads a report, as JSON or as a page, and verifies that it is as
// it was signed. It needs nothing but the file. fault.Conflict says that it was
// changed, fault.Invalid that it is no report.
func CheckReport(r io.Reader) (*CheckedReport, error) {
	none := func(err error) error {
		return fault.New(fault.Invalid, "this is no report of lockstep verify").Wrap(err).WithMend("lockstep verify --report FILE makes one")
	}
	in, err := io.ReadAll(io.LimitReader(r, reportBytes))
	if err != nil {
		return nil, none(err)
	}
	body := in
	page := embedded.FindSubmatch(in)
	if page != nil {
		body = page[1]
	}
	var file struct {
		Report    json.RawMessage `json:"report"`
		Signature Signature       `json:"signature"`
	}
	if err := json.Unmarshal(body, &file); err != nil {
		return nil, none(err)
	}
	report := &Report{}
	if err := json.Unmarshal(file.Report, report); err != nil {
		return nil, none(err)
	}
	if report.Format != ReportFormat {
		return nil, none(errors.New("its format is " + strconv.Quote(report.Format) + ", this Lockstep reads " + ReportFormat))
	}
	key, err := base64.StdEncoding.DecodeString(file.Signature.PublicKey)
	if err != nil || len(key) != ed25519.PublicKeySize || file.Signature.Algorithm != "Ed25519" {
		return nil, none(errors.New("it carries no Ed25519 key"))
	}
	changed := func(what string) error {
		return fault.New(fault.Conflict, "%s was changed after it was signed", what).WithMend("trust nothing in it; ask whoever made it for the file as it was made")
	}
	text, err := canonical(file.Report)
	if err != nil {
		return nil, none(err)
	}
	value, err := base64.StdEncoding.DecodeString(file.Signature.Value)
	if err != nil || !ed25519.Verify(key, text, value) {
		return nil, changed("the report")
	}
	checked := &CheckedReport{SignedReport: &SignedReport{report, file.Signature}, Key: KeyFingerprint(key), Page: page != nil}
	if page == nil {
		return checked, nil
	}
	at := pageSignature.FindSubmatchIndex(in)
	if at == nil {
		return nil, changed("the page")
	}
	value, err = base64.StdEncoding.DecodeString(string(in[at[2]:at[3]]))
	if err != nil || !ed25519.Verify(key, in[:at[0]], value) {
		return nil, changed("the page")
	}
	return checked, nil
}

// Drift is how far two sides are from being in step, in millionths: 0 is in step
// everywhere, 1,000,000 nowhere. Each thing that the mapping wants in step weighs
// the same; one whose counterpart is missing or could not be written counts whole,
// a pair by the share of its fields that differ without leave of the mapping.
type Drift int

// Percent writes a drift for people.
func (d Drift) Percent() string {
	switch {
	case d == 0:
		return "0 %"
	case d < 100:
		return "less than 0.01 %"
	}
	return strings.TrimRight(strings.TrimRight(strconv.FormatFloat(float64(d)/10_000, 'f', 2, 64), "0"), ".") + " %"
}

// drift adds up one object.
type drift struct {
	things int
	// sum is in millionths of a thing.
	sum int64
}

func (d *drift) add(differing, fields int) {
	d.things++
	if fields > 0 {
		d.sum += int64(min(differing, fields)) * 1_000_000 / int64(fields)
	}
}

func (d *drift) addWhole() { d.add(1, 1) }

func (d *drift) score() Drift {
	if d.things == 0 {
		return 0
	}
	score := d.sum / int64(d.things)
	if score == 0 && d.sum > 0 {
		score = 1 // never rounded down to nothing
	}
	return Drift(score)
}
