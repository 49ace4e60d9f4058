package kubewatch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"sync"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Election says which Lease replicas compete for, and how. The zero value of a
// time takes the default, which is that of Kubernetes' own components.
type Election struct {
	Namespace, Name string // of the Lease
	// Identity tells replicas apart. Empty: the name of the host and something random.
	Identity string
	// LeaseDuration is how long a leader that is not heard of stays the leader, in
	// whole seconds; default 15 s.
	LeaseDuration time.Duration
	// RenewDeadline is how long a leader takes itself for that without having renewed
	// the Lease. It is shorter than LeaseDuration, so that there is never a second
	// one: by the difference clocks may run apart, and what is on its way may last.
	// Default: 10 s.
	RenewDeadline time.Duration
	// RetryPeriod is the time between attempts to get or to renew the Lease; default
	// 2 s.
	RetryPeriod time.Duration
}

func (c *Election) complete() error {
	c.LeaseDuration = cmp.Or(c.LeaseDuration, 15*time.Second)
	c.RenewDeadline = cmp.Or(c.RenewDeadline, 10*time.Second)
	c.RetryPeriod = cmp.Or(c.RetryPeriod, 2*time.Second)
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf("leader election: "+format, args...)) }
	if c.Namespace == "" || c.Name == "" {
		wrong("namespace %q and name %q of the Lease: both must be given", c.Namespace, c.Name)
	}
	if c.LeaseDuration < time.Second || c.LeaseDuration%time.Second != 0 {
		wrong("lease duration %s: want whole seconds, 1s or more", c.LeaseDuration)
	}
	if c.RenewDeadline >= c.LeaseDuration {
		wrong("renew deadline %s: want less than the lease duration, %s", c.RenewDeadline, c.LeaseDuration)
	}
	if c.RetryPeriod <= 0 || c.RetryPeriod >= c.RenewDeadline {
		wrong("retry period %s: want more than 0 and less than the renew deadline, %s", c.RetryPeriod, c.RenewDeadline)
	}
	if c.Identity == "" {
		host, err := os.Hostname()
		if err != nil {
			wrong("name of the host, for the identity: %w", err)
		}
		c.Identity = fmt.Sprintf("%s_%016x", host, rand.Uint64())
	}
	return errors.Join(errs...)
}

// Elector competes for a Lease. Its methods are safe for concurrent use.
//
// It follows the protocol of client-go's leader election, so that both can compete
// for one Lease. It trusts no clock but its own: a Lease has expired when it was
// seen unchanged for its duration.
type Elector struct {
	client *Client
	config Election
	log    *slog.Logger

	// Of Run alone.
	lease    *coordinationv1.Lease // as the server has confirmed it; nil: to be read
	seen     string                // which version of which Lease was seen last
	observed time.Time             // when that was first seen
	wrote    bool                  // a write was tried; the server may have done it without our knowing

	mu     sync.Mutex
	until  time.Time // the end of leadership, unless it is renewed
	told   bool      // what the log says of leadership
	status LeaseStatus
}

// LeaseStatus is what is known about a Lease at one moment.
type LeaseStatus struct {
	Leading  bool
	Holder   string // who has the Lease, as last seen; empty: nobody
	Acquired uint64 // how often this replica became the leader
	Failures uint64 // attempts that failed
	Error    string // of the last attempt; empty: it did not fail
}

// NewElector returns an Elector that does not compete yet.
func NewElector(c *Client, config Election, log *slog.Logger) (*Elector, error) {
	if err := config.complete(); err != nil {
		return nil, err
	}
	return &Elector{client: c, config: config, log: log.With("lease", config.Namespace+"/"+config.Name, "identity", config.Identity)}, nil
}

// Leading tells whether this replica is the leader. It never waits.
func (e *Elector) Leading() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return time.Now().Before(e.until)
}

// Status returns what is known about the Lease.
func (e *Elector) Status() LeaseStatus {
	e.mu.Lock()
	defer e.mu.Unlock()
	s := e.status
	s.Leading = time.Now().Before(e.until)
	return s
}

// Run competes until ctx ends, and then gives the Lease away, if it has it: end what
// takes a leader before ctx. It is called once.
func (e *Elector) Run(ctx context.Context) {
	for ctx.Err() == nil {
		err := e.attempt(ctx)
		if ctx.Err() != nil {
			break
		}
		e.note(err)
		wait := e.config.RetryPeriod
		if !e.Leading() {
			wait += rand.N(wait) // those who wait do not all ask at once
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
		}
	}
	e.release(context.WithoutCancel(ctx))
}

// attempt gets or renews the Lease if that is possible. A Lease that another has
// is no error.
func (e *Elector) attempt(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, e.config.RenewDeadline/2)
	defer cancel()
	err := e.try(ctx)
	if apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err) {
		err = e.try(ctx) // after having read what changed
	}
	return err
}

