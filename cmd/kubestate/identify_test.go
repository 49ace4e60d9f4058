package main

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"github.com/kubestate/kubestate/agent"
	"github.com/kubestate/kubestate/agent/naming/datadog"
	"github.com/kubestate/kubestate/internal/agentconf"
	"github.com/kubestate/kubestate/internal/sim/apiserver"
	"github.com/kubestate/kubestate/kubewatch"
)

// once is a fault that happens once.
func once(f apiserver.Fault) apiserver.Fault {
	f.Times = 1
	return f
}

// The ID of the cluster is asked for until the API server answers. One that refuses
// holds nothing up.
func TestIdentify(t *testing.T) {
	unable := apiserver.Fault{Effect: apiserver.EffectStatus, Status: apierrors.NewInternalError(io.EOF).Status(), Times: 3}
	for name, c := range map[string]struct {
		fault    apiserver.Fault
		id, told string
		requests int
		log      string
	}{
		"at the fourth time": {unable, "us", "", 4, "until it is known"},
		"refused":            {apiserver.Forbidden("namespaces"), "", "", 2, "omitting the cluster ID tag"},
		"refused at first":   {once(apiserver.Forbidden("namespaces")), "us", "", 2, "omitting the cluster ID tag"},
		"told":               {apiserver.Forbidden("namespaces"), "mine", "mine", 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store, err := apiserver.NewStore(apiserver.StoreConfig{Resources: simulated()})
				if err != nil {
					t.Fatal(err)
				}
				if err := store.Put(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: systemNamespace, UID: "us"}}); err != nil {
					t.Fatal(err)
				}
				api, network := apiserver.New(store, apiserver.Config{}), make(pipes)
				api.Inject(c.fault)
				server := &http.Server{Handler: api, ReadHeaderTimeout: time.Minute}
				go func() { _ = server.Serve(network) }()
				t.Cleanup(func() { _ = server.Close() })
				client, err := kubewatch.NewClient(&rest.Config{Host: "http://api", Dial: network.dial})
				if err != nil {
					t.Fatal(err)
				}
				var log bytes.Buffer
				p, err := newPusher(agentconf.Settings{Agent: agent.Config{Scheme: datadog.Scheme(), ClusterID: c.told}}, slog.New(slog.NewTextHandler(&log, nil)))
				if err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithTimeout(t.Context(), identifyRefused+identifyRefused/2)
				defer cancel()
				p.identify(ctx, client)
				got := ""
				for _, tag := range p.agent.Tags() {
					if tag.Key == "orch_cluster_id" {
						got = tag.Value
					}
				}
				select {
				case <-p.identified:
				default:
					t.Error("the agent still waits for the ID")
				}
				if got != c.id || len(api.Requests()) != c.requests {
					t.Errorf("ID %q after %d requests, want %q after %d", got, len(api.Requests()), c.id, c.requests)
				}
				if strings.Count(log.String(), "\n") != min(c.requests, 1) || !strings.Contains(log.String(), c.log) {
					t.Errorf("log:\n%s", log.String())
				}
			})
		})
	}
}
