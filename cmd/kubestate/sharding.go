package main

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/kubestate/kubestate/internal/conf"
	"github.com/kubestate/kubestate/internal/shard"
	"github.com/kubestate/kubestate/kubewatch"
)

// sharding says which shard this instance is, and what it reads as that shard.
type sharding struct {
	options   atomic.Pointer[conf.ShardOptions]
	applying  sync.Mutex           // what is read changes one at a time
	autoshard *kubewatch.Autoshard // nil: the shard is that of the options
	group     *kubewatch.Group
	plan      func(shard.Shard) kubewatch.Plan
	log       *slog.Logger
}

// newSharding makes group read what plan returns, at once or as soon as the shard is known.
func newSharding(o *conf.ShardOptions, client *kubewatch.Client, group *kubewatch.Group, plan func(shard.Shard) kubewatch.Plan, log *slog.Logger) (*sharding, error) {
	s := &sharding{group: group, plan: plan, log: log}
	s.options.Store(o)
	if !o.Automatic() {
		return s, s.group.Apply(plan(shardOf(o)))
	}
	s.autoshard = kubewatch.NewAutoshard(kubewatch.AutoshardConfig{
		Client: client, Namespace: o.PodNamespace, Pod: o.Pod, Ranges: o.ServerSide, Logger: log,
	})
	return s, nil
}

// run follows the shard until ctx ends. The error says that this instance can have none.
func (s *sharding) run(ctx context.Context) error {
	if s.autoshard == nil {
		return nil
	}
	return s.autoshard.Run(ctx, func(of shard.Shard) {
		s.applying.Lock()
		defer s.applying.Unlock()
		if err := s.group.Apply(s.plan(of)); err != nil {
			s.log.Error("cannot change the shard", "err", err)
		}
	})
}

// change calls set, which changes what plan returns, and makes the group read that, once the
// shard is known. It is safe for concurrent use: one change follows the other.
func (s *sharding) change(set func() error) error {
	s.applying.Lock()
	defer s.applying.Unlock()
	if err := set(); err != nil {
		return err
	}
	if s.autoshard == nil {
		return s.group.Apply(s.plan(shardOf(s.options.Load())))
	}
	of, err := s.autoshard.Shard()
	if err != nil {
		return nil //nolint:nilerr // run applies the plan when it is known
	}
	return s.group.Apply(s.plan(of))
}

// hold calls f while nothing changes.
func (s *sharding) hold(f func()) {
	s.applying.Lock()
	defer s.applying.Unlock()
	f()
}

// setOptions changes the options of a shard that is not automatic. It is for set of change.
func (s *sharding) setOptions(o *conf.ShardOptions) {
	if s.autoshard == nil && !o.Automatic() {
		s.options.Store(o)
	}
}

// ready returns an error while the shard is unknown.
func (s *sharding) ready() error {
	if s.autoshard == nil || len(s.group.Statuses()) > 0 {
		return nil
	}
	_, err := s.autoshard.Shard()
	return errors.Join(err, errNothingRead)
}

var errNothingRead = errors.New("nothing is read yet")

// ordinal returns the number of this shard, from 0, and how many there are; -1 and 0 while
// they are unknown.
func (s *sharding) ordinal() (ordinal, shards int) {
	if s.autoshard == nil {
		o := s.options.Load()
		return o.Shard, o.TotalShards
	}
	of, _ := s.autoshard.Shard() // the error says that it is unknown
	return int(of.Index), of.Total
}

// pushes reports whether this instance pushes. That takes all objects, so that one shard
// does it for all.
func (s *sharding) pushes() bool {
	ordinal, _ := s.ordinal()
	return ordinal == 0
}
