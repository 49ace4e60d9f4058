package sinktest

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"time"
)

// Network connects clients with a receiver in the same process, so that tests can use
// simulated time. It can be slow or down.
type Network struct {
	Receiver http.Handler
	Down     atomic.Bool
	Slow     atomic.Int64 // delay in nanoseconds
}

// Client returns a client that uses only this network.
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
	arriving.ProtoMajor = 2 // required by some protocols
	n.Receiver.ServeHTTP(w, arriving)
	return w.Result(), nil
}
