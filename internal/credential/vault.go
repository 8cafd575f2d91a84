package credential

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/keyset"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/fault"
)

// Config says where the vault's key may come from. The zero Config uses the key
// file beside the accounts only.
type Config struct {
	// Env reads the environment (os.Getenv); nil means there is none.
	Env func(string) string
	// Keyring allows the system's keychain. It is asked only where there is one,
	// and never for longer than two seconds.
	Keyring bool
}

// Vault keeps accounts with their secrets. It is safe for concurrent use, by
// many goroutines and many processes: every change is made under a lock file
// and replaces the whole file at once.
type Vault struct {
	dir      string
	given    *keyEncryptionKey
	keychain keychain

	mu sync.Mutex
	// opened caches the key that opened the file, so that a keychain is asked
	// once per process.
	opened *keyEncryptionKey
}

// Open returns the vault in dir (".lockstep"), which need not exist yet. It
// reads the key that the environment gives, if any, and nothing else: a vault
// is opened when it is first needed, and made by the first Put.
func Open(dir string, config Config) (*Vault, error) {
	env := config.Env
	if env == nil {
		env = func(string) string { return "" }
	}
	given, err := keyGiven(env)
	if err != nil {
		return nil, asKeyFileFault(err, env(EnvKeyFile))
	}
	v := &Vault{dir: dir, given: given}
	if config.Keyring && keychainPresent(env) {
		v.keychain = systemKeychain{}
	}
	return v, nil
}

func asKeyFileFault(err error, path string) error {
	if errors.Is(err, os.ErrNotExist) {
		return fault.New(fault.Invalid, "%s names %s, and there is no such file", EnvKeyFile, path).
			WithMend("make one with: (umask 077; openssl rand -base64 32 > %s)", path)
	}
	return asStorageFault(err, "read the key file "+path)
}

// Put keeps an account, replacing one of the same name and side. An access
// token cached for the old one is forgotten, the one in material is kept. It checks what Validate checks and
// asks nobody.
func (v *Vault) Put(ctx context.Context, account Account, material Material) error {
	if err := Validate(account, material); err != nil {
		return err
	}
	if account.Connected.IsZero() {
		account.Connected = time.Now().UTC().Truncate(time.Second)
	}
	return v.change(ctx, true, func(f *file, box *sealer) error {
		r := f.row(account.Name, account.Side)
		if r == nil {
			f.Accounts = append(f.Accounts, row{Name: account.Name, Side: account.Side})
			r = &f.Accounts[len(f.Accounts)-1]
		}
		r.Kind, r.Token, r.Refresh = account.Kind, nil, nil
		r.Revision++
		sealed, err := box.sealRow(r, account, material)
		if err != nil {
			return err
		}
		r.Sealed = sealed
		if !material.Access.Token.IsZero() {
			if r.Token, err = box.seal(purposeToken, r, newAccessToken(material.Access)); err != nil {
				return err
			}
		}
		slices.SortFunc(f.Accounts, func(a, b row) int {
			return cmp.Or(cmp.Compare(a.Side, b.Side), cmp.Compare(a.Name, b.Name))
		})
		return nil
	})
}

// Get returns an account and its secrets; fault.NotFound when there is none of
// that name on that side, fault.Denied when the vault's key is not here.
func (v *Vault) Get(_ context.Context, name string, side crm.Side) (Account, Material, error) {
	f, box, err := v.read()
	if err != nil {
		return Account{}, Material{}, err
	}
	if f == nil || f.row(name, side) == nil {
		return Account{}, Material{}, notConnected(name, side)
	}
	return box.openRow(f.row(name, side))
}

// List returns all accounts, HubSpot first, by name. An empty vault has none.
func (v *Vault) List(context.Context) ([]Account, error) {
	f, box, err := v.read()
	if err != nil || f == nil {
		return nil, err
	}
	accounts := make([]Account, 0, len(f.Accounts))
	for i := range f.Accounts {
		account, _, err := box.openRow(&f.Accounts[i])
		if err != nil {
			return nil, err
		}
		accounts = append(accounts, account)
	}
	return accounts, nil
}

// Remove forgets an account and its secrets; fault.NotFound when there is none.
// It works without the vault's key. The vendor still honours the credential
// until it is revoked there.
func (v *Vault) Remove(ctx context.Context, name string, side crm.Side) error {
	return v.locked(ctx, func() error {
		f, err := v.load()
		if err != nil {
			return err
		}
		if f == nil || f.row(name, side) == nil {
			return notConnected(name, side)
		}
		f.Accounts = slices.DeleteFunc(f.Accounts, func(r row) bool { return r.Name == name && r.Side == side })
		return v.save(f)
	})
}

