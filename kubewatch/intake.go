package kubewatch

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"

	"k8s.io/apimachinery/pkg/watch"
)

// This file decodes the objects of full reads on all cores. What a body holds is
// cut, and fields are dropped, in the goroutine of the watch, which is quick;
// decoding and storing are not. In a full read every object comes once, so that it
// does not matter which is stored first.

// batchSize is how many bytes of objects are handed on at once: about a
// millisecond of work, next to which handing it on costs nothing.
const batchSize = 64 << 10

// workers are the goroutines that decode for all watches of a group: as many at
// once as there are cores. It is safe for concurrent use.
type workers struct {
	busy    chan struct{} // holds an item per goroutine at work
	batches sync.Pool     // of *batch
}

func newWorkers() *workers {
	p := &workers{busy: make(chan struct{}, runtime.GOMAXPROCS(0))}
	p.batches.New = func() any { return &batch{data: make([]byte, 0, batchSize)} }
	return p
}

// do runs a job in a goroutine of its own, or in that of the caller if all workers
// are busy. So whoever brings more than can be done does some of it, and what
// waits is bounded.
func (p *workers) do(job func()) {
	select {
	case p.busy <- struct{}{}:
		go func() {
			defer func() { <-p.busy }()
			job()
		}()
	default:
		job()
	}
}

// batch holds objects, encoded and one behind the other.
type batch struct {
	data    []byte
	objects []batched
}

// batched is an object of a batch.
type batched struct {
	end int  // in data
	own bool // it belongs to the shard of the watch
}

// release gives a batch back, unless a huge object has made it too large to keep.
func (p *workers) release(b *batch) {
	if cap(b.data) <= maxKept {
		b.data, b.objects = b.data[:0], b.objects[:0]
		p.batches.Put(b)
	}
}

// intake takes the objects of a full read. Only the goroutine of the watch calls
// its methods, and calls wait before it does anything else with the store.
type intake struct {
	watcher *watcher
	codec   codec
	events  bool // the objects are those of events, not of a list

	batch   *batch // being filled; nil: none
	running sync.WaitGroup

	mu  sync.Mutex
	err error // a panic in a worker
}

// put takes an object and copies what is read of it. It drops an object of another shard
// that no Store wants.
func (in *intake) put(object []byte) {
	own := in.watcher.owns(in.codec, object)
	if in.watcher.storeFor(own) == nil {
		return
	}
	if in.batch == nil {
		in.batch = in.watcher.workers.batches.Get().(*batch)
	}
	b := in.batch
	b.data = in.codec.strip(b.data, object, in.watcher.filterFor(own))
	b.objects = append(b.objects, batched{len(b.data), own})
	if len(b.data) >= batchSize {
		in.flush()
	}
}

func (in *intake) flush() {
	b := in.batch
	if b == nil {
		return
	}
	in.batch = nil
	in.running.Add(1)
	in.watcher.workers.do(func() {
		defer in.running.Done()
		in.store(b)
		in.watcher.workers.release(b)
	})
}

// wait returns when everything that was put is stored. The error says that it is
// not, because of a fault in this program.
func (in *intake) wait() error {
	in.flush()
	in.running.Wait()
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.err
}

// store decodes and stores the objects of a batch. A panic, which is a fault of
// this program, is for the watch to report: a full read without the rest of the
// batch must not be committed.
func (in *intake) store(b *batch) {
	defer func() {
		if p := recover(); p != nil {
			err := in.watcher.recovered(p)
			in.mu.Lock()
			defer in.mu.Unlock()
			in.err = err
		}
	}()
	w := in.watcher
	start, stored := 0, 0
	object := w.watch.Table.New()
	for i, o := range b.objects {
		if i > 0 {
			object = in.codec.renew(w.watch.Table, object)
		}
		err := w.decode(in.codec, b.data[start:o.end:o.end], object)
		start = o.end
		if err != nil {
			in.undecodable(err)
			continue
		}
		w.put(object, o.own)
		stored++
	}
	if in.events {
		in.watcher.tracker.added(stored)
	}
}

func (in *intake) undecodable(err error) {
	if in.events {
		err = fmt.Errorf("event %s: %w", watch.Added, err)
	}
	in.watcher.tracker.undecodable(err)
}

// recovered makes an error of a recovered panic, and logs where it was.
func (w *watcher) recovered(p any) error {
	w.log.Error("panic in a watch", "panic", p, "stack", string(debug.Stack()))
	return panicked{fmt.Sprint(p)}
}
