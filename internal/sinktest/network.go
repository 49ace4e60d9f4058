package sinktest

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"time"
)

// Network carries requests to a receiver within the process, so that the time of
// a test can be one that passes by itself. It fails or dawdles while told so.
type Network struct {
	Receiver http.Handler
	Down     atomic.Bool
	Slow     atomic.Int64 // nanoseconds
}

// Client returns a client that knows no other network.
func (n *Network) Client() *http.Client { return &http.Client{Transport: n} }

// RoundTrip implements http.RoundTripper.
func (n *Network) RoundTrip(r *http.Request) (*http.Response, error) {
	if n.Down.Load() {
		return nil, errors.New("network is down")
	}
	select {
	case <-r.Context().Done():
		return nil, r.Context().Err()
	case <-time.After(time.Duration(n.Slow.Load())):
	}
	w := httptest.NewRecorder()
	arriving := r.Clone(r.Context())
	arriving.ProtoMajor = 2 // some protocols demand it
	n.Receiver.ServeHTTP(w, arriving)
	return w.Result(), nil
}
