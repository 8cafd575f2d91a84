package credential

import (
	"context"
	"time"

	"github.com/lockstep-sync/lockstep/internal/crm"
)

// What a sealed part of a row is; a part opens as nothing else.
const (
	purposeToken   = "token"
	purposeRefresh = "refresh"
)

// accessToken is an access token as it lies sealed in a row.
type accessToken struct {
	Token string `json:"token"`
	// InstanceURL is where the org's API is.
	InstanceURL string `json:"instanceURL,omitempty"`
	// Obtained is when it was asked for, Expires when it ends, Unix seconds; 0
	// when not told.
	Obtained int64 `json:"obtained,omitempty"`
	Expires  int64 `json:"expires,omitempty"`
}

// String and GoString keep the token out of every print.
func (accessToken) String() string   { return redacted }
func (accessToken) GoString() string { return redacted }

func newAccessToken(a Access) accessToken {
	token := accessToken{Token: a.Token.Reveal(), InstanceURL: a.InstanceURL}
	if !a.Obtained.IsZero() {
		token.Obtained = a.Obtained.Unix()
	}
	if !a.Expires.IsZero() {
		token.Expires = a.Expires.Unix()
	}
	return token
}

// endsBefore tells whether the token is known to end before then.
func (a accessToken) endsBefore(then time.Time) bool {
	return a.Expires != 0 && a.Expires < then.Unix()
}

// tokenAnswer is what a token endpoint gave.
type tokenAnswer struct {
	accessToken
	// RefreshToken is the refresh token from now on; empty: the one that was used.
	RefreshToken Secret
	// Used is the refresh token that was traded for it; empty: none was.
	Used Secret
	// Scopes that were granted; nil when not told.
	Scopes []string
	// TokenPath is where HubSpot answered.
	TokenPath string
}

func (s *sealer) openToken(r *row) (accessToken, bool) {
	var token accessToken
	if len(r.Token) == 0 || s.unseal(purposeToken, r, r.Token, &token) != nil {
		return accessToken{}, false
	}
	return token, true
}

// keptToken returns the cached access token; the zero one when there is none
// or when it belongs to an earlier credential.
func (v *Vault) keptToken(name string, side crm.Side) accessToken {
	f, box, err := v.read()
	if err != nil || f == nil {
		return accessToken{}
	}
	r := f.row(name, side)
	if r == nil {
		return accessToken{}
	}
	token, _ := box.openToken(r)
	return token
}

// keepToken keeps an access token, and the refresh token that came with it,
// unless the account was connected anew or removed while they were asked for.
// It ends the note of the refresh.
func (v *Vault) keepToken(ctx context.Context, account Account, answer tokenAnswer) error {
	return v.changeRow(ctx, account, func(box *sealer, r *row, stored Account, material Material) error {
		if !answer.Used.IsZero() && !answer.Used.Equal(material.RefreshToken) {
			return nil // connected anew meanwhile, within the same second
		}
		r.Refresh = nil
		changed := answer.TokenPath != "" && answer.TokenPath != stored.TokenPath
		if changed {
			stored.TokenPath = answer.TokenPath
		}
		if !answer.RefreshToken.IsZero() && !answer.RefreshToken.Equal(material.RefreshToken) {
			material.RefreshToken, changed = answer.RefreshToken, true
		}
		var err error
		if changed {
			r.Revision++
			if r.Sealed, err = box.sealRow(r, stored, material); err != nil {
				return err
			}
		}
		r.Token, err = box.seal(purposeToken, r, answer.accessToken)
		return err
	})
}

// changeRow changes the row of an account under the lock. It does nothing when
// the account was connected anew meanwhile.
func (v *Vault) changeRow(ctx context.Context, account Account, fn func(*sealer, *row, Account, Material) error) error {
	return v.change(ctx, false, func(f *file, box *sealer) error {
		r := f.row(account.Name, account.Side)
		if r == nil {
			return notConnected(account.Name, account.Side)
		}
		stored, material, err := box.openRow(r)
		if err != nil {
			return err
		}
		if !stored.Connected.Equal(account.Connected) || stored.ClientID != account.ClientID {
			return nil
		}
		return fn(box, r, stored, material)
	})
}