// KeyFrom says in words where the vault's key is kept; "" for a vault that does
// not exist yet.
func (v *Vault) KeyFrom() string {
	f, err := v.load()
	if err != nil || f == nil || len(f.Keys) == 0 {
		return ""
	}
	return f.Keys[0].From
}

// locked runs fn while no other process or goroutine changes the vault.
func (v *Vault) locked(ctx context.Context, fn func() error) error {
	if err := os.MkdirAll(v.dir, 0o700); err != nil {
		return asStorageFault(err, "make the folder "+v.dir)
	}
	unlock, err := lockFile(ctx, filepath.Join(v.dir, lockFileName))
	if err != nil {
		if ctx.Err() != nil {
			return fault.New(fault.Unavailable, "another lockstep holds the accounts").WithMend("wait for it to end, then try again").Wrap(err)
		}
		return asStorageFault(err, "lock the accounts")
	}
	defer unlock()
	return fn()
}

// change loads, changes and saves the file under the lock. With creating it makes
// a vault where there is none.
func (v *Vault) change(ctx context.Context, creating bool, fn func(*file, *sealer) error) error {
	return v.locked(ctx, func() error {
		f, err := v.load()
		if err != nil {
			return err
		}
		var box *sealer
		switch {
		case f != nil:
			box, err = v.open(f)
		case creating:
			f, box, err = v.create()
		default:
			return nil
		}
		if err != nil {
			return err
		}
		if err := fn(f, box); err != nil {
			return err
		}
		return v.save(f)
	})
}

// create makes the content of a new vault. Its key is on disk, or in the
// keychain, before anything is sealed with it.
func (v *Vault) create() (*file, *sealer, error) {
	var id [8]byte
	if _, err := rand.Read(id[:]); err != nil {
		return nil, nil, fault.New(fault.Internal, "this machine gives no random numbers").Wrap(err)
	}
	f := &file{Format: fileFormat, Vault: hex.EncodeToString(id[:])}
	key, err := v.makeKey(f.Vault)
	if err != nil {
		return nil, nil, err
	}
	handle, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return nil, nil, fault.New(fault.Internal, "a data key cannot be made").Wrap(err)
	}
	wrapped, err := wrapKeyset(handle, key, f.Vault)
	if err != nil {
		return nil, nil, err
	}
	f.Keys = []wrappedKeyset{wrapped}
	if err := v.keepOutOfGit(); err != nil {
		return nil, nil, err
	}
	box, err := newSealer(handle, f.Vault)
	v.remember(key)
	return f, box, err
}

// keepOutOfGit makes sure that a key file is not committed by accident.
func (v *Vault) keepOutOfGit() error {
	f, err := os.OpenFile(filepath.Join(v.dir, ".gitignore"), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, os.ErrExist) {
		return nil
	}
	if err != nil {
		return asStorageFault(err, "write .gitignore")
	}
	_, err = f.WriteString("# Made by Lockstep: accounts, keys and state are for this machine only.\n*\n")
	return asStorageFault(errors.Join(err, f.Close()), "write .gitignore")
}

// read loads and opens the file without the lock; nil when there is none, or no
// account in it. Another process may change the key between the two, so a file
// that does not open is looked at again as long as its keys change.
func (v *Vault) read() (*file, *sealer, error) {
	f, err := v.load()
	for {
		if err != nil || f == nil || len(f.Accounts) == 0 {
			return nil, nil, err
		}
		box, openErr := v.open(f)
		if openErr == nil {
			return f, box, nil
		}
		var again *file
		if again, err = v.load(); err != nil {
			return nil, nil, err
		}
		if again != nil && slices.EqualFunc(f.Keys, again.Keys, func(a, b wrappedKeyset) bool { return a.KEK == b.KEK }) {
			return nil, nil, openErr
		}
		f = again
	}
}

func (v *Vault) remember(key *keyEncryptionKey) {
	v.mu.Lock()
	v.opened = key
	v.mu.Unlock()
}

// open finds the key and opens the data keys.
func (v *Vault) open(f *file) (*sealer, error) {
	v.mu.Lock()
	key := v.opened
	v.mu.Unlock()
	var wrapped *wrappedKeyset
	if key != nil {
		wrapped = f.wrappedBy(key)
	}
	if wrapped == nil {
		var err error
		if key, wrapped, err = v.openingKey(f); err != nil {
			return nil, err
		}
	}
	handle, err := unwrapKeyset(wrapped, key, f.Vault)
	if err != nil {
		return nil, err
	}
	v.remember(key)
	return newSealer(handle, f.Vault)
}
