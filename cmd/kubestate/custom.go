package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/kubestate/kubestate"
	"github.com/kubestate/kubestate/customresource"
	"github.com/kubestate/kubestate/internal/conf"
	"github.com/kubestate/kubestate/internal/crd"
	"github.com/kubestate/kubestate/internal/problem"
	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/kubewatch"
)

// discoveryInterval is how often the API server is asked which custom resources it serves
// where CustomResourceDefinitions may not be read.
const discoveryInterval = 30 * time.Second

// errDiscovering is why a program is not ready that does not know yet which custom
// resources there are.
var errDiscovering = errors.New("custom resources: discovering which are served")

// customKinds finds out which custom resources of a configuration the cluster serves. Its
// fields change within sharding.change, and are read within that or sharding.hold.
type customKinds struct {
	definitions *crd.Definitions
	consumer    *kubewatch.Consumer // of definitions
	skipped     customresource.Skipped
	log         *slog.Logger

	available []kind.Resource
	known     bool // available is what the cluster serves
	served    customServed
	unmatched string // the entries that were logged as such
}

// customServed is what is served of a configuration of custom resources.
type customServed struct {
	config    *customresource.Config // nil: none
	tables    *customresource.Tables
	kinds     []*kind.Table
	unmatched []*customresource.Resource
	err       error // about those that cannot be served
}

func newCustomKinds(log *slog.Logger) (*customKinds, error) {
	table, err := crd.Table()
	if err != nil {
		return nil, err
	}
	k := &customKinds{definitions: crd.NewDefinitions(), skipped: logSkipped(log), log: log}
	k.consumer = &kubewatch.Consumer{
		Owner: "custom resources", Table: table, Whole: true, NewStore: func() (kubewatch.Store, error) { return k.definitions, nil },
	}
	return k, nil
}

// logSkipped logs the first sample that each family loses.
func logSkipped(log *slog.Logger) customresource.Skipped {
	var logged sync.Map
	return func(family string, err error) {
		if _, before := logged.LoadOrStore(family, true); !before {
			log.Warn("skipping samples of custom resource whose value is not a number or state; further ones are not logged", "metric", family, "err", err)
		}
	}
}

// consumers returns what finds out which kinds there are, if settings ask for any.
func (k *customKinds) consumers(s conf.Settings) []*kubewatch.Consumer {
	if s.CustomResources == nil {
		return nil
	}
	return []*kubewatch.Consumer{k.consumer}
}

// ready returns errDiscovering until the kinds are known. A nil customKinds is ready.
func (k *customKinds) ready() error {
	if k == nil || k.served.config == nil || k.known {
		return nil
	}
	return errDiscovering
}

// check returns the problems of entries that the configuration in effect did not have: a
// changed configuration is taken whole or not at all. A nil customKinds has none.
func (k *customKinds) check(next conf.Settings) error {
	if k == nil || next.CustomResources == nil {
		return nil
	}
	problems := slices.DeleteFunc(slices.Clone(next.CustomResources.Problems), func(p problem.Problem) bool {
		return k.served.config != nil && slices.Contains(k.served.config.Problems, p)
	})
	return problems.Err()
}

// serve returns what is to be served of settings.
func (k *customKinds) serve(s conf.Settings) customServed {
	next := customServed{config: s.CustomResources}
	if next.config == nil {
		return next
	}
	next.tables = k.served.tables.With(next.config, k.skipped)
	tables, unmatched, err := next.tables.For(k.available)
	next.unmatched = unmatched
	for _, t := range tables {
		if slices.ContainsFunc(s.Exporter.Kinds, func(other *kind.Table) bool { return t.Group == other.Group && t.Name == other.Name }) {
			err = errors.Join(err, fmt.Errorf("custom resource %s of %s: duplicate of the built-in resource; leave it out of --resources", t.Name, t.Group))
			continue
		}
		next.kinds = append(next.kinds, t)
	}
	next.err = err
	return next
}

// serves notes what is served, and logs what that changes.
func (k *customKinds) serves(next customServed, changes kubestate.Changes) {
	before := k.served
	k.served = next
	custom := func(tables []*kind.Table, of *customServed) []*kind.Table {
		return slices.DeleteFunc(slices.Clone(tables), func(t *kind.Table) bool { return !slices.Contains(of.kinds, t) })
	}
	for _, t := range custom(changes.Added, &next) {
		k.log.Info("serving custom resource", "resource", t.Name, "group", t.Group, "version", t.Version)
	}
	for _, t := range custom(changes.Removed, &before) {
		k.log.Info("custom resource no longer served", "resource", t.Name, "group", t.Group, "version", t.Version)
	}
	if text := fmt.Sprint(next.err); next.err != nil && text != fmt.Sprint(before.err) {
		k.log.Error("failed to serve custom resources", "err", next.err)
	}
	if next.config != nil && next.config != before.config {
		for _, p := range next.config.Problems {
			k.log.Error("ignoring invalid entry of custom resource configuration", "err", p)
		}
	}
	if text := fmt.Sprint(next.unmatched); k.known && text != k.unmatched {
		k.unmatched = text
		for _, r := range next.unmatched {
			k.log.Info("no custom resource matches; its metrics appear when the cluster serves one", "entry", r)
		}
	}
}

// follow calls change with what notes which kinds the cluster serves, whenever that changes,
// until ctx ends. hold calls a function while nothing changes.
func (k *customKinds) follow(ctx context.Context, client *kubewatch.Client, group *kubewatch.Group, change func(set func()), hold func(func())) {
	apply := func(available []kind.Resource) {
		change(func() { k.available, k.known = available, true })
	}
	tick := time.NewTicker(discoveryInterval)
	defer tick.Stop()
	discovered := false
	for {
		changed := group.Changed()
		if k.refused(group) && !discovered {
			var config *customresource.Config
			hold(func() { config = k.served.config })
			k.discover(ctx, client, config, apply)
			discovered = true
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

// discover asks the API server for the groups of a configuration, if there is one.
func (k *customKinds) discover(ctx context.Context, client *kubewatch.Client, config *customresource.Config, apply func([]kind.Resource)) {
	if config == nil {
		return
	}
	available, err := crd.Discover(ctx, client, config.Groups())
	if err != nil {
		k.log.Warn("failed to discover custom resources; retrying", "err", err, "interval", discoveryInterval)
		return
	}
	apply(available)
}
