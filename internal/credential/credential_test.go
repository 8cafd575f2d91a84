package credential

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/fault"
)

const fakeToken = "pat-na1-00000000-fake-0000-0000-000000000001"

func hubspotAccount(name string) (Account, Material) {
	return Account{Name: name, Side: crm.HubSpot, Kind: HubSpotToken, ID: "123"}, Material{Token: NewSecret(fakeToken)}
}

func salesforceAccount(name, login string) (Account, Material) {
	return Account{Name: name, Side: crm.Salesforce, Kind: SalesforceClientCredentials, LoginURL: login, ClientID: "fake-client"},
		Material{ClientSecret: NewSecret("fake-secret")}
}

func openVault(t *testing.T, dir string, env map[string]string) *Vault {
	t.Helper()
	v, err := Open(dir, Config{Env: func(name string) string { return env[name] }})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func keyText(fill byte) string {
	return base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{fill}, keyBytes))
}

func TestASecretIsNeverPrinted(t *testing.T) {
	secret := NewSecret("fake-secret-in-plain-sight")
	_, material := hubspotAccount("acme")
	material.ClientSecret, material.PrivateKey, material.RefreshToken = secret, secret, secret
	type hidden struct {
		secret   Secret
		material Material
		pointer  *Material
	}
	holder := hidden{secret, material, &material}
	var out strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&out, verb+verb+verb+verb+verb+"\n", secret, &secret, material, holder, &holder)
	}
	for _, value := range []any{secret, material, map[string]Secret{"a": secret}, []any{material}} {
		text, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		out.Write(text)
	}
	for _, handler := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
		slog.New(handler).Info("connected", "secret", secret, "material", material, "holder", holder, slog.Any("pointer", &material))
	}
	fmt.Fprintln(&out, fmt.Errorf("outer: %w", fault.New(fault.Invalid, "inner %v %+v", secret, material)))
	for _, planted := range []string{"plain-sight", "00000000-fake"} {
		if strings.Contains(out.String(), planted) {
			t.Errorf("%q shows in:\n%s", planted, out.String())
		}
	}
	if got := secret.Reveal(); got != "fake-secret-in-plain-sight" {
		t.Errorf("Reveal() = %q", got)
	}
}

