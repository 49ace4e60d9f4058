package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/kubestate/kubestate/agent"
	"github.com/kubestate/kubestate/agent/flush"
	"github.com/kubestate/kubestate/internal/agentconf"
	"github.com/kubestate/kubestate/internal/datadogconf"
	"github.com/kubestate/kubestate/internal/logged"
	"github.com/kubestate/kubestate/internal/problem"
	"github.com/kubestate/kubestate/internal/serve"
	"github.com/kubestate/kubestate/kubewatch"
	"github.com/kubestate/kubestate/kubewatch/lease"
	"github.com/kubestate/kubestate/sink"
)

// pusher runs the agent: it computes series from objects and sends them to sinks. A nil
// pusher sends nothing.
type pusher struct {
	settings agentconf.Settings
	agent    *agent.Agent
	wants    []*kubewatch.Consumer // of the agent
	sender   *flush.Sender
	// ready waits until everything to send is known, or ctx ends.
	ready func(ctx context.Context) error
	// identified is closed when the cluster ID is known or unavailable.
	identified chan struct{}
	log        *slog.Logger
}

// newPusher returns a pusher. Call connect before run.
func newPusher(s agentconf.Settings, log *slog.Logger) (*pusher, error) {
	for _, w := range s.Warnings {
		log.Warn(w)
	}
	s.Agent.Logger = log
	a, err := agent.New(s.Agent)
	if err != nil {
		return nil, problem.In("agent", err)
	}
	return &pusher{settings: s, agent: a, wants: agentConsumers(a), identified: make(chan struct{}), log: log}, nil
}

// consumers appends the agent to the consumers of objects.
func (p *pusher) consumers(others ...*kubewatch.Consumer) []*kubewatch.Consumer {
	if p == nil {
		return others
	}
	return slices.Concat(others, p.wants)
}

// connect opens the sinks. out is standard output. Nothing is sent until ready returns nil,
// or while elector, which may be nil, is not the leader.
func (p *pusher) connect(elector *lease.Elector, out io.Writer, ready func(ctx context.Context) error) error {
	if p == nil {
		return nil
	}
	var errs []error
	p.ready = func(ctx context.Context) error {
		select {
		case <-p.identified:
			return ready(ctx)
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	config := flush.Config{Agent: p.agent, Ready: p.ready, Logger: p.log}
	if elector != nil {
		config.Lead = elector.Lead
	}
	for i := range p.settings.Outputs {
		r := &p.settings.Outputs[i]
		s, err := r.Open(agentconf.Environment{Stdout: out, Version: version, Logger: p.log})
		if err != nil {
			errs = append(errs, err)
			continue
		}
		config.Outputs = append(config.Outputs, flush.Output{Name: r.Name, Sink: p.withCheckTelemetry(s), Interval: r.Interval, Heartbeat: r.Heartbeat})
	}
	if len(errs) > 0 {
		for _, r := range config.Outputs {
			_ = r.Sink.Close(context.Background()) // its buffer is empty
		}
		return errors.Join(errs...)
	}
	var err error
	p.sender, err = flush.New(config)
	return err
}

// withCheckTelemetry adds the self metrics of the kubernetes_state_core check to a sink, if
// enabled.
func (p *pusher) withCheckTelemetry(s sink.Sink) sink.Sink {
	if !p.settings.CheckTelemetry {
		return s
	}
	return datadogconf.Telemetry(s, p.settings.Agent.Scheme, p.agent.Tags)
}

// systemNamespace is the namespace whose UID serves as the cluster ID.
const systemNamespace = "kube-system"

// identify reads the cluster ID if the naming scheme has a tag for it and it is not
// configured. It retries until it succeeds. If access is forbidden, flushes start without
// the ID, and identify retries less often in case access is granted later.
func (p *pusher) identify(ctx context.Context, client *kubewatch.Client) {
	if p == nil {
		return
	}
	if a := &p.settings.Agent; a.Scheme.ClusterIDTag == "" || a.ClusterID != "" {
		close(p.identified)
		return
	}
	identified := sync.OnceFunc(func() { close(p.identified) })
	var messages logged.Messages
	for {
		uid, err := client.NamespaceUID(ctx, systemNamespace)
		if err == nil {
			p.agent.SetClusterID(uid)
			identified()
			return
		}
		message, retryAfter := "cluster ID unknown; sending nothing until it is known; retrying", identifyAgain
		if kubewatch.Refused(err) {
			identified()
			message, retryAfter = "cluster ID unknown; omitting the cluster ID tag", identifyRefused
		}
		if ctx.Err() == nil && messages.New(message) {
			p.log.Warn(message, "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(retryAfter):
		}
	}
}

// How long identify waits before it retries.
const (
	identifyAgain   = 2 * time.Second
	identifyRefused = time.Minute
)

// run sends until ctx ends, and closes the sinks.
func (p *pusher) run(ctx context.Context) {
	if p == nil {
		<-ctx.Done()
		return
	}
	p.sender.Run(ctx)
}

// telemetry returns the source of the metrics about the agent.
func (p *pusher) telemetry() *serve.Agent {
	if p == nil {
		return nil
	}
	return &serve.Agent{Stats: p.agent.Stats, Receivers: p.sender.Stats}
}
