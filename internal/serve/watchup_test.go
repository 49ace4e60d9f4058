package serve

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/client-go/rest"

	"github.com/kubestate/kubestate"
	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/kubewatch"
)

// endless is an API server whose watches end as soon as they start.
type endless struct{}

func (endless) RoundTrip(r *http.Request) (*http.Response, error) {
	resp := &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Request: r, Body: http.NoBody}
	if q := r.URL.Query(); q.Has("sendInitialEvents") {
		resp.StatusCode = http.StatusUnprocessableEntity
	} else if !q.Has("watch") {
		resp.Body = io.NopCloser(strings.NewReader(`{"metadata":{"resourceVersion":"5"},"items":[]}`))
	}
	return resp, nil
}

// A watch that makes no progress is down on the telemetry port, with the reason.
func TestWatchWithoutProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x, err := kubestate.New(kubestate.Config{Kinds: []*kind.Table{kind.ReplicaSets}})
		if err != nil {
			t.Fatal(err)
		}
		feed, err := x.NewFeed(kind.ReplicaSets.Resource)
		if err != nil {
			t.Fatal(err)
		}
		client, err := kubewatch.NewClient(&rest.Config{Host: "http://api", Transport: endless{}})
		if err != nil {
			t.Fatal(err)
		}
		group, err := kubewatch.NewGroup(client, []kubewatch.Watch{{Table: kind.ReplicaSets, Store: feed}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			group.Run(ctx)
		}()
		time.Sleep(time.Minute)
		synctest.Wait()
		recorder := httptest.NewRecorder()
		NewTelemetry(Sources{Exporter: x, Watches: group.Statuses}).Handler().ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "/metrics", nil))
		for _, want := range []string{
			`kubestate_watch_up{namespace="",resource="replicasets"} 0`,
			`kubestate_watch_failure_info{namespace="",reason="NoProgress",resource="replicasets"} 1`,
			`kubestate_watch_synced{namespace="",resource="replicasets"} 1`,
		} {
			if !strings.Contains(recorder.Body.String(), want+"\n") {
				t.Errorf("telemetry lacks %s", want)
			}
		}
		cancel()
		<-done
	})
}
