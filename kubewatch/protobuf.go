package kubewatch

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/kubestate/kubestate/internal/wire"
	"github.com/kubestate/kubestate/kind"
)

// envelopeMagic precedes a runtime.Unknown, which holds an object in field 2.
const envelopeMagic = "k8s\x00"

// The fields of the Kubernetes API's own messages that matter here.
const (
	unknownRaw        = 2 // runtime.Unknown: the object
	watchEventType    = 1 // metav1.WatchEvent
	watchEventObject  = 2 // metav1.WatchEvent: a RawExtension
	rawExtensionBytes = 1 // runtime.RawExtension: magic and Unknown
	listMetadata      = 1 // every List
	listItems         = 2 // every List
)

// Sizes of buffers for reading, in bytes. Most of the time there is a watch per kind,
// or per kind and namespace, on which nothing comes.
const (
	readBuffer = 64 << 10
	calmBuffer = 4 << 10
)

var errNotProtobuf = errors.New("not a protobuf message")

// protobufCodec reads application/vnd.kubernetes.protobuf.
type protobufCodec struct{}

func (protobufCodec) decode(object []byte, into message) error { return into.Unmarshal(object) }

func (protobufCodec) strip(buf, object []byte, f *wire.Filter) []byte { return f.Append(buf, object) }

func (protobufCodec) renew(t *kind.Table, last kind.Object) kind.Object {
	t.Reset(last)
	return last
}

func (protobufCodec) uid(object []byte) []byte { return wire.UID(object) }

// single removes the envelope. Events and responses other than lists have one; the items of
// a list do not.
func (protobufCodec) single(body []byte) ([]byte, error) {
	raw, enveloped := bytes.CutPrefix(body, []byte(envelopeMagic))
	if !enveloped {
		return nil, fmt.Errorf("%w: does not begin with %q", errInvalidResponse, envelopeMagic)
	}
	message, err := bytesField(raw, unknownRaw)
	if err != nil {
		return nil, fmt.Errorf("envelope: %w", err)
	}
	return message, nil
}

func (c protobufCodec) event(frame []byte) (event, error) {
	name, err := bytesField(frame, watchEventType)
	if err != nil {
		return event{}, fmt.Errorf("event: %w", err)
	}
	extension, err := bytesField(frame, watchEventObject)
	if err != nil {
		return event{}, fmt.Errorf("event: %w", err)
	}
	object, err := bytesField(extension, rawExtensionBytes)
	if err == nil {
		object, err = c.single(object)
	}
	if err != nil {
		return event{}, fmt.Errorf("object of an event: %w", err)
	}
	return event{watch.EventType(name), object}, nil
}

// bytesField returns a length-delimited field of a message, empty if it is not
// there.
func bytesField(message []byte, field protowire.Number) ([]byte, error) {
	var value []byte
	for len(message) > 0 {
		number, wireType, n := protowire.ConsumeTag(message)
		if n < 0 {
			return nil, errNotProtobuf
		}
		message = message[n:]
		if number == field && wireType == protowire.BytesType {
			value, n = protowire.ConsumeBytes(message)
		} else {
			n = protowire.ConsumeFieldValue(number, wireType, message)
		}
		if n < 0 {
			return nil, errNotProtobuf
		}
		message = message[n:]
	}
	return value, nil
}

func (protobufCodec) frames(r io.Reader) frameReader {
	return &protobufFrames{r: oblivious{body: r}, ahead: readBuffer}
}

// protobufFrames cuts frames of four bytes of length, big endian, and a
// metav1.WatchEvent. It keeps nothing of a frame when the next is asked for: in one
// there is all of an object, be it a Secret, and the next may be long in coming.
type protobufFrames struct {
	r     oblivious
	ahead int // how much to read ahead
	frame []byte
}

func (f *protobufFrames) calm() { f.ahead = calmBuffer }

func (f *protobufFrames) next() ([]byte, error) {
	clear(f.frame) // now, because the next may be long in coming
	if len(f.r.ahead) == 0 && len(f.r.buf) != f.ahead {
		f.r.buf = make([]byte, f.ahead)
	}
	var header [4]byte
	if _, err := io.ReadFull(&f.r, header[:]); err != nil {
		return nil, err
	}
	size := uint64(binary.BigEndian.Uint32(header[:]))
	var err error
	f.frame, err = readSized(&f.r, f.frame, size)
	return f.frame, err
}

