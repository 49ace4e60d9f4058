// Package lease elects a leader among replicas: those compete for a Lease of the
// Kubernetes API, and the one that holds it leads. It follows the protocol of
// client-go's leader election, so that both can compete for one Lease, and refuses to
// know what a leader does.
//
// There are never two leaders. A replica leads for a term, which is a context:
//
//	acquired        renewed         renewed
//	   |---------------|---------------|----------------> RenewDeadline: the term ends
//	   |                               |-------------------------> LeaseDuration: others acquire
//	                                                        time
//
// The term ends when the Lease could not be renewed before the deadline, when another
// replica is seen to hold it, or before the Lease is released.
package lease

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ErrLost is the cause of the end of a term.
var ErrLost = errors.New("this replica no longer leads")

// Elector competes for a Lease. Its methods are safe for concurrent use.
//
// It trusts no clock but its own: a Lease has expired when the Elector has seen it
// unchanged for its duration.
type Elector struct {
	config Config
	log    *slog.Logger

	// Used by Run only.
	lease    *coordinationv1.Lease // as the server has confirmed it; nil: to be read
	seen     string                // UID and resourceVersion of the Lease seen last
	observed time.Time             // when that was first seen
	wrote    bool                  // a write was attempted; the server may have done it without our knowing

	mu       sync.Mutex
	term     context.Context // nil: this replica does not lead
	end      context.CancelCauseFunc
	until    time.Time     // the end of the term, unless the Lease is renewed
	deadline *time.Timer   // ends the term; nil before the first
	elected  chan struct{} // closed when a term begins; then there is another one
	status   Status
}

// Status is what is known about a Lease at one moment.
type Status struct {
	Leading  bool
	Holder   string // the identity that holds the Lease, as last seen; empty: none
	Acquired uint64 // how often this replica became the leader
	Failures uint64 // attempts that failed
	Error    string // of the last attempt; empty: it succeeded
}

// New returns an Elector that does not compete yet. The error names everything that is
// wrong with the Config.
func New(c Config) (*Elector, error) {
	if err := c.complete(); err != nil {
		return nil, err
	}
	log := c.Logger.With("lease", c.Namespace+"/"+c.Name, "identity", c.Identity)
	return &Elector{config: c, log: log, elected: make(chan struct{})}, nil
}

// Leading reports whether this replica leads. It never waits and allocates nothing.
func (e *Elector) Leading() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.leading()
}

// leading needs e.mu.
func (e *Elector) leading() bool { return e.term != nil && time.Now().Before(e.until) }