func TestAccountsAreKeptListedAndRemoved(t *testing.T) {
	ctx := t.Context()
	v := openVault(t, filepath.Join(t.TempDir(), ".lockstep"), nil)
	if accounts, err := v.List(ctx); err != nil || len(accounts) != 0 {
		t.Fatalf("an empty vault lists %v, %v", accounts, err)
	}
	if _, err := os.Stat(v.dir); !errors.Is(err, fs.ErrNotExist) {
		t.Error("looking into an empty vault made files")
	}
	h, hm := hubspotAccount("acme")
	s, sm := salesforceAccount("acme", "https://acme.my.salesforce.com")
	for _, put := range []struct {
		Account
		Material
	}{{s, sm}, {h, hm}} {
		if err := v.Put(ctx, put.Account, put.Material); err != nil {
			t.Fatal(err)
		}
	}
	account, material, err := v.Get(ctx, "acme", crm.Salesforce)
	if err != nil || material.ClientSecret.Reveal() != "fake-secret" || account.Connected.IsZero() {
		t.Fatalf("got %+v, %v, secret right: %v", account, err, material.ClientSecret.Equal(sm.ClientSecret))
	}
	accounts, err := openVault(t, v.dir, nil).List(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, a := range accounts {
		names = append(names, string(a.Side)+" "+a.Name)
	}
	if diff := cmp.Diff([]string{"hubspot acme", "salesforce acme"}, names); diff != "" {
		t.Error(diff)
	}
	if err := v.Remove(ctx, "acme", crm.HubSpot); err != nil {
		t.Fatal(err)
	}
	_, _, err = v.Get(ctx, "acme", crm.HubSpot)
	if fault.KindOf(err) != fault.NotFound || !strings.Contains(fault.MendOf(err), "lockstep connect hubspot") {
		t.Errorf("a removed account: %v, mend %q", err, fault.MendOf(err))
	}
	for _, name := range []string{accountsFileName, keyFileName} {
		info, err := os.Stat(filepath.Join(v.dir, name))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
	left, _ := filepath.Glob(filepath.Join(v.dir, ".*-*"))
	if len(left) != 0 {
		t.Errorf("temporary files stayed: %v", left)
	}
}

func TestAStolenFileOpensNothing(t *testing.T) {
	ctx := t.Context()
	v := openVault(t, filepath.Join(t.TempDir(), ".lockstep"), nil)
	account, material := hubspotAccount("acme")
	account.User, account.Title = "planted@example.com", "Planted Ltd"
	if err := v.Put(ctx, account, material); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(v.path())
	if err != nil {
		t.Fatal(err)
	}
	for _, planted := range []string{fakeToken, "planted@example.com", "Planted Ltd"} {
		if bytes.Contains(text, []byte(planted)) {
			t.Errorf("%q stands in the clear", planted)
		}
	}
	tests := []struct {
		name string
		env  map[string]string
		key  string
	}{
		{name: "without a key"},
		{name: "with another key in the environment", env: map[string]string{EnvKey: keyText(1)}},
		{name: "with another key file", key: keyText(2)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, accountsFileName), text, 0o600); err != nil {
				t.Fatal(err)
			}
			if test.key != "" {
				if err := os.WriteFile(filepath.Join(dir, keyFileName), []byte(test.key), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			thief := openVault(t, dir, test.env)
			_, _, err := thief.Get(ctx, "acme", crm.HubSpot)
			if fault.KindOf(err) != fault.Denied || fault.MendOf(err) == "" {
				t.Errorf("got %v, mend %q", err, fault.MendOf(err))
			}
			if err := thief.Put(ctx, account, material); fault.KindOf(err) != fault.Denied {
				t.Errorf("a vault that does not open was written: %v", err)
			}
			if after, _ := os.ReadFile(thief.path()); !bytes.Equal(after, text) {
				t.Error("the file changed")
			}
		})
	}
}

func TestARowIsBoundToItsPlace(t *testing.T) {
	ctx := t.Context()
	v := openVault(t, t.TempDir(), nil)
	for _, name := range []string{"acme", "other"} {
		account, material := hubspotAccount(name)
		if err := v.Put(ctx, account, material); err != nil {
			t.Fatal(err)
		}
	}
	f, err := v.load()
	if err != nil {
		t.Fatal(err)
	}
	f.row("acme", crm.HubSpot).Sealed = f.row("other", crm.HubSpot).Sealed
	if err := v.save(f); err != nil {
		t.Fatal(err)
	}
	if _, _, err := v.Get(ctx, "acme", crm.HubSpot); fault.KindOf(err) != fault.Denied {
		t.Errorf("another account's row opened: %v", err)
	}
}

func TestAKeyFileThatOthersCanReadIsRefused(t *testing.T) {
	ctx := t.Context()
	v := openVault(t, t.TempDir(), nil)
	account, material := hubspotAccount("acme")
	if err := v.Put(ctx, account, material); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(v.keyFilePath(), 0o644); err != nil {
		t.Fatal(err)
	}
	_, _, err := openVault(t, v.dir, nil).Get(ctx, "acme", crm.HubSpot)
	if fault.KindOf(err) != fault.Denied || !strings.Contains(fault.MendOf(err), "chmod 600 ") {
		t.Errorf("got %v, mend %q", err, fault.MendOf(err))
	}
}

func TestTheKeyFromTheEnvironmentComesFirst(t *testing.T) {
	ctx := t.Context()
	dir := t.TempDir()
	path := filepath.Join(t.TempDir(), "k")
	if err := os.WriteFile(path, []byte(keyText(7)+"\n"), 0o400); err != nil {
		t.Fatal(err)
	}
	account, material := hubspotAccount("acme")
	if err := openVault(t, dir, map[string]string{EnvKeyFile: path}).Put(ctx, account, material); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, keyFileName)); !errors.Is(err, fs.ErrNotExist) {
		t.Error("a key file was made beside the given key")
	}
	if _, _, err := openVault(t, dir, map[string]string{EnvKey: keyText(7)}).Get(ctx, "acme", crm.HubSpot); err != nil {
		t.Error(err)
	}
	if _, err := Open(dir, Config{Env: func(string) string { return "short" }}); fault.KindOf(err) != fault.Invalid || strings.Contains(err.Error(), "short") {
		t.Errorf("a bad key: %v", err)
	}
}

