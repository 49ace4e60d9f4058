package sinktest

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
)

// Protocol describes what a Receiver receives.
type Protocol struct {
	// Read decodes a body into lines, one for each series and others starting with #,
	// and returns its uncompressed size. It fails the test if headers or body are
	// wrong.
	Read func(t testing.TB, r *http.Request, body []byte) (lines []string, size int)
	// Succeed writes the response to an accepted request.
	Succeed func(w http.ResponseWriter, r Request)
}

// Request is a received request.
type Request struct {
	Path             string
	Header           http.Header
	Compressed, Size int // bytes on the wire and uncompressed
	Lines            []string
}

// Series returns the number of lines with series.
func (r Request) Series() int {
	n := 0
	for _, line := range r.Lines {
		if !strings.HasPrefix(line, "#") {
			n++
		}
	}
	return n
}

// Answer responds to a request; calls are not concurrent. It may set headers and
// returns a status or one of the constants below.
type Answer func(w http.ResponseWriter, r Request) (status int)

// What an Answer may return instead of a status.
const (
	Success = -iota // accept the request; Protocol.Succeed responds
	Taken           // the request was accepted, the response is written
	Refused         // the request was not accepted, the response is written
)

// Receiver accepts requests, unless its Answer says otherwise. It is safe for
// concurrent use.
type Receiver struct {
	URL string // empty if it does not listen

	t        testing.TB
	protocol Protocol
	answer   Answer

	mu                sync.Mutex
	accepted, refused []Request
}

// New returns a Receiver for a Network, which does not listen. Without an Answer it
// accepts everything.
func New(t testing.TB, p Protocol, a Answer) *Receiver {
	return &Receiver{t: t, protocol: p, answer: a}
}

// Listen returns a Receiver that listens until the test ends.
func Listen(t testing.TB, p Protocol, a Answer) *Receiver {
	t.Helper()
	r := New(t, p, a)
	r.URL = Serve(t, r).URL
	return r
}

// Serve starts a server that speaks HTTP/1 and HTTP/2 until the test ends.
func Serve(t testing.TB, h http.Handler) *httptest.Server {
	t.Helper()
	return serveOn(t, nil, h)
}

// serveOn does so on a listener, if not nil.
func serveOn(t testing.TB, l net.Listener, h http.Handler) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(h)
	if l != nil {
		_ = server.Listener.Close()
		server.Listener = l
	}
	server.Config.Protocols = &http.Protocols{}
	server.Config.Protocols.SetHTTP1(true)
	server.Config.Protocols.SetUnencryptedHTTP2(true)
	server.Start()
	t.Cleanup(server.Close)
	return server
}

func (r *Receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(request.Body)
	if err != nil {
		return // the client gave up
	}
	got := Request{Path: request.URL.Path, Header: request.Header, Compressed: len(body)}
	got.Lines, got.Size = r.protocol.Read(r.t, request, body)
	r.mu.Lock() // whoever sees the response must find the request
	defer r.mu.Unlock()
	status := Success
	if r.answer != nil {
		status = r.answer(w, got)
	}
	if status == Refused || status/100 > 2 {
		r.refused = append(r.refused, got)
	} else {
		r.accepted = append(r.accepted, got)
	}
	switch {
	case status == Success:
		r.protocol.Succeed(w, got)
	case status > 299:
		http.Error(w, "no thanks", status)
	case status > 0:
		w.WriteHeader(status)
	}
}

// Accepted returns the accepted requests.
func (r *Receiver) Accepted() []Request {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.accepted)
}

// Refused returns the requests that were not accepted.
func (r *Receiver) Refused() []Request {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.refused)
}

// Lines returns the lines of accepted requests and forgets them.
func (r *Receiver) Lines() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []string
	for i := range r.accepted {
		all = append(all, r.accepted[i].Lines...)
	}
	r.accepted = nil
	return all
}

// Limits are the maximums of each request, and bounds of the number of requests. 0 is
// not checked.
type Limits struct{ Series, Size, Compressed, Fewest, Most int }

// CheckLimits fails the test if an accepted request exceeds a limit.
func (r *Receiver) CheckLimits(t testing.TB, l Limits) {
	t.Helper()
	over := func(value, limit int) bool { return limit > 0 && value > limit }
	all := r.Accepted()
	for i := range all {
		if got := all[i]; over(got.Series(), l.Series) || over(got.Size, l.Size) || over(got.Compressed, l.Compressed) {
			t.Errorf("request to %s with %d series and %d bytes, %d compressed; limits %+v", got.Path, got.Series(), got.Size, got.Compressed, l)
		}
	}
	if n := len(all); n < l.Fewest || over(n, l.Most) {
		t.Errorf("%d requests, want %d to %d", n, l.Fewest, l.Most)
	}
}
