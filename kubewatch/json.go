package kubewatch

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kjson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/kubestate/kubestate/internal/wire"
	"github.com/kubestate/kubestate/kind"
)

// jsonCodec reads application/json.
type jsonCodec struct{}

func (jsonCodec) decode(object []byte, into message) error {
	// Field names are case-sensitive in the Kubernetes API, in the standard
	// library they are not.
	return kjson.Unmarshal(wire.BoundJSON(into, object), into)
}

func (jsonCodec) single(body []byte) ([]byte, error) { return body, nil }

// strip keeps all fields: what is served as JSON only has no numbers for them.
func (jsonCodec) strip(buf, object []byte, _ *wire.Filter) []byte { return append(buf, object...) }

func (jsonCodec) uid(object []byte) []byte {
	var o struct {
		Metadata struct {
			UID string `json:"uid"`
		} `json:"metadata"`
	}
	if kjson.Unmarshal(object, &o) != nil {
		return nil // for decode to report
	}
	return []byte(o.Metadata.UID)
}

// renew makes a new object: decoding leaves in lists what stood there before.
func (jsonCodec) renew(t *kind.Table, _ kind.Object) kind.Object { return t.New() }

func (jsonCodec) event(frame []byte) (event, error) {
	var e struct {
		Type   watch.EventType `json:"type"`
		Object json.RawMessage `json:"object"`
	}
	if err := json.Unmarshal(frame, &e); err != nil {
		return event{}, fmt.Errorf("event: %w", err)
	}
	return event{e.Type, e.Object}, nil
}

func (jsonCodec) frames(r io.Reader) frameReader { return newJSONReader(r) }

// jsonReader reads values from a stream, each bounded by maxObject.
type jsonReader struct {
	limit io.LimitedReader
	dec   *json.Decoder
	value json.RawMessage
}

func newJSONReader(r io.Reader) *jsonReader {
	j := &jsonReader{limit: io.LimitedReader{R: r, N: maxObject}}
	j.dec = json.NewDecoder(&j.limit)
	return j
}

func (j *jsonReader) next() ([]byte, error) {
	j.limit.N = maxObject
	j.value = j.value[:0]
	err := j.dec.Decode(&j.value)
	return j.value, j.explain(err)
}

// calm does nothing: the decoder has memory for one value anyway, the last, which it
// keeps. API servers send Secrets as Tables without their data, or as protobuf; only a
// proxy could make it this.
func (*jsonReader) calm() {}

// token reads the next punctuation or key.
func (j *jsonReader) token() (json.Token, error) {
	j.limit.N = maxObject
	t, err := j.dec.Token()
	return t, j.explain(err)
}

// explain names the limit where it is what ended the body, and tells nonsense
// from a body that breaks off.
func (j *jsonReader) explain(err error) error {
	if err != nil && j.limit.N <= 0 {
		return fmt.Errorf("%w: object of more than %d bytes", errInvalidResponse, maxObject)
	}
	if _, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Errorf("%w: %w", errInvalidResponse, err)
	}
	return err
}

// list reads items from the stream one by one, because a list without pages can
// be a gigabyte.
func (jsonCodec) list(r io.Reader, item func([]byte)) (metav1.ListMeta, error) {
	j := newJSONReader(r)
	return j.list(map[string]func() error{"items": func() error { return j.items(item) }})
}

// list reads an object with metadata of a list. A function of parts reads the value of
// its key; other values are skipped.
func (j *jsonReader) list(parts map[string]func() error) (meta metav1.ListMeta, err error) {
	if _, err := j.open('{'); err != nil {
		return meta, err
	}
	for j.dec.More() {
		key, err := j.token()
		if err != nil {
			return meta, noEOF(err)
		}
		if part := parts[fmt.Sprint(key)]; part != nil {
			err = part()
		} else {
			var value []byte
			if value, err = j.next(); err == nil && key == "metadata" {
				err = json.Unmarshal(value, &meta)
			}
		}
		if err != nil {
			return meta, noEOF(err)
		}
	}
	_, err = j.token() // the closing brace, without which the list is not whole
	return meta, noEOF(err)
}

func (j *jsonReader) items(item func([]byte)) error {
	if some, err := j.open('['); !some {
		return err
	}
	for j.dec.More() {
		value, err := j.next()
		if err != nil {
			return err
		}
		item(value)
	}
	_, err := j.token()
	return err
}

// open reads the start of an object or array and reports whether it is there; an
// array without items may be null.
func (j *jsonReader) open(want json.Delim) (bool, error) {
	t, err := j.token()
	switch {
	case err != nil:
		return false, noEOF(err)
	case t == want:
		return true, nil
	case t == nil && want == '[':
		return false, nil
	}
	return false, fmt.Errorf("%w: a list with %v where %v is due", errInvalidResponse, t, want)
}