func TestRotateKey(t *testing.T) {
	tests := []struct {
		name        string
		env, after  map[string]string
		next        Secret
		keyReplaced bool
	}{
		{name: "the key file is replaced", keyReplaced: true},
		{name: "a given key stays", env: map[string]string{EnvKey: keyText(1)}, after: map[string]string{EnvKey: keyText(1)}},
		{name: "a given key is followed by the next one", env: map[string]string{EnvKey: keyText(1)}, after: map[string]string{EnvKey: keyText(2)}, next: NewSecret(keyText(2))},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			ctx := t.Context()
			v := openVault(t, t.TempDir(), test.env)
			account, material := hubspotAccount("acme")
			if err := v.Put(ctx, account, material); err != nil {
				t.Fatal(err)
			}
			before, _ := os.ReadFile(v.path())
			keyBefore, _ := os.ReadFile(v.keyFilePath())
			if err := v.RotateKey(ctx, test.next); err != nil {
				t.Fatal(err)
			}
			after, _ := os.ReadFile(v.path())
			keyAfter, _ := os.ReadFile(v.keyFilePath())
			if replaced := !bytes.Equal(keyBefore, keyAfter); replaced != test.keyReplaced {
				t.Errorf("key file replaced: %v", replaced)
			}
			if bytes.Equal(before, after) {
				t.Error("nothing was sealed anew")
			}
			for _, opened := range []*Vault{v, openVault(t, v.dir, test.after)} {
				_, got, err := opened.Get(ctx, "acme", crm.HubSpot)
				if err != nil || !got.Token.Equal(material.Token) {
					t.Errorf("after the rotation: %v", err)
				}
			}
			var f file
			if err := json.Unmarshal(after, &f); err != nil || len(f.Keys) != 1 {
				t.Errorf("%d keys left, %v", len(f.Keys), err)
			}
		})
	}
}

func TestReadersNeverNoticeARotation(t *testing.T) {
	ctx, dir := t.Context(), t.TempDir()
	account, material := hubspotAccount("acme")
	writer := openVault(t, dir, nil)
	if err := writer.Put(ctx, account, material); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 20 {
			if err := writer.RotateKey(ctx, Secret{}); err != nil {
				t.Error(err)
			}
		}
	}()
	for reads := 0; ; reads++ {
		if _, got, err := openVault(t, dir, nil).Get(ctx, "acme", crm.HubSpot); err != nil || !got.Token.Equal(material.Token) {
			t.Fatalf("after %d reads: %v", reads, err)
		}
		select {
		case <-done:
			return
		default:
		}
	}
}

