package credential

import (
	"net/http"
	"testing"
	"time"

	"github.com/lockstep-sync/lockstep/internal/crm"
)

// TestATokenThatSeemsToLiveOnIsRenewedWhenItIsRefused: its end was worked out
// while the clock ran a year ahead. What the vendor says counts, and one request
// is made.
func TestATokenThatSeemsToLiveOnIsRenewedWhenItIsRefused(t *testing.T) {
	ctx, v, server := t.Context(), salesforceVault(t), &tokenServer{}
	client := &http.Client{Transport: server}
	s, err := v.TokenSource(ctx, "acme", crm.Salesforce, client)
	if err != nil {
		t.Fatal(err)
	}
	old, err := s.Token(ctx)
	if err != nil {
		t.Fatal(err)
	}
	account, ahead := s.Account(), time.Now().AddDate(1, 0, 0).Unix()
	if err := v.keepToken(ctx, account, tokenAnswer{accessToken: accessToken{Token: old, InstanceURL: fakeLogin, Obtained: ahead - 1800, Expires: ahead}}); err != nil {
		t.Fatal(err)
	}
	if s, err = v.TokenSource(ctx, "acme", crm.Salesforce, client); err != nil {
		t.Fatal(err)
	}
	if token, err := s.Token(ctx); err != nil || token != old {
		t.Fatalf("it is used until the vendor refuses it: %v", err)
	}
	fresh, err := s.Renew(ctx, old)
	if err != nil || fresh == old || server.requests() != 2 {
		t.Errorf("renewed: %v, %d requests in all, want 2; %v", fresh != old, server.requests(), err)
	}
	if token, err := s.Token(ctx); err != nil || token != fresh || server.requests() != 2 {
		t.Errorf("the new one is used: %v, %d requests", err, server.requests())
	}
}
