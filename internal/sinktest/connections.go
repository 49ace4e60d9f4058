package sinktest

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/kubestate/kubestate/sink"
)

// certificates uses a receiver with an unknown certificate authority.
func (s Subject) certificates(t *testing.T) {
	receiver := New(t, s.Protocol, nil)
	server := httptest.NewUnstartedServer(receiver)
	server.EnableHTTP2 = true
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0) // it would log the failed handshake
	server.StartTLS()
	t.Cleanup(server.Close)
	r := Run(0, Pods(1, 2), nil)
	Send(t, s.New(t, Options{URL: server.URL, CAFile: WriteCA(t, server)}), r)
	CheckLines(t, "series", s.Lines(t, r), receiver.Lines())
	CheckError(t, Try(t, s.New(t, Options{URL: server.URL, Attempts: 1}), r), "certificate")
}

// redirect checks that redirects are not followed: they must not leak secrets, nor make
// a failure look like success. The same goes for custom clients.
func (s Subject) redirect(t *testing.T) {
	receiver := Listen(t, s.Protocol, nil)
	for status, client := range map[int]*http.Client{http.StatusFound: nil, http.StatusPermanentRedirect: nil, http.StatusTemporaryRedirect: {}} {
		if client != nil && s.HTTP2 {
			continue // speaks HTTP/1
		}
		server := Serve(t, http.RedirectHandler(receiver.URL, status))
		to := s.New(t, Options{URL: server.URL, Client: client})
		CheckError(t, Try(t, to, Run(0, Pods(1, 2), nil)), http.StatusText(status))
		if stats := to.Stats(); stats.Rejected != 2 || stats.Retries != 0 {
			t.Errorf("stats %+v", stats)
		}
	}
	if got := receiver.Lines(); got != nil {
		t.Errorf("redirect followed: %v", got)
	}
}

// oneConnection checks that the connection is reused whatever the response.
func (s Subject) oneConnection(t *testing.T) {
	var connections atomic.Int32
	status := Success
	receiver := New(t, s.Protocol, func(w http.ResponseWriter, _ Request) int {
		if status != Success {
			http.Error(w, strings.Repeat("no ", 10_000), status)
			return Refused
		}
		return status
	})
	server := httptest.NewUnstartedServer(receiver)
	server.Config.Protocols = &http.Protocols{}
	server.Config.Protocols.SetHTTP1(!s.HTTP2)
	server.Config.Protocols.SetUnencryptedHTTP2(s.HTTP2)
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	to := s.New(t, Options{URL: server.URL})
	for _, status = range []int{Success, http.StatusBadRequest, Success, http.StatusNotFound, Success} {
		err := Try(t, to, Run(0, Pods(1, 2), nil))
		CheckError(t, err, http.StatusText(max(status, 0)))
	}
	// net/http also gives up a connection that was slow to write.
	if got := connections.Load(); got > 2 {
		t.Errorf("%d connections for 5 requests", got)
	}
}

// breaksOff breaks connections at bad moments. What the receiver accepted is not sent
// again, everything else is.
func (s Subject) breaksOff(t *testing.T) {
	if s.HTTP2 {
		s.BreaksOff(t, "", true)
		return
	}
	const half = "\r\nContent-Length: 100\r\n\r\nhalf of"
	for name, test := range map[string]struct {
		says  string // response until the connection breaks
		again bool
	}{
		"within the request":           {"", true},
		"within the response":          {"HTTP/1.1 204 No", true},
		"within the body of an error":  {"HTTP/1.1 503 Service Unavailable" + half, true},
		"within the body of a success": {"HTTP/1.1 200 OK\r\n" + s.TakenHeader + half, false},
	} {
		t.Run(name, func(t *testing.T) { s.BreaksOff(t, test.says, test.again) })
	}
}

// BreaksOff breaks the first connection after the server has sent says. In the end, 20
// series are accepted.
func (s Subject) BreaksOff(t *testing.T, says string, again bool) {
	t.Parallel() // pauses in real time
	receiver := New(t, s.Protocol, nil)
	var attempts atomic.Int64
	server := Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if attempts.Add(1) > 1 {
			receiver.ServeHTTP(w, r)
			return
		}
		if s.HTTP2 {
			panic(http.ErrAbortHandler)
		}
		connection, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = io.WriteString(connection, says)
		_ = connection.Close()
	}))
	to := s.New(t, Options{URL: server.URL})
	r := Run(0, Pods(1, 20), nil)
	_ = Try(t, to, r) // may report the response
	want, retries := s.Lines(t, r), uint64(1)
	if !again {
		want, retries = nil, 0
	}
	if got := to.Stats(); got.Series != 20 || got.Dropped != 0 || got.Rejected != 0 || got.Retries != retries {
		t.Errorf("stats %+v", got)
	}
	CheckLines(t, "series of the second attempt", want, receiver.Lines())
}

// lateReceiver starts the receiver after the first run, stops it, and restarts it at
// the same address. If another program takes the address, the test is repeated.
func (s Subject) lateReceiver(t *testing.T) {
	for !s.lateReceiverAlone(t) {
		t.Log("another program took the address")
	}
}

// lateReceiverAlone returns false if another program took the address.
func (s Subject) lateReceiverAlone(t *testing.T) bool {
	first, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := first.Addr().String()
	_ = first.Close() // nobody listens
	receiver := New(t, s.Protocol, nil)
	to := s.New(t, Options{URL: "http://" + address})
	var runs []*sink.Run
	next := func() *sink.Run {
		runs = append(runs, Run(15*len(runs), Pods(1, 20), nil))
		return runs[len(runs)-1]
	}
	for range 2 {
		errSend := SendWithin(t, to, time.Millisecond, next())
		l, err := net.Listen("tcp", address)
		if errors.Is(err, syscall.EADDRINUSE) {
			return false
		}
		if err != nil {
			t.Fatal(err)
		}
		if !errors.Is(errSend, context.DeadlineExceeded) {
			t.Errorf("nobody listens: error %v", errSend)
		}
		server := serveOn(t, l, receiver)
		Send(t, to, next())
		server.CloseClientConnections()
		server.Close()
	}
	CheckLines(t, "series", s.Lines(t, runs...), receiver.Lines())
	CloseAndCount(t, to, 80)
	return true
}
