package kubewatch

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/kubestate/kubestate/kind"
)

func replicaSet(name string) *appsv1.ReplicaSet {
	replicas := int32(3)
	return &appsv1.ReplicaSet{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name, ResourceVersion: "7"},
		Spec:       appsv1.ReplicaSetSpec{Replicas: &replicas},
	}
}

func namespace(name string) *corev1.Namespace {
	return &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}
}

// The encodings below are those of apimachinery, so that what is tested is
// compared with the other end's own code.

type marshaler interface{ Marshal() ([]byte, error) }

// encoded is an object that is encoded already.
type encoded []byte

func (e encoded) Marshal() ([]byte, error) { return e, nil }

func inEnvelope(t testing.TB, kind string, o marshaler) []byte {
	t.Helper()
	u := runtime.Unknown{TypeMeta: runtime.TypeMeta{APIVersion: "apps/v1", Kind: kind}, Raw: marshal(t, o)}
	return append([]byte("k8s\x00"), marshal(t, &u)...)
}

func marshal(t testing.TB, o marshaler) []byte {
	t.Helper()
	b, err := o.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func protobufFrame(t testing.TB, e watch.EventType, o marshaler) []byte {
	t.Helper()
	event := metav1.WatchEvent{Type: string(e), Object: runtime.RawExtension{Raw: inEnvelope(t, "ReplicaSet", o)}}
	b := marshal(t, &event)
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(b))), b...)
}

func jsonFrame(t testing.TB, e watch.EventType, o any) []byte {
	t.Helper()
	raw, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(metav1.WatchEvent{Type: string(e), Object: runtime.RawExtension{Raw: raw}})
	if err != nil {
		t.Fatal(err)
	}
	return append(b, '\n')
}

// readFrames returns "TYPE name" for each event of a stream.
func readFrames(c codec, body io.Reader) (got []string, err error) {
	frames := c.frames(body)
	for {
		frame, err := frames.next()
		if err != nil {
			return got, err
		}
		e, err := c.event(frame)
		if err != nil {
			return got, err
		}
		o := kind.ReplicaSets.New()
		if err := c.decode(e.Object, o); err != nil {
			return got, err
		}
		got = append(got, fmt.Sprintf("%s %s/%s", e.Type, o.GetNamespace(), o.GetName()))
	}
}

func TestFrames(t *testing.T) {
	a, b := replicaSet("a"), replicaSet("b")
	for _, test := range []struct {
		name          string
		codec         codec
		first, second []byte
	}{
		{"protobuf", protobufCodec{}, protobufFrame(t, watch.Added, a), protobufFrame(t, watch.Deleted, b)},
		{"json", jsonCodec{}, jsonFrame(t, watch.Added, a), jsonFrame(t, watch.Deleted, b)},
	} {
		t.Run(test.name, func(t *testing.T) {
			body := slices.Concat(test.first, test.second)
			got, err := readFrames(test.codec, bytes.NewReader(body))
			if want := []string{"ADDED default/a", "DELETED default/b"}; !slices.Equal(got, want) || !errors.Is(err, io.EOF) {
				t.Fatalf("got %q and error %v, want %q and EOF", got, err, want)
			}
			// A body that ends within the second event does not end cleanly. The
			// line break behind JSON is no part of the event.
			for cut := len(test.first) + 1; cut < len(body)-1; cut++ {
				got, err := readFrames(test.codec, bytes.NewReader(body[:cut]))
				if errors.Is(err, io.EOF) || len(got) != 1 {
					t.Fatalf("cut at %d of %d: got %q and error %v", cut, len(body), got, err)
				}
			}
		})
	}
}

// A buffer that has become too large is left once it is empty, and not before.
func TestCalm(t *testing.T) {
	a, b, c := protobufFrame(t, watch.Added, replicaSet("a")), protobufFrame(t, watch.Added, replicaSet("b")), protobufFrame(t, watch.Added, replicaSet("c"))
	half := len(b) / 2
	frames, ok := protobufCodec{}.frames(io.MultiReader(
		bytes.NewReader(slices.Concat(a, b[:half])), bytes.NewReader(b[half:]), bytes.NewReader(c))).(*protobufFrames)
	if !ok {
		t.Fatal("frames are of another type")
	}
	for i, want := range []struct {
		frame []byte
		size  int
	}{{a, readBuffer}, {b, readBuffer}, {c, calmBuffer}} {
		if i == 1 {
			frames.calm()
		}
		if got, err := frames.next(); err != nil || !bytes.Equal(got, want.frame[4:]) || len(frames.r.buf) != want.size {
			t.Errorf("frame %d: %q, error %v, buffer of %d bytes", i, got, err, len(frames.r.buf))
		}
	}
	if _, err := frames.next(); !errors.Is(err, io.EOF) {
		t.Errorf("at the end: %v", err)
	}
}

