package credential

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"

	"github.com/lockstep-sync/lockstep/internal/fault"
)

// minRSABits is the least that Salesforce takes for a certificate.
const minRSABits = 2048

// parsePrivateKey reads a PEM RSA key. Errors never hold a part of it.
func parsePrivateKey(secret Secret) (*rsa.PrivateKey, error) {
	mend := "make a key and certificate with: openssl req -x509 -newkey rsa:2048 -nodes -days 730 -subj /CN=lockstep -keyout lockstep.key -out lockstep.crt; upload lockstep.crt to the app, give lockstep.key to Lockstep"
	rest := []byte(secret.Reveal())
	for {
		var block *pem.Block
		block, rest = pem.Decode(rest)
		if block == nil {
			return nil, fault.New(fault.Invalid, "this is not a private key in PEM form").WithMend("%s", mend)
		}
		var key any
		var err error
		switch block.Type {
		case "RSA PRIVATE KEY":
			if block.Headers["DEK-Info"] != "" {
				return nil, encryptedKey()
			}
			key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
		case "PRIVATE KEY":
			key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
		case "ENCRYPTED PRIVATE KEY":
			return nil, encryptedKey()
		default:
			continue
		}
		if err != nil {
			return nil, fault.New(fault.Invalid, "the private key is damaged").WithMend("copy the whole file, from -----BEGIN to -----END")
		}
		private, isRSA := key.(*rsa.PrivateKey)
		if !isRSA {
			return nil, fault.New(fault.Invalid, "the private key is not an RSA key, and Salesforce takes RS256 only").WithMend("%s", mend)
		}
		if private.N.BitLen() < minRSABits {
			return nil, fault.New(fault.Invalid, "the private key has %d bits; Salesforce takes %d or more", private.N.BitLen(), minRSABits).WithMend("%s", mend)
		}
		return private, nil
	}
}

func encryptedKey() error {
	return fault.New(fault.Invalid, "the private key is locked with a passphrase").
		WithMend("take it off with: openssl pkey -in locked.key -out lockstep.key; Lockstep keeps the key encrypted itself")
}
