package agent

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/kubestate/kubestate/agent/internal/compile"
	"github.com/kubestate/kubestate/agent/internal/resolve"
	"github.com/kubestate/kubestate/agent/internal/series"
	"github.com/kubestate/kubestate/agent/naming"
	"github.com/kubestate/kubestate/agent/naming/ksm"
	"github.com/kubestate/kubestate/kind"
)

// Agent keeps the series of a cluster as objects change. It is safe for
// concurrent use.
type Agent struct {
	program *compile.Program
	state   *series.State
	tracker *tracker // nil: none

	mu     sync.Mutex // guards the fields below
	config Config     // Scheme, Logger and Now are set
	feeds  []*Feed
	synced chan struct{} // closed and replaced when a Feed is synced
}

// New returns an Agent without objects. The error lists all problems of the
// configuration.
func New(c Config) (*Agent, error) {
	if c.Scheme == nil {
		c.Scheme = ksm.Scheme()
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	switch c.PodMode {
	case "", AllPods, ClusterUnassigned, ClusterAggregatesOnly:
	default:
		return nil, fmt.Errorf("invalid pod mode %q: must be %s, %s or %s", c.PodMode, AllPods, ClusterUnassigned, ClusterAggregatesOnly)
	}
	p, err := compile.Compile(c.compile())
	if err != nil {
		return nil, err
	}
	a := &Agent{config: c, program: p, synced: make(chan struct{})}
	if p.Tracker != nil {
		a.tracker = &tracker{tracker: p.Tracker}
	}
	a.state = series.New(p, fixedTags(&a.config), hostSuffix(c.ClusterName))
	return a, nil
}

// compile returns what the compiler reads of the configuration.
func (c *Config) compile() *compile.Config {
	x := &compile.Config{
		Scheme: c.Scheme, Kinds: c.Kinds, Keep: c.Keep, Labels: c.Labels, Annotations: c.Annotations,
		Joins: c.Joins, LabelsAsTags: c.LabelsAsTags, AnnotationsAsTags: c.AnnotationsAsTags,
		LabelsMapper: c.LabelsMapper, Aggregates: c.Aggregates, Now: c.Now,
		AggregatesOnly:        c.PodMode == ClusterAggregatesOnly,
		OmitClusterAggregates: c.PodMode == ClusterUnassigned && c.ClusterAggregates,
		Reads:                 c.unassignedReads,
	}
	if c.IgnoreUnknown {
		x.Ignore = func(err error) {
			c.Logger.Warn("ignoring unknown name in configuration", "err", err)
		}
	}
	return x
}

// Tables returns the tables whose objects the Agent needs, planned for what it uses, sorted
// by name.
func (a *Agent) Tables() []*kind.Table { return a.program.Tables }

// NewFeed returns a Feed for objects of a resource; each source of such objects needs its
// own. It returns an error if the Agent does not collect the resource.
func (a *Agent) NewFeed(resource string) (*Feed, error) {
	for _, r := range a.program.Resources {
		if r.Table.Name == resource {
			return a.newFeed(r), nil
		}
	}
	return nil, fmt.Errorf("resource %q is not collected: must be one of: %s", resource, strings.Join(kind.Names(a.program.Tables), ", "))
}

func (a *Agent) newFeed(r *compile.Resource) *Feed {
	f := &Feed{agent: a, resource: r, objects: a.state.NewObjects(r)}
	var track func(kind.Object, func(naming.Tracked))
	if len(r.Tracked) > 0 {
		track = func(o kind.Object, emit func(naming.Tracked)) { a.tracker.put(r, o, emit) }
	}
	f.resolvers.New = func() any { return resolve.New(r, track) }
	a.mu.Lock()
	defer a.mu.Unlock()
	a.feeds = append(a.feeds, f)
	return f
}

// WaitSynced waits until Synced, or until ctx ends and then returns its cause.
func (a *Agent) WaitSynced(ctx context.Context) error {
	for {
		a.mu.Lock()
		synced := a.synced
		a.mu.Unlock()
		if a.Synced() {
			return nil
		}
		select {
		case <-synced:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// Synced reports whether the initial list of every Feed is complete. An Agent without
// Feeds is not synced.
func (a *Agent) Synced() bool { return a.state.Synced() }

// announceSynced wakes up callers of WaitSynced.
func (a *Agent) announceSynced() {
	a.mu.Lock()
	defer a.mu.Unlock()
	close(a.synced)
	a.synced = make(chan struct{})
}

// Stats counts what an Agent stores.
type Stats struct {
	Objects  int    // of all kinds
	Series   int    // of objects and aggregations
	Groups   int    // of aggregations
	JoinKeys int    // keys of the join index
	Blocks   uint64 // blocks of tags built since the start
	Failures uint64 // objects that were not fully collected or named, since the start
}

// Stats returns the sums over all resources.
func (a *Agent) Stats() Stats {
	n := a.state.Stats()
	x := Stats{Objects: n.Objects, Series: n.Series, Groups: n.Groups, JoinKeys: n.JoinKeys, Blocks: n.Blocks}
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, f := range a.feeds {
		x.Failures += f.failures
	}
	return x
}

// tracker serializes calls of a naming.Tracker.
type tracker struct {
	mu      sync.Mutex
	tracker naming.Tracker
}

func (t *tracker) put(r *compile.Resource, o kind.Object, emit func(naming.Tracked)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.tracker.Put(r.Table.Name, o, emit)
}

func (t *tracker) delete(r *compile.Resource, k types.NamespacedName) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.tracker.Delete(r.Table.Name, k.Namespace, k.Name)
}
