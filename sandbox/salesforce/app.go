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
	WebServer         Flow = "authorization_code"
	ClientCredentials Flow = "client_credentials"
	JWTBearer         Flow = "jwt_bearer"
	RefreshToken      Flow = "refresh_token"
	Password          Flow = "password"
)

// PermittedUsers says who may use an app.
type PermittedUsers string

// Who may use an app. EverybodyApproved is a short cut for tests, which a real
// org lacks: nobody has to approve anything before a JWT is taken.
const (
	EverybodyApproved PermittedUsers = ""
	SelfAuthorized    PermittedUsers = "self-authorize" // each user allows it on the consent page
	AdminApproved     PermittedUsers = "admin-approved" // those of the named profiles and permission sets
)

// App is an external client app, or a connected app: the endpoints are the same.
type App struct {
	Name         string `json:"name"`
	Description  string `json:"description,omitempty"`
	ContactEmail string `json:"contactEmail,omitempty"`
	ClientID     string `json:"clientId"`
	ClientSecret string `json:"clientSecret"`
	// RunAs is the username that client credentials run as; the integration user when empty.
	RunAs string `json:"runAs"`
	// CertificatePEM checks JWT bearer assertions: an X.509 certificate or a public key.
	CertificatePEM []byte `json:"certificatePem,omitempty"`
	// CallbackURLs are where the web flow may lead back to, to the letter: https,
	// a scheme of an app, or http on this machine.
	CallbackURLs []string `json:"callbackUrls,omitempty"`
	// Flows defaults to client credentials and refresh, JWT when there is a
	// certificate, and the web flow when there is a callback URL.
	Flows []Flow `json:"flows"`
	// Scopes defaults to api, refresh_token and id.
	Scopes []string `json:"scopes"`
	// RequirePKCE refuses the web flow without a code challenge.
	RequirePKCE bool `json:"requirePkce,omitempty"`
	// SecretOptional lets the web flow and refreshing do without the secret, for
	// apps that cannot keep one.
	SecretOptional bool `json:"secretOptional,omitempty"`
	// RotateRefreshTokens makes every refresh token work once.
	RotateRefreshTokens bool `json:"rotateRefreshTokens,omitempty"`
	// RefreshIdleDays ends refresh tokens that were not used for so long; 0: they
	// are good until revoked.
	RefreshIdleDays int `json:"refreshIdleDays,omitempty"`
	// PermittedUsers says who may use it; with AdminApproved those who have one of
	// the profiles or permission sets.
	PermittedUsers         PermittedUsers `json:"permittedUsers,omitempty"`
	ApprovedProfiles       []string       `json:"approvedProfiles,omitempty"`
	ApprovedPermissionSets []string       `json:"approvedPermissionSets,omitempty"`
	// Connected marks a connected app, the older kind, of which none can be made any more.
	Connected bool `json:"connected,omitempty"`
	// Rotations counts how often the secret was replaced.
	Rotations int `json:"rotations,omitempty"`
}

type application struct {
	App
	key *rsa.PublicKey
}

func (a *application) allows(f Flow) bool { return slices.Contains(a.Flows, f) }

// approves says whether an administrator approved the app for the user.
func (a *application) approves(u *user) bool {
	return slices.Contains(a.ApprovedProfiles, u.Profile) ||
		slices.ContainsFunc(u.sets, func(set string) bool { return slices.Contains(a.ApprovedPermissionSets, set) })
}

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
	count := 0
	for _, other := range s.apps {
		if !other.Connected {
			count++
		}
	}
	serial := fmt.Sprint(count, a.Name)
	if a.ClientID == "" {
		a.ClientID = "3MVG9fake." + s.fakeText("client id", serial, 64)
	}
	if a.ClientSecret == "" {
		a.ClientSecret = s.secretFor(serial)
	}
	if s.apps[a.ClientID] != nil {
		return nil, fmt.Errorf("an app with client id %s exists already", a.ClientID)
	}
	if a.RunAs == "" {
		a.RunAs = IntegrationUsername
	}
	if len(a.Flows) == 0 {
		a.Flows = []Flow{ClientCredentials, RefreshToken}
		if len(a.CertificatePEM) > 0 {
			a.Flows = append(a.Flows, JWTBearer)
		}
		if len(a.CallbackURLs) > 0 {
			a.Flows = append(a.Flows, WebServer)
		}
	}
	if len(a.Scopes) == 0 {
		a.Scopes = []string{"api", "refresh_token", "id"}
	}
	return s.register(a)
}

// register checks the app and puts it in place.
func (s *Server) register(a App) (*application, error) {
	key, err := s.checkedApp(&a)
	if err != nil {
		return nil, err
	}
	made := &application{App: a, key: key}
	s.apps[a.ClientID] = made
	s.changes++
	return made, nil
}

func (s *Server) secretFor(serial string) string {
	return "FAKE" + strings.ToUpper(s.fakeText("client secret", serial, 48))
}

// UpdateApp changes an app's settings; its client id says which. Secret and kind
// stay as they are.
func (s *Server) UpdateApp(a App) (App, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	known := s.apps[a.ClientID]
	if known == nil {
		return App{}, fmt.Errorf("there is no app with client id %s", a.ClientID)
	}
	a.ClientSecret, a.Connected, a.Rotations = known.ClientSecret, known.Connected, known.Rotations
	made, err := s.register(a)
	if err != nil {
		return App{}, err
	}
	return made.App, nil
}

// RotateSecret gives an app another secret; the old one is dead at once. Tokens
// that were issued stay good.
func (s *Server) RotateSecret(clientID string) (App, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	known := s.apps[clientID]
	if known == nil {
		return App{}, fmt.Errorf("there is no app with client id %s", clientID)
	}
	next := *known
	next.Rotations++
	next.ClientSecret = s.secretFor(fmt.Sprint(clientID, next.Rotations))
	s.apps[clientID] = &next
	s.changes++
	return next.App, nil
}

// DeleteApp removes an app with all that was issued to it.
func (s *Server) DeleteApp(clientID string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.apps[clientID] == nil {
		return fmt.Errorf("there is no app with client id %s", clientID)
	}
	delete(s.apps, clientID)
	s.changes++
	s.sessions.mu.Lock()
	defer s.sessions.mu.Unlock()
	for _, g := range s.sessions.grants(func(g *refreshGrant) bool { return g.ClientID == clientID }) {
		s.sessions.dropChain(g.Chain)
	}
	for token, one := range s.sessions.byToken {
		if one.ClientID == clientID {
			delete(s.sessions.byToken, token)
		}
	}
	for place := range s.sessions.consents {
		if strings.HasPrefix(place, clientID+" ") {
			delete(s.sessions.consents, place)
		}
	}
	return nil
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

// connectLegacyApp makes the connected app that an org of some age has: it keeps
// working, but it could not be made today.
func (s *Server) connectLegacyApp() {
	s.apps[legacyClientID] = &application{App: App{
		Name: "HubSpot connector (2021)", Description: "Made before External Client Apps were the only kind.",
		ClientID: legacyClientID, ClientSecret: s.secretFor(legacyClientID), RunAs: IntegrationUsername, Connected: true,
		CallbackURLs: []string{"https://connector.example/oauth/callback"}, Flows: []Flow{WebServer, RefreshToken},
		Scopes: []string{"api", "refresh_token"}, PermittedUsers: SelfAuthorized,
	}}
}

const legacyClientID = "3MVG9fake.legacy.connected.app.2021"
