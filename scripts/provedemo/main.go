// Command provedemo runs `lockstep demo --once --json` as a newcomer would and
// checks its figures: the outcomes add up to what was read, nothing failed, the
// second run wrote nothing.
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
)

type figures struct {
	OK   bool `json:"ok"`
	Read struct {
		Companies int `json:"companies"`
		People    int `json:"people"`
		Deals     int `json:"deals"`
	} `json:"read"`
	Outcomes struct {
		Synced    int `json:"synced"`
		Unchanged int `json:"unchanged"`
		Excluded  int `json:"excluded"`
		Held      int `json:"held"`
		Pending   int `json:"pending"`
		Failed    int `json:"failed"`
	} `json:"outcomes"`
	SecondRunWrites *int `json:"second_run_writes"`
	Calls           struct {
		HubSpot    int `json:"hubspot"`
		Salesforce int `json:"salesforce"`
	} `json:"calls"`
	Seconds float64 `json:"seconds"`
}

func main() {
	seed := flag.String("seed", "small", "the demo's seed")
	flag.Parse()
	if err := prove(*seed); err != nil {
		fmt.Fprintln(os.Stderr, "provedemo:", err)
		os.Exit(1)
	}
}

func prove(seed string) error {
	var out bytes.Buffer
	command := exec.Command("go", "run", "./cmd/lockstep", "demo", "--once", "--json", "--seed", seed)
	command.Stdout, command.Stderr = &out, os.Stderr
	if err := command.Run(); err != nil {
		return fmt.Errorf("demo --seed %s: %w\n%s", seed, err, out.String())
	}
	decoder := json.NewDecoder(bytes.NewReader(out.Bytes()))
	decoder.DisallowUnknownFields()
	var f figures
	if err := decoder.Decode(&f); err != nil {
		return fmt.Errorf("the answer of demo --seed %s is not the promised object: %w\n%s", seed, err, out.String())
	}
	read := f.Read.Companies + f.Read.People + f.Read.Deals
	o := f.Outcomes
	sum := o.Synced + o.Unchanged + o.Excluded + o.Held + o.Pending + o.Failed
	switch {
	case !f.OK:
		return fmt.Errorf("ok is false: %s", out.String())
	case f.Read.Companies == 0 || f.Read.People == 0 || f.Read.Deals == 0:
		return fmt.Errorf("something was not read at all: %s", out.String())
	case read != sum:
		return fmt.Errorf("%d things were read, the outcomes add up to %d: %s", read, sum, out.String())
	case o.Synced == 0 || o.Held == 0 || o.Failed != 0 || o.Pending != 0:
		return fmt.Errorf("a first copy of this story syncs some, holds some and fails none: %s", out.String())
	case f.SecondRunWrites == nil || *f.SecondRunWrites != 0:
		return fmt.Errorf("the second run wrote something: %s", out.String())
	case f.Calls.HubSpot == 0 || f.Calls.Salesforce == 0:
		return fmt.Errorf("calls were not counted: %s", out.String())
	}
	fmt.Printf("demo --seed %s: %d things read, %d synced, %d held, second run wrote 0, %d + %d calls, %.1f s\n",
		seed, read, o.Synced, o.Held, f.Calls.HubSpot, f.Calls.Salesforce, f.Seconds)
	return nil
}
