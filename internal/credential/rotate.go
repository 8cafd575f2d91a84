package credential

import (
	"context"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/keyset"

	"github.com/lockstep-sync/lockstep/internal/fault"
)

// RotateKey gives the vault a new data key, seals everything anew with it, and
// changes the key-encryption key, too, where that is ours: in the keychain or
// the key file. A key given by the environment stays, unless next holds its
// successor (32 bytes in base64, LOCKSTEP_KEY_NEXT); afterwards the vault opens
// with that one only. A crash in the middle leaves a vault that opens with the
// key that is in place.
func (v *Vault) RotateKey(ctx context.Context, next Secret) error {
	return v.locked(ctx, func() error {
		f, err := v.load()
		if err != nil || f == nil {
			return err
		}
		box, err := v.open(f)
		if err != nil {
			return err
		}
		handle, err := v.reseal(f, box)
		if err != nil {
			return err
		}
		v.mu.Lock()
		old := v.opened
		v.mu.Unlock()
		return v.changeKey(f, handle, old, next)
	})
}

// reseal makes a new data key and seals every row of f with it.
func (v *Vault) reseal(f *file, box *sealer) (*keyset.Handle, error) {
	handle, err := nextKeyset(box.handle)
	if err != nil {
		return nil, err
	}
	fresh, err := newSealer(handle, f.Vault)
	if err != nil {
		return nil, err
	}
	for i := range f.Accounts {
		r := &f.Accounts[i]
		account, material, err := box.openRow(r)
		if err != nil {
			return nil, err
		}
		token, hasToken := box.openToken(r)
		note, hasNote := box.openNote(r)
		r.Revision++
		r.Token, r.Refresh = nil, nil
		r.Sealed, err = fresh.sealRow(r, account, material)
		if err == nil && hasToken {
			r.Token, err = fresh.seal(purposeToken, r, token)
		}
		if err == nil && hasNote {
			r.Refresh, err = fresh.seal(purposeRefresh, r, note)
		}
		if err != nil {
			return nil, err
		}
	}
	return handle, nil
}

// nextKeyset adds a key of the next version and drops the old ones: reseal
// leaves nothing that they would open.
func nextKeyset(handle *keyset.Handle) (*keyset.Handle, error) {
	old := handle.KeysetInfo().GetKeyInfo()
	manager := keyset.NewManagerFromHandle(handle)
	id, err := manager.Add(aead.AES256GCMKeyTemplate())
	if err == nil {
		err = manager.SetPrimary(id)
	}
	for _, info := range old {
		if err == nil {
			err = manager.Delete(info.GetKeyId())
		}
	}
	if err != nil {
		return nil, fault.New(fault.Internal, "a new data key cannot be made").Wrap(err)
	}
	next, err := manager.Handle()
	if err != nil {
		return nil, fault.New(fault.Internal, "a new data key cannot be made").Wrap(err)
	}
	return next, nil
}

// changeKey seals the data keys with the next key-encryption key and keeps all.
func (v *Vault) changeKey(f *file, handle *keyset.Handle, old *keyEncryptionKey, next Secret) error {
	key, err := v.nextKey(old, next)
	if err != nil {
		return err
	}
	underOld, err := wrapKeyset(handle, old, f.Vault)
	if err != nil {
		return err
	}
	if key == old {
		f.Keys = []wrappedKeyset{underOld}
		return v.save(f)
	}
	underNew, err := wrapKeyset(handle, key, f.Vault)
	if err != nil {
		return err
	}
	// First a file that both keys open, then the key, then a file for the new
	// key alone: stopped anywhere, the key in place opens the file in place.
	f.Keys = []wrappedKeyset{underOld, underNew}
	if err := v.save(f); err != nil {
		return err
	}
	switch key.from {
	case fromKeychain:
		if err := v.keyToKeychain(f.Vault, key); err != nil {
			return fault.New(fault.Unavailable, "the keychain did not take the new key").Wrap(err).
				WithMend("unlock the keychain and rotate again; the old key is still in place")
		}
	case fromKeyFile:
		if err := v.keepKeyFile(key); err != nil {
			return err
		}
	}
	f.Keys = []wrappedKeyset{underNew}
	if err := v.save(f); err != nil {
		return err
	}
	v.remember(key)
	return nil
}

func (v *Vault) nextKey(old *keyEncryptionKey, next Secret) (*keyEncryptionKey, error) {
	if !next.IsZero() {
		return parseKey(next.Reveal(), EnvNextKey)
	}
	switch old.from {
	case fromKeychain, fromKeyFile:
		return newKeyEncryptionKey(old.from)
	}
	return old, nil
}
