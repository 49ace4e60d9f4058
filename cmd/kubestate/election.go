package main

import (
	"context"
	"log/slog"
	"net/http"
	"sync"

	"github.com/kubestate/kubestate"
	"github.com/kubestate/kubestate/internal/agentconf"
	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/kubewatch"
	"github.com/kubestate/kubestate/kubewatch/lease"
)

// newElector returns the elector of an election; nil: there is none.
func newElector(client *kubewatch.Client, e agentconf.LeaderElection, log *slog.Logger) (*lease.Elector, error) {
	if !e.Enabled {
		return nil, nil //nolint:nilnil // no elector is no error
	}
	return lease.New(lease.Config{
		Client: client, Namespace: e.Namespace, Name: e.Name, Identity: e.Identity,
		LeaseDuration: e.LeaseDuration, RenewDeadline: e.RenewDeadline, RetryPeriod: e.RetryPeriod, Logger: log,
	})
}

// campaign competes for the Lease of elector while lead runs, and releases it after that,
// so that no other replica leads meanwhile. It competes once ready returns nil: before,
// this replica has nothing to show or send, and another may have. A nil elector does not
// compete.
func campaign(ctx context.Context, elector *lease.Elector, ready func(context.Context) error, lead func(context.Context)) {
	elect, release := context.WithCancel(context.WithoutCancel(ctx))
	var electing sync.WaitGroup
	if elector != nil {
		electing.Go(func() {
			if ready(elect) == nil {
				elector.Run(elect)
			}
		})
	}
	lead(ctx)
	release()
	electing.Wait()
}

// whileLeading passes requests to h while this replica leads. A standby answers with an
// exposition without series. A nil elector always passes them.
func whileLeading(elector *lease.Elector, h http.Handler) (http.Handler, error) {
	if elector == nil {
		return h, nil
	}
	standby, err := kubestate.New(kubestate.Config{Kinds: []*kind.Table{}})
	if err != nil {
		return nil, err
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if elector.Leading() {
			h.ServeHTTP(w, r)
		} else {
			standby.ServeHTTP(w, r)
		}
	}), nil
}
