package credential

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/lockstep-sync/lockstep/internal/fault"
)

// SigningKeyFile is the file in the vault's place that holds the key by which
// reports are signed: PKCS #8 in PEM, mode 0600, as openssl reads it.
const SigningKeyFile = "report-key.pem"

// SigningKey reads the key by which reports of this place are signed, and makes
// it on first use; made tells so.
func SigningKey(dir string) (key ed25519.PrivateKey, made bool, err error) {
	path := filepath.Join(dir, SigningKeyFile)
	key, err = readSigningKey(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, false, err
	}
	if _, key, err = ed25519.GenerateKey(rand.Reader); err != nil {
		return nil, false, fault.New(fault.Internal, "this machine gives no random numbers").Wrap(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, false, fault.New(fault.Internal, "write the report key").Wrap(err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, false, asStorageFault(err, "make the folder of the report key")
	}
	err = replaceFile(path, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	return key, true, asStorageFault(err, "keep the report key")
}

// SigningKeyOf reads the public half of the key of a place; nil where there is
// none yet.
func SigningKeyOf(dir string) (ed25519.PublicKey, error) {
	key, err := readSigningKey(filepath.Join(dir, SigningKeyFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return key.Public().(ed25519.PublicKey), nil
}

func readSigningKey(path string) (ed25519.PrivateKey, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 && checkModes {
		return nil, fault.New(fault.Denied, "the report key %s may be read or changed by others (mode %04o)", path, mode).
			WithMend("chmod 600 %s; if somebody else may have read it, move it away: the next report makes a new one", path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, asStorageFault(err, "read the report key")
	}
	broken := fault.New(fault.Invalid, "%s is no Ed25519 key in PEM", path).WithMend("put it back from a backup, or move it away: the next report makes a new one")
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, broken
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, broken.Wrap(err)
	}
	key, ok := parsed.(ed25519.PrivateKey)
	if !ok {
		return nil, broken
	}
	return key, nil
}
