package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/kubestate/kubestate/test/e2e/cluster"
	"github.com/kubestate/kubestate/test/e2e/harness"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

const (
	// everyRole is the generated role for every resource of kubestate; this test takes
	// the list of resources from it.
	everyRole = "../../deploy/clusterrole-all.yaml"
	// everyFamily is the generated reference of all families.
	everyFamily = "../../docs/reference/metrics.json"
)

// withoutSample lists the families without a sample in this test, with reasons.
func withoutSample() map[string]string {
	return map[string]string{
		"kube_cronjob_schedule_invalid": "the API server takes no CronJob of which kubestate cannot read the schedule",
	}
}

// testEveryKind serves all kinds and all families, in both formats, with only the
// permissions of the generated role. It follows objects of every kind from creation
// through graceful deletion to removal.
func testEveryKind(t *testing.T, c *cluster.Cluster) {
	objects := cluster.Objects(t, "testdata/objects.yaml", "testdata/every-kind.yaml")
	named, revoke := c.GrantRole(t, everyRole)
	defer revoke()
	defer c.Define(t, "testdata/definitions.yaml")()
	e := everyKind{cluster: c, flags: showEverything(named), resources: served(t, c, named)}
	checkObjects(t, named, objects)
	e.kubestate = harness.StartKubestate(t, kubestateBinary, append(e.flags, "--kubeconfig="+c.Kubeconfig(t, cluster.Kubestate))...)
	e.kubestate.WaitReady(t)
	e.agree(t)

	defer c.Remove(t, objects)
	c.Create(t, "testdata/objects.yaml")
	c.Create(t, "testdata/every-kind.yaml")
	approve(t, c)
	e.agree(t)
	created := e.render(t, objects)

	c.AskDelete(t, objects)
	e.agree(t, has(`kube_pod_deletion_timestamp{namespace="shop",pod="resized",`, `kube_service_deletion_timestamp{`))
	deleting := e.render(t, objects)
	checkSamples(t, created+deleting)

	c.Remove(t, objects)
	e.agree(t, isGone(created), isGone(deleting))
	if left := e.list(t, objects); len(left) > 0 {
		t.Errorf("%d objects are left, the first is %s %s", len(left), left[0].GetKind(), left[0].GetName())
	}
}

// showEverything is the flags that enable everything.
func showEverything(resources []schema.GroupResource) []string {
	names := make([]string, 0, len(resources))
	for _, resource := range resources {
		names = append(names, resource.Resource)
	}
	return []string{
		"--resources=" + strings.Join(names, ","),
		"--metric-labels-allowlist=*=[*]",
		"--metric-annotations-allowlist=*=[*]",
		"--metric-opt-in-list=.",
	}
}

// served returns the resources in the version that the API server prefers. Currently
// all are enabled by default.
func served(t *testing.T, c *cluster.Cluster, named []schema.GroupResource) []schema.GroupVersionResource {
	t.Helper()
	all := c.Served(t)
	var resources []schema.GroupVersionResource
	for _, name := range named {
		resource, found := all[name]
		if !found {
			t.Errorf("the API server does not serve %s: start it with the flag that it needs", name)
			continue
		}
		resources = append(resources, resource)
	}
	return resources
}

// checkObjects fails the test unless there is an object of each resource.
func checkObjects(t *testing.T, resources []schema.GroupResource, objects []cluster.Object) {
	t.Helper()
	for _, resource := range resources {
		if !slices.ContainsFunc(objects, func(o cluster.Object) bool { return o.Resource == resource }) {
			t.Errorf("testdata/every-kind.yaml has no object of %s", resource)
		}
	}
}

// approve approves a certificate signing request, which its status alone cannot.
func approve(t *testing.T, c *cluster.Cluster) {
	t.Helper()
	requests := schema.GroupVersionResource{Group: "certificates.k8s.io", Version: "v1", Resource: "certificatesigningrequests"}
	c.Patch(t, requests, "", "csr-x7k2p",
		`{"status":{"conditions":[{"type":"Approved","status":"True","reason":"AutoApproved"}]}}`, "approval")
}

