package apiserver

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"net/http"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
)

// writeTimeout is how long a client may take to accept a piece of a watch.
const writeTimeout = time.Minute

// frameWriter writes watch events: in protobuf with a four-byte length before
// each, in JSON one per line.
type frameWriter struct {
	ctx     context.Context
	control *http.ResponseController
	out     *bufio.Writer
	form    form
	fault   Fault
	sent    int
	scratch []byte
}

func newFrameWriter(ctx context.Context, w http.ResponseWriter, form form, fault Fault) *frameWriter {
	return &frameWriter{
		ctx:     ctx,
		control: http.NewResponseController(w),
		out:     bufio.NewWriterSize(w, listBuffer),
		form:    form,
		fault:   fault,
	}
}

// object sends an event about an object. It may stay in the buffer until
// flush.
func (f *frameWriter) object(kind watch.EventType, e *Encoded) error {
	e, err := f.form.convert(e)
	if err != nil {
		return err
	}
	f.form.started = true
	body := e.Bytes()
	if f.form.encoding == encodeJSON {
		if body, err = e.json(true); err != nil {
			return err
		}
	}
	return f.frame(kind, body)
}

// status sends an ERROR event, which is the last one of a watch.
func (f *frameWriter) status(status metav1.Status) error {
	body, err := encodeStatus(f.form.encoding, status)
	if err != nil {
		return err
	}
	if err := f.write(watch.Error, body); err != nil {
		return err
	}
	return f.flush()
}

func (f *frameWriter) frame(kind watch.EventType, object []byte) error {
	if f.fault.Delay > 0 {
		if err := f.flush(); err != nil {
			return err
		}
		pause(f.ctx, f.fault.Delay)
	}
	if err := f.write(kind, object); err != nil {
		return err
	}
	f.sent++
	return f.disturb()
}

func (f *frameWriter) write(kind watch.EventType, object []byte) error {
	frame, err := f.encode(kind, object)
	if err != nil {
		return err
	}
	f.extendDeadline()
	_, err = f.out.Write(frame)
	return err
}

// encode returns the bytes of one event, valid until the next call.
func (f *frameWriter) encode(kind watch.EventType, object []byte) ([]byte, error) {
	if f.form.encoding == encodeJSON {
		line, err := json.Marshal(metav1.WatchEvent{Type: string(kind), Object: runtime.RawExtension{Raw: object}})
		return append(line, '\n'), err
	}
	// WatchEvent{1: type, 2: RawExtension{1: raw}}, and no envelope around it.
	size := fieldSize(len(kind)) + fieldSize(fieldSize(len(object)))
	b := binary.BigEndian.AppendUint32(f.scratch[:0], uint32(size))
	b = appendFirstField(b, []byte(kind))
	b = appendFieldHeader(b, 2, fieldSize(len(object)))
	f.scratch = appendFirstField(b, object)
	return f.scratch, nil
}

func (f *frameWriter) flush() error {
	f.extendDeadline()
	if err := f.out.Flush(); err != nil {
		return err
	}
	return f.control.Flush()
}

// extendDeadline gives the client time for the next write. A writer that knows
// no deadlines, such as a recorder in a test, needs none.
func (f *frameWriter) extendDeadline() {
	_ = f.control.SetWriteDeadline(time.Now().Add(writeTimeout))
}
