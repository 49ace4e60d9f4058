package apiserver

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
)

// defaultLogSize is how many events per resource a watch can go back.
const defaultLogSize = 10_000

// maxSnapshots bounds the lists that clients can be paging through at a time.
const maxSnapshots = 32

// StoreConfig describes a Store.
type StoreConfig struct {
	Resources []Resource
	// LogSize is the number of events kept per resource; 0 means 10,000. A
	// watch from before them is answered with 410, and a watcher that falls
	// behind by more than them is cut.
	LogSize int
}

// Store holds the objects of a cluster, encoded, under one increasing
// resourceVersion, and a bounded log of their changes. It is safe for
// concurrent use; no reader, however slow, blocks a writer.
type Store struct {
	logSize int
	tables  []*table // in the order of StoreConfig.Resources
	byName  map[string]*table
	byKind  map[schema.GroupVersionKind]*table
	byType  map[reflect.Type]*table

	mu        sync.RWMutex
	version   uint64 // of the last change
	compacted uint64 // watches from before this version are rejected
	snapshots []snapshot
}

// table holds the objects of one resource, sorted by namespace and name.
type table struct {
	resource Resource
	objects  []*Encoded
	log      eventLog
}

// snapshot is a list at a past version that a client is paging through.
type snapshot struct {
	table   *table
	version uint64
	objects []*Encoded
}

// NewStore returns an empty store. It reports every resource that is declared
// twice.
func NewStore(config StoreConfig) (*Store, error) {
	s := &Store{
		logSize: config.LogSize,
		byName:  map[string]*table{},
		byKind:  map[schema.GroupVersionKind]*table{},
		byType:  map[reflect.Type]*table{},
		version: 1,
	}
	if s.logSize <= 0 {
		s.logSize = defaultLogSize
	}
	var problems []error
	for _, r := range config.Resources {
		if s.byName[r.Name] != nil {
			problems = append(problems, fmt.Errorf("resource %q is declared twice", r.Name))
			continue
		}
		t := &table{resource: r, log: eventLog{limit: s.logSize}}
		s.tables = append(s.tables, t)
		s.byName[r.Name] = t
		s.byKind[r.groupVersion().WithKind(r.Kind)] = t
		if r.New != nil {
			s.byType[reflect.TypeOf(r.New())] = t
		}
	}
	return s, errors.Join(problems...)
}

// Put creates the object or replaces the one with the same namespace and name.
// It sets the object's resourceVersion and otherwise stores it unchanged. The
// object stays the caller's. An error means that its kind is not in the table
// of resources or cannot be encoded.
func (s *Store) Put(object Object) error {
	t, err := s.tableOf(object)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.put(t, object)
}

// put is Put with the lock held.
func (s *Store) put(t *table, object Object) error {
	s.version++
	object.SetResourceVersion(formatVersion(s.version))
	e, err := t.resource.encode(object, s.version)
	if err != nil {
		return err
	}
	i, found := find(t.objects, e.Namespace, e.Name)
	change := event{version: s.version, kind: watch.Added, object: e}
	if found {
		change.kind = watch.Modified
		if previous := t.objects[i]; !previous.selectedAlike(e) {
			change.previous = previous
		}
		t.objects[i] = e
	} else {
		t.objects = slices.Insert(t.objects, i, e)
	}
	t.log.append(change)
	return nil
}

// Delete removes an object and reports whether it was there. An error means
// that there is no such resource.
func (s *Store) Delete(resource, namespace, name string) (bool, error) {
	t, err := s.table(resource)
	if err != nil {
		return false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	i, found := find(t.objects, namespace, name)
	if !found {
		return false, nil
	}
	last, err := t.objects[i].at(s.version + 1)
	if err != nil {
		return false, err
	}
	s.version++
	t.objects = slices.Delete(t.objects, i, i+1)
	t.log.append(event{version: s.version, kind: watch.Deleted, object: last})
	return true, nil
}

// Get returns one object. The boolean says whether it exists; there is no
// object of a resource that is not in the table.
func (s *Store) Get(resource, namespace, name string) (*Encoded, bool) {
	t := s.byName[resource]
	if t == nil {
		return nil, false
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	i, found := find(t.objects, namespace, name)
	if !found {
		return nil, false
	}
	return t.objects[i], true
}

// All walks the objects of a resource, sorted by namespace and name, as they
// were when the walk began.
func (s *Store) All(resource string) iter.Seq[*Encoded] {
	return func(yield func(*Encoded) bool) {
		t := s.byName[resource]
		if t == nil {
			return
		}
		objects, _ := s.list(t)
		for _, e := range objects {
			if !yield(e) {
				return
			}
		}
	}
}

// Len returns the number of objects of a resource.
func (s *Store) Len(resource string) int {
	t := s.byName[resource]
	if t == nil {
		return 0
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(t.objects)
}

// Total returns the number of objects of all resources.
func (s *Store) Total() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	total := 0
	for _, t := range s.tables {
		total += len(t.objects)
	}
	return total
}

// Version returns the resourceVersion of the last change.
func (s *Store) Version() uint64 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.version
}

// Compact forgets all past versions: watches from before the present one and
// unfinished paged lists are answered with 410. Watches that are up to date
// continue.
func (s *Store) Compact() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.compacted = s.version
	s.snapshots = nil
	for _, t := range s.tables {
		t.log.clear()
	}
}

