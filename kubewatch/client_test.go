package kubewatch

import (
	"context"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"k8s.io/client-go/rest"

	"github.com/kubestate/kubestate/internal/sim/apiserver"
	"github.com/kubestate/kubestate/kind"
)

// kubeconfig writes a file that says where server is and what it certifies, with
// the token "open-sesame".
func kubeconfig(t *testing.T, server *httptest.Server) string {
	t.Helper()
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	text := fmt.Sprintf(`apiVersion: v1
kind: Config
current-context: test
contexts: [{name: test, context: {cluster: test, user: test}}]
users: [{name: test, user: {token: open-sesame}}]
clusters: [{name: test, cluster: {server: %q, certificate-authority-data: %s}}]
`, server.URL, base64.StdEncoding.EncodeToString(ca))
	path := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// The whole way over TLS, HTTP/2 and a token, as against a real server.
func TestConnect(t *testing.T) {
	store, err := apiserver.NewStore(apiserver.StoreConfig{Resources: apiserver.Resources()})
	if err != nil {
		t.Fatal(err)
	}
	api := apiserver.New(store, apiserver.Config{})
	wantAgent := fmt.Sprintf("kubestate/v1.2.3 (%s/%s)", runtime.GOOS, runtime.GOARCH)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if agent := r.Header.Get("User-Agent"); agent != wantAgent {
			t.Errorf("user agent %q, want %q", agent, wantAgent)
		}
		if r.Header.Get("Authorization") != "Bearer open-sesame" || r.ProtoMajor != 2 || r.Header.Get("Accept-Encoding") != "" {
			t.Errorf("request %s with %v", r.Proto, r.Header)
		}
		api.ServeHTTP(w, r)
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()

	c, err := Connect(Config{Kubeconfig: kubeconfig(t, server), Version: "v1.2.3"})
	if err != nil {
		t.Fatal(err)
	}
	if version, err := c.Version(t.Context()); err != nil || !strings.HasPrefix(version, "v1.") {
		t.Errorf("version %q, error %v", version, err)
	}
	arrived := make(chan string)
	m := &memory{onPut: func(o kind.Object) { arrived <- o.GetName() }}
	g, err := NewGroup(c, []Watch{{Table: kind.ReplicaSets, Store: m}}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { g.Run(ctx) })
	defer running.Wait()
	defer cancel()
	if err := store.Put(replicaSet("a")); err != nil {
		t.Fatal(err)
	}
	if got := <-arrived; got != "a" {
		t.Errorf("got %q", got)
	}
}

func TestAPIServerOverridesKubeconfig(t *testing.T) {
	api := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer api.Close()
	c, err := Connect(Config{Kubeconfig: kubeconfig(t, api), APIServer: "https://127.0.0.1:1/prefix"})
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Server(); got != "https://127.0.0.1:1/prefix/" && got != "https://127.0.0.1:1/prefix" {
		t.Errorf("base %q", got)
	}
	_, err = c.Version(t.Context())
	if err == nil || !strings.HasPrefix(err.Error(), "get version of API server https://127.0.0.1:1/prefix") || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("got %v", err)
	}
}

func TestAPIServerAlone(t *testing.T) {
	store, err := apiserver.NewStore(apiserver.StoreConfig{})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(apiserver.New(store, apiserver.Config{}))
	defer server.Close()
	c, err := Connect(Config{APIServer: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	if version, err := c.Version(t.Context()); err != nil || !strings.HasPrefix(version, "v1.") {
		t.Errorf("version %q, error %v", version, err)
	}
}

// A program that embeds us goes on using its configuration for its own clients.
func TestNewClient(t *testing.T) {
	store, err := apiserver.NewStore(apiserver.StoreConfig{})
	if err != nil {
		t.Fatal(err)
	}
	api := apiserver.New(store, apiserver.Config{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get("User-Agent") + " " + r.Header.Get("Authorization"); got != "embedder Bearer open-sesame" {
			t.Errorf("request as %q", got)
		}
		api.ServeHTTP(w, r)
	}))
	defer server.Close()
	var dialled atomic.Bool
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		dialled.Store(true)
		return (&net.Dialer{}).DialContext(ctx, network, address)
	}
	config := &rest.Config{Host: server.URL, BearerToken: "open-sesame", UserAgent: "embedder", Dial: dial}
	c, err := NewClient(config)
	if err != nil {
		t.Fatal(err)
	}
	if version, err := c.Version(t.Context()); err != nil || !strings.HasPrefix(version, "v1.") {
		t.Errorf("version %q, error %v", version, err)
	}
	if !dialled.Load() {
		t.Error("the dialer of the configuration was not used")
	}
	if config.DisableCompression {
		t.Error("the configuration was changed")
	}
	if _, err := NewClient(&rest.Config{Host: "http://bad%"}); err == nil {
		t.Error("no error for a bad host")
	}
}

func TestConnectErrors(t *testing.T) {
	t.Setenv("KUBERNETES_SERVICE_HOST", "")
	missing := filepath.Join(t.TempDir(), "missing")
	for want, config := range map[string]Config{
		"neither a kubeconfig nor an API server is given": {},
		missing: {Kubeconfig: missing},
		"bad%":  {APIServer: "http://bad%"},
	} {
		if _, err := Connect(config); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: got %v, want %q in it", config, err, want)
		}
	}
}

func TestVersionOfSomethingElse(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", mediaJSON)
		_, _ = w.Write([]byte(`{"hello":"world"}`))
	}))
	defer server.Close()
	c, err := Connect(Config{APIServer: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	if version, err := c.Version(t.Context()); err == nil || !strings.Contains(err.Error(), "no gitVersion") {
		t.Errorf("got %q, %v", version, err)
	}
}