func TestFrameTooLarge(t *testing.T) {
	header := binary.BigEndian.AppendUint32(nil, maxObject+1)
	_, err := readFrames(protobufCodec{}, bytes.NewReader(header))
	if !errors.Is(err, errInvalidResponse) || !strings.Contains(err.Error(), "16777217 bytes") {
		t.Errorf("protobuf: got %v", err)
	}
	endless := io.MultiReader(strings.NewReader(`{"type":"`), repeat('x'))
	_, err = readFrames(jsonCodec{}, endless)
	if !errors.Is(err, errInvalidResponse) {
		t.Errorf("json: got %v", err)
	}
}

// repeat is a reader of one byte without end.
type repeat byte

func (r repeat) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(r)
	}
	return len(p), nil
}

// listBodies returns the same list in each encoding.
func listBodies(t testing.TB, names ...string) map[string][]byte {
	list := appsv1.ReplicaSetList{ListMeta: metav1.ListMeta{ResourceVersion: "42", Continue: "more"}}
	for _, n := range names {
		list.Items = append(list.Items, *replicaSet(n))
	}
	asJSON, err := json.Marshal(struct {
		metav1.TypeMeta
		*appsv1.ReplicaSetList
	}{metav1.TypeMeta{Kind: "ReplicaSetList", APIVersion: "apps/v1"}, &list})
	if err != nil {
		t.Fatal(err)
	}
	return map[string][]byte{"protobuf": inEnvelope(t, "ReplicaSetList", &list), "json": asJSON}
}

func readList(c codec, body io.Reader) (names []string, meta metav1.ListMeta, err error) {
	meta, err = c.list(body, func(raw []byte) {
		o := kind.ReplicaSets.New()
		if err := c.decode(raw, o); err != nil {
			names = append(names, err.Error())
			return
		}
		names = append(names, o.GetName())
	})
	return names, meta, err
}

func TestList(t *testing.T) {
	codecs := map[string]codec{"protobuf": protobufCodec{}, "json": jsonCodec{}}
	for _, want := range [][]string{nil, {"a", "b", "c"}} {
		for encoding, body := range listBodies(t, want...) {
			t.Run(fmt.Sprint(encoding, len(want)), func(t *testing.T) {
				c := codecs[encoding]
				got, meta, err := readList(c, bytes.NewReader(body))
				if err != nil || !slices.Equal(got, want) || meta.ResourceVersion != "42" || meta.Continue != "more" {
					t.Fatalf("got %q, %+v, %v; want %q", got, meta, err, want)
				}
				// What comes behind the list itself (white space, empty fields of
				// the envelope) may be lost without harm.
				tail := 4
				for cut := range len(body) - tail {
					if _, meta, err := readList(c, bytes.NewReader(body[:cut])); err == nil {
						t.Fatalf("cut at %d of %d is taken for a whole list: %+v", cut, len(body), meta)
					}
				}
			})
		}
	}
}

func TestListOfNull(t *testing.T) {
	body := `{"kind":"ReplicaSetList","metadata":{"resourceVersion":"42"},"items":null}`
	got, meta, err := readList(jsonCodec{}, strings.NewReader(body))
	if err != nil || len(got) > 0 || meta.ResourceVersion != "42" {
		t.Errorf("got %q, %+v, %v", got, meta, err)
	}
}

func TestListNonsense(t *testing.T) {
	for _, body := range []string{"", "k8s\x00", "<html>", "{}x", "[]", "null", `{"items":{}}`, "k8s\x00\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "k8s\x00\x12\x04\x12\x7fab"} {
		for name, c := range map[string]codec{"protobuf": protobufCodec{}, "json": jsonCodec{}} {
			if _, meta, err := readList(c, strings.NewReader(body)); err == nil && meta.ResourceVersion != "" {
				t.Errorf("%s: %q is taken for a list: %+v", name, body, meta)
			}
		}
	}
}

func TestContentType(t *testing.T) {
	for contentType, want := range map[string]codec{
		"application/json":                                 jsonCodec{},
		"application/json;stream=watch":                    jsonCodec{},
		"application/vnd.kubernetes.protobuf;stream=watch": protobufCodec{},
	} {
		if got, err := codecFor(contentType); got != want || err != nil {
			t.Errorf("%q: got %T, %v", contentType, got, err)
		}
	}
	for _, contentType := range []string{"", "text/html; charset=utf-8", "application/cbor"} {
		if _, err := codecFor(contentType); !errors.Is(err, errInvalidResponse) {
			t.Errorf("%q: got %v", contentType, err)
		}
	}
}

// FuzzBodies feeds arbitrary bodies to both codecs: no panic, an end, and no
// object beyond the limit.
func FuzzBodies(f *testing.F) {
	for _, body := range listBodies(f, "a", "b") {
		f.Add(body)
	}
	f.Add(protobufFrame(f, watch.Added, replicaSet("a")))
	f.Add(jsonFrame(f, watch.Added, replicaSet("a")))
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, c := range []codec{protobufCodec{}, jsonCodec{}} {
			_, _, _ = readList(c, bytes.NewReader(body))
			if _, err := readFrames(c, bytes.NewReader(body)); err == nil {
				t.Error("a stream without an end")
			}
		}
	})
}
