package serve

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// pipes is a listener without a network, so that time is that of the test.
type pipes chan net.Conn

func (p pipes) Accept() (net.Conn, error) {
	if c, open := <-p; open {
		return c, nil
	}
	return nil, net.ErrClosed
}

func (p pipes) Close() error   { close(p); return nil }
func (p pipes) Addr() net.Addr { return &net.TCPAddr{} }

// get asks for /metrics and returns the body, or why there is none.
func (p pipes) get(ctx context.Context) (string, error) {
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		p <- theirs
		return ours, nil
	}}}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://kubestate/metrics", http.NoBody)
	if err != nil {
		return "", err
	}
	resp, err := client.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return string(body), err
}

// drain is a server with one open request on each port, whose end was asked for.
type drain struct {
	*Servers
	log     bytes.Buffer
	finish  chan struct{} // closed: requests are answered
	bodies  [2]string     // what they got, once they are answered
	errs    [2]error      // or why they got nothing
	ended   chan error    // what Run returned
	elapsed func() time.Duration
}

// startDrain must be called in a bubble of synctest.
func startDrain(t *testing.T) *drain {
	t.Helper()
	d := &drain{finish: make(chan struct{}), ended: make(chan error, 1)}
	slow := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-d.finish:
			_, _ = io.WriteString(w, "whole")
		case <-r.Context().Done():
		}
	})
	fine := func() error { return nil }
	var err error
	d.Servers, err = Listen(t.Context(), Config{
		Address: "127.0.0.1:0", TelemetryAddress: "127.0.0.1:0", Metrics: slow, Telemetry: slow,
		Health: Health{Live: fine, Ready: fine}, Page: func() Page { return Page{} },
		Logger: slog.New(slog.NewTextHandler(&d.log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, x := range d.all() {
		if err := x.listener.Close(); err != nil {
			t.Fatal(err)
		}
		p := make(pipes)
		x.listener = p
		go func() { d.bodies[i], d.errs[i] = p.get(t.Context()) }()
	}
	ctx, cancel := context.WithCancel(t.Context())
	go func() { d.ended <- d.Run(ctx) }()
	synctest.Wait() // both requests are in their handler
	begun := time.Now()
	d.elapsed = func() time.Duration { return time.Since(begun) }
	cancel()
	synctest.Wait()
	return d
}

// TestDrain: requests that are being answered end before Run does, and readiness
// is gone meanwhile.
func TestDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := startDrain(t)
		select {
		case err := <-d.ended:
			t.Fatalf("Run ended before the requests: %v", err)
		default:
		}
		if !d.draining.Load() {
			t.Error("ready while draining")
		}
		time.Sleep(drainTimeout - time.Second)
		close(d.finish)
		if err := <-d.ended; err != nil {
			t.Errorf("Run: %v", err)
		}
		synctest.Wait()
		if d.bodies != [2]string{"whole", "whole"} {
			t.Errorf("got %q, %v", d.bodies, d.errs)
		}
		if strings.Contains(d.log.String(), "level=WARN") {
			t.Errorf("log:\n%s", &d.log)
		}
	})
}

// TestDrainIsLimited: requests that take too long are cut, on both ports at once,
// and that is an orderly end.
func TestDrainIsLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := startDrain(t)
		if err := <-d.ended; err != nil {
			t.Errorf("Run: %v", err)
		}
		if d.elapsed() != drainTimeout {
			t.Errorf("Run ended after %v, want %v", d.elapsed(), drainTimeout)
		}
		synctest.Wait()
		for i, err := range d.errs {
			if err == nil {
				t.Errorf("request %d got %q", i, d.bodies[i])
			}
		}
		for _, port := range []string{"main", "telemetry"} {
			if want := `level=WARN msg="cut requests in flight" port=` + port + ` requests=1`; !strings.Contains(d.log.String(), want) {
				t.Errorf("want %s in the log:\n%s", want, &d.log)
			}
		}
	})
}
