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

// Protocol is what a Receiver must know of what it receives.
type Protocol struct {
	// Read decodes a body, of the size that it returns without compression, into
	// lines: one for each series, and others that begin with #. It fails the test if
	// headers or body are wrong.
	Read func(t testing.TB, r *http.Request, body []byte) (lines []string, size int)
	// Succeed writes the answer to a request that is taken.
	Succeed func(w http.ResponseWriter, r Request)
}

// Request is what a Receiver has got.
type Request struct {
	Path             string
	Header           http.Header
	Compressed, Size int // bytes on the wire and without compression
	Lines            []string
}

// Series returns how many lines are about series.
func (r Request) Series() int {
	n := 0
	for _, line := range r.Lines {
		if !strings.HasPrefix(line, "#") {
			n++
		}
	}
	return n
}

// Answer decides what becomes of a request, of one at a time. It may set headers
// and returns a status, or one of what follows.
type Answer func(w http.ResponseWriter, r Request) (status int)

// What an Answer may return in place of a status.
const (
	Success = -iota // the request is taken, as Protocol.Succeed says it
	Taken           // the request is taken, and the answer written
	Refused         // the request is not taken, and the answer written
)

// Receiver takes requests unless its Answer has it otherwise. It is for any number
// of goroutines.
type Receiver struct {
	URL string // empty if it does not listen

	t        testing.TB
	protocol Protocol
	answer   Answer

	mu                sync.Mutex
	accepted, refused []Request
}

// New returns a Receiver that does not listen: it is for a Network. Without an
// Answer it takes everything.
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

// serveOn does so on a listener, if it is not nil.
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
		return // the client has given up
	}
	got := Request{Path: request.URL.Path, Header: request.Header, Compressed: len(body)}
	got.Lines, got.Size = r.protocol.Read(r.t, request, body)
	r.mu.Lock() // so that whoever sees the answer finds the request
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

// Accepted returns the requests that were taken.
func (r *Receiver) Accepted() []Request {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.accepted)
}

// Refused returns the requests that were not taken.
func (r *Receiver) Refused() []Request {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.refused)
}

// Lines returns what was taken, and forgets it.
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

// Limits are what each request may have at most, and how many requests there may
// be. What is 0 is not checked.
type Limits struct{ Series, Size, Compressed, Fewest, Most int }

// CheckLimits fails the test if a request that was taken has more than it may.
func (r *Receiver) CheckLimits(t testing.TB, l Limits) {
	t.Helper()
	over := func(value, limit int) bool { return limit > 0 && value > limit }
	all := r.Accepted()
	for i := range all {
		if got := all[i]; over(got.Series(), l.Series) || over(got.Size, l.Size) || over(got.Compressed, l.Compressed) {
			t.Errorf("a request to %s has %d series and %d bytes, %d compressed; limits are %+v", got.Path, got.Series(), got.Size, got.Compressed, l)
		}
	}
	if n := len(all); n < l.Fewest || over(n, l.Most) {
		t.Errorf("%d requests, not %d to %d", n, l.Fewest, l.Most)
	}
}
