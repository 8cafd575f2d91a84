package app

import (
	"context"
	"time"

	"github.com/lockstep-sync/lockstep/internal/credential"
	"github.com/lockstep-sync/lockstep/internal/fault"
)

// Connect asks the vendor whose account a credential opens and keeps it when
// it answers; nothing is kept otherwise. The account comes back with what the
// vendor told. Another account under the same name is refused with
// fault.Conflict unless replace is set.
func (a *App) Connect(ctx context.Context, account credential.Account, material credential.Material, replace bool) (credential.Account, error) {
	if err := credential.Validate(account, material); err != nil {
		return account, err
	}
	found, err := a.Identify(ctx, account, material)
	if err != nil {
		return account, err
	}
	vault, err := a.Vault()
	if err != nil {
		return account, err
	}
	before, _, err := vault.Get(ctx, account.Name, account.Side)
	switch {
	case err == nil && before.ID != "" && before.ID != found.ID && !replace:
		return account, fault.New(fault.Conflict, "the name %s already stands for the %s account %s (%s), and this credential opens %s (%s)",
			account.Name, account.Side.Title(), before.ID, before.Title, found.ID, found.Name).
			WithMend("choose another --name, or add --replace")
	case err != nil && fault.KindOf(err) != fault.NotFound:
		return account, err
	}
	if found.Scopes == nil && account.Kind == credential.HubSpotOAuth {
		found.Scopes = account.Scopes // the token answer told them
	}
	account.ID, account.Title, account.User, account.Web, account.Scopes = found.ID, found.Name, found.User, found.Web, found.Scopes
	account.Connected = time.Now().UTC().Truncate(time.Second)
	if err := vault.Put(ctx, account, material); err != nil {
		return account, err
	}
	a.countWaiting(account.Side, account.ID)
	return account, nil
}
