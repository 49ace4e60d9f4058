package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kubestate/kubestate/internal/shard"
	"github.com/kubestate/kubestate/internal/sim/apiserver"
)

// commandLine is a command line of kube-state-metrics that is in use.
type commandLine struct {
	Name   string
	Args   []string
	Config string
}

func commandLines(t *testing.T) []commandLine {
	t.Helper()
	data, err := os.ReadFile("../../internal/conf/testdata/kube-state-metrics/command-lines.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	var all []commandLine
	for lines := bufio.NewScanner(bytes.NewReader(data)); lines.Scan(); {
		var c commandLine
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		all = append(all, c)
	}
	return all
}

// args returns the arguments with files for their placeholders, for an API server and free
// ports.
func (c *commandLine) args(t *testing.T, url string) []string {
	t.Helper()
	dir := t.TempDir()
	write := func(name, text string) string {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return filepath.Join(dir, name)
	}
	free := strings.NewReplacer("telemetry_port: 8081", "telemetry_port: 0", "port: 8080", "port: 0",
		"custom_resource_config_file: FILE", "custom_resource_config_file: "+write("empty.yaml", "kind: CustomResourceStateMetrics\nspec: {resources: []}\n"))
	files := strings.NewReplacer(
		"--kubeconfig=FILE", "--kubeconfig="+write("kubeconfig", "{apiVersion: v1, kind: Config, clusters: [{name: c, cluster: {server: 'http://127.0.0.1:1'}}], contexts: [{name: c, context: {cluster: c, user: u}}], users: [{name: u, user: {}}], current-context: c}"),
		"--tls-config=FILE", "--tls-config="+write("web.yaml", "{}"),
		"FILE-THAT-IS-NOT-THERE", filepath.Join(dir, "missing.yaml"),
		"--config=FILE", "--config="+write("config.yaml", free.Replace(c.Config)),
		"$(NODE_NAME)", "node-1", "$(POD_NAME)", "ksm-1", "$(POD_NAMESPACE)", "monitoring",
		"URL", url)
	args := make([]string, len(c.Args))
	for i, arg := range c.Args {
		args[i] = files.Replace(arg)
	}
	return append(args, "--apiserver="+url, "--port=0", "--telemetry-port=0", "--host=127.0.0.1", "--telemetry-host=127.0.0.1")
}

// shardedCluster has Pods on two nodes and without a node, in three namespaces, and a
// StatefulSet with three replicas of which ksm-1 is the second.
func shardedCluster() []apiserver.Object {
	controller, replicas := true, int32(3)
	self := pod("ksm-1", "node-1")
	self.Namespace = "monitoring"
	self.OwnerReferences = []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "StatefulSet", Name: "ksm", Controller: &controller}}
	first, second := pod("on-1", "node-1"), pod("on-2", "node-2")
	first.Labels = map[string]string{"app": "web", "other": "x"}
	second.Namespace = "billing"
	objects := []apiserver.Object{
		&corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "node-1", Labels: map[string]string{"zone": "a"}}},
		&appsv1.StatefulSet{ObjectMeta: metav1.ObjectMeta{Name: "ksm", Namespace: "monitoring"}, Spec: appsv1.StatefulSetSpec{Replicas: &replicas}},
	}
	for _, p := range []*corev1.Pod{first, second, pod("waiting", ""), self} {
		p.UID = types.UID(p.Name)
		objects = append(objects, p)
	}
	return objects
}

// podsOf returns the Pods of shardedCluster that belong to a shard of three.
func podsOf(index int32) (own, others []string) {
	for _, name := range []string{"on-1", "on-2", "waiting", "ksm-1"} {
		line := fmt.Sprintf("pod=%q", name)
		if shard.Owns(shard.Shard{Index: index, Total: 3}, name) {
			own = append(own, line)
		} else {
			others = append(others, line)
		}
	}
	return own, others
}

