// Package kubewatch keeps stores equal to what a Kubernetes API server has: of each
// resource it lists all objects once and then follows their changes. An object goes to its
// store as soon as it is decoded; nothing is collected on the way, and what a store
// contains stays while the server is down or objects are listed again. Of an object only
// the fields that the store reads are decoded.
//
// A Group runs watches. A Plan says which watches serve which consumers; a Group changes
// from one plan to the next while it runs:
//
//	Consumers ─ NewPlan ─► Plan ─ Group.Apply ─► watches ─ objects ─► Stores
//
// It is the only package that imports client-go, and of that only what makes a
// connection. It does not know metrics, nor what a store does with objects. It only reads;
// Client.Send is for packages that write, such as kubewatch/lease.
//
// The files: client.go makes the connection, request.go one request; protobuf.go,
// json.go and table.go read bodies; list.go and watch.go are the loop over them, events.go applies what
// watches bring, intake.go the objects of lists, on all cores; sharding.go drops those of
// other shards; progress.go judges whether a
// watch works and decides what follows it, backoff.go how long to wait; status.go and
// outage.go say what is known about a watch; plan.go is what to watch, group.go and apply.go
// run it, health.go, readiness.go and changes.go say how far that is.
package kubewatch

import "github.com/kubestate/kubestate/kind"

// Store receives what one watch reads. Between Begin and Commit, Put may be called
// from several goroutines at the same time, for different objects. Otherwise the
// methods are called one after another, and each sees what those before it did.
type Store interface {
	// Begin starts a full read; what is stored stays visible. A read that fails
	// is not committed, and the next starts over.
	Begin()
	// Put says that an object was added or changed. It has the fields that the
	// Watch asks for; others may be missing. The object is valid until Put returns:
	// what a Store keeps of it it copies, but for strings, which stay.
	Put(o kind.Object)
	// Delete says that an object is gone. It may be one that was never Put.
	Delete(namespace, name string)
	// Commit says that the full read is complete: objects that were not Put since
	// Begin are gone.
	Commit()
}

// Watch says what to read and who receives it.
type Watch struct {
	Table         *kind.Table
	Namespace     string // empty: all namespaces
	FieldSelector string // as in the Kubernetes API ("spec.nodeName=worker-1"); empty: all objects
	// Fields are those of an object that Store reads, as kind.Reads returns them of
	// all tables that Store renders; nil: all. Where that is metadata only, the API
	// server is asked for nothing else. Name, namespace and resourceVersion must be
	// among them.
	Fields []string
	Store  Store // belongs to this watch alone, because Commit sweeps all of it

	// Shard selects the objects that Store receives. If it is set, metadata.uid must be
	// among Fields.
	Shard Shard
	// Others receives Put and Delete for the objects of other shards, which have
	// OtherFields, as Fields; nil: they are dropped. Begin and Commit are called on Store
	// alone, of which Others is usually a part; see Tee.
	Others      Store
	OtherFields []string

	Lists Lists
}

// Lists says how objects are listed. The zero value is right for most clusters.
type Lists struct {
	// PageSize is the number of objects on a page; 0: 500, of lists that are not streamed.
	// If it is set, no list is streamed.
	PageSize int
	// Cached has all lists answered from the cache of the API server (resourceVersion=0),
	// also those that would otherwise be answered from etcd.
	Cached bool
}
