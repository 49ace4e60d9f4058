package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kubestate/kubestate"
	"github.com/kubestate/kubestate/customresource"
	"github.com/kubestate/kubestate/internal/conf"
	"github.com/kubestate/kubestate/internal/crd"
	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/kubewatch"
)

// discoveryInterval is how often the API server is asked which custom resources it serves
// where CustomResourceDefinitions may not be read.
const discoveryInterval = 30 * time.Second

// errDiscovering is why a program is not ready that does not know yet which custom
// resources there are.
var errDiscovering = errors.New("custom resources: discovering which are served")

// customKinds makes an exporter serve the custom resources of a configuration, as the
// cluster comes to serve them and ceases to. Nothing else is touched: other watches and
// stores stay.
type customKinds struct {
	settings    conf.Settings
	exporter    *kubestate.Exporter
	tables      *customresource.Tables
	definitions *crd.Definitions
	log         *slog.Logger

	known     map[consumerKey]*kubewatch.Consumer // so that a plan keeps its watches
	others    []*kubewatch.Consumer
	unmatched string      // the entries that were reported
	settled   atomic.Bool // what is served was applied once
}

// consumerKey identifies a Consumer of an exporter.
type consumerKey struct {
	owner string
	table *kind.Table
}

// newCustomKinds returns nil if settings configure no custom resources.
func newCustomKinds(s conf.Settings, x *kubestate.Exporter, log *slog.Logger) (*customKinds, error) {
	if s.CustomResources == nil {
		return nil, nil //nolint:nilnil // there is nothing to do
	}
	for _, p := range s.CustomResources.Problems {
		log.Error("ignoring invalid entry of custom resource configuration", "err", p)
	}
	table, err := crd.Table()
	if err != nil {
		return nil, err
	}
	k := &customKinds{
		settings: s, exporter: x, definitions: crd.NewDefinitions(), log: log, known: map[consumerKey]*kubewatch.Consumer{},
		tables: customresource.NewTables(s.CustomResources, logSkipped(log)),
	}
	k.others = []*kubewatch.Consumer{{
		Owner: "custom resources", Table: table, Whole: true, NewStore: func() (kubewatch.Store, error) { return k.definitions, nil },
	}}
	return k, nil
}

// logSkipped logs the first sample that each family loses.
func logSkipped(log *slog.Logger) customresource.Skipped {
	var logged sync.Map
	return func(family string, err error) {
		if _, before := logged.LoadOrStore(family, true); !before {
			log.Warn("skipping samples of custom resource whose value is no number or state; further ones are not logged", "metric", family, "err", err)
		}
	}
}

// consumers returns those of the exporter and what finds out which kinds there are. Those
// of a table that is kept are the same as before.
func (k *customKinds) consumers() []*kubewatch.Consumer {
	current := exporterConsumers(k.exporter)
	known := map[consumerKey]*kubewatch.Consumer{}
	for i, c := range current {
		key := consumerKey{c.Owner, c.Table}
		if before := k.known[key]; before != nil {
			current[i] = before
		}
		known[key] = current[i]
	}
	k.known = known
	return append(current, k.others...)
}

// ready returns errDiscovering until the kinds are known. A nil customKinds is ready.
func (k *customKinds) ready() error {
	if k == nil || k.settled.Load() {
		return nil
	}
	return errDiscovering
}

// run follows what the cluster serves until ctx ends. A nil customKinds has nothing to do.
func (k *customKinds) run(ctx context.Context, client *kubewatch.Client, group *kubewatch.Group, replan func() error) {
	if k == nil {
		return
	}
	apply := func(available []kind.Resource) {
		if err := k.apply(available, replan); err != nil {
			k.log.Error("failed to change the custom resources that are served", "err", err)
		}
		if !k.settled.Swap(true) { // the same plan again wakes who waits for ready
			_ = replan()
		}
	}
	tick := time.NewTicker(discoveryInterval)
	defer tick.Stop()
	discovered := false
	for {
		changed := group.Changed()
		if k.refused(group) && !discovered {
			discovered = k.discover(ctx, client, apply)
		}
		select {
		case <-ctx.Done():
			return
		case <-k.definitions.Changed():
			available, _ := k.definitions.Available()
			apply(available)
		case <-tick.C:
			discovered = false
		case <-changed:
		}
	}
}

// refused reports whether CustomResourceDefinitions may not be read.
func (k *customKinds) refused(group *kubewatch.Group) bool {
	if _, synced := k.definitions.Available(); synced {
		return false
	}
	return slices.ContainsFunc(group.Statuses(), func(s kubewatch.Status) bool {
		return s.Resource.Name == kind.CustomResourceDefinitions.Name && s.Refused()
	})
}

// discover asks the API server for the groups of the configuration. It returns true: it is
// done until the next tick.
func (k *customKinds) discover(ctx context.Context, client *kubewatch.Client, apply func([]kind.Resource)) bool {
	available, err := crd.Discover(ctx, client, k.settings.CustomResources.Groups())
	if err != nil {
		k.log.Warn("failed to discover custom resources; retrying", "err", err, "interval", discoveryInterval)
		return true
	}
	apply(available)
	return true
}

// apply makes what is available be read and served, and nothing else of the configuration.
func (k *customKinds) apply(available []kind.Resource, replan func() error) error {
	tables, unmatched, failed := k.tables.For(available)
	config := k.settings.Exporter
	config.Kinds = slices.Clone(config.Kinds)
	for _, t := range tables {
		if slices.ContainsFunc(k.settings.Exporter.Kinds, func(other *kind.Table) bool { return t.Group == other.Group && t.Name == other.Name }) {
			failed = errors.Join(failed, fmt.Errorf("custom resource %s of %s: duplicate of the built-in resource; leave it out of --resources", t.Name, t.Group))
			continue
		}
		config.Kinds = append(config.Kinds, t)
	}
	changes, err := k.exporter.Replace(config)
	if err != nil {
		return errors.Join(failed, err)
	}
	if err := replan(); err != nil {
		return errors.Join(failed, err)
	}
	k.report(changes, unmatched)
	return failed
}

// report logs which custom resources came and went, and, when they change, the entries
// that match none.
func (k *customKinds) report(changes kubestate.Changes, unmatched []*customresource.Resource) {
	for _, t := range changes.Added {
		k.log.Info("serving custom resource", "resource", t.Name, "group", t.Group, "version", t.Version)
	}
	for _, t := range changes.Removed {
		k.log.Info("custom resource no longer served by the cluster", "resource", t.Name, "group", t.Group, "version", t.Version)
	}
	text := fmt.Sprint(unmatched)
	if text == k.unmatched {
		return
	}
	k.unmatched = text
	for _, r := range unmatched {
		k.log.Info("no custom resource matches; its metrics appear when the cluster serves one", "entry", r)
	}
}