// served are parts of lines that a command line serves and does not serve, by its name.
func served() map[string]struct{ yes, no []string } {
	type lines = struct{ yes, no []string }
	all := lines{yes: []string{`pod="on-1"`, `pod="on-2"`, `pod="waiting"`, "kube_node_info{", "kube_statefulset_replicas{"}}
	own, others := podsOf(1)
	web := `kube_pod_labels{namespace="shop",pod="on-1",uid="on-1",label_app="web"} 1`
	return map[string]lines{
		"standard manifest":        all,
		"chart defaults":           all,
		"chart with lists":         {[]string{web, `kube_node_labels{node="node-1",label_zone="a"} 1`}, []string{"kube_statefulset_"}},
		"behind kube-rbac-proxy":   all,
		"autosharding StatefulSet": {own, others},
		"static shard":             {own, others},
		"per node DaemonSet":       {[]string{`pod="on-1"`, `pod="ksm-1"`}, []string{`pod="on-2"`, `pod="waiting"`, "kube_node_"}},
		"per node, without a node": {[]string{`pod="waiting"`}, []string{`pod="on-1"`, `pod="on-2"`}},
		"beside a DaemonSet":       {[]string{"kube_node_info{"}, []string{"kube_pod_"}},
		"out of cluster":           all,
		"namespaces given twice":   {[]string{`namespace="shop"`, "kube_node_info{"}, []string{`namespace="billing"`, `namespace="monitoring"`}},
		"logging flags":            all,
		"memory and cache":         all,
		"TLS":                      all,
		"file wins over flags":     {[]string{web, "kube_node_info{"}, []string{`namespace="billing"`, "kube_pod_tolerations", "kube_statefulset_"}},
		"file with lists":          {[]string{`kube_pod_info{namespace="shop",pod="on-1"`}, []string{"kube_pod_status", "kube_node_"}},
		"file comes later":         all,
		"custom resources inline":  {nil, []string{"kube_pod_", "kube_node_"}},
		"custom resources later":   all,
		"deprecated keys":          {nil, nil},
	}
}

// Each command line starts kubestate and serves what it says. Only the ports and the
// address of the API server are others.
func TestCommandLines(t *testing.T) {
	lines, want := commandLines(t), served()
	if len(lines) != 21 {
		t.Errorf("%d command lines, want 21", len(lines))
	}
	for _, c := range lines {
		t.Run(c.Name, func(t *testing.T) {
			_, _, url := newAPIServer(t, shardedCluster()...)
			if c.Name == "deprecated keys" { // it names the first of the replicas
				c.Config = strings.ReplaceAll(c.Config, "ksm-0", "ksm-1")
			}
			p := startProgram(t, c.args(t, url)...)
			metrics := "http://" + p.address("metrics") + "/metrics"
			if c.Name == "auth" {
				if status, _ := get(t, metrics); status != http.StatusUnauthorized {
					t.Errorf("status %d without a token, want 401", status)
				}
				return
			}
			p.awaitReady()
			status, body := get(t, metrics)
			for _, part := range want[c.Name].yes {
				if !strings.Contains(body, part) {
					t.Errorf("status %d, no %s in\n%s", status, part, body)
				}
			}
			for _, part := range want[c.Name].no {
				if strings.Contains(body, part) {
					t.Errorf("%s is served", part)
				}
			}
			if warnings := strings.Count(p.log.text(), "level=WARN"); c.Name == "logging flags" && warnings > 1 {
				t.Errorf("%d warnings, want one at most", warnings)
			}
			if code := p.end(); code != 0 {
				t.Errorf("exit code %d, want 0", code)
			}
		})
	}
}

// awaitReady waits until the telemetry port says that the program is ready.
func (p *program) awaitReady() {
	p.t.Helper()
	deadline := time.Now().Add(patience)
	for {
		status, body := get(p.t, "http://"+p.address("telemetry")+"/readyz")
		if status == http.StatusOK {
			return
		}
		if time.Now().After(deadline) {
			p.t.Fatalf("not ready: status %d, %s", status, body)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// get returns the status and the body of a response.
func get(t *testing.T, url string) (status int, body string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var text bytes.Buffer
	if _, err := text.ReadFrom(response.Body); err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, text.String()
}
