package store

import (
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/kubestate/kubestate/exposition"
	"github.com/kubestate/kubestate/internal/piece"
)

const (
	// batchSize is how much text is converted at a time when reading ahead, in bytes.
	batchSize = 256 << 10
	// maxAhead bounds the batches of all conversions that read ahead.
	maxAhead = 64
	// maxCores bounds the goroutines that work on one body: no client reads faster.
	maxCores = 8
)

// Converter converts any number of bodies concurrently and bounds the total memory of
// conversions. Use NewConverter. It is safe for concurrent use.
type Converter struct {
	packer    *piece.Packer
	turns     chan struct{} // one value per step in progress
	ahead     chan struct{} // one value per conversion that reads ahead
	batches   sync.Pool     // of *batch
	live      atomic.Int64  // batches in use
	preparing sync.Mutex
}

// NewConverter returns a Converter that compresses with p.
func NewConverter(p *piece.Packer) *Converter {
	c := &Converter{
		packer: p,
		turns:  make(chan struct{}, cores()),
		ahead:  make(chan struct{}, max(1, maxAhead/pipelineBatches())),
	}
	c.batches.New = func() any { return &batch{done: make(chan struct{}, 1)} }
	return c
}

// turn waits until it may convert, and returns a batch to do so.
func (c *Converter) turn() *batch {
	c.turns <- struct{}{}
	return c.batch()
}

// endTurn releases the turn and the batch.
func (c *Converter) endTurn(x *batch) {
	c.putBatch(x)
	<-c.turns
}

func (c *Converter) batch() *batch {
	c.live.Add(1)
	return c.batches.Get().(*batch)
}

func (c *Converter) putBatch(x *batch) {
	x.deflated, x.panic = nil, nil
	c.batches.Put(x)
	c.live.Add(-1)
}

// mayReadAhead reports whether one more conversion may read ahead; if so, a pipeline
// must be started and stopped.
func (c *Converter) mayReadAhead() bool {
	select {
	case c.ahead <- struct{}{}:
		return true
	default:
		return false
	}
}

// prepare runs work on several cores, as inParallel does, for one caller at a time,
// which bounds the memory to that of one body.
func (c *Converter) prepare(n int, work func(next func() (int, bool))) {
	if n == 0 {
		return
	}
	c.preparing.Lock()
	defer c.preparing.Unlock()
	inParallel(n, work)
}

// pipelineBatches is how many batches a pipeline has.
func pipelineBatches() int { return 2 * cores() }

// pipeline converts a body ahead of its writer. Batches go round: from free through todo
// to a worker, and in the order of the body through order to the writer.
type pipeline struct {
	body     *Body
	encoding exposition.Encoding
	batches  []*batch

	free, todo, order chan *batch
	quit              atomic.Bool // the writer has stopped
	running           sync.WaitGroup
	stopping          sync.Once
}

// newPipeline starts to convert a body from a part on. mayReadAhead must have returned
// true.
func newPipeline(b *Body, e exposition.Encoding, part int) *pipeline {
	n := pipelineBatches()
	p := &pipeline{
		body: b, encoding: e,
		free: make(chan *batch, n), todo: make(chan *batch), order: make(chan *batch, n),
	}
	for range n {
		x := b.converter.batch()
		p.batches = append(p.batches, x)
		p.free <- x
	}
	for range cores() {
		p.running.Go(p.work)
	}
	p.running.Go(func() { p.cut(part) })
	return p
}

// stop ends the conversion, even halfway, and releases its memory.
func (p *pipeline) stop() {
	p.stopping.Do(func() {
		p.quit.Store(true)
		for x := range p.order {
			<-x.done
			p.free <- x
		}
		p.running.Wait()
		for _, x := range p.batches {
			p.body.converter.putBatch(x)
		}
		<-p.body.converter.ahead
	})
}

// cut cuts the body into batches.
func (p *pipeline) cut(part int) {
	defer close(p.order)
	defer close(p.todo)
	for part < p.body.parts() && !p.quit.Load() {
		x := <-p.free
		x.cut(p.body, part, batchSize)
		part = x.to
		p.order <- x
		p.todo <- x
	}
}

// work converts batches until there are no more.
func (p *pipeline) work() {
	for x := range p.todo {
		x.panic = catch(func() { x.convert(p.body, p.encoding) })
		x.done <- struct{}{}
	}
}

// cores is the number of goroutines that work on one body.
func cores() int { return min(runtime.GOMAXPROCS(0), maxCores) }

// inParallel runs work on several cores; together they get each number from 0 to n-1
// once. If one panics, so does inParallel, after all have returned.
func inParallel(n int, work func(next func() (int, bool))) {
	var last atomic.Int64
	next := func() (int, bool) {
		i := int(last.Add(1)) - 1
		return i, i < n
	}
	panics := make([]any, min(cores(), n))
	var running sync.WaitGroup
	for i := range panics {
		running.Go(func() { panics[i] = catch(func() { work(next) }) })
	}
	running.Wait()
	for _, p := range panics {
		passOn(p)
	}
}

// catch returns the value of a panic in f. A panic in a goroutine of its own would
// terminate the program; the HTTP server recovers from one in the handler.
func catch(f func()) (panicked any) {
	defer func() { panicked = recover() }()
	f()
	return nil
}

func passOn(panicked any) {
	if panicked != nil {
		panic(panicked)
	}
}