// At returns the object at a position in the order of All; ok is false if there
// are fewer.
func (s *Store) At(resource string, i int) (*Encoded, bool) {
	t := s.byName[resource]
	if t == nil {
		return nil, false
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if i >= len(t.objects) {
		return nil, false
	}
	return t.objects[i], true
}

// WithPrefix returns the objects of a namespace whose names begin with prefix.
func (s *Store) WithPrefix(resource, namespace, prefix string) []*Encoded {
	t := s.byName[resource]
	if t == nil {
		return nil
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	begin, _ := find(t.objects, namespace, prefix)
	end := begin
	for end < len(t.objects) && t.objects[end].Namespace == namespace && strings.HasPrefix(t.objects[end].Name, prefix) {
		end++
	}
	return slices.Clone(t.objects[begin:end])
}

// list returns the objects at the present version, and that version.
func (s *Store) list(t *table) ([]*Encoded, uint64) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return slices.Clone(t.objects), s.version
}

// keep remembers a list so that later pages come from the same version.
func (s *Store) keep(t *table, version uint64, objects []*Encoded) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if version < s.compacted {
		return
	}
	for _, old := range s.snapshots {
		if old.table == t && old.version == version {
			return
		}
	}
	if len(s.snapshots) >= maxSnapshots {
		s.snapshots = slices.Delete(s.snapshots, 0, 1)
	}
	s.snapshots = append(s.snapshots, snapshot{t, version, objects})
}

// past returns the list at a version that is present or was kept.
func (s *Store) past(t *table, version uint64) ([]*Encoded, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if version == s.version {
		return slices.Clone(t.objects), true
	}
	for _, old := range s.snapshots {
		if old.table == t && old.version == version {
			return old.objects, true
		}
	}
	return nil, false
}

// canWatch reports whether every change after version is still in the log.
func (s *Store) canWatch(t *table, version uint64) (oldest uint64, ok bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	oldest = max(s.compacted, t.log.dropped)
	return oldest, version >= oldest
}

// next returns the changes after a version, at most maxBatch of them, and
// moves the version on. If there are none it returns a channel that is closed
// at the next change. ok is false if some of the changes are no longer there.
func (s *Store) next(t *table, after uint64) (changes []event, version uint64, wait <-chan struct{}, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	changes, ok = t.log.after(after)
	switch {
	case !ok:
		return nil, after, nil, false
	case len(changes) > 0:
		return changes, changes[len(changes)-1].version, nil, true
	}
	return nil, max(after, s.version), t.log.changed(), true
}

func (s *Store) table(resource string) (*table, error) {
	t := s.byName[resource]
	if t == nil {
		return nil, fmt.Errorf("resource %q is not served", resource)
	}
	return t, nil
}

func (s *Store) tableOf(object Object) (*table, error) {
	if t := s.byType[reflect.TypeOf(object)]; t != nil {
		return t, nil
	}
	kind := object.GetObjectKind().GroupVersionKind()
	if t := s.byKind[kind]; t != nil && t.resource.New == nil {
		return t, nil
	}
	return nil, fmt.Errorf("put %s/%s: kind %q (%T) is not served", object.GetNamespace(), object.GetName(), kind, object)
}

// find returns where an object is, or would be, among sorted ones.
func find(objects []*Encoded, namespace, name string) (int, bool) {
	return slices.BinarySearchFunc(objects, struct{}{}, func(e *Encoded, _ struct{}) int {
		return cmp.Or(cmp.Compare(e.Namespace, namespace), cmp.Compare(e.Name, name))
	})
}

// at returns the same object under another resourceVersion, as deletions are
// reported.
func (e *Encoded) at(version uint64) (*Encoded, error) {
	object, err := e.Decode()
	if err != nil {
		return nil, err
	}
	object.SetResourceVersion(formatVersion(version))
	return e.resource.encode(object, version)
}

func formatVersion(version uint64) string { return strconv.FormatUint(version, 10) }
