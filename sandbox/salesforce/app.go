package salesforce

import (
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"
)

// Flow is one way to get a token.
type Flow string

// The flows that an app can allow.
const (
	ClientCredentials Flow = "client_credentials"
	JWTBearer         Flow = "jwt_bearer"
	RefreshToken      Flow = "refresh_token"
	Password          Flow = "password"
)

// App is an external client app (or a connected app: the endpoints are the same).
type App struct {
	Name         string `json:"name"`
	ClientID     string `json:"clientId"`
	ClientSecret string `json:"clientSecret"`
	// RunAs is the username that client credentials run as; the integration user when empty.
	RunAs string `json:"runAs"`
	// CertificatePEM checks JWT bearer assertions: an X.509 certificate or a public key.
	CertificatePEM []byte `json:"certificatePem,omitempty"`
	// Flows defaults to client credentials and refresh, and JWT when there is a certificate.
	Flows []Flow `json:"flows"`
	// Scopes defaults to api, refresh_token and id.
	Scopes []string `json:"scopes"`
	// RotateRefreshTokens makes every refresh token work once.
	RotateRefreshTokens bool `json:"rotateRefreshTokens,omitempty"`
}

type application struct {
	App
	key *rsa.PublicKey
}

func (a *application) allows(f Flow) bool { return slices.Contains(a.Flows, f) }

// CreateApp registers an app and returns it with what was filled in.
func (s *Server) CreateApp(a App) (App, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	made, err := s.createApp(a)
	if err != nil {
		return App{}, err
	}
	return made.App, nil
}

func (s *Server) createApp(a App) (*application, error) {
	if a.Name == "" {
		a.Name = "Lockstep"
	}
	serial := fmt.Sprint(len(s.apps), a.Name)
	if a.ClientID == "" {
		a.ClientID = "3MVG9fake." + s.fakeText("client id", serial, 64)
	}
	if a.ClientSecret == "" {
		a.ClientSecret = "FAKE" + strings.ToUpper(s.fakeText("client secret", serial, 48))
	}
	if s.apps[a.ClientID] != nil {
		return nil, fmt.Errorf("an app with client id %s exists already", a.ClientID)
	}
	if a.RunAs == "" {
		a.RunAs = IntegrationUsername
	}
	if s.users[strings.ToLower(a.RunAs)] == nil {
		return nil, fmt.Errorf("app %s runs as %s, and there is no such user", a.Name, a.RunAs)
	}
	made := &application{}
	if len(a.CertificatePEM) > 0 {
		key, err := publicKey(a.CertificatePEM)
		if err != nil {
			return nil, fmt.Errorf("certificate of app %s: %w", a.Name, err)
		}
		made.key = key
	}
	if len(a.Flows) == 0 {
		a.Flows = []Flow{ClientCredentials, RefreshToken}
		if made.key != nil {
			a.Flows = append(a.Flows, JWTBearer)
		}
	}
	if len(a.Scopes) == 0 {
		a.Scopes = []string{"api", "refresh_token", "id"}
	}
	made.App = a
	s.apps[a.ClientID] = made
	s.changes++
	return made, nil
}

// Apps lists the apps by name.
func (s *Server) Apps() []App {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var list []App
	for _, a := range s.apps {
		list = append(list, a.App)
	}
	sort.Slice(list, func(i, j int) bool { return list[i].Name+list[i].ClientID < list[j].Name+list[j].ClientID })
	return list
}

func publicKey(text []byte) (*rsa.PublicKey, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("no PEM block in it")
	}
	var key any
	if certificate, err := x509.ParseCertificate(block.Bytes); err == nil {
		key = certificate.PublicKey
	} else if key, err = x509.ParsePKIXPublicKey(block.Bytes); err != nil {
		return nil, errors.New("neither an X.509 certificate nor a public key")
	}
	rsaKey, ok := key.(*rsa.PublicKey)
	if !ok {
		return nil, errors.New("its key is not RSA")
	}
	return rsaKey, nil
}

// fakeText is deterministic text of n hexadecimal characters that depends on the seed.
func (s *Server) fakeText(purpose, name string, n int) string {
	var out string
	for i := 0; len(out) < n; i++ {
		sum := sha256.Sum256(fmt.Appendf(nil, "%d|%s|%s|%d", s.seed, purpose, name, i))
		out += hex.EncodeToString(sum[:])
	}
	return out[:n]
}
