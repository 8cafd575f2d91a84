package credential

import (
	"errors"
	"os"
	"runtime"
	"time"

	"github.com/zalando/go-keyring"
)

const (
	keychainService = "lockstep"
	// keychainWait is how long a keychain may take. One that waits for a person
	// to unlock it on another screen would hold a command for ever.
	keychainWait = 2 * time.Second
)

var errKeychainSilent = errors.New("the keychain of this system did not answer within 2 s")

// keychain keeps small texts under a name; the system's, or a test's.
type keychain interface {
	Get(service, user string) (string, error)
	Set(service, user, password string) error
	Delete(service, user string) error
}

// systemKeychain is macOS Keychain, Windows Credential Manager or the Secret
// Service.
type systemKeychain struct{}

func (systemKeychain) Get(service, user string) (string, error) { return keyring.Get(service, user) }
func (systemKeychain) Set(service, user, password string) error {
	return keyring.Set(service, user, password)
}
func (systemKeychain) Delete(service, user string) error { return keyring.Delete(service, user) }

// keychainPresent tells whether asking the system's keychain makes sense at
// all: without a session bus there is no Secret Service, and looking for one
// may start daemons.
func keychainPresent(env func(string) string) bool {
	switch runtime.GOOS {
	case "darwin", "windows":
		return true
	}
	if env("DBUS_SESSION_BUS_ADDRESS") != "" {
		return true
	}
	if dir := env("XDG_RUNTIME_DIR"); dir != "" {
		_, err := os.Stat(dir + "/bus")
		return err == nil
	}
	return false
}

func (v *Vault) keyFromKeychain(vaultID string) (*keyEncryptionKey, error) {
	text, err := bounded(func() (string, error) { return v.keychain.Get(keychainService, vaultID) })
	if err != nil {
		return nil, err
	}
	return parseKey(text, fromKeychain)
}

func (v *Vault) keyToKeychain(vaultID string, key *keyEncryptionKey) error {
	_, err := bounded(func() (string, error) { return "", v.keychain.Set(keychainService, vaultID, key.text()) })
	return err
}

// bounded gives ask keychainWait. An ask that never returns is left behind.
func bounded(ask func() (string, error)) (string, error) {
	type answer struct {
		text string
		err  error
	}
	answers := make(chan answer, 1)
	go func() {
		text, err := ask()
		answers <- answer{text, err}
	}()
	timer := time.NewTimer(keychainWait)
	defer timer.Stop()
	select {
	case a := <-answers:
		return a.text, a.err
	case <-timer.C:
		return "", errKeychainSilent
	}
}
