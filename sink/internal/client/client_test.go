package client

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"unicode/utf8"

	"github.com/kubestate/kubestate/internal/sinktest"
	"github.com/kubestate/kubestate/sink"
	"github.com/kubestate/kubestate/sink/internal/push"
)

func write(t *testing.T, content string) (file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "file")
	sinktest.Write(t, file, content)
	return file
}

// post posts to url and returns the status and the HTTP version that the server saw.
func post(t *testing.T, c Config, url string) (status int, version string, err error) {
	t.Helper()
	c.URL = url
	client, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return postWith(t, client, url)
}

func postWith(t *testing.T, client *Client, url string) (status int, version string, err error) {
	t.Helper()
	result := client.Post(t.Context(), url, nil, nil, func(response *http.Response) push.Result {
		status, version = response.StatusCode, response.Header.Get("Version")
		return push.Result{}
	})
	if result.Err != nil && !result.Retry {
		t.Errorf("no response, but no retry: %v", result.Err)
	}
	return status, version, result.Err
}

// echoVersion responds with the HTTP version of the request.
func echoVersion(w http.ResponseWriter, r *http.Request) { w.Header().Set("Version", r.Proto) }

func TestVersions(t *testing.T) {
	plain := sinktest.Serve(t, http.HandlerFunc(echoVersion))
	secure := httptest.NewUnstartedServer(http.HandlerFunc(echoVersion))
	secure.EnableHTTP2 = true
	secure.StartTLS()
	t.Cleanup(secure.Close)
	old := httptest.NewTLSServer(http.HandlerFunc(echoVersion))
	t.Cleanup(old.Close)
	tests := []struct {
		name   string
		config Config
		url    string
		want   string // empty: an error
	}{
		{"plain", Config{}, plain.URL, "HTTP/1.1"},
		{"plain, 2 only", Config{HTTP2: true}, plain.URL, "HTTP/2.0"},
		{"TLS", Config{Connection: sink.Connection{CAFile: sinktest.WriteCA(t, secure)}}, secure.URL, "HTTP/2.0"},
		{"TLS, 2 only", Config{Connection: sink.Connection{CAFile: sinktest.WriteCA(t, secure)}, HTTP2: true}, secure.URL, "HTTP/2.0"},
		{"TLS, server without HTTP/2", Config{Connection: sink.Connection{CAFile: sinktest.WriteCA(t, old)}}, old.URL, "HTTP/1.1"},
		{"TLS, 2 only, server without HTTP/2", Config{Connection: sink.Connection{CAFile: sinktest.WriteCA(t, old)}, HTTP2: true}, old.URL, ""},
		{"untrusted certificate", Config{}, secure.URL, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, got, err := post(t, test.config, test.url)
			if got != test.want || (err == nil) != (test.want != "") {
				t.Errorf("version %q and error %v, want version %q", got, err, test.want)
			}
		})
	}
}

// A short response that nobody reads does not cost a connection.
func TestReuse(t *testing.T) {
	// net/http also gives up a connection that was slow to write, so there may be one
	// more.
	for size, want := range map[int][]int{1000: {1, 2}, 1 << 20: {3}} {
		var connections atomic.Int32
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write(make([]byte, size)) // the client may have closed the connection
		}))
		server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
			if state == http.StateNew {
				connections.Add(1)
			}
		}
		server.Start()
		client, err := New(Config{Connection: sink.Connection{URL: server.URL}})
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if _, _, err := postWith(t, client, server.URL); err != nil {
				t.Fatal(err)
			}
		}
		server.Close()
		if got := int(connections.Load()); !slices.Contains(want, got) {
			t.Errorf("%d connections for 3 requests with responses of %d bytes, want one of %v", got, size, want)
		}
	}
}

func TestProxy(t *testing.T) {
	request := httptest.NewRequest(http.MethodPost, "http://receiver.example/", http.NoBody)
	if p, err := proxy(true)(request); p != nil || err != nil {
		t.Errorf("HTTP/2 without TLS uses the proxy %v (%v)", p, err)
	}
}