// oblivious reads ahead, as a bufio.Reader does, and wipes what was taken.
type oblivious struct {
	body  io.Reader
	buf   []byte
	ahead []byte // the part of buf that was not yet taken
}

// Read implements io.Reader.
func (o *oblivious) Read(p []byte) (int, error) {
	if len(o.ahead) == 0 {
		if len(p) >= len(o.buf) {
			return o.body.Read(p)
		}
		n, err := o.body.Read(o.buf)
		if n == 0 {
			return 0, err
		}
		o.ahead = o.buf[:n] // an error comes again
	}
	n := copy(p, o.ahead)
	clear(o.ahead[:n])
	o.ahead = o.ahead[n:]
	return n, nil
}

// readSized reads size bytes into buf or, if that is too small, a new one.
func readSized(r io.Reader, buf []byte, size uint64) ([]byte, error) {
	if size > maxObject {
		return buf, tooLarge(size)
	}
	clear(buf)
	if cap(buf) > maxKept {
		buf = nil
	}
	buf = slices.Grow(buf[:0], int(size))[:size]
	_, err := io.ReadFull(r, buf)
	return buf, noEOF(err)
}

func tooLarge(size uint64) error {
	return fmt.Errorf("%w: object of %d bytes, the limit is %d", errInvalidResponse, size, maxObject)
}

// noEOF returns err for a body that ends in the middle of something.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// list reads items from the stream one by one, because a list without pages can
// be a gigabyte.
func (protobufCodec) list(r io.Reader, item func([]byte)) (meta metav1.ListMeta, err error) {
	w := listReader{r: oblivious{body: r, buf: make([]byte, readBuffer)}}
	defer func() { clear(w.buf[:cap(w.buf)]) }()
	var magic [len(envelopeMagic)]byte
	if _, err := io.ReadFull(&w, magic[:]); err != nil {
		return meta, noEOF(err)
	}
	if string(magic[:]) != envelopeMagic {
		return meta, fmt.Errorf("%w: a list that does not begin with %q", errInvalidResponse, envelopeMagic)
	}
	found := false
	for {
		field, size, err := w.header()
		switch {
		case errors.Is(err, io.EOF) && found:
			return meta, nil
		case err != nil:
			return meta, noEOF(err)
		case field == unknownRaw:
			found = true
			err = w.list(size, &meta, item)
		default:
			err = w.skip(size)
		}
		if err != nil {
			return meta, noEOF(err)
		}
	}
}

// listReader reads the fields of a message from a stream. It keeps nothing of an item
// when the list has been read.
type listReader struct {
	r    oblivious
	read uint64 // bytes read so far
	buf  []byte
	one  [1]byte
}

// Read implements io.Reader.
func (w *listReader) Read(p []byte) (int, error) {
	n, err := w.r.Read(p)
	w.read += uint64(n)
	return n, err
}

// ReadByte implements io.ByteReader.
func (w *listReader) ReadByte() (byte, error) {
	_, err := io.ReadFull(w, w.one[:])
	return w.one[0], err
}

// list reads a List message of size bytes.
func (w *listReader) list(size uint64, meta *metav1.ListMeta, item func([]byte)) error {
	end := w.read + size
	for w.read < end {
		field, size, err := w.header()
		if err != nil {
			return err
		}
		if size > end-w.read {
			return fmt.Errorf("%w: a list whose parts are longer than the whole", errInvalidResponse)
		}
		if field != listMetadata && field != listItems {
			if err := w.skip(size); err != nil {
				return err
			}
			continue
		}
		if w.buf, err = readSized(w, w.buf, size); err != nil {
			return err
		}
		if field == listItems {
			item(w.buf)
		} else if err := meta.Unmarshal(w.buf); err != nil {
			return fmt.Errorf("%w: metadata of a list: %w", errInvalidResponse, err)
		}
	}
	return nil
}

// header reads the number and the length of a field. Lists and envelopes have
// length-delimited fields only.
func (w *listReader) header() (protowire.Number, uint64, error) {
	tag, err := binary.ReadUvarint(w)
	if err != nil {
		return 0, 0, err
	}
	field, wireType := protowire.DecodeTag(tag)
	if wireType != protowire.BytesType {
		return 0, 0, fmt.Errorf("%w: wire type %d in a list", errInvalidResponse, wireType)
	}
	size, err := binary.ReadUvarint(w)
	return field, size, noEOF(err)
}

func (w *listReader) skip(size uint64) error {
	if size > maxObject {
		return tooLarge(size)
	}
	_, err := io.CopyN(io.Discard, w, int64(size))
	return err
}
