package e2e

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/lockstep-sync/lockstep/sandbox/salesforce"
)

// makeCertified does what an admin does for the JWT flow: a key pair, a
// self-signed certificate, an External Client App that holds the certificate.
func makeCertified(ts *testscript.TestScript, _ bool, _ []string) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	ts.Check(err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "lockstep-test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	ts.Check(err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	ts.Check(err)

	w := worldOf(ts)
	app, err := w.sandbox.Salesforce().CreateApp(salesforce.App{Name: "certified",
		CertificatePEM: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate}),
		Flows:          []salesforce.Flow{salesforce.JWTBearer}})
	ts.Check(err)
	text := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}))
	ts.Check(os.WriteFile(filepath.Join(w.secrets, "server.key"), []byte(text), 0o600))
	w.planted = append(w.planted, strings.Split(text, "\n")[5])
	ts.Setenv("JWT_CLIENT_ID", app.ClientID)
	ts.Setenv("JWT_USER", salesforce.IntegrationUsername)
}
