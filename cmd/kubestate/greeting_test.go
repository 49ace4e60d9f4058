package main

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/kubestate/kubestate/kubewatch"
)

// The log says which version the API server has, or why that is unknown. An unreachable
// server is reported by the watches.
func TestLogVersion(t *testing.T) {
	for _, test := range []struct {
		code       int
		body, want string
	}{
		{http.StatusOK, `{"gitVersion":"v1.35.0"}`, `level=INFO msg="reading cluster" apiserver_version=v1.35.0`},
		{http.StatusForbidden, "no", `level=WARN msg="cannot get version of API server" err=`},
		{http.StatusOK, "<html>", `level=WARN msg="cannot get version of API server" err=`},
		{0, "", `level=DEBUG msg="cannot get version of API server" err=`},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			if test.code == 0 {
				panic(http.ErrAbortHandler)
			}
			w.WriteHeader(test.code)
			_, _ = w.Write([]byte(test.body))
		}))
		t.Cleanup(server.Close)
		client, err := kubewatch.Connect(kubewatch.Config{APIServer: server.URL})
		if err != nil {
			t.Fatal(err)
		}
		var log bytes.Buffer
		r := &reading{client: client, log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))}
		r.logVersion(t.Context())
		if _, got, _ := strings.Cut(log.String(), " "); !strings.HasPrefix(got, test.want) || strings.Count(got, "\n") != 1 {
			t.Errorf("%d %s: logged %q, want %q", test.code, test.body, got, test.want)
		}
	}
}

// A server that does not answer when asked for its version is read all the same.
func TestSilentAboutVersion(t *testing.T) {
	_, api, _ := newAPIServer(t, pod("a", "n1"))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/version" {
			<-r.Context().Done()
			return
		}
		api.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	p := startProgram(t, "--apiserver", server.URL, "--resources", "pods",
		"--host", "127.0.0.1", "--port", "0", "--telemetry-host", "127.0.0.1", "--telemetry-port", "0")
	p.awaitLine("/readyz", "OK")
	if code := p.end(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}
