package kubewatch

import (
	"slices"
	"sync/atomic"
	"testing"

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

// TestNamelessProtobuf: an object without a name is left out and counted, whether it
// comes in the initial list or after.
func TestNamelessProtobuf(t *testing.T) {
	stream := slices.Concat(
		protobufFrame(t, watch.Added, replicaSet("a")), protobufFrame(t, watch.Added, replicaSet("")), protobufFrame(t, watch.Added, encoded(nil)),
		endOfInitialEvents(t),
		protobufFrame(t, watch.Added, replicaSet("b")), protobufFrame(t, watch.Modified, replicaSet("")), protobufFrame(t, watch.Deleted, encoded(nil)), hold,
	)
	inCluster(t, script(new(atomic.Int32), stream), func(c *cluster) {
		g, m := c.watchReplicaSets()
		m.want(t, "a b")
		if s := g.Statuses()[0]; !s.Synced || s.Counts.DecodeErrors != 4 {
			t.Errorf("synced %v, counts %+v", s.Synced, s.Counts)
		}
	})
}
