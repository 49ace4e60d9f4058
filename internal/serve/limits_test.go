package serve

import (
	"bytes"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func fineConfig() Config {
	fine := func() error { return nil }
	return Config{
		Metrics: text("main"), Discovery: text("slices"), Telemetry: text("self"),
		Health: Health{Live: fine, Ready: fine}, Page: func() Page { return Page{} },
	}
}

// do sends a request and returns its status, Allow header and body.
func do(t *testing.T, method, url string) (code int, allow, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header.Get("Allow"), string(b)
}

// Every path of both ports takes GET and HEAD alone, and a query that can be parsed.
func TestMethodsAndQueries(t *testing.T) {
	s, end := start(t, fineConfig())
	for address, paths := range map[string][]string{
		s.Address(): {"/", "/metrics", "/sd", "/healthz", "/livez", "/readyz", "/nothing"},
		s.TelemetryAddress(): {
			"/", "/metrics", "/readyz", "/nothing", "/debug/pprof/", "/debug/pprof/heap", "/debug/pprof/cmdline",
			"/debug/pprof/profile", "/debug/pprof/symbol", "/debug/pprof/trace",
		},
	} {
		for _, path := range paths {
			for _, method := range []string{"POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PURGE"} {
				if code, allow, body := do(t, method, "http://"+address+path); code != 405 || allow != "GET, HEAD" || !strings.Contains(body, method) {
					t.Errorf("%s %s: %d, Allow %q: %q", method, path, code, allow, body)
				}
			}
			for _, query := range []string{"resources=%zz", "a;b"} {
				if code, _, body := do(t, "GET", "http://"+address+path+"?"+query); code != 400 || !strings.Contains(body, query) {
					t.Errorf("GET %s?%s: %d %q", path, query, code, body)
				}
			}
		}
		resp, err := http.Get("http://" + address + "/metrics?x=" + strings.Repeat("x", 2*maxHeaderBytes)) //nolint:noctx // loopback
		if err == nil {                                                                                    // else the port has closed before it read everything
			_ = resp.Body.Close()
			if resp.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
				t.Errorf("a query of %d bytes: %d", 2*maxHeaderBytes, resp.StatusCode)
			}
		}
		if code := raw(t, address, "OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"); code != 405 {
			t.Errorf("OPTIONS *: %d", code)
		}
	}
	for _, path := range []string{"/metrics", "/readyz", "/"} {
		if code, _, body := do(t, "HEAD", "http://"+s.Address()+path); code != 200 || body != "" {
			t.Errorf("HEAD %s: %d %q", path, code, body)
		}
	}
	if err := end(); err != nil {
		t.Error(err)
	}
}

// raw sends bytes and returns the status of the response.
func raw(t *testing.T, address, request string) int {
	t.Helper()
	c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, _ = io.WriteString(c, request)
	b, err := io.ReadAll(c)
	if err != nil || len(b) < 12 {
		t.Fatalf("%q, %v", b, err)
	}
	return 100*int(b[9]-'0') + 10*int(b[10]-'0') + int(b[11]-'0')
}

func TestProfilesAreBounded(t *testing.T) {
	s, end := start(t, fineConfig())
	for _, path := range []string{"profile", "trace", "heap", "allocs", "block", "mutex", "goroutine", "threadcreate"} {
		for _, seconds := range []string{"61", "1e9", "99999999999999999999", "NaN", "Inf", "-1", "0", "x", "", "1&seconds=100"} {
			code, _, body := do(t, "GET", "http://"+s.TelemetryAddress()+"/debug/pprof/"+path+"?seconds="+seconds)
			if code != 400 || !strings.Contains(body, "must be a number above 0, at most 60") {
				t.Errorf("%s?seconds=%s: %d %.100q", path, seconds, code, body)
			}
		}
	}
	if code, _, _ := do(t, "GET", "http://"+s.TelemetryAddress()+"/debug/pprof/trace?seconds=0.01"); code != 200 {
		t.Errorf("a trace of 10 ms: %d", code)
	}
	if err := end(); err != nil {
		t.Error(err)
	}
}

// Beyond a number of requests only probes are answered.
func TestConcurrentRequests(t *testing.T) {
	c := fineConfig()
	s := &server{mux: mainMux(&c), logger: slog.New(slog.DiscardHandler)}
	f := func(open int64, path string, code int, body string) {
		t.Helper()
		s.open.Store(open)
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		if w.Code != code || w.Body.String() != body {
			t.Errorf("%s with %d open requests: %d %q", path, open, w.Code, w.Body)
		}
		if s.open.Load() != open {
			t.Errorf("%d open requests became %d", open, s.open.Load())
		}
	}
	f(maxRequests-1, "/metrics", 200, "main")
	f(maxRequests, "/metrics", 503, "more than 1000 concurrent requests\n")
	f(maxRequests, "/sd", 503, "more than 1000 concurrent requests\n")
	f(10*maxRequests, "/livez", 200, "OK")
	f(10*maxRequests, "/healthz", 200, "OK")
	f(10*maxRequests, "/readyz", 200, "OK")
}

// A client that stops reading is cut after the write timeout, and after stallTimeout
// where there is none, and that is logged.
func TestClientsThatStopReading(t *testing.T) {
	for name, test := range map[string]struct{ timeout, want time.Duration }{
		"no timeout":    {0, stallTimeout},
		"long timeout":  {time.Hour, stallTimeout},
		"short timeout": {10 * time.Second, 10 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { testStall(t, test.timeout, test.want) })
		})
	}
}

func testStall(t *testing.T, timeout, want time.Duration) {
	var log bytes.Buffer
	var begun time.Time
	failed := make(chan time.Duration, 1)
	h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		begun = time.Now()
		for {
			if _, err := w.Write(make([]byte, 64<<10)); err != nil {
				failed <- time.Since(begun)
				return
			}
		}
	})
	s := &server{name: "main", mux: h, logger: slog.New(slog.NewTextHandler(&log, nil))}
	s.WriteTimeout = timeout
	s.Handler = s
	p := make(pipes)
	go func() { _ = s.Serve(p) }()
	ours, theirs := net.Pipe()
	p <- theirs
	_, _ = io.WriteString(ours, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
	if got := <-failed; got != want {
		t.Errorf("cut after %v, want %v", got, want)
	}
	synctest.Wait()
	if got := log.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, `level=WARN msg="cut clients that read too slowly" port=main path=/metrics`) {
		t.Errorf("log:\n%s", got)
	}
	_ = ours.Close()
	_ = s.Close()
}

func TestRecurrent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		logger := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		}}))
		var c recurrent
		for range 5 {
			c.log(logger, slog.LevelError, "full", "port", "main")
			time.Sleep(logInterval / 4)
		}
		if want := "level=ERROR msg=full port=main count=1\nlevel=ERROR msg=full port=main count=4\n"; log.String() != want {
			t.Errorf("log:\n%s", &log)
		}
	})
}

// TestLogScrapes: a scrape of either port is one line at debug level.
func TestLogScrapes(t *testing.T) {
	var log bytes.Buffer
	c := fineConfig()
	c.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	s := &server{name: "main", mux: mainMux(&c), logger: c.Logger}
	for _, path := range []string{"/metrics?resources=pods", "/healthz", "/"} {
		s.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, path, http.NoBody))
	}
	want := `level=DEBUG msg="answered scrape" port=main client=192.0.2.1:1234 query="resources=pods" encoding="" bytes=4 duration=`
	if got := log.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, want) {
		t.Errorf("logged %q, want one line with %q", got, want)
	}
}
