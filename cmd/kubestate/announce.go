package main

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/kubestate/kubestate/kubewatch"
)

// sources are attributes for the log: which API server, resources and namespaces are
// read, and which sinks receive series.
func (r *reading) sources() []any {
	var resources, namespaces []string
	for _, s := range r.group.Statuses() {
		resources = append(resources, s.Resource.Name)
		if s.Namespace != "" {
			namespaces = append(namespaces, s.Namespace)
		}
	}
	attrs := []any{"apiserver", r.client.Server(), "resources", distinct(resources)}
	if len(namespaces) > 0 {
		attrs = append(attrs, "namespaces", distinct(namespaces))
	}
	if r.pusher != nil {
		var sinks []string
		for i := range r.pusher.settings.Outputs {
			sinks = append(sinks, r.pusher.settings.Outputs[i].Name)
		}
		attrs = append(attrs, "sinks", distinct(sinks))
	}
	return attrs
}

// distinct returns the different names, ascending, as one string.
func distinct(names []string) string {
	slices.Sort(names)
	return strings.Join(slices.Compact(names), ",")
}

// announce logs the outcome of the initial lists: once that nothing can be read, as
// soon as that is known, and once what was read.
func (r *reading) announce(ctx context.Context) {
	begun, reported := time.Now(), false
	synced := r.await(ctx, func() bool {
		err := r.ready()
		if errors.Is(err, kubewatch.ErrNothingServed) && !reported {
			reported = true
			r.log.Error("nothing to serve: the API server refuses every resource; grant the rules of deploy/clusterrole.yaml to the service account",
				"resources", strings.Join(kubewatch.NotServed(r.group.Statuses()), ", "))
		}
		return err == nil
	})
	if !synced {
		return
	}
	kinds, objects, series := r.held()
	r.log.Info("synced", "kinds", kinds, "objects", objects, "series", series,
		"seconds", math.Round(time.Since(begun).Seconds()*1000)/1000)
}

// held returns how many kinds were listed, and how many objects and series there are.
// Of an exporter and an agent in one process it is the exporter's.
func (r *reading) held() (kinds, objects, series int) {
	var synced []string
	for _, s := range r.group.Statuses() {
		if s.Synced {
			synced = append(synced, s.Resource.Name)
		}
	}
	slices.Sort(synced)
	synced = slices.Compact(synced)
	if r.exporter == nil {
		s := r.pusher.agent.Stats()
		return len(synced), s.Objects, s.Series
	}
	for _, t := range r.exporter.Tables() {
		s := r.exporter.Stats(t.Resource)
		objects, series = objects+s.Objects, series+s.Series
	}
	return len(synced), objects, series
}
