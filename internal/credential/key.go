package credential

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/tink-crypto/tink-go/v2/aead/subtle"
	"github.com/tink-crypto/tink-go/v2/tink"

	"github.com/lockstep-sync/lockstep/internal/fault"
)

// The environment variables that give the key-encryption key.
const (
	// EnvKey holds 32 bytes in base64.
	EnvKey = "LOCKSTEP_KEY"
	// EnvKeyFile names a file that holds the same.
	EnvKeyFile = "LOCKSTEP_KEY_FILE"
	// EnvNextKey is the key that RotateKey moves a vault to whose key is given by
	// the two above.
	EnvNextKey = "LOCKSTEP_KEY_NEXT"
)

// Where a vault's key may have come from, as KeyFrom tells; the names of the
// environment variables stand for themselves.
const (
	KeyFromKeychain = "keychain"
	KeyFromFile     = "key file"
	// KeyFileName is that file, beside the accounts.
	KeyFileName = "key"
)

const (
	keyBytes = 32
	// maxKeyFileBytes is far above any key; a larger file is certainly another one.
	maxKeyFileBytes = 4096

	keyFileName  = KeyFileName
	fromEnv      = EnvKey
	fromEnvFile  = EnvKeyFile
	fromKeychain = KeyFromKeychain
	fromKeyFile  = KeyFromFile
)

// keyEncryptionKey seals the data keys of a vault. It is never written into the
// vault's file.
type keyEncryptionKey struct {
	raw  [keyBytes]byte
	from string
}

func newKeyEncryptionKey(from string) (*keyEncryptionKey, error) {
	k := &keyEncryptionKey{from: from}
	if _, err := rand.Read(k.raw[:]); err != nil {
		return nil, fault.New(fault.Internal, "this machine gives no random numbers").Wrap(err)
	}
	return k, nil
}

// fingerprint tells keys apart. A random key of 32 bytes cannot be found from it.
func (k *keyEncryptionKey) fingerprint() string {
	sum := sha256.Sum256(append([]byte("lockstep key fingerprint\x00"), k.raw[:]...))
	return hex.EncodeToString(sum[:8])
}

func (k *keyEncryptionKey) aead() (tink.AEAD, error) { return subtle.NewAESGCM(k.raw[:]) }

func (k *keyEncryptionKey) text() string { return base64.StdEncoding.EncodeToString(k.raw[:]) }

// Format keeps the key out of every print.
func (k *keyEncryptionKey) String() string   { return redacted }
func (k *keyEncryptionKey) GoString() string { return redacted }

func parseKey(text, from string) (*keyEncryptionKey, error) {
	text = strings.TrimSpace(text)
	for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
		if raw, err := encoding.DecodeString(text); err == nil && len(raw) == keyBytes {
			k := &keyEncryptionKey{from: from}
			copy(k.raw[:], raw)
			return k, nil
		}
	}
	return nil, fault.New(fault.Invalid, "the key in %s is not 32 bytes in base64", from).
		WithMend("make one with: openssl rand -base64 32")
}

// keyGiven returns the key that the environment gives, or nil.
func keyGiven(env func(string) string) (*keyEncryptionKey, error) {
	if text := env(EnvKey); text != "" {
		return parseKey(text, fromEnv)
	}
	if path := env(EnvKeyFile); path != "" {
		// Mounted secrets often belong to a group; nobody else may read them.
		return readKeyFile(path, fromEnvFile, 0o027)
	}
	return nil, nil
}

// readKeyFile reads a key file, refusing one that others could have read.
func readKeyFile(path, from string, forbidden fs.FileMode) (*keyEncryptionKey, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if mode := info.Mode().Perm(); mode&forbidden != 0 && checkModes {
		return nil, fault.New(fault.Denied, "the key file %s may be read or changed by others (mode %04o)", path, mode).
			WithMend("chmod 600 %s; if somebody else may have read it, exchange the credentials at the vendors and connect again", path)
	}
	if info.Size() > maxKeyFileBytes || !info.Mode().IsRegular() {
		return nil, fault.New(fault.Invalid, "%s is not a key file", path).WithMend("a key file holds 32 bytes in base64: openssl rand -base64 32")
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	key, err := parseKey(string(text), from)
	if err != nil {
		return nil, fault.New(fault.Invalid, "the key file %s does not hold 32 bytes in base64", path).
			WithMend("put the file back from a backup; without it the accounts cannot be opened and have to be connected again")
	}
	return key, nil
}

func (v *Vault) keyFilePath() string { return filepath.Join(v.dir, keyFileName) }

// openingKey finds the key that opens one of the wrapped keysets.
func (v *Vault) openingKey(f *file) (*keyEncryptionKey, *wrappedKeyset, error) {
	if v.given != nil {
		if w := f.wrappedBy(v.given); w != nil {
			return v.given, w, nil
		}
		return nil, nil, fault.New(fault.Denied, "the key in %s is not the key of %s", v.given.from, v.path()).
			WithMend("give the key that the accounts were connected with%s, or remove the file and connect again", f.keyHint())
	}
	var keychainErr error
	if v.keychain != nil && f.wrappedFrom(fromKeychain) {
		key, err := v.keyFromKeychain(f.Vault)
		if err == nil {
			if w := f.wrappedBy(key); w != nil {
				return key, w, nil
			}
		}
		keychainErr = err
	}
	key, err := readKeyFile(v.keyFilePath(), fromKeyFile, 0o077)
	switch {
	case err == nil:
		if w := f.wrappedBy(key); w != nil {
			return key, w, nil
		}
		return nil, nil, fault.New(fault.Denied, "%s is not the key of %s", v.keyFilePath(), v.path()).
			WithMend("put back the key file that belongs to it%s, or remove both files and connect again", f.keyHint())
	case !errors.Is(err, fs.ErrNotExist):
		return nil, nil, asStorageFault(err, "read the key file")
	}
	return nil, nil, fault.New(fault.Denied, "the key of %s is not here", v.path()).Wrap(keychainErr).
		WithMend("it was kept in: %s; unlock or restore it, or give it in %s, or remove the file and connect again", strings.Join(f.keySources(), ", "), EnvKey)
}

// makeKey makes and keeps the key of a new vault: the given one, or a new one in
// the keychain, or a new one in the key file.
func (v *Vault) makeKey(vaultID string) (*keyEncryptionKey, error) {
	if v.given != nil {
		return v.given, nil
	}
	if v.keychain != nil {
		key, err := newKeyEncryptionKey(fromKeychain)
		if err != nil {
			return nil, err
		}
		// A keychain that is locked or not there is no error: the key file serves.
		if v.keyToKeychain(vaultID, key) == nil {
			return key, nil
		}
	}
	key, err := readKeyFile(v.keyFilePath(), fromKeyFile, 0o077)
	if err == nil {
		return key, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, asStorageFault(err, "read the key file")
	}
	key, err = newKeyEncryptionKey(fromKeyFile)
	if err != nil {
		return nil, err
	}
	return key, v.keepKeyFile(key)
}

func (v *Vault) keepKeyFile(key *keyEncryptionKey) error {
	return asStorageFault(replaceFile(v.keyFilePath(), []byte(key.text()+"\n")), "keep the key file")
}
