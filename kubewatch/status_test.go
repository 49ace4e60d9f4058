package kubewatch

import (
	"net/http"
	"slices"
	"sync/atomic"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
)

// One object that cannot be decoded does not hold up the others.
func TestUndecodable(t *testing.T) {
	// Field 2, the spec, comes once more, as a number.
	broken := func(name string) []byte {
		return protobufFrame(t, watch.Added, encoded(append(marshal(t, replicaSet(name)), 0x10, 0)))
	}
	stream := slices.Concat(
		protobufFrame(t, watch.Added, replicaSet("a")), broken("bad"), broken("worse"), broken("bad"), broken("worse"),
		protobufFrame(t, watch.Added, replicaSet("b")), endOfInitialEvents(t),
		protobufFrame(t, "NOVELTY", replicaSet("c")),
	)
	inCluster(t, script(new(atomic.Int32), stream), func(c *cluster) {
		g, m := c.watchReplicaSets()
		m.want(t, "a b")
		if s := g.Statuses()[0]; !s.Synced || s.Counts.DecodeErrors != 5 {
			t.Errorf("synced %v, counts %+v", s.Synced, s.Counts)
		}
		// Objects that recur are logged once, the unknown event besides.
		c.log.want(t, `WARN object skipped: event ADDED: decode replicasets "bad" in namespace "default": proto: wrong wireType = 0 for field Spec`,
			`WARN object skipped: event ADDED: decode replicasets "worse" in namespace "default": proto: wrong wireType = 0 for field Spec`,
			`WARN object skipped: watch replicasets: event of unknown type "NOVELTY"`)
	})
}

// TestNameless: an object without a name is left out and counted, whether it comes
// in the initial list or after, as protobuf or JSON.
func TestNameless(t *testing.T) {
	jsonEvent := func(e watch.EventType, object string) []byte {
		return []byte(`{"type":"` + string(e) + `","object":` + object + "}\n")
	}
	for media, stream := range map[string][]byte{
		mediaProtobuf: slices.Concat(
			protobufFrame(t, watch.Added, replicaSet("a")), protobufFrame(t, watch.Added, replicaSet("")), protobufFrame(t, watch.Added, encoded(nil)),
			endOfInitialEvents(t),
			protobufFrame(t, watch.Added, replicaSet("b")), protobufFrame(t, watch.Modified, replicaSet("")), protobufFrame(t, watch.Deleted, encoded(nil)), hold,
		),
		mediaJSON: slices.Concat(
			jsonFrame(t, watch.Added, replicaSet("a")), jsonEvent(watch.Added, "null"), jsonEvent(watch.Added, "{}"),
			jsonFrame(t, watch.Bookmark, &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{
				ResourceVersion: "1", Annotations: map[string]string{metav1.InitialEventsAnnotationKey: "true"},
			}}),
			jsonFrame(t, watch.Added, replicaSet("b")), jsonEvent(watch.Modified, "null"), jsonEvent(watch.Deleted, "{}"), hold,
		),
	} {
		body := script(new(atomic.Int32), stream)
		handler := func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { body(next).ServeHTTP(typed{w, media}, r) })
		}
		inCluster(t, handler, func(c *cluster) {
			g, m := c.watchReplicaSets()
			m.want(t, "a b")
			if s := g.Statuses()[0]; !s.Synced || s.Counts.DecodeErrors != 4 {
				t.Errorf("%s: synced %v, counts %+v", media, s.Synced, s.Counts)
			}
		})
	}
}

// typed is a response of a content type, whatever the handler says.
type typed struct {
	http.ResponseWriter
	media string
}

func (w typed) Write(b []byte) (int, error) {
	w.Header().Set("Content-Type", w.media)
	return w.ResponseWriter.Write(b)
}

func (w typed) Unwrap() http.ResponseWriter { return w.ResponseWriter }
