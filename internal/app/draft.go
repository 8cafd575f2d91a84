package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/lockstep-sync/lockstep/internal/credential"
	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/fault"
	"github.com/lockstep-sync/lockstep/internal/mapping"
)

// OnlyAccount returns the name of the account of a side: the wanted one, or
// the only one that is connected.
func (a *App) OnlyAccount(ctx context.Context, side crm.Side, wanted string) (string, error) {
	vault, err := a.Vault()
	if err != nil {
		return "", err
	}
	if wanted != "" {
		account, _, err := vault.Get(ctx, wanted, side)
		return account.Name, err
	}
	accounts, err := vault.List(ctx)
	if err != nil {
		return "", err
	}
	accounts = slices.DeleteFunc(accounts, func(c credential.Account) bool { return c.Side != side })
	switch len(accounts) {
	case 0:
		return "", fault.New(fault.Invalid, "no %s account is connected", side.Title()).WithMend("lockstep connect %s --help", side)
	case 1:
		return accounts[0].Name, nil
	default:
		return "", fault.New(fault.Invalid, "%d %s accounts are connected", len(accounts), side.Title()).
			WithMend("choose one with --%s %s", side, accounts[0].Name)
	}
}

// Draft suggests a mapping of companies, people and deals from both live schemas.
func (a *App) Draft(ctx context.Context, hubSpotName, salesforceName string) ([]byte, error) {
	return a.DraftObjects(ctx, hubSpotName, salesforceName, mapping.DefaultPresets())
}

// DraftObjects suggests a mapping of the named pairs of objects.
func (a *App) DraftObjects(ctx context.Context, hubSpotName, salesforceName string, presets []string) ([]byte, error) {
	hubSpot, salesforce, err := mapping.PresetObjects(presets)
	if err != nil {
		return nil, err
	}
	sides, err := a.Sides(ctx, hubSpotName, salesforceName, mapping.Budget{})
	if err != nil {
		return nil, err
	}
	schemas, err := Schemas(ctx, sides, hubSpot, salesforce)
	if err != nil {
		return nil, err
	}
	return mapping.SuggestObjects(schemas, mapping.Accounts{HubSpot: hubSpotName, Salesforce: salesforceName}, presets)
}

// Offer lists the pairs of objects beyond the usual ones that both credentials
// can see, for `init` to offer.
func (a *App) Offer(ctx context.Context, hubSpotName, salesforceName string) ([]mapping.PresetChoice, error) {
	sides, err := a.Sides(ctx, hubSpotName, salesforceName, mapping.Budget{})
	if err != nil {
		return nil, err
	}
	seen := map[crm.Side]map[string]bool{crm.HubSpot: {}, crm.Salesforce: {}}
	for side, names := range seen {
		objects, err := sides.Of(side).Objects(ctx)
		if err != nil {
			return nil, err
		}
		for _, o := range objects {
			names[o.Name] = true
		}
	}
	return slices.DeleteFunc(mapping.PresetChoices(), func(c mapping.PresetChoice) bool {
		return slices.Contains(mapping.DefaultPresets(), c.Name) || !seen[crm.HubSpot][c.HubSpot] ||
			!slices.ContainsFunc(c.Salesforce, func(name string) bool { return seen[crm.Salesforce][name] })
	}), nil
}

// WriteMapping writes lockstep.yaml and the schema for editors. It never
// replaces a file unless forced.
func (a *App) WriteMapping(text []byte, force bool) error {
	if _, err := os.Stat(a.config.File); err == nil && !force {
		return fault.New(fault.Conflict, "%s is there already and is left as it is", a.config.File).
			WithMend("lockstep check looks whether it fits; lockstep init --stdout prints a new one; --force replaces it")
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return storageFault(err, a.config.File)
	}
	if err := os.MkdirAll(a.StateDir(), 0o700); err != nil {
		return storageFault(err, a.StateDir())
	}
	if err := ReplaceFile(a.SchemaPath(), mapping.JSONSchema()); err != nil {
		return err
	}
	return ReplaceFile(a.config.File, text)
}

// SchemaPath is where the JSON Schema of lockstep.yaml is kept for editors.
func (a *App) SchemaPath() string { return filepath.Join(a.StateDir(), "schema.json") }

// ReplaceFile writes a file whole or not at all; an error is a fault that says
// what to do.
func ReplaceFile(path string, content []byte) error {
	temporary, err := os.CreateTemp(filepath.Dir(path), ".lockstep-*")
	if err != nil {
		return storageFault(err, path)
	}
	_, err = temporary.Write(content)
	err = errors.Join(err, temporary.Chmod(0o644), temporary.Sync(), temporary.Close())
	if err == nil {
		err = os.Rename(temporary.Name(), path)
	}
	if err != nil {
		_ = os.Remove(temporary.Name())
		return storageFault(err, path)
	}
	return nil
}

func storageFault(err error, path string) error {
	return fault.New(fault.Internal, "%s cannot be written", path).
		WithMend("look at the free space and the permissions of %s", filepath.Dir(path)).
		Wrap(fmt.Errorf("write: %w", err))
}
