package clients

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
)

// recorder is a proxy that forwards responses unchanged and records what clients and
// server negotiated. The first path element is the name of the client; the server sees
// the rest.
type recorder struct {
	url  string // without a path
	mu   sync.Mutex
	last map[string]exchange // by client
}

// exchange is the headers of a request and its response.
type exchange struct{ acceptEncoding, contentType, contentEncoding string }

// record starts a recorder in front of a server.
func record(t *testing.T, server string) *recorder {
	t.Helper()
	target, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{DisableCompression: true}
	r := &recorder{last: map[string]exchange{}}
	mux := http.NewServeMux()
	mux.HandleFunc("/{client}/{path...}", func(w http.ResponseWriter, request *http.Request) {
		proxy := httputil.ReverseProxy{
			Transport: transport,
			Rewrite: func(p *httputil.ProxyRequest) {
				p.SetURL(target)
				p.Out.URL.Path = "/" + request.PathValue("path")
			},
			ModifyResponse: func(response *http.Response) error {
				r.mu.Lock()
				defer r.mu.Unlock()
				r.last[request.PathValue("client")] = exchange{
					acceptEncoding:  request.Header.Get("Accept-Encoding"),
					contentType:     response.Header.Get("Content-Type"),
					contentEncoding: response.Header.Get("Content-Encoding"),
				}
				return nil
			},
		}
		proxy.ServeHTTP(w, request)
	})
	listening := httptest.NewServer(mux)
	r.url = listening.URL
	t.Cleanup(func() {
		listening.Close()
		transport.CloseIdleConnections()
	})
	return r
}

// metrics returns the URL of /metrics for a client.
func (r *recorder) metrics(client string) string { return r.url + "/" + client + "/metrics" }

// address returns host:port.
func (r *recorder) address() string { return strings.TrimPrefix(r.url, "http://") }

// agreed returns an error unless the last response to a client had one of the encodings
// and a content type with the prefix.
func (r *recorder) agreed(client, contentType string, encodings ...string) error {
	r.mu.Lock()
	e, ok := r.last[client]
	r.mu.Unlock()
	if !ok {
		return fmt.Errorf("%s has never asked", client)
	}
	if !strings.HasPrefix(e.contentType, contentType) {
		return fmt.Errorf("%s got Content-Type %q, not %q", client, e.contentType, contentType)
	}
	if !slices.Contains(encodings, e.contentEncoding) {
		return fmt.Errorf("%s asked with Accept-Encoding %q and got Content-Encoding %q, not one of %q",
			client, e.acceptEncoding, e.contentEncoding, encodings)
	}
	return nil
}
