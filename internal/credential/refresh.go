package credential

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/lockstep-sync/lockstep/internal/fault"
)

// refreshNote is written before a refresh is asked for and taken away with its
// answer. One that is found later says that a refresh was begun whose answer was
// never kept: the process was killed, or the answer did not arrive. A HubSpot
// refresh token still works then, and so does one of a Salesforce app without
// rotation; of an app with rotation the successor may be lost.
type refreshNote struct {
	// Since is when the refresh began, Unix seconds.
	Since int64 `json:"since"`
}

func (s *sealer) openNote(r *row) (refreshNote, bool) {
	var note refreshNote
	if len(r.Refresh) == 0 || s.unseal(purposeRefresh, r, r.Refresh, &note) != nil {
		return refreshNote{}, false
	}
	return note, true
}

// refresh trades the refresh token for an access token. The caller holds the
// account's token lock, so it happens once at a time on this machine. What it
// gets is on disk before anybody uses it.
func (s *TokenSource) refresh(ctx context.Context, account Account, material Material) (string, error) {
	earlier, cutOff, err := s.vault.beginRefresh(ctx, account)
	if err != nil {
		return "", err
	}
	last := s.vault.keptToken(s.name, s.side).Obtained
	answer, err := requestToken(ctx, s.http, account, material)
	if err != nil {
		if refused := fault.KindOf(err) == fault.Denied; refused && cutOff {
			return "", lostRefresh(account, earlier, err)
		} else if refused {
			err = idleTooLong(account, last, err)
		}
		if !cutOff && neverTaken(err) {
			// An unkept note would only make a later message wrong.
			_ = s.vault.endRefresh(ctx, account)
		}
		return "", err
	}
	answer.Used = material.RefreshToken
	s.mu.Lock()
	s.unkept = &answer
	s.mu.Unlock()
	if err := s.keepUnkept(ctx); err != nil {
		return "", err
	}
	return answer.Token, nil
}

// keepUnkept keeps the answer that the disk has not taken yet, if there is one,
// and only then lets it be used.
func (s *TokenSource) keepUnkept(ctx context.Context) error {
	s.mu.Lock()
	answer, account := s.unkept, s.account
	s.mu.Unlock()
	if answer == nil {
		return nil
	}
	if err := s.vault.keepToken(ctx, account, *answer); err != nil {
		return err
	}
	s.mu.Lock()
	s.unkept, s.current = nil, answer.accessToken
	s.mu.Unlock()
	return nil
}

// beginRefresh writes the note, and returns the one of an earlier refresh that
// was never ended.
func (v *Vault) beginRefresh(ctx context.Context, account Account) (earlier refreshNote, cutOff bool, err error) {
	err = v.changeRow(ctx, account, func(box *sealer, r *row, _ Account, _ Material) error {
		if earlier, cutOff = box.openNote(r); cutOff {
			return nil
		}
		var err error
		r.Refresh, err = box.seal(purposeRefresh, r, refreshNote{Since: time.Now().Unix()})
		return err
	})
	return earlier, cutOff, err
}

func (v *Vault) endRefresh(ctx context.Context, account Account) error {
	return v.changeRow(ctx, account, func(_ *sealer, r *row, _ Account, _ Material) error {
		r.Refresh = nil
		return nil
	})
}

// neverTaken tells whether a refresh that went wrong has certainly changed
// nothing at the vendor: it was not sent, it was refused, or somebody else
// answered.
func neverTaken(err error) bool {
	if e, ok := fault.As(err); ok && (e.Status != 0 || e.Kind == fault.Invalid) {
		return true
	}
	var operation *net.OpError
	return errors.As(err, &operation) && operation.Op == "dial"
}

// idleDays is how long Salesforce keeps a refresh token that nobody uses, where
// the org limits it.
// https://help.salesforce.com/s/articleView?id=xcloud.eca_limit_idle_refresh_token_ttl.htm
const idleDays = 30

// lostRefresh says that the chain of refresh tokens is broken.
func lostRefresh(account Account, earlier refreshNote, err error) error {
	e := fault.New(fault.Denied, "%s has ended the login of account %s: a refresh that began at %s was cut off before its answer was kept, and a refresh token works once",
		account.Side.Title(), account.Name, time.Unix(earlier.Since, 0).UTC().Format("2006-01-02 15:04:05 UTC")).
		WithMend("%s", reconnectCommand(account))
	if refused, ok := fault.As(err); ok {
		if !isEndedGrant(refused) {
			return err
		}
		e.Code, e.Status = refused.Code, refused.Status
	}
	return e
}

// idleTooLong says so when a grant ended after it lay unused for a month.
func idleTooLong(account Account, lastObtained int64, err error) error {
	refused, ok := fault.As(err)
	if !ok || !isEndedGrant(refused) || account.Kind != SalesforceOAuth || lastObtained == 0 {
		return err
	}
	idle := time.Since(time.Unix(lastObtained, 0))
	if idle < idleDays*24*time.Hour {
		return err
	}
	e := fault.New(fault.Denied, "Salesforce has ended the login of account %s: it was not used for %d days, and the org keeps unused logins for %d",
		account.Name, int(idle.Hours()/24), idleDays).WithMend("%s", reconnectCommand(account))
	e.Code, e.Status = refused.Code, refused.Status
	return e
}
