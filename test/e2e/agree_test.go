package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/kubestate/kubestate/test/e2e/cluster"
	"github.com/kubestate/kubestate/test/e2e/harness"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"
)

// showAll is the flags that select the kinds of this test and enable families and
// labels that need a flag.
func showAll() []string {
	return []string{
		"--resources=pods,nodes,deployments,replicasets,namespaces",
		"--metric-labels-allowlist=pods=[*],nodes=[*],deployments=[*],replicasets=[*],namespaces=[*]",
		"--metric-annotations-allowlist=pods=[*],nodes=[*],deployments=[*],replicasets=[*],namespaces=[*]",
		"--metric-opt-in-list=kube_",
	}
}

// start runs kubestate as the user whose rights the test grants.
func start(t *testing.T, c *cluster.Cluster) *harness.Kubestate {
	t.Helper()
	return harness.StartKubestate(t, kubestateBinary, append(showAll(), "--kubeconfig="+c.Kubeconfig(t, cluster.Kubestate))...)
}

// timeout is how long kubestate may take to catch up: the longest back-off is 30 s.
const timeout = 90 * time.Second

// agree waits until the output of kubestate equals that of "kubestate render" for a
// dump of the cluster and passes the checks, which exclude that both are wrong in the
// same way. It returns the output.
func agree(t *testing.T, k *harness.Kubestate, c *cluster.Cluster, checks ...func(text string) error) string {
	t.Helper()
	return agreeOn(t, k, c, kinds(), checks...)
}

// agreeOn is agree for a cluster in which kubestate may only read some kinds.
func agreeOn(t *testing.T, k *harness.Kubestate, c *cluster.Cluster, kinds []schema.GroupVersionResource, checks ...func(text string) error) string {
	t.Helper()
	var text string
	k.Eventually(t, timeout, "/metrics equals render of the same objects", func() error {
		want := render(t, kubectlJSON(t, c.List(t, kinds...)), showAll()...)
		text = k.Scrape(t)
		errs := []error{difference(text, want)}
		for _, check := range checks {
			errs = append(errs, check(text))
		}
		return errors.Join(errs...)
	})
	return text
}

// has returns a check that some line contains all of the parts.
func has(parts ...string) func(text string) error {
	return func(text string) error {
		for _, part := range parts {
			if !strings.Contains(text, part) {
				return fmt.Errorf("no line has %q", part)
			}
		}
		return nil
	}
}

// hasNot returns a check that no line, including header lines, contains one of the
// parts.
func hasNot(parts ...string) func(text string) error {
	return func(text string) error {
		for _, part := range parts {
			if _, after, found := strings.Cut(text, part); found {
				line, _, _ := strings.Cut(after, "\n")
				return fmt.Errorf("a line has %q: …%s%s", part, part, line)
			}
		}
		return nil
	}
}

// render returns the output of "kubestate render" for a dump on standard input.
func render(t *testing.T, dump []byte, flags ...string) string {
	t.Helper()
	command := exec.CommandContext(t.Context(), kubestateBinary, append([]string{"render", "-"}, flags...)...)
	command.Stdin = bytes.NewReader(dump)
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	if err := command.Run(); err != nil {
		t.Fatalf("kubestate render: %v\n%s", err, stderr.String())
	}
	return stdout.String()
}

// kubectlJSON returns the objects as "kubectl get -o json" prints them.
func kubectlJSON(t *testing.T, objects []unstructured.Unstructured) []byte {
	t.Helper()
	list := map[string]any{"apiVersion": "v1", "kind": "List", "metadata": map[string]any{"resourceVersion": ""}}
	items := make([]any, 0, len(objects))
	for _, object := range objects {
		items = append(items, object.Object)
	}
	list["items"] = items
	dump, err := json.MarshalIndent(list, "", "    ")
	if err != nil {
		t.Fatalf("dump objects: %v", err)
	}
	return dump
}

// documents returns the objects as YAML documents.
func documents(t *testing.T, objects []unstructured.Unstructured) []byte {
	t.Helper()
	var dump bytes.Buffer
	for _, object := range objects {
		document, err := yaml.Marshal(object.Object)
		if err != nil {
			t.Fatalf("dump objects: %v", err)
		}
		dump.WriteString("---\n")
		dump.Write(document)
	}
	return dump.Bytes()
}

// jsonLines returns the objects as JSON, one per line.
func jsonLines(t *testing.T, objects []unstructured.Unstructured) []byte {
	t.Helper()
	var dump bytes.Buffer
	encoder := json.NewEncoder(&dump)
	for _, object := range objects {
		if err := encoder.Encode(object.Object); err != nil {
			t.Fatalf("dump objects: %v", err)
		}
	}
	return dump.Bytes()
}
