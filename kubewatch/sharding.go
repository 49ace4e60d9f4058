package kubewatch

import (
	"context"
	"errors"

	"github.com/kubestate/kubestate/internal/shard"
	"github.com/kubestate/kubestate/internal/wire"
	"github.com/kubestate/kubestate/kind"
)

// This file decides, from the encoded object, whether an object belongs to the shard of a
// watch. What belongs to another shard is dropped before it is decoded, unless the watch
// also has a Store that needs all objects:
//
//	object ── own ───────► Store (all consumers) ── sharded: rendered
//	       │                                     └─ whole: joined
//	       └─ another's ─► Others (whole consumers only); nil: dropped

// Shard is one of several instances that divide the objects of a cluster by UID. The zero
// value stands for all objects.
type Shard = shard.Shard

// errResharded is the cause of the end of a watch whose Shard changed.
var errResharded = errors.New("the shard changed")

// others compiles the filter for objects of other shards: the fields that Others reads, or
// what is needed to follow the watch.
func others(watch *Watch) (*wire.Filter, error) {
	fields := watch.OtherFields
	switch {
	case watch.Others == nil && watch.Fields != nil:
		fields = identifying()
	case watch.Others == nil || fields == nil:
		return wire.Whole(watch.Table.New()), nil
	}
	return compile(watch.Table.New(), fields, identifying()...)
}

// identifying returns the fields that identify an object and its version.
func identifying() []string {
	return []string{"metadata.name", "metadata.namespace", "metadata.resourceVersion"}
}

// owns reports whether an encoded object belongs to the shard of the watch.
func (w *watcher) owns(c codec, object []byte) bool {
	return !w.sharded || shard.Owns(w.watch.Shard, c.uid(object))
}

// storeFor returns the Store for objects of the own shard or of others; nil: none.
func (w *watcher) storeFor(own bool) Store {
	if own {
		return w.watch.Store
	}
	return w.watch.Others
}

// filterFor returns the filter for objects of the own shard or of others.
func (w *watcher) filterFor(own bool) *wire.Filter {
	if own {
		return w.filter
	}
	return w.others
}

// put stores an object of the own shard or of another.
func (w *watcher) put(o kind.Object, own bool) {
	if s := w.storeFor(own); s != nil {
		s.Put(o)
	}
}

// reshard makes the watch list all objects again for another Shard. It is safe for
// concurrent use.
func (w *watcher) reshard(s Shard) {
	w.turning.Lock()
	defer w.turning.Unlock()
	w.shard = s
	if w.interrupt != nil {
		w.interrupt(errResharded)
	}
}

// begin starts a turn, which ends early when the Shard changes.
func (w *watcher) begin(ctx context.Context) (context.Context, context.CancelCauseFunc) {
	w.turning.Lock()
	defer w.turning.Unlock()
	ctx, w.interrupt = context.WithCancelCause(ctx)
	if w.watch.Shard != w.shard {
		w.watch.Shard, w.complete = w.shard, false
	}
	w.sharded = w.shard != Shard{} && !w.shard.All()
	return ctx, w.interrupt
}
