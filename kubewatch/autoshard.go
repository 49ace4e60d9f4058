package kubewatch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubestate/kubestate/internal/logged"
	"github.com/kubestate/kubestate/internal/shard"
	"github.com/kubestate/kubestate/kind"
)

// ErrNoStatefulSet means that a Pod is not one of a StatefulSet, so that it has no ordinal.
var ErrNoStatefulSet = errors.New("not a Pod of a StatefulSet")

// errShardUnknown is the error of Autoshard.Shard before the StatefulSet was read.
var errShardUnknown = errors.New("reading its StatefulSet")

// AutoshardConfig configures an Autoshard.
type AutoshardConfig struct {
	Client         *Client
	Namespace, Pod string // of this process
	Ranges         bool   // as in Shard
	Logger         *slog.Logger
}

// Autoshard derives the Shard of a Pod from its StatefulSet: the ordinal of the Pod, less
// spec.ordinals.start, of spec.replicas. While the StatefulSet is scaled, the Shard changes
// such that every object belongs to some Pod that has read it:
//
//	scaled up    when all Pods are ready, those added included
//	scaled down  at once; a Pod to be removed keeps its Shard until it ends
//
// It is safe for concurrent use.
type Autoshard struct {
	config AutoshardConfig

	mu    sync.Mutex
	shard Shard
	err   error // why the shard is unknown; nil: it is known
}

// NewAutoshard returns an Autoshard that does not know the Shard yet.
func NewAutoshard(c AutoshardConfig) *Autoshard { return &Autoshard{config: c, err: errShardUnknown} }

// Shard returns the current Shard, or an error that says why it is unknown. A new Shard is
// returned just before it is applied.
func (a *Autoshard) Shard() (Shard, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.err != nil {
		return shard.None(), fmt.Errorf("shard of pod %s/%s unknown: %w", a.config.Namespace, a.config.Pod, a.err)
	}
	return a.shard, nil
}

// Run follows the StatefulSet until ctx ends, and calls apply, one call at a time, with each
// new Shard. It retries all errors except ErrNoStatefulSet, which it returns. It needs the
// permissions to get the Pod, and to list and watch StatefulSets in its namespace.
func (a *Autoshard) Run(ctx context.Context, apply func(Shard)) error {
	owner, ordinal, err := a.find(ctx)
	if ctx.Err() != nil {
		return nil
	}
	if err != nil {
		return err
	}
	group, err := NewGroup(a.config.Client, []Watch{{
		Table: kind.StatefulSets, Namespace: a.config.Namespace, FieldSelector: "metadata.name=" + owner,
		Fields: []string{"metadata.{name,namespace,resourceVersion,generation}", "spec.{replicas,ordinals}", "status.{readyReplicas,observedGeneration}"},
		Store:  &ordinalStore{autoshard: a, ordinal: ordinal, apply: apply},
	}}, a.config.Logger)
	if err != nil {
		return err
	}
	group.Run(ctx)
	return nil
}

// find returns the StatefulSet of the Pod and the Pod's ordinal.
func (a *Autoshard) find(ctx context.Context) (owner string, ordinal int64, err error) {
	var wait backoff
	var warned logged.Messages
	for {
		owner, ordinal, err = a.ask(ctx)
		if err == nil || errors.Is(err, ErrNoStatefulSet) || ctx.Err() != nil {
			return owner, ordinal, err
		}
		a.failed(err)
		if warned.New(err.Error()) {
			a.config.Logger.Warn("shard unknown; retrying", "err", err)
		}
		select {
		case <-time.After(wait.next(time.Now(), longestDelay)):
		case <-ctx.Done():
		}
	}
}

// ask gets the Pod.
func (a *Autoshard) ask(ctx context.Context) (owner string, ordinal int64, err error) {
	c := a.config
	wrap := func(err error) error { return fmt.Errorf("get pod %s/%s: %w", c.Namespace, c.Pod, err) }
	body, err := c.Client.Send(ctx, http.MethodGet, "/api/v1/namespaces/"+url.PathEscape(c.Namespace)+"/pods/"+url.PathEscape(c.Pod), nil)
	if err != nil {
		return "", 0, wrap(err)
	}
	var pod metav1.PartialObjectMetadata
	if err := json.Unmarshal(body, &pod); err != nil {
		return "", 0, wrap(err)
	}
	r := metav1.GetControllerOfNoCopy(&pod)
	if r == nil || r.Kind != "StatefulSet" || !strings.HasPrefix(r.APIVersion, "apps/") {
		return "", 0, wrap(ErrNoStatefulSet)
	}
	suffix, ok := strings.CutPrefix(c.Pod, r.Name+"-")
	number, err := strconv.ParseUint(suffix, 10, 31)
	if !ok || err != nil {
		return "", 0, wrap(fmt.Errorf("%w: its name is not %s-N", ErrNoStatefulSet, r.Name))
	}
	return r.Name, int64(number), nil
}

func (a *Autoshard) set(s Shard) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.shard, a.err = s, nil
}

func (a *Autoshard) failed(err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.err = err
}

// nextShard returns the Shard of the Pod with an ordinal, after current, which is zero at
// first.
func nextShard(current Shard, ordinal int64, s *appsv1.StatefulSet) Shard {
	first, replicas := int64(0), int64(1)
	if s.Spec.Ordinals != nil {
		first = int64(s.Spec.Ordinals.Start)
	}
	if s.Spec.Replicas != nil {
		replicas = int64(*s.Spec.Replicas)
	}
	ready := s.Status.ObservedGeneration >= s.Generation && int64(s.Status.ReadyReplicas) >= replicas
	index := ordinal - first
	switch {
	case index >= 0 && index < replicas && (current.Total == 0 || replicas <= int64(current.Total) || ready):
		return Shard{Index: int32(index), Total: int(replicas)}
	case current.Total == 0:
		return shard.None()
	default:
		return current
	}
}

// ordinalStore is the Store of the StatefulSet.
type ordinalStore struct {
	autoshard *Autoshard
	ordinal   int64
	apply     func(Shard)
	current   Shard // zero: none yet
}

// Put implements Store.
func (s *ordinalStore) Put(o kind.Object) {
	set, ok := o.(*appsv1.StatefulSet)
	if !ok {
		return
	}
	next := nextShard(s.current, s.ordinal, set)
	next.Ranges = s.autoshard.config.Ranges
	if next == s.current {
		return
	}
	s.autoshard.config.Logger.Info("shard changed", "shard", next.Index, "total_shards", next.Total)
	s.current = next
	s.autoshard.set(next)
	s.apply(next)
}

// Begin implements Store.
func (s *ordinalStore) Begin() {}

// Delete implements Store. The Pod keeps its Shard until it ends.
func (s *ordinalStore) Delete(string, string) {}

// Commit implements Store.
func (s *ordinalStore) Commit() {
	if s.current == (Shard{}) {
		s.autoshard.failed(errors.New("its StatefulSet does not exist"))
	}
}
