package serve

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// certificate is a self-signed certificate for 127.0.0.1, which is its own authority.
type certificate struct {
	pool *x509.CertPool
	pair tls.Certificate
	pem  struct{ cert, key []byte }
}

func newCertificate(t *testing.T, serial int64) *certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: fmt.Sprint("certificate ", serial)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage:    x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	c := &certificate{pool: x509.NewCertPool()}
	c.pem.cert = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	c.pem.key = pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: encoded})
	c.pool.AppendCertsFromPEM(c.pem.cert)
	if c.pair, err = tls.X509KeyPair(c.pem.cert, c.pem.key); err != nil {
		t.Fatal(err)
	}
	return c
}

// write writes the certificate and key as files of dir that a web configuration names.
func (c *certificate) write(t *testing.T, dir string) {
	t.Helper()
	for name, data := range map[string][]byte{"tls.crt": c.pem.cert, "tls.key": c.pem.key} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// webConfig writes a web configuration into dir and returns its path.
func webConfig(t *testing.T, dir, text string) string {
	t.Helper()
	path := filepath.Join(dir, "web.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// browser returns a client without connections that trusts roots and may show a
// certificate of its own.
func browser(t *testing.T, roots *x509.CertPool, own ...tls.Certificate) *http.Client {
	t.Helper()
	transport := &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{RootCAs: roots, Certificates: own, MinVersion: tls.VersionTLS12}}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// visit returns the response of a request, whose body it has read.
func visit(t *testing.T, client *http.Client, url string, edit ...func(*http.Request)) (reply, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range edit {
		e(req)
	}
	resp, err := client.Do(req)
	if err != nil {
		return reply{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return reply{resp.StatusCode, resp.ProtoMajor, string(body)}, err
}

// reply is a response with its whole body.
type reply struct {
	code, protoMajor int
	body             string
}

const twoFiles = "tls_server_config: {cert_file: tls.crt, key_file: tls.key}\n"

// A replaced certificate is that of the next connection, on both ports. Neither speaks
// plain HTTP.
func TestCertificatesRotate(t *testing.T) {
	dir := t.TempDir()
	c := fineConfig()
	c.WebConfig = webConfig(t, dir, twoFiles)
	first, second := newCertificate(t, 1), newCertificate(t, 2)
	first.write(t, dir)
	s, end := start(t, c)
	for _, current := range []*certificate{first, second} {
		if current == second { // the ports have read the first
			second.write(t, dir)
		}
		for address, want := range map[string]string{s.Address(): "main", s.TelemetryAddress(): "self"} {
			got, err := visit(t, browser(t, current.pool), "https://"+address+"/metrics")
			if err != nil || got.body != want || got.protoMajor != 2 {
				t.Errorf("%s with the certificate of %v: %v %q", want, current.pair.Leaf.Subject, err, got.body)
			}
		}
	}
	if _, err := visit(t, browser(t, first.pool), "https://"+s.Address()+"/metrics"); err == nil {
		t.Error("the certificate that was replaced is still in use")
	}
	if code, _ := get(t, s.Address(), "/metrics"); code != http.StatusBadRequest {
		t.Errorf("plain HTTP: %d", code)
	}
	if err := end(); err != nil {
		t.Error(err)
	}
}

// A port that requires a client certificate accepts those of its authorities only.
func TestClientCertificates(t *testing.T) {
	dir := t.TempDir()
	server, client, stranger := newCertificate(t, 1), newCertificate(t, 2), newCertificate(t, 3)
	server.write(t, dir)
	if err := os.WriteFile(filepath.Join(dir, "ca.crt"), client.pem.cert, 0o600); err != nil {
		t.Fatal(err)
	}
	c := fineConfig()
	c.WebConfig = webConfig(t, dir, "tls_server_config: {cert_file: tls.crt, key_file: tls.key, client_auth_type: RequireAndVerifyClientCert, client_ca_file: ca.crt}\n")
	s, end := start(t, c)
	for _, address := range []string{s.Address(), s.TelemetryAddress()} {
		if got, err := visit(t, browser(t, server.pool, client.pair), "https://"+address+"/metrics"); err != nil || got.code != http.StatusOK {
			t.Errorf("with the certificate of a client: %v", err)
		}
		if _, err := visit(t, browser(t, server.pool), "https://"+address+"/metrics"); err == nil {
			t.Error("accepted a client without a certificate")
		}
		if _, err := visit(t, browser(t, server.pool, stranger.pair), "https://"+address+"/metrics"); err == nil {
			t.Error("accepted the certificate of a stranger")
		}
	}
	if err := end(); err != nil {
		t.Error(err)
	}
}

// Basic authentication covers every path of both ports. Users that are added to the file
// count from the next request on.
func TestBasicAuthentication(t *testing.T) {
	const secret = "$2a$04$yAwAJ9nyHJMqM1T1HsL2Eexik1pEA1/q2ri5vNtdjDYSN0uX7345u" //nolint:gosec // of the password secret
	dir := t.TempDir()
	c := fineConfig()
	c.WebConfig = webConfig(t, dir, "basic_auth_users: {prometheus: '"+secret+"'}\n")
	s, end := start(t, c)
	as := func(user, password string) func(*http.Request) {
		return func(r *http.Request) { r.SetBasicAuth(user, password) }
	}
	status := func(path string, edit ...func(*http.Request)) (codes [2]int) {
		for i, address := range []string{s.Address(), s.TelemetryAddress()} {
			got, err := visit(t, browser(t, nil), "http://"+address+path, edit...)
			if err != nil {
				t.Fatal(err)
			}
			codes[i] = got.code
		}
		return codes
	}
	for _, path := range []string{"/", "/metrics", "/readyz"} {
		if codes := status(path); codes != [2]int{401, 401} {
			t.Errorf("%s without a password: %d", path, codes)
		}
		if codes := status(path, as("prometheus", "wrong")); codes != [2]int{401, 401} {
			t.Errorf("%s with a wrong password: %d", path, codes)
		}
		if codes := status(path, as("prometheus", "secret")); codes != [2]int{200, 200} {
			t.Errorf("%s with the password: %d", path, codes)
		}
	}
	webConfig(t, dir, "basic_auth_users: {other: '"+secret+"'}\n")
	if a, b := status("/metrics", as("prometheus", "secret")), status("/metrics", as("other", "secret")); a != [2]int{401, 401} || b != [2]int{200, 200} {
		t.Errorf("after the users changed: %d for the old, %d for the new", a, b)
	}
	if err := end(); err != nil {
		t.Error(err)
	}
}

// No port is opened with a web configuration that is invalid; the error names it.
func TestInvalidWebConfig(t *testing.T) {
	dir := t.TempDir()
	newCertificate(t, 1).write(t, dir)
	for name, text := range map[string]string{
		"unknown key":      "tls_server: {}\n",
		"no key":           "tls_server_config: {cert_file: tls.crt}\n",
		"no file":          "tls_server_config: {cert_file: none.crt, key_file: tls.key}\n",
		"no hash":          "basic_auth_users: {prometheus: secret}\n",
		"authority unused": "tls_server_config: {cert_file: tls.crt, key_file: tls.key, client_ca_file: tls.crt}\n",
	} {
		c := fineConfig()
		c.Address, c.TelemetryAddress, c.Logger = "127.0.0.1:0", "127.0.0.1:0", slog.New(slog.DiscardHandler)
		c.WebConfig = webConfig(t, dir, text)
		if _, err := Listen(t.Context(), c); err == nil || !strings.Contains(err.Error(), c.WebConfig) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What Protect wraps is exactly what tells about the cluster or the process; probes and
// the landing page stay open.
func TestProtectedPaths(t *testing.T) {
	c := fineConfig()
	c.Protect = func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "who are you", http.StatusUnauthorized) })
	}
	s, end := start(t, c)
	for address, paths := range map[string]map[string]int{
		s.Address(): {"/metrics": 401, "/sd": 401, "/": 200, "/healthz": 200, "/livez": 200, "/readyz": 200, "/debug/pprof/": 404},
		s.TelemetryAddress(): {
			"/metrics": 401, "/": 200, "/readyz": 200, "/debug/pprof/": 401, "/debug/pprof/heap": 401, "/debug/pprof/cmdline": 401,
			"/debug/pprof/profile": 401, "/debug/pprof/symbol": 401, "/debug/pprof/trace": 401,
		},
	} {
		for path, want := range paths {
			if code, _ := get(t, address, path); code != want {
				t.Errorf("%s: %d, not %d", path, code, want)
			}
		}
	}
	if err := end(); err != nil {
		t.Error(err)
	}
}

// Profiles can be turned off; nothing refers to them then.
func TestProfilingDisabled(t *testing.T) {
	c := fineConfig()
	c.DisableProfiling = true
	s, end := start(t, c)
	for _, path := range []string{"/debug/pprof/", "/debug/pprof/heap", "/debug/pprof/cmdline"} {
		if code, _ := get(t, s.TelemetryAddress(), path); code != http.StatusNotFound {
			t.Errorf("%s: %d", path, code)
		}
	}
	if _, page := get(t, s.TelemetryAddress(), "/"); strings.Contains(page, "pprof") {
		t.Error("the landing page links profiles")
	}
	if err := end(); err != nil {
		t.Error(err)
	}
}

// Where a port has too many connections, those below TLS that are idle make room.
func TestIdleConnectionsBelowTLS(t *testing.T) {
	dir := t.TempDir()
	cert := newCertificate(t, 1)
	cert.write(t, dir)
	c := fineConfig()
	c.WebConfig = webConfig(t, dir, twoFiles)
	s, end := start(t, c)
	if _, err := visit(t, browser(t, cert.pool), "https://"+s.Address()+"/metrics"); err != nil {
		t.Fatal(err)
	}
	l := s.main.listener.(*listener) //nolint:forcetypeassert // it is one
	for !l.closeIdle() {             // a connection may still be becoming idle
		time.Sleep(minIdle)
	}
	if _, err := visit(t, browser(t, cert.pool), "https://"+s.Address()+"/metrics"); err != nil {
		t.Error(err)
	}
	if err := end(); err != nil {
		t.Error(err)
	}
}
