package credential

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/fault"
)

const (
	accountsFileName = "accounts.json"
	lockFileName     = "accounts.lock"
	fileFormat       = 1
)

// file is .lockstep/accounts.json. Everything but names, sides, kinds and
// counters is ciphertext.
type file struct {
	Format   int             `json:"format"`
	Vault    string          `json:"vault"`
	Keys     []wrappedKeyset `json:"keys"`
	Accounts []row           `json:"accounts"`
}

// wrappedKeyset is the data keys, sealed by one key-encryption key. There are
// two of them only while the key is being changed.
type wrappedKeyset struct {
	KEK    string `json:"kek"`
	From   string `json:"from"`
	Keyset []byte `json:"keyset"`
}

// row is one account: Sealed holds Account and Material, Token the access token
// that is in use, if any, Refresh the note of a refresh that was begun and whose
// answer has not been kept.
type row struct {
	Name     string   `json:"name"`
	Side     crm.Side `json:"side"`
	Kind     Kind     `json:"kind"`
	Revision int      `json:"revision"`
	Sealed   []byte   `json:"sealed"`
	Token    []byte   `json:"token,omitempty"`
	Refresh  []byte   `json:"refresh,omitempty"`
}

func (f *file) row(name string, side crm.Side) *row {
	for i := range f.Accounts {
		if f.Accounts[i].Name == name && f.Accounts[i].Side == side {
			return &f.Accounts[i]
		}
	}
	return nil
}

func (f *file) wrappedBy(key *keyEncryptionKey) *wrappedKeyset {
	fingerprint := key.fingerprint()
	for i := range f.Keys {
		if f.Keys[i].KEK == fingerprint {
			return &f.Keys[i]
		}
	}
	return nil
}

func (f *file) wrappedFrom(from string) bool {
	return slices.ContainsFunc(f.Keys, func(w wrappedKeyset) bool { return w.From == from })
}

func (f *file) keySources() []string {
	var sources []string
	for _, w := range f.Keys {
		sources = append(sources, w.From)
	}
	return sources
}

func (f *file) keyHint() string {
	if sources := f.keySources(); len(sources) > 0 {
		return fmt.Sprintf(" (it came from: %s)", strings.Join(sources, ", "))
	}
	return ""
}

func (v *Vault) path() string { return filepath.Join(v.dir, accountsFileName) }

// load reads the file; nil when there is none.
func (v *Vault) load() (*file, error) {
	text, err := os.ReadFile(v.path())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, asStorageFault(err, "read the accounts")
	}
	f := &file{}
	if err := json.Unmarshal(text, f); err != nil || f.Format < 1 || f.Vault == "" {
		return nil, fault.New(fault.Internal, "%s is damaged", v.path()).
			WithMend("put the file back from a backup, or remove it and connect the accounts again")
	}
	if f.Format > fileFormat {
		return nil, fault.New(fault.Invalid, "%s was written by a newer Lockstep", v.path()).
			WithMend("use the newer Lockstep")
	}
	return f, nil
}

func (v *Vault) save(f *file) error {
	text, err := json.MarshalIndent(f, "", " ")
	if err != nil {
		return fault.New(fault.Internal, "the accounts cannot be written down").Wrap(err)
	}
	return asStorageFault(replaceFile(v.path(), append(text, '\n')), "keep the accounts")
}

// replaceFile writes a file of mode 0600 so that at every moment the path holds
// either the old content or the new, on disk.
func replaceFile(path string, content []byte) (err error) {
	dir := filepath.Dir(path)
	temp, err := os.CreateTemp(dir, "."+filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = temp.Close()
			_ = os.Remove(temp.Name())
		}
	}()
	if err = temp.Chmod(0o600); err != nil {
		return err
	}
	if _, err = temp.Write(content); err != nil {
		return err
	}
	if err = temp.Sync(); err != nil {
		return err
	}
	if err = temp.Close(); err != nil {
		return err
	}
	if err = os.Rename(temp.Name(), path); err != nil {
		return err
	}
	syncDir(dir)
	return nil
}

// syncDir makes a rename last. Not every file system can; the content itself
// is on disk already.
func syncDir(dir string) {
	if d, err := os.Open(dir); err == nil {
		_ = d.Sync()
		_ = d.Close()
	}
}

// asStorageFault turns what the operating system said into a fault with a next
// step. Faults pass unchanged; nil stays nil.
func asStorageFault(err error, what string) error {
	if err == nil {
		return nil
	}
	if _, ok := fault.As(err); ok {
		return err
	}
	mend := "look at the disk and at who owns the folder .lockstep"
	switch {
	case isDiskFull(err):
		mend = "the disk is full: make room, then do it again; what was kept before is unharmed"
	case errors.Is(err, fs.ErrPermission):
		mend = "run as the user who owns the folder .lockstep, or give it to this user"
	}
	return fault.New(fault.Internal, "cannot %s", what).WithMend("%s", mend).Wrap(err)
}
