package client

import (
	"encoding/pem"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

func write(t *testing.T, content string) (file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// do posts to url and returns the status and the version that the server has seen.
func do(t *testing.T, c Config, url string) (status int, version string, err error) {
	t.Helper()
	client, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.CloseIdleConnections)
	return doWith(t, client, url)
}

func doWith(t *testing.T, client *http.Client, url string) (status int, version string, err error) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := Do(client, request)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	defer Drain(response.Body)
	return response.StatusCode, response.Header.Get("Version"), nil
}

// tell answers with the version of HTTP that a request has.
func tell(w http.ResponseWriter, r *http.Request) { w.Header().Set("Version", r.Proto) }

func TestVersions(t *testing.T) {
	plain := httptest.NewUnstartedServer(http.HandlerFunc(tell))
	plain.Config.Protocols = &http.Protocols{}
	plain.Config.Protocols.SetHTTP1(true)
	plain.Config.Protocols.SetUnencryptedHTTP2(true)
	plain.Start()
	t.Cleanup(plain.Close)
	secure := httptest.NewUnstartedServer(http.HandlerFunc(tell))
	secure.EnableHTTP2 = true
	secure.StartTLS()
	t.Cleanup(secure.Close)
	old := httptest.NewTLSServer(http.HandlerFunc(tell))
	t.Cleanup(old.Close)
	ca := func(s *httptest.Server) string {
		return write(t, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})))
	}
	tests := []struct {
		name   string
		config Config
		url    string
		want   string // empty: an error
	}{
		{"plain", Config{}, plain.URL, "HTTP/1.1"},
		{"plain, 2 only", Config{HTTP2: true}, plain.URL, "HTTP/2.0"},
		{"TLS", Config{CAFile: ca(secure)}, secure.URL, "HTTP/2.0"},
		{"TLS, 2 only", Config{CAFile: ca(secure), HTTP2: true}, secure.URL, "HTTP/2.0"},
		{"TLS, to one who knows 1 alone", Config{CAFile: ca(old)}, old.URL, "HTTP/1.1"},
		{"TLS, 2 only, to one who knows 1 alone", Config{CAFile: ca(old), HTTP2: true}, old.URL, ""},
		{"a certificate that is not trusted", Config{}, secure.URL, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, got, err := do(t, test.config, test.url)
			if got != test.want || (err == nil) != (test.want != "") {
				t.Errorf("version %q and error %v, want version %q", got, err, test.want)
			}
		})
	}
}

// TestReuse: an answer that nobody has read costs no connection, unless it is long.
func TestReuse(t *testing.T) {
	for size, want := range map[int]int{1000: 1, 1 << 20: 3} {
		var connections atomic.Int32
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write(make([]byte, size)) // the client may have hung up
		}))
		server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
			if state == http.StateNew {
				connections.Add(1)
			}
		}
		server.Start()
		client, err := New(Config{})
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if _, _, err := doWith(t, client, server.URL); err != nil {
				t.Fatal(err)
			}
		}
		server.Close()
		if got := int(connections.Load()); got != want {
			t.Errorf("%d connections for 3 requests with answers of %d bytes, want %d", got, size, want)
		}
	}
}

func TestProxy(t *testing.T) {
	request := httptest.NewRequest(http.MethodPost, "http://receiver.example/", http.NoBody)
	if p, err := proxy(true)(request); p != nil || err != nil {
		t.Errorf("HTTP/2 without TLS goes to the proxy %v (%v)", p, err)
	}
}

// TestRedirect: a redirect is an answer, not an order.
func TestRedirect(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the redirect was followed") }))
	t.Cleanup(other.Close)
	server := httptest.NewServer(http.RedirectHandler(other.URL, http.StatusPermanentRedirect))
	t.Cleanup(server.Close)
	status, _, err := do(t, Config{}, server.URL)
	if status != http.StatusPermanentRedirect || err != nil {
		t.Errorf("status %d, error %v", status, err)
	}
}

func TestErrorHasNoSecret(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	_, _, err := do(t, Config{}, server.URL+"/path?token=hidden")
	if err == nil || !strings.HasPrefix(err.Error(), "post to 127.0.0.1:") || strings.Contains(err.Error(), "hidden") {
		t.Errorf("error %v", err)
	}
}

func TestCAFile(t *testing.T) {
	for file, want := range map[string]string{"/nonexistent": "read CAFile: open /nonexistent", write(t, "-----BEGIN nothing"): "holds no certificate"} {
		if _, err := New(Config{CAFile: file}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

func TestCheckURL(t *testing.T) {
	for _, good := range []string{"http://x", "https://x:1/path?q=1"} {
		if err := CheckURL(good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for bad, want := range map[string]string{
		"":                   `scheme "" and host ""`,
		"x:1":                `scheme "x" and host ""`,
		"grpc://x":           `scheme "grpc" and host "x": must be http`,
		"http://":            `host ""`,
		"http://hidden@x":    `host "x": must not hold a user`,
		"http://\x00/hidden": "cannot be parsed",
	} {
		if err := CheckURL(bad); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hidden") {
			t.Errorf("%s: error %v, want %q", bad, err, want)
		}
	}
}

func TestSecret(t *testing.T) {
	if got, err := Secret(write(t, "\n secret value\r\n")); got != "secret value" || err != nil {
		t.Errorf("got %q, error %v", got, err)
	}
	for content, want := range map[string]string{
		"": "is empty", "hidden\nhidden": "more than one line", "hidden\x7f": "control characters", "hidden\x00": "control characters",
	} {
		if got, err := Secret(write(t, content)); got != "" || err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hidden") {
			t.Errorf("%q: got %q, error %v", content, got, err)
		}
	}
	if _, err := Secret("/nonexistent"); err == nil || !strings.Contains(err.Error(), "/nonexistent") {
		t.Errorf("error %v", err)
	}
}