// everyKind is a kubestate that exposes everything of a cluster.
type everyKind struct {
	cluster   *cluster.Cluster
	kubestate *harness.Kubestate
	flags     []string
	resources []schema.GroupVersionResource
}

// agree waits until the output of kubestate, in both formats, equals that of "kubestate
// render" for a dump of the cluster and passes the checks. The API server has objects
// of its own, some of which change at any time.
func (e everyKind) agree(t *testing.T, checks ...func(text string) error) {
	t.Helper()
	e.kubestate.Eventually(t, timeout, "/metrics equals render of the same objects", func() error {
		dump := kubectlJSON(t, e.cluster.List(t, e.resources...))
		text := e.kubestate.Scrape(t)
		openMetrics := e.kubestate.Scrape(t, "Accept", "application/openmetrics-text; version=1.0.0")
		errs := []error{difference(text, render(t, dump, e.flags...))}
		if err := difference(openMetrics, render(t, dump, append(e.flags, "--format=openmetrics")...)); err != nil {
			errs = append(errs, fmt.Errorf("OpenMetrics: %w", err))
		}
		for _, check := range checks {
			errs = append(errs, check(text))
		}
		return errors.Join(errs...)
	})
}

// list returns the current objects of the API server.
func (e everyKind) list(t *testing.T, objects []cluster.Object) []unstructured.Unstructured {
	t.Helper()
	var found []unstructured.Unstructured
	for _, resource := range e.resources {
		for _, o := range e.cluster.List(t, resource) {
			if slices.ContainsFunc(objects, func(wanted cluster.Object) bool {
				return wanted.Resource == resource.GroupResource() && wanted.Namespace == o.GetNamespace() && wanted.Name == o.GetName()
			}) {
				found = append(found, o)
			}
		}
	}
	return found
}

// render returns the metrics of the objects.
func (e everyKind) render(t *testing.T, objects []cluster.Object) string {
	t.Helper()
	return render(t, kubectlJSON(t, e.list(t, objects)), e.flags...)
}

// isGone returns a check that the text has no series of another text, whatever their
// values.
func isGone(series string) func(text string) error {
	return func(text string) error {
		now := seriesOf(text)
		var errs []error
		for _, name := range slices.Sorted(maps.Keys(seriesOf(series))) {
			if now[name] {
				errs = append(errs, fmt.Errorf("still there: %s", name))
			}
		}
		return errors.Join(errs...)
	}
}

// seriesOf returns the sample lines of a text without their values.
func seriesOf(text string) map[string]bool {
	series := map[string]bool{}
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "#") {
			series[line[:strings.LastIndexByte(line, ' ')]] = true
		}
	}
	return series
}

// checkSamples fails the test unless each family, except withoutSample, and each
// resource has a sample in text.
func checkSamples(t *testing.T, text string) {
	t.Helper()
	sampled := map[string]bool{}
	for name := range seriesOf(text) {
		name, _, _ = strings.Cut(name, "{")
		sampled[name] = true
	}
	shown, total := map[string]bool{}, 0
	for _, f := range readReference(t) {
		reason, excepted := withoutSample()[f.Name]
		switch {
		case excepted && sampled[f.Name]:
			t.Errorf("%s of %s has a sample: it is no exception any more", f.Name, f.Resource)
		case excepted:
			t.Logf("%s of %s has no sample: %s", f.Name, f.Resource, reason)
		case !sampled[f.Name]:
			t.Errorf("%s of %s has no sample", f.Name, f.Resource)
		}
		shown[f.Resource] = shown[f.Resource] || sampled[f.Name]
		total++
	}
	for resource, is := range shown {
		if !is {
			t.Errorf("%s have no sample", resource)
		}
	}
	t.Logf("%d of %d families of %d resources have samples", len(sampled), total, len(shown))
}

type familyOfResource struct{ Name, Resource string }

func readReference(t *testing.T) []familyOfResource {
	t.Helper()
	data, err := os.ReadFile(everyFamily)
	if err != nil {
		t.Fatalf("read the reference: %v", err)
	}
	var all []familyOfResource
	if err := json.Unmarshal(data, &all); err != nil {
		t.Fatalf("read the reference: %s: %v", everyFamily, err)
	}
	return all
}