// try writes the Lease, if it may be taken or is ours. What is known of it stays
// known only if the server has confirmed it.
func (e *Elector) try(ctx context.Context) error {
	start := time.Now()
	if e.lease == nil || !e.ours() {
		if err := e.read(ctx); err != nil {
			return err
		}
	}
	switch {
	case e.lease == nil:
		return e.write(ctx, start, http.MethodPost, e.claim(&coordinationv1.Lease{
			ObjectMeta: metav1.ObjectMeta{Namespace: e.config.Namespace, Name: e.config.Name},
		}))
	case e.ours() || e.expired():
		return e.write(ctx, start, http.MethodPut, e.claim(e.lease.DeepCopy()))
	}
	e.lead(time.Time{})
	return nil
}

// read reads the Lease; there may be none.
func (e *Elector) read(ctx context.Context) error {
	lease, err := e.client.lease(ctx, http.MethodGet, leasePath(e.config.Namespace, e.config.Name), nil)
	if apierrors.IsNotFound(err) {
		e.lease = nil
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the Lease: %w", err)
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

// write sends the Lease, with the version that it had: who else has written it
// meanwhile makes this a conflict.
func (e *Elector) write(ctx context.Context, start time.Time, method string, lease *coordinationv1.Lease) error {
	name := e.config.Name
	if method == http.MethodPost {
		name = ""
	}
	e.wrote = true
	written, err := e.client.lease(ctx, method, leasePath(e.config.Namespace, name), lease)
	if err != nil {
		e.lease = nil // it may have been written all the same
		return fmt.Errorf("write the Lease: %w", err)
	}
	e.see(written)
	e.lead(start.Add(e.config.RenewDeadline))
	return nil
}

// claim makes a Lease ours.
func (e *Elector) claim(lease *coordinationv1.Lease) *coordinationv1.Lease {
	now := metav1.NowMicro()
	s := &lease.Spec
	if holder(lease) != e.config.Identity {
		s.AcquireTime = &now
		if s.LeaseTransitions != nil {
			s.LeaseTransitions = new(*s.LeaseTransitions + 1)
		} else {
			s.LeaseTransitions = new(int32(0))
		}
	}
	s.HolderIdentity = &e.config.Identity
	s.LeaseDurationSeconds = new(int32(e.config.LeaseDuration / time.Second))
	s.RenewTime = &now
	return lease
}

func holder(lease *coordinationv1.Lease) string {
	if lease.Spec.HolderIdentity == nil {
		return ""
	}
	return *lease.Spec.HolderIdentity
}

func (e *Elector) ours() bool { return holder(e.lease) == e.config.Identity }

// expired tells whether the Lease may be taken: nobody has it, or who has it has
// not renewed it for as long as it lasts.
func (e *Elector) expired() bool {
	lasts := e.config.LeaseDuration
	if s := e.lease.Spec.LeaseDurationSeconds; s != nil {
		lasts = time.Duration(*s) * time.Second
	}
	return holder(e.lease) == "" || time.Since(e.observed) >= lasts
}

// lead makes this replica the leader until a time, or not.
func (e *Elector) lead(until time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.until = until
	e.tell()
}

// tell logs that leadership has begun or ended, be it by the passing of time.
func (e *Elector) tell() {
	leading := time.Now().Before(e.until)
	switch {
	case leading == e.told:
	case leading:
		e.status.Acquired++
		e.log.Info("this replica leads")
	default:
		e.log.Info("this replica leads no more", "leader", e.status.Holder)
	}
	e.told = leading
}

// note logs the first of several failed attempts, and the end of failing.
func (e *Elector) note(err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.tell()
	switch {
	case err != nil && e.status.Error == "":
		e.log.Warn("the Lease cannot be had and is tried again", "err", err)
	case err == nil && e.status.Error != "":
		e.log.Info("the Lease can be read and written again")
	}
	e.status.Error = ""
	if err != nil {
		e.status.Failures++
		e.status.Error = err.Error()
	}
}

// release gives the Lease away, so that another replica need not wait until it has
// expired.
func (e *Elector) release(ctx context.Context) {
	e.lead(time.Time{})
	ctx, cancel := context.WithTimeout(ctx, e.config.RenewDeadline/2)
	defer cancel()
	if e.lease == nil && e.wrote { // the last attempt was cut off
		if err := e.read(ctx); err != nil {
			e.log.Warn("the Lease cannot be given away; others wait until it has expired", "err", err)
		}
	}
	if e.lease == nil || !e.ours() {
		return
	}
	lease := e.lease.DeepCopy()
	now := metav1.NowMicro()
	lease.Spec.HolderIdentity = new("")
	lease.Spec.LeaseDurationSeconds = new(int32(1))
	lease.Spec.RenewTime, lease.Spec.AcquireTime = &now, &now
	if _, err := e.client.lease(ctx, http.MethodPut, leasePath(e.config.Namespace, e.config.Name), lease); err != nil {
		e.log.Warn("the Lease cannot be given away; others wait until it has expired", "err", err)
	}
}
