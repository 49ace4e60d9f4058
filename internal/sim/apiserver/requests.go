package apiserver

import (
	"context"
	"net/http"
	"slices"
	"sync"
)

// maxRequests bounds the number of requests that are kept.
const maxRequests = 10_000

// Request is the record of a request.
type Request struct {
	Verb      Verb
	Resource  string // empty for discovery
	Namespace string // empty for all
	Name      string
	URL       string // path and query as received
	Accept    string
	Code      int // of the response; 0 while it has not begun
}

// requestLog counts requests and keeps the last ones.
type requestLog struct {
	mu     sync.Mutex
	counts map[requestKey]int
	last   []*Request
}

type requestKey struct {
	verb     Verb
	resource string
}

func (l *requestLog) begin(req request, r *http.Request) *Request {
	entry := &Request{
		Verb:      req.verb,
		Namespace: req.namespace,
		Name:      req.name,
		URL:       r.URL.RequestURI(),
		Accept:    r.Header.Get("Accept"),
	}
	if req.table != nil {
		entry.Resource = req.table.resource.Name
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.counts == nil {
		l.counts = map[requestKey]int{}
	}
	l.counts[requestKey{entry.Verb, entry.Resource}]++
	if len(l.last) >= maxRequests {
		l.last = slices.Delete(l.last, 0, maxRequests/2)
	}
	l.last = append(l.last, entry)
	return entry
}

func (l *requestLog) end(entry *Request, code int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	entry.Code = code
}

// Count returns how many requests with the verb have begun for the resource.
// Whole lists and first pages are VerbList, so "listed once" is a count of 1
// whatever the number of pages.
func (s *Server) Count(verb Verb, resource string) int {
	s.requests.mu.Lock()
	defer s.requests.mu.Unlock()
	return s.requests.counts[requestKey{verb, resource}]
}

// Requests returns the last requests, at most 10,000, oldest first.
func (s *Server) Requests() []Request {
	s.requests.mu.Lock()
	defer s.requests.mu.Unlock()
	requests := make([]Request, 0, len(s.requests.last))
	for _, r := range s.requests.last {
		requests = append(requests, *r)
	}
	return requests
}

// ResetRequests forgets all requests and counts.
func (s *Server) ResetRequests() {
	s.requests.mu.Lock()
	defer s.requests.mu.Unlock()
	s.requests.counts, s.requests.last = nil, nil
}

// watchers are the watches being served.
type watchers struct {
	mu      sync.Mutex
	open    map[*openWatch]struct{}
	changed chan struct{} // closed and replaced when a watch opens or ends
}

type openWatch struct {
	resource string
	cancel   context.CancelFunc
}

func newWatchers() watchers {
	return watchers{open: map[*openWatch]struct{}{}, changed: make(chan struct{})}
}

// enter registers a watch; the returned function ends the registration.
func (w *watchers) enter(resource string, cancel context.CancelFunc) (leave func()) {
	entry := &openWatch{resource, cancel}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.open[entry] = struct{}{}
	w.announce()
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.open, entry)
		w.announce()
	}
}

func (w *watchers) announce() {
	close(w.changed)
	w.changed = make(chan struct{})
}

// count returns the number of open watches of a resource and a channel that
// is closed when the number changes.
func (w *watchers) count(resource string) (int, <-chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for entry := range w.open {
		if resource == "" || entry.resource == resource {
			n++
		}
	}
	return n, w.changed
}

// Watches returns the number of open watches of a resource, or of all
// resources if it is empty.
func (s *Server) Watches(resource string) int {
	n, _ := s.watchers.count(resource)
	return n
}

// AwaitWatches waits until exactly n watches of a resource are open (of all
// resources if it is empty), or until the context ends.
func (s *Server) AwaitWatches(ctx context.Context, resource string, n int) error {
	for {
		open, changed := s.watchers.count(resource)
		if open == n {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// CutWatches ends the open watches of a resource, or of all resources if it is
// empty, and returns how many. Clients see the stream end; they may watch
// again at once.
func (s *Server) CutWatches(resource string) int {
	s.watchers.mu.Lock()
	defer s.watchers.mu.Unlock()
	n := 0
	for entry := range s.watchers.open {
		if resource == "" || entry.resource == resource {
			entry.cancel()
			n++
		}
	}
	return n
}
