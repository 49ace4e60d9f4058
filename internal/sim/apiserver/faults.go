package apiserver

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/apimachinery/pkg/watch"
)

// Effect is what goes wrong with a request.
type Effect int

// The effects of faults.
const (
	// EffectNone serves the request, after Fault.Delay.
	EffectNone Effect = iota
	// EffectStatus answers with Fault.Status.
	EffectStatus
	// EffectPageNotFound answers 404 in plain text, as the real server does
	// where it has no such resource.
	EffectPageNotFound
	// EffectErrorEvent sends Fault.Status as an ERROR event and ends the watch.
	EffectErrorEvent
	// EffectTruncate breaks the connection in the middle: of a frame of a
	// watch, of the body of any other response.
	EffectTruncate
	// EffectGarbage sends a frame that is not an event and breaks the connection.
	EffectGarbage
	// EffectEnd ends a watch as if its time were over: a complete response with 200.
	EffectEnd
	// EffectGoBack begins a watch with a bookmark one version older than where the watch
	// starts, as after a restore from a backup.
	EffectGoBack
	// EffectEndless serves a list whose last page has a continue token, and further
	// pages that are empty and have the same.
	EffectEndless
)

// Fault makes matching requests fail.
type Fault struct {
	Verb     Verb   // empty: any
	Resource string // empty: any
	Skip     int    // matching requests served well before the first failure
	Times    int    // failures; 0 means until removed
	Effect   Effect
	Status   metav1.Status
	// AfterEvents is how many events of a watch are sent before the effect.
	AfterEvents int
	// Delay is the pause before the response and before each event of a watch.
	Delay time.Duration
}

// Forbidden makes a resource answer 403, as RBAC does.
func Forbidden(resource string) Fault {
	e := apierrors.NewForbidden(schema.GroupResource{Resource: resource}, "",
		errors.New("forbidden by the simulated API server"))
	return Fault{Resource: resource, Effect: EffectStatus, Status: e.Status()}
}

// Missing makes a resource answer 404, as if its kind did not exist.
func Missing(resource string) Fault {
	return Fault{Resource: resource, Effect: EffectPageNotFound}
}

// NoStreaming rejects streaming lists with 422, as servers do that cannot
// stream them. Clients are expected to fall back to paged lists.
func NoStreaming() Fault {
	problem := invalidOptions(field.Forbidden(field.NewPath("sendInitialEvents"),
		"sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled"))
	return Fault{Verb: VerbWatchList, Effect: EffectStatus, Status: problem.Status()}
}

// Gone answers the next watches of a resource with 410 within the stream, as
// if their version were too old. Lists and streaming lists are served.
func Gone(resource string, times int) Fault {
	return Fault{Verb: VerbWatch, Resource: resource, Times: times, Effect: EffectErrorEvent,
		Status: expired("too old resource version").Status()}
}

// Unavailable answers the next requests for a resource with 503.
func Unavailable(resource string, times int) Fault {
	return Fault{Resource: resource, Times: times, Effect: EffectStatus,
		Status: apierrors.NewServiceUnavailable("simulated API server unavailable").Status()}
}

// Throttled answers the next requests for a resource with 429 and Retry-After.
func Throttled(resource string, times int, retryAfter time.Duration) Fault {
	return Fault{Resource: resource, Times: times, Effect: EffectStatus,
		Status: apierrors.NewTooManyRequests("too many requests, please try again later", int(retryAfter.Seconds())).Status()}
}

// Slow delays responses of a resource and each event of its watches.
func Slow(resource string, delay time.Duration) Fault {
	return Fault{Resource: resource, Delay: delay}
}

// faults are the faults in force.
type faults struct {
	mu    sync.Mutex
	armed []*armedFault
}

type armedFault struct {
	Fault
	seen int // matching requests so far
}

// Inject puts a fault in force until it has happened Times times or remove is
// called. Of several faults that match a request the oldest applies.
func (s *Server) Inject(fault Fault) (remove func()) {
	armed := &armedFault{Fault: fault}
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.armed = append(s.faults.armed, armed)
	return func() {
		s.faults.mu.Lock()
		defer s.faults.mu.Unlock()
		s.faults.armed = slices.DeleteFunc(s.faults.armed, func(a *armedFault) bool { return a == armed })
	}
}

// take returns the fault for a request, or one without effect.
func (f *faults) take(verb Verb, resource string) Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, armed := range f.armed {
		if armed.Verb != "" && armed.Verb != verb || armed.Resource != "" && armed.Resource != resource {
			continue
		}
		if armed.Times > 0 && armed.seen >= armed.Skip+armed.Times {
			continue
		}
		armed.seen++
		if armed.seen > armed.Skip {
			return armed.Fault
		}
	}
	return Fault{}
}

// refuse waits for the delay and responds to the request if the fault is a rejection.
func (f *Fault) refuse(w http.ResponseWriter, r *http.Request, req request) (answered bool) {
	pause(r.Context(), f.Delay)
	switch f.Effect {
	case EffectStatus:
		writeStatus(w, req.form.encoding, f.Status)
	case EffectPageNotFound:
		writePageNotFound(w)
	default:
		return false
	}
	return true
}

// truncatedBody is how much of a response EffectTruncate lets through.
const truncatedBody = 500

// limit applies EffectTruncate to a response that is no watch.
func (f *Fault) limit(w http.ResponseWriter) http.ResponseWriter {
	if f.Effect != EffectTruncate {
		return w
	}
	return &truncatingWriter{ResponseWriter: w, left: truncatedBody}
}

type truncatingWriter struct {
	http.ResponseWriter
	left int
}

func (w *truncatingWriter) Write(b []byte) (int, error) {
	if len(b) <= w.left {
		w.left -= len(b)
		return w.ResponseWriter.Write(b)
	}
	_, _ = w.ResponseWriter.Write(b[:w.left])
	_ = http.NewResponseController(w.ResponseWriter).Flush()
	panic(http.ErrAbortHandler)
}

// errFault ends a watch after the effect of a fault.
var errFault = errors.New("fault injected")

// disturb has the effect of the fault once its time has come.
func (f *frameWriter) disturb() error {
	if f.sent < f.fault.AfterEvents {
		return nil
	}
	switch f.fault.Effect {
	case EffectEnd:
		return errors.Join(f.flush(), errFault)
	case EffectErrorEvent:
		return errors.Join(f.status(f.fault.Status), errFault)
	case EffectTruncate:
		body, err := encodeStatus(f.form.encoding, metav1.Status{Message: "half of this frame is missing"})
		if err != nil {
			return err
		}
		frame, err := f.encode(watch.Error, body)
		if err != nil {
			return err
		}
		return f.breakOff(frame[:len(frame)/2])
	case EffectGarbage:
		return f.breakOff([]byte("\x00\x00\x00\x10not a watch event"))
	}
	return nil
}

// breakOff sends the bytes and breaks the connection.
func (f *frameWriter) breakOff(b []byte) error {
	if _, err := f.out.Write(b); err != nil {
		return err
	}
	if err := f.flush(); err != nil {
		return err
	}
	panic(http.ErrAbortHandler) // net/http's way to close a connection in the middle of a response
}

func pause(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
