package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lockstep-sync/lockstep/internal/cli"
)

// TestDemoAddsUp runs `lockstep demo --once --json` and checks its sums.
func TestDemoAddsUp(t *testing.T) {
	t.Parallel()
	var out, errs bytes.Buffer
	if code := cli.Run(t.Context(), []string{"demo", "--once", "--json"}, cli.Streams{In: strings.NewReader(""), Out: &out, Err: &errs}); code != 0 {
		t.Fatalf("the demo ended with %d\n%s%s", code, &out, &errs)
	}
	var got struct {
		OK       bool           `json:"ok"`
		Read     map[string]int `json:"read"`
		Outcomes map[string]int `json:"outcomes"`
		Second   *int           `json:"second_run_writes"`
		Calls    map[string]int `json:"calls"`
		Seconds  float64        `json:"seconds"`
	}
	decoder := json.NewDecoder(&out)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&got); err != nil {
		t.Fatal(err)
	}
	read, outcomes := 0, 0
	for _, name := range []string{"companies", "people", "deals"} {
		if got.Read[name] == 0 {
			t.Errorf("no %s were read", name)
		}
		read += got.Read[name]
	}
	for _, name := range []string{"synced", "unchanged", "excluded", "held", "pending", "failed"} {
		n, ok := got.Outcomes[name]
		if !ok {
			t.Errorf("there is no outcome %s", name)
		}
		outcomes += n
	}
	if len(got.Read) != 3 || len(got.Outcomes) != 6 || read != outcomes {
		t.Errorf("%d records were read and %d have an outcome: %+v", read, outcomes, got)
	}
	if !got.OK || got.Second == nil || *got.Second != 0 || got.Outcomes["synced"] == 0 || got.Outcomes["failed"] != 0 {
		t.Errorf("got %+v", got)
	}
	if got.Calls["hubspot"] == 0 || got.Calls["salesforce"] == 0 || got.Seconds <= 0 {
		t.Errorf("got %+v", got)
	}
}

// TestDemoBringsAChangeOver pastes the curl line that the demo prints, and
// waits until the demo says that the change arrived.
func TestDemoBringsAChangeOver(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	out := &waitingBuffer{}
	ended := make(chan int, 1)
	go func() {
		ended <- cli.Run(ctx, []string{"demo", "--quiet"}, cli.Streams{In: strings.NewReader(""), Out: out, Err: io.Discard})
	}()
	line := out.wait(ctx, regexp.MustCompile(`curl -X PATCH (\S+) -d '([^']+)'`))
	if line == nil {
		t.Fatalf("the demo printed no curl line:\n%s", out)
	}
	for _, address := range regexp.MustCompile(`(?m)^    (?:HubSpot|Salesforce) +(http://\S+)$`).FindAllStringSubmatch(out.String(), -1) {
		page, err := http.Get(address[1] + "/")
		if err != nil {
			t.Fatal(err)
		}
		_ = page.Body.Close()
		if page.StatusCode != http.StatusOK || !strings.HasPrefix(page.Header.Get("Content-Type"), "text/html") {
			t.Errorf("%s answers a browser with %s", address[1], page.Status)
		}
	}
	out.wait(ctx, regexp.MustCompile(`Watching both`))
	request, err := http.NewRequestWithContext(ctx, http.MethodPatch, line[1], strings.NewReader(line[2]))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded") // as curl -d does
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if answer.StatusCode/100 != 2 {
		t.Fatalf("the curl line answers %s", answer.Status)
	}
	if out.wait(ctx, regexp.MustCompile(`Salesforce Contact \S+: Title .*Astronaut`)) == nil {
		t.Errorf("the change did not arrive:\n%s", out)
	}
	cancel()
	if code := <-ended; code != 0 {
		t.Errorf("interrupted, the demo ended with %d", code)
	}
}

// waitingBuffer collects output and tells when something is in it.
type waitingBuffer struct {
	mu     sync.Mutex
	text   strings.Builder
	change chan struct{}
}

func (b *waitingBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.change != nil {
		close(b.change)
		b.change = nil
	}
	return b.text.Write(p)
}

func (b *waitingBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// wait returns the match as soon as there is one; nil when ctx ends first.
func (b *waitingBuffer) wait(ctx context.Context, pattern *regexp.Regexp) []string {
	for {
		b.mu.Lock()
		match := pattern.FindStringSubmatch(b.text.String())
		if b.change == nil {
			b.change = make(chan struct{})
		}
		change := b.change
		b.mu.Unlock()
		if match != nil {
			return match
		}
		select {
		case <-change:
		case <-ctx.Done():
			return nil
		}
	}
}