// Redirects are not followed.
func TestRedirect(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the redirect was followed") }))
	t.Cleanup(other.Close)
	server := httptest.NewServer(http.RedirectHandler(other.URL, http.StatusPermanentRedirect))
	t.Cleanup(server.Close)
	status, _, err := post(t, Config{}, server.URL)
	if status != http.StatusPermanentRedirect || err != nil {
		t.Errorf("status %d, error %v", status, err)
	}
}

// 401 and 403 are retried if the secret may change.
func TestUnauthorized(t *testing.T) {
	for status, retry := range map[int]bool{http.StatusUnauthorized: true, http.StatusForbidden: true, http.StatusNotFound: false} {
		server := sinktest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
		file := write(t, "secret")
		for _, test := range []struct {
			config Config
			retry  bool
		}{
			{Config{Connection: sink.Connection{Headers: map[string]string{"X-Key": "secret"}}}, false},
			{Config{Connection: sink.Connection{HeaderFiles: map[string]string{"X-Key": file}}}, retry},
			{Config{Connection: sink.Connection{TokenFile: file}}, retry},
		} {
			test.config.URL = server.URL
			client, err := New(test.config)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(client.Close)
			if got := client.Post(t.Context(), server.URL, nil, nil, Status).Retry; got != test.retry {
				t.Errorf("status %d, %+v: retry %t", status, test.config, got)
			}
		}
	}
}

func TestErrorHasNoSecret(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	_, _, err := post(t, Config{}, server.URL+"/path?token=hidden")
	if err == nil || !strings.HasPrefix(err.Error(), "post to 127.0.0.1:") || strings.Contains(err.Error(), "hidden") {
		t.Errorf("error %v", err)
	}
}

// net/http quotes the response of a server that does not speak HTTP, and that response
// may echo the request.
func TestErrorOfAnotherProtocol(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	for _, before := range []string{"", "HTTP/1.1 200 OK\r\nBearer file-secret\r\n", strings.Repeat("é", 500) + " "} {
		go func() {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			defer c.Close()
			request, err := http.ReadRequest(bufio.NewReader(c))
			if err != nil {
				return
			}
			_, _ = fmt.Fprintf(c, "%s%s %s\r\n\r\n", before, request.Header.Get("Authorization"), request.URL)
		}()
		_, _, err := post(t, Config{Connection: sink.Connection{TokenFile: write(t, "file-secret")}}, "http://"+listener.Addr().String()+"/path?token=url-secret")
		if err == nil || strings.Contains(err.Error(), "secret") || utf8.RuneCountInString(err.Error()) > 100+len("post to 127.0.0.1:12345: ") {
			t.Errorf("error %v", err)
		}
	}
}

