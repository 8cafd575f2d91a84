package credential

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"

	"github.com/lockstep-sync/lockstep/internal/fault"
)

// sealer seals and opens the rows of one vault.
type sealer struct {
	handle *keyset.Handle
	aead   tink.AEAD
	vault  string
}

func newSealer(handle *keyset.Handle, vault string) (*sealer, error) {
	primitive, err := aead.New(handle)
	if err != nil {
		return nil, fault.New(fault.Internal, "the data keys cannot be used").Wrap(err)
	}
	return &sealer{handle: handle, aead: primitive, vault: vault}, nil
}

// contents is what a row seals.
type contents struct {
	Account      Account `json:"account"`
	Token        string  `json:"token,omitempty"`
	ClientSecret string  `json:"clientSecret,omitempty"`
	PrivateKey   string  `json:"privateKey,omitempty"`
	RefreshToken string  `json:"refreshToken,omitempty"`
}

func (s *sealer) sealRow(r *row, account Account, material Material) ([]byte, error) {
	return s.seal("account", r, contents{
		Account:      account,
		Token:        material.Token.Reveal(),
		ClientSecret: material.ClientSecret.Reveal(),
		PrivateKey:   material.PrivateKey.Reveal(),
		RefreshToken: material.RefreshToken.Reveal(),
	})
}

func (s *sealer) openRow(r *row) (Account, Material, error) {
	var c contents
	if err := s.unseal("account", r, r.Sealed, &c); err != nil {
		return Account{}, Material{}, err
	}
	return c.Account, Material{
		Token:        NewSecret(c.Token),
		ClientSecret: NewSecret(c.ClientSecret),
		PrivateKey:   NewSecret(c.PrivateKey),
		RefreshToken: NewSecret(c.RefreshToken),
	}, nil
}

func (s *sealer) seal(purpose string, r *row, content any) ([]byte, error) {
	plain, err := json.Marshal(content)
	if err != nil {
		return nil, fault.New(fault.Internal, "the account %s cannot be written down", r.Name).Wrap(err)
	}
	sealed, err := s.aead.Encrypt(plain, s.binding(purpose, r))
	if err != nil {
		return nil, fault.New(fault.Internal, "the account %s cannot be sealed", r.Name).Wrap(err)
	}
	return sealed, nil
}

func (s *sealer) unseal(purpose string, r *row, sealed []byte, content any) error {
	plain, err := s.aead.Decrypt(sealed, s.binding(purpose, r))
	if err == nil {
		err = json.Unmarshal(plain, content)
	}
	if err != nil {
		return fault.New(fault.Denied, "the %s account %s was changed outside Lockstep and cannot be opened", r.Side.Title(), r.Name).
			WithMend("%s", connectCommand(r.Name, r.Side))
	}
	return nil
}

// binding is the associated data: a ciphertext opens only in the place that it
// was made for.
func (s *sealer) binding(purpose string, r *row) []byte {
	var b bytes.Buffer
	for _, part := range []string{"lockstep", purpose, s.vault, r.Name, string(r.Side), string(r.Kind), fmt.Sprint(r.Revision)} {
		fmt.Fprintf(&b, "%d:%s", len(part), part)
	}
	return b.Bytes()
}

func wrapKeyset(handle *keyset.Handle, key *keyEncryptionKey, vault string) (wrappedKeyset, error) {
	kek, err := key.aead()
	if err != nil {
		return wrappedKeyset{}, fault.New(fault.Internal, "the key cannot be used").Wrap(err)
	}
	var sealed bytes.Buffer
	if err := handle.WriteWithAssociatedData(keyset.NewBinaryWriter(&sealed), kek, keysetBinding(vault)); err != nil {
		return wrappedKeyset{}, fault.New(fault.Internal, "the data keys cannot be sealed").Wrap(err)
	}
	return wrappedKeyset{KEK: key.fingerprint(), From: key.from, Keyset: sealed.Bytes()}, nil
}

func unwrapKeyset(wrapped *wrappedKeyset, key *keyEncryptionKey, vault string) (*keyset.Handle, error) {
	kek, err := key.aead()
	if err != nil {
		return nil, fault.New(fault.Internal, "the key cannot be used").Wrap(err)
	}
	handle, err := keyset.ReadWithAssociatedData(keyset.NewBinaryReader(bytes.NewReader(wrapped.Keyset)), kek, keysetBinding(vault))
	if err != nil {
		return nil, fault.New(fault.Denied, "the accounts were changed outside Lockstep and cannot be opened").
			WithMend("put the file accounts.json back from a backup, or remove it and connect the accounts again")
	}
	return handle, nil
}

func keysetBinding(vault string) []byte { return []byte("lockstep keyset\x00" + vault) }