func TestADamagedFileIsNeverOverwritten(t *testing.T) {
	ctx := t.Context()
	v := openVault(t, t.TempDir(), nil)
	for name, content := range map[string]string{"half a file": `{"format":1,"va`, "a newer format": `{"format":9,"vault":"a"}`, "an empty file": ""} {
		t.Run(name, func(t *testing.T) {
			if err := os.WriteFile(v.path(), []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			account, material := hubspotAccount("acme")
			if err := v.Put(ctx, account, material); err == nil || fault.MendOf(err) == "" {
				t.Errorf("got %v", err)
			}
			if after, _ := os.ReadFile(v.path()); string(after) != content {
				t.Errorf("it became %q", after)
			}
		})
	}
}

// fakeKeychain answers at once, never, or with an error.
type fakeKeychain struct {
	kept   map[string]string
	err    error
	silent chan struct{}
}

func (k *fakeKeychain) Get(service, user string) (string, error) {
	if k.silent != nil {
		<-k.silent
	}
	return k.kept[service+user], k.err
}

func (k *fakeKeychain) Set(service, user, password string) error {
	if k.silent != nil {
		<-k.silent
	}
	if k.err == nil {
		k.kept[service+user] = password
	}
	return k.err
}

func (k *fakeKeychain) Delete(string, string) error { return k.err }

func TestTheKeychainServesWhereThereIsOne(t *testing.T) {
	account, material := hubspotAccount("acme")
	t.Run("the key is kept in it and nowhere else", func(t *testing.T) {
		ctx, dir := t.Context(), t.TempDir()
		chain := &fakeKeychain{kept: map[string]string{}}
		v := &Vault{dir: dir, keychain: chain}
		if err := v.Put(ctx, account, material); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(v.keyFilePath()); !errors.Is(err, fs.ErrNotExist) || len(chain.kept) != 1 || v.KeyFrom() != fromKeychain {
			t.Errorf("key file: %v, keychain holds %d", err, len(chain.kept))
		}
		if err := v.RotateKey(ctx, Secret{}); err != nil {
			t.Fatal(err)
		}
		if _, _, err := (&Vault{dir: dir, keychain: chain}).Get(ctx, "acme", crm.HubSpot); err != nil {
			t.Error(err)
		}
		_, _, err := (&Vault{dir: dir}).Get(ctx, "acme", crm.HubSpot)
		if fault.KindOf(err) != fault.Denied || !strings.Contains(fault.MendOf(err), "keychain") {
			t.Errorf("without the keychain: %v, mend %q", err, fault.MendOf(err))
		}
	})
	t.Run("one that refuses gives way to the key file", func(t *testing.T) {
		v := &Vault{dir: t.TempDir(), keychain: &fakeKeychain{err: errors.New("no such service")}}
		if err := v.Put(t.Context(), account, material); err != nil {
			t.Fatal(err)
		}
		if v.KeyFrom() != fromKeyFile {
			t.Errorf("the key is from %s", v.KeyFrom())
		}
	})
}

func TestTheKeychainIsNotAskedWithoutASessionBus(t *testing.T) {
	if keychainPresent(func(string) string { return "" }) && os.PathSeparator == '/' && !isDarwin() {
		t.Error("a keychain was found where there is no bus")
	}
}

func isDarwin() bool { _, err := os.Stat("/System/Library/CoreServices"); return err == nil }

func TestValidate(t *testing.T) {
	h, hm := hubspotAccount("acme")
	s, sm := salesforceAccount("acme", "https://acme.my.salesforce.com")
	change := func(a Account, f func(*Account)) Account { f(&a); return a }
	tests := []struct {
		name     string
		account  Account
		material Material
		want     string
	}{
		{"a HubSpot token", h, hm, ""},
		{"Salesforce client credentials", s, sm, ""},
		{"no token", h, Material{}, "no HubSpot token"},
		{"a name that would be a path", change(h, func(a *Account) { a.Name = "../acme" }), hm, "cannot be the name"},
		{"the wrong side", change(h, func(a *Account) { a.Side = crm.Salesforce }), hm, "cannot open a Salesforce account"},
		{"no secret", s, Material{}, "no Salesforce client secret"},
		{"client credentials at the common login host", change(s, func(a *Account) { a.LoginURL = DefaultSalesforceLoginURL }), sm, "only at your My Domain"},
		{"a login URL without https", change(s, func(a *Account) { a.LoginURL = "http://acme.my.salesforce.com" }), sm, "unprotected"},
		{"JWT without a username", change(s, func(a *Account) { a.Kind = SalesforceJWT }), Material{}, "no Salesforce username"},
		{"JWT with something else as key", change(s, func(a *Account) { a.Kind, a.Username = SalesforceJWT, "u@example.com" }), Material{PrivateKey: NewSecret("fake")}, "not a private key"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := Validate(test.account, test.material)
			if test.want == "" {
				if err != nil {
					t.Errorf("got %v", err)
				}
				return
			}
			if fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), test.want) || fault.MendOf(err) == "" && test.name != "the wrong side" {
				t.Errorf("got %v, mend %q", err, fault.MendOf(err))
			}
		})
	}
}

func TestAFolderThatCannotBeUsedIsOneClearFault(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a file in its place")
	if err := os.WriteFile(dir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	account, material := hubspotAccount("acme")
	err := openVault(t, dir, nil).Put(t.Context(), account, material)
	if fault.KindOf(err) != fault.Internal || fault.MendOf(err) == "" {
		t.Errorf("got %v", err)
	}
	full := asStorageFault(&fs.PathError{Op: "write", Path: "accounts.json", Err: syscall.ENOSPC}, "keep the accounts")
	if !strings.Contains(fault.MendOf(full), "disk is full") {
		t.Errorf("a full disk: %v, mend %q", full, fault.MendOf(full))
	}
}