// Lead waits until this replica leads, and returns a context that ends with ctx or with
// the term, with the cause ErrLost. No other replica leads before that context has ended.
// If ctx ends first, Lead returns its cause.
func (e *Elector) Lead(ctx context.Context) (context.Context, error) {
	for {
		e.mu.Lock()
		term, elected, leading := e.term, e.elected, e.leading()
		e.mu.Unlock()
		if leading {
			// The child of the term: it has ended when ending the term returns.
			leads, end := context.WithCancelCause(term)
			stop := context.AfterFunc(ctx, func() { end(context.Cause(ctx)) })
			context.AfterFunc(leads, func() { stop() })
			return leads, nil
		}
		select {
		case <-elected:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// Status returns what is known about the Lease.
func (e *Elector) Status() Status {
	e.mu.Lock()
	defer e.mu.Unlock()
	s := e.status
	s.Leading = e.leading()
	return s
}

// Run competes until ctx ends, then ends the term and releases the Lease: what must not
// outlast the term is to end before ctx. Run is called once.
func (e *Elector) Run(ctx context.Context) {
	for ctx.Err() == nil {
		err := e.attempt(ctx)
		if ctx.Err() != nil {
			break
		}
		e.note(err)
		wait := e.config.RetryPeriod
		if !e.Leading() {
			wait += rand.N(wait) // so that the standbys do not all ask at once
			if left := e.left(); left > 0 {
				wait = min(wait, left)
			}
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
		}
	}
	e.release(context.WithoutCancel(ctx))
}

// attempt acquires or renews the Lease if that is possible. A Lease that another
// replica holds is no error.
func (e *Elector) attempt(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, e.config.RenewDeadline/2)
	defer cancel()
	err := e.try(ctx)
	if apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err) {
		err = e.try(ctx) // it reads what changed
	}
	return err
}

// try writes the Lease if it is ours or free. What is known of the Lease is only what
// the server has confirmed.
func (e *Elector) try(ctx context.Context) error {
	start := time.Now()
	if e.lease == nil || !e.ours() {
		if err := e.read(ctx); err != nil {
			return err
		}
	}
	switch {
	case e.lease == nil:
		return e.write(ctx, start, http.MethodPost, &coordinationv1.Lease{
			ObjectMeta: metav1.ObjectMeta{Namespace: e.config.Namespace, Name: e.config.Name},
		})
	case e.ours() || e.expired():
		return e.write(ctx, start, http.MethodPut, e.lease.DeepCopy())
	}
	e.stepDown()
	return nil
}

// read reads the Lease, which may not exist.
func (e *Elector) read(ctx context.Context) error {
	lease, err := send(ctx, e.config.Client, http.MethodGet, path(e.config.Namespace, e.config.Name), nil)
	if apierrors.IsNotFound(err) {
		e.lease = nil
		return nil
	}
	if err != nil {
		return fmt.Errorf("get Lease: %w", err)
	}
	e.see(lease)
	return nil
}

// see notes what the Lease is, and when it changed.
func (e *Elector) see(lease *coordinationv1.Lease) {
	if version := string(lease.UID) + "/" + lease.ResourceVersion; e.seen != version {
		e.seen, e.observed = version, time.Now()
	}
	e.lease = lease
	e.mu.Lock()
	defer e.mu.Unlock()
	e.status.Holder = holder(lease)
}

// write claims the Lease with a request that began at start. It has the resourceVersion
// that was read: if another replica has written the Lease since, that is a conflict.
func (e *Elector) write(ctx context.Context, start time.Time, method string, lease *coordinationv1.Lease) error {
	name := e.config.Name
	if method == http.MethodPost {
		name = ""
	}
	claim(lease, e.config.Identity, e.config.LeaseDuration)
	e.wrote = true
	written, err := send(ctx, e.config.Client, method, path(e.config.Namespace, name), lease)
	if err != nil {
		e.lease = nil // it may have been written all the same
		return fmt.Errorf("write Lease: %w", err)
	}
	e.see(written)
	e.leadUntil(start.Add(e.config.RenewDeadline))
	return nil
}

func (e *Elector) ours() bool { return holder(e.lease) == e.config.Identity }

// expired reports whether the Lease may be acquired: nobody holds it, or the holder has
// not renewed it for its duration.
func (e *Elector) expired() bool { return holder(e.lease) == "" || e.left() <= 0 }

// left is how long the Lease of another replica lasts unless that renews it; 0: unknown.
func (e *Elector) left() time.Duration {
	if e.lease == nil {
		return 0
	}
	duration := e.config.LeaseDuration
	if s := e.lease.Spec.LeaseDurationSeconds; s != nil {
		duration = time.Duration(*s) * time.Second
	}
	return duration - time.Since(e.observed)
}

// leadUntil begins a term, or extends the one there is.
func (e *Elector) leadUntil(until time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.leading() {
		e.endTerm() // its time was over, and nobody noticed yet
	}
	e.until = until
	left := time.Until(until)
	switch {
	case left <= 0: // the response came too late
		e.endTerm()
		return
	case e.deadline == nil:
		e.deadline = time.AfterFunc(left, e.expire)
	default:
		e.deadline.Reset(left)
	}
	if e.term != nil {
		return
	}
	e.term, e.end = context.WithCancelCause(context.Background())
	close(e.elected)
	e.elected = make(chan struct{})
	e.status.Acquired++
	e.log.Info("acquired lease; leading")
}

// expire ends a term that was not extended in time.
func (e *Elector) expire() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.leading() {
		e.endTerm()
	}
}

// stepDown ends the term, if there is one.
func (e *Elector) stepDown() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.endTerm()
}

// endTerm needs e.mu.
func (e *Elector) endTerm() {
	if e.term == nil {
		return
	}
	e.end(ErrLost)
	e.term = nil
	e.deadline.Stop()
	e.log.Info("stopped leading", "holder", e.status.Holder)
}

// note logs the first of several failed attempts, and the first success after them.
func (e *Elector) note(err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case err != nil && e.status.Error == "":
		e.log.Warn("failed to acquire or renew lease; retrying", "err", err)
	case err == nil && e.status.Error != "":
		e.log.Info("lease is accessible again")
	}
	e.status.Error = ""
	if err != nil {
		e.status.Failures++
		e.status.Error = err.Error()
	}
}

// release gives the Lease up, so that another replica need not wait until it expires.
func (e *Elector) release(ctx context.Context) {
	e.stepDown()
	ctx, cancel := context.WithTimeout(ctx, e.config.RenewDeadline/2)
	defer cancel()
	if err := e.tryRelease(ctx); err != nil {
		e.log.Warn("failed to release lease; other replicas wait until it expires", "err", err)
	}
}

func (e *Elector) tryRelease(ctx context.Context) error {
	if e.lease == nil && e.wrote { // the last attempt was cut off
		if err := e.read(ctx); err != nil {
			return err
		}
	}
	if e.lease == nil || !e.ours() {
		return nil
	}
	lease := e.lease.DeepCopy()
	release(lease)
	_, err := send(ctx, e.config.Client, http.MethodPut, path(e.config.Namespace, e.config.Name), lease)
	return err
}
