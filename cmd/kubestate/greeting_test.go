package main

import (
	"bytes"
	"io"
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

// TestOnceLogsVersion: with --once the version is logged, though everything was sent
// before the API server answered.
func TestOnceLogsVersion(t *testing.T) {
	_, api, _ := newAPIServer(t, pod("a", "n1"))
	to := receiver(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/version" {
			_, _ = to.Read(make([]byte, 1<<16)) // until the flush
		}
		api.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	var log bytes.Buffer
	code := run(t.Context(), []string{
		"agent", "--once", "--apiserver", server.URL, "--resources", "pods", "--sink", "udp://" + to.LocalAddr().String(),
	}, nil, io.Discard, &log)
	if code != 0 || !strings.Contains(log.String(), `msg="reading cluster" apiserver_version=`) {
		t.Errorf("exit code %d, log:\n%s", code, log.String())
	}
}