func TestCAFile(t *testing.T) {
	for file, want := range map[string]string{"/nonexistent": "read CAFile: open /nonexistent", write(t, "-----BEGIN nothing"): "contains no PEM certificate"} {
		if _, err := New(Config{Connection: sink.Connection{URL: "http://x", CAFile: file}}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

func TestURL(t *testing.T) {
	for _, good := range []string{"http://x", "https://x:1/path?q=1"} {
		if err := checkURL(good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for bad, want := range map[string]string{
		"":                   `scheme "" and host ""`,
		"x:1":                `scheme "x" and host ""`,
		"grpc://x":           `scheme "grpc" and host "x": must be http`,
		"http://":            `host ""`,
		"http://hidden@x":    `host "x": must not contain a user`,
		"http://\x00/hidden": "cannot be parsed",
	} {
		if err := checkURL(bad); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hidden") {
			t.Errorf("%s: error %v, want %q", bad, err, want)
		}
	}
}

func TestSecret(t *testing.T) {
	if got, err := Secret(write(t, "\n secret value\r\n")); got != "secret value" || err != nil {
		t.Errorf("got %q, error %v", got, err)
	}
	for content, want := range map[string]string{
		"": "file is empty", "hidden\nhidden": "more than one line", "hidden\x7f": "control characters", "hidden\x00": "control characters",
	} {
		if got, err := Secret(write(t, content)); got != "" || err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hidden") {
			t.Errorf("%q: got %q, error %v", content, got, err)
		}
	}
	const limit = 64 << 10
	if got, err := Secret(write(t, strings.Repeat("h", limit))); len(got) != limit || err != nil {
		t.Errorf("file of %d bytes: got %d, error %v", limit, len(got), err)
	}
	large := write(t, strings.Repeat("h", limit+1))
	if got, err := Secret(large); got != "" || fmt.Sprint(err) != large+": must have at most 65536 bytes" {
		t.Errorf("file of %d bytes: got %d, error %v", limit+1, len(got), err)
	}
	if _, err := Secret("/dev/zero"); err == nil {
		t.Error("endless file: no error")
	}
	if _, err := Secret("/nonexistent"); err == nil || !strings.Contains(err.Error(), "/nonexistent") {
		t.Errorf("error %v", err)
	}
}

func TestHeaders(t *testing.T) {
	var got http.Header
	server := sinktest.Serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.Header }))
	token := write(t, "secret\n")
	config := Config{
		Connection: sink.Connection{URL: server.URL, Headers: map[string]string{"x-one": "1", "X-Two": "2"}, HeaderFiles: map[string]string{"X-Three": token}, TokenFile: token},
	}
	send := func(c Config) {
		client, err := New(c)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(client.Close)
		header := map[string]string{"X-Two": "of the protocol"}
		if r := client.Post(t.Context(), c.URL, nil, header, func(*http.Response) push.Result { return push.Result{} }); r.Err != nil {
			t.Error(r.Err)
		}
	}
	check := func(name, want string) {
		if value := got.Get(name); value != want {
			t.Errorf("header %s is %q, want %q", name, value, want)
		}
	}
	send(config)
	check("X-One", "1")
	check("X-Two", "of the protocol")
	check("X-Three", "secret")
	check("Authorization", "Bearer secret")
	check("User-Agent", "kubestate")
	config.Username, config.UserAgent = "me", "other/1"
	send(config)
	check("Authorization", "Basic bWU6c2VjcmV0")
	check("User-Agent", "other/1")
}

func TestConfig(t *testing.T) {
	_, err := New(Config{
		Connection: sink.Connection{URL: "ftp://x", Client: &http.Client{}, CAFile: "x", Username: "me", Headers: map[string]string{"A": "hidden"}, HeaderFiles: map[string]string{"a": "f"}},
	})
	sinktest.CheckConfig(t, err, `scheme "ftp"`, `CAFile "x"`, `Username "me"`, `header "a": has both a value and a file`)
	_, err = New(Config{
		Connection: sink.Connection{URL: "http://x", Headers: map[string]string{"X Key": "hidden", "": "hidden", "Good!": "hidden", "Line": "hidden\n", "é": ""}, HeaderFiles: map[string]string{"Y:": "f", "a b c": "f", "Authorization: Bearer hidden": "f"}},
	})
	sinktest.CheckConfig(t, err, `header "X ": must be made of letters`, `header "": must`, `header "Y:": must`, `header "a ": must`,
		`header "é": must`, `header "Line": value must not contain control characters`)
	if strings.Contains(err.Error(), "Good") {
		t.Errorf("error %v about a valid header", err)
	}
	for _, c := range []sink.Connection{{Headers: map[string]string{"authorization": "hidden"}}, {HeaderFiles: map[string]string{"Authorization": "f"}}} {
		c.URL, c.TokenFile = "http://x", "f"
		_, err := New(Config{Connection: c})
		sinktest.CheckConfig(t, err, `header "Authorization": already set by TokenFile`)
	}
}
