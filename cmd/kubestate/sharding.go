package main

import (
	"context"
	"errors"
	"log/slog"
	"sync"

	"github.com/kubestate/kubestate/internal/conf"
	"github.com/kubestate/kubestate/internal/shard"
	"github.com/kubestate/kubestate/kubewatch"
)

// sharding says which shard this instance is, and what it reads as that shard.
type sharding struct {
	options   *conf.ShardOptions
	autoshard *kubewatch.Autoshard // nil: the shard is that of the options
	group     *kubewatch.Group
	plan      func(shard.Shard) kubewatch.Plan
	log       *slog.Logger

	mu    sync.Mutex
	shard shard.Shard
	known bool
}

// newSharding makes group read what plan returns, at once or as soon as the shard is known.
func newSharding(o *conf.ShardOptions, client *kubewatch.Client, group *kubewatch.Group, plan func(shard.Shard) kubewatch.Plan, log *slog.Logger) (*sharding, error) {
	s := &sharding{options: o, group: group, plan: plan, log: log}
	if !o.Automatic() {
		return s, s.apply(shardOf(o))
	}
	s.autoshard = kubewatch.NewAutoshard(kubewatch.AutoshardConfig{
		Client: client, Namespace: o.PodNamespace, Pod: o.Pod, Ranges: o.ServerSide, Logger: log,
	})
	return s, nil
}

// apply makes the group read what plan returns for a shard.
func (s *sharding) apply(of shard.Shard) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shard, s.known = of, true
	return s.group.Apply(s.plan(of))
}

// replan makes the group read what plan returns now, if the shard is known.
func (s *sharding) replan() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.known {
		return nil
	}
	return s.group.Apply(s.plan(s.shard))
}

// run follows the shard until ctx ends. The error says that this instance can have none.
func (s *sharding) run(ctx context.Context) error {
	if s.autoshard == nil {
		return nil
	}
	return s.autoshard.Run(ctx, func(of shard.Shard) {
		if err := s.apply(of); err != nil {
			s.log.Error("cannot change the shard", "err", err)
		}
	})
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
		return s.options.Shard, s.options.TotalShards
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
