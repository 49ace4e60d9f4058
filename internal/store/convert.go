package store

import (
	"io"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/kubestate/kubestate/exposition"
	"github.com/kubestate/kubestate/internal/piece"
)

// A body that is not written as it is kept is converted stretch by stretch, on all
// cores, and written in order.

// batchSize is how much text is converted at a time, in bytes.
const batchSize = 256 << 10

// batch is some parts on their way through a conversion.
type batch struct {
	parts    []part
	plain    []byte          // the parts, in the format of the body
	encoded  []byte          // plain in the encoding of the body
	deflated *piece.Deflated // the same, where that is gzip
	scratch  []byte          // lines before they become protobuf
	panic    any             // of the conversion, for whoever writes the body
	done     chan struct{}   // gets one value when the batch is converted
}

// conversion converts a body. Batches go round: from free through todo to a
// worker, and in the order of the body through order to the writer.
type conversion struct {
	body     *Body
	encoding exposition.Encoding

	free, todo, order chan *batch
	quit              atomic.Bool // the writer wants no more
	running           sync.WaitGroup
}

// convert writes the body in an encoding that it is not kept in.
func (b *Body) convert(w io.Writer, e exposition.Encoding) error {
	workers := cores()
	c := &conversion{
		body: b, encoding: e,
		free: make(chan *batch, 2*workers), todo: make(chan *batch), order: make(chan *batch, 2*workers),
	}
	for range cap(c.free) {
		c.free <- &batch{done: make(chan struct{}, 1)}
	}
	for range workers {
		c.running.Go(c.work)
	}
	c.running.Go(c.cut)
	defer c.end() // also if the writer panics
	return c.write(w)
}

// end waits for what is still on its way.
func (c *conversion) end() {
	c.quit.Store(true)
	for x := range c.order {
		<-x.done
		c.free <- x
	}
	c.running.Wait()
}

// cut cuts the body into batches.
func (c *conversion) cut() {
	defer close(c.order)
	defer close(c.todo)
	for rest := c.body.parts; len(rest) > 0 && !c.quit.Load(); {
		x := <-c.free
		x.parts, rest = cutBatch(rest)
		c.order <- x
		c.todo <- x
	}
}

// work converts batches until there are no more.
func (c *conversion) work() {
	for x := range c.todo {
		x.panic = catch(func() { x.convert(c.body, c.encoding) })
		x.done <- struct{}{}
	}
}

// write writes batches in order until there are no more.
func (c *conversion) write(w io.Writer) error {
	var m piece.Member
	if c.encoding == exposition.Gzip {
		if _, err := io.WriteString(w, piece.MemberHeader); err != nil {
			return err
		}
	}
	for x := range c.order {
		<-x.done
		passOn(x.panic)
		_, err := w.Write(x.encoded)
		if c.encoding == exposition.Gzip {
			m.Add(x.deflated)
		}
		c.free <- x
		if err != nil {
			return err
		}
	}
	if c.encoding == exposition.Gzip {
		_, err := w.Write(m.AppendTrailer(nil))
		return err
	}
	return nil
}

// cutBatch cuts off some parts, at least one.
func cutBatch(parts []part) (first, rest []part) {
	size := 0
	for i, p := range parts {
		if size += p.text.size; size >= batchSize {
			return parts[:i+1], parts[i+1:]
		}
	}
	return parts, nil
}

// convert fills in encoded from parts.
func (x *batch) convert(b *Body, e exposition.Encoding) {
	x.plain = x.plain[:0]
	for _, p := range x.parts {
		if b.format != exposition.Protobuf || p.family == nil {
			x.plain = p.text.append(x.plain, b.packer)
			continue
		}
		x.scratch = p.text.append(x.scratch[:0], b.packer)
		x.plain = exposition.AppendProtobuf(x.plain, x.scratch, p.family)
	}
	switch e {
	case exposition.Gzip:
		x.deflated = b.packer.Deflate(x.plain)
		x.encoded = x.deflated.Data
	case exposition.Zstd:
		x.encoded = b.packer.Zstd(x.encoded[:0], x.plain)
	default:
		x.encoded = x.plain
	}
}

// cores is how many goroutines work on one body.
func cores() int { return runtime.GOMAXPROCS(0) }

// inParallel runs work on all cores. Each gets the numbers from 0 up to n, one
// after another, and all together get each once. If one panics, so does inParallel,
// once all have ended.
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

// catch returns what f panics with, if it does. A panic in a goroutine of its own
// would end the program; whoever answers a request recovers from it.
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
