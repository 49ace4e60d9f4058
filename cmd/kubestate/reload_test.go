package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubestate/kubestate/internal/sim/apiserver"
)

// configured is a program with a configuration file.
type configured struct {
	*program
	store  *apiserver.Store
	server *apiserver.Server
	config string // path
}

func startConfigured(t *testing.T, config string, args ...string) *configured {
	t.Helper()
	service := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "s", Labels: map[string]string{"team": "core", "env": "prod"}}}
	other := pod("elsewhere", "n2")
	other.Namespace = "other"
	store, server, api := newAPIServer(t, pod("a", "n1"), other, service)
	c := &configured{store: store, server: server, config: filepath.Join(t.TempDir(), "config.yaml")}
	c.write(t, config)
	c.program = startProgram(t, append([]string{"--apiserver", api, "--config", c.config,
		"--host", "127.0.0.1", "--port", "0", "--telemetry-host", "127.0.0.1", "--telemetry-port", "0"}, args...)...)
	c.log.await(t, regexp.MustCompile(`msg=synced`))
	return c
}

// write replaces the configuration file, as editors do.
func (c *configured) write(t *testing.T, text string) {
	t.Helper()
	next := c.config + ".new"
	if err := os.WriteFile(next, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(next, c.config); err != nil {
		t.Fatal(err)
	}
}

func (c *configured) scrape() string {
	c.t.Helper()
	return fetch(c.t, "http://"+c.address("metrics")+"/metrics")
}

// await scrapes until the exposition has one text and lacks another, which may be empty.
func (c *configured) await(has, lacks string) {
	c.t.Helper()
	for late := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		body := c.scrape()
		if strings.Contains(body, has) && (lacks == "" || !strings.Contains(body, lacks)) {
			return
		}
		if time.Now().After(late) {
			c.t.Fatalf("no %q, or still %q, in\n%s", has, lacks, body)
		}
	}
}

// lists returns how many lists of a resource there were.
func (c *configured) lists(resource string) int {
	return c.server.Count(apiserver.VerbWatchList, resource) + c.server.Count(apiserver.VerbList, resource)
}

// A changed file changes what is served: labels, resources, namespaces and filters. Removed
// keys return to their defaults, and resources that it does not concern keep their watches.
func TestReload(t *testing.T) {
	c := startConfigured(t, "resources: {pods: , services: }\nlabels_allow_list: {services: [team]}\n")
	c.await(`label_team="core"`, `label_env`)
	pods := c.lists("pods")
	c.write(t, "resources: {pods: , services: }\nlabels_allow_list: {services: [env]}\n")
	c.await(`label_env="prod"`, `label_team`)
	if n := c.lists("pods"); n != pods {
		t.Errorf("pods were read again: %d requests, then %d", pods, n)
	}
	c.write(t, "resources: {pods: , services: }\n")
	c.await(`kube_service_info`, `label_env`)
	c.write(t, "resources: {pods: , services: }\nnamespaces: [other]\n")
	c.await(`pod="elsewhere"`, `namespace="shop"`)
	c.write(t, "resources: {pods: , namespaces: }\nmetric_denylist: {kube_pod_info: }\n")
	c.await(`kube_pod_status_phase`, `kube_pod_info`)
	c.await(`kube_pod_status_phase`, `kube_service_info`)
	c.awaitLine("/metrics", fmt.Sprintf(`kube_state_metrics_last_config_reload_successful{filename=%q,type="config"} 1`, c.config))
	if code := c.end(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

// An invalid configuration changes nothing but the metrics, the landing page and one line of
// the log; the next valid one counts.
func TestReloadInvalid(t *testing.T) {
	c := startConfigured(t, "resources: {pods: , services: }\n")
	c.write(t, "resources: {pods: , service: }\n")
	state := func(n int) string {
		return fmt.Sprintf(`kube_state_metrics_last_config_reload_successful{filename=%q,type="config"} %d`, c.config, n)
	}
	c.awaitLine("/metrics", state(0))
	if body := c.scrape(); !strings.Contains(body, "kube_service_info{") || !strings.Contains(body, "kube_pod_info{") {
		t.Errorf("with an invalid configuration: %s", body)
	}
	if page := fetch(t, "http://"+c.address("metrics")+"/"); !strings.Contains(page, "previous configuration is in effect") || !strings.Contains(page, "service") {
		t.Errorf("the landing page does not say so: %s", page)
	}
	if n := strings.Count(c.log.text(), "level=ERROR"); n != 1 {
		t.Errorf("%d errors in the log", n)
	}
	c.write(t, "resources: {pods: }\n")
	c.awaitLine("/metrics", state(1))
	c.await("kube_pod_info{", "kube_service_info{")
	if page := fetch(t, "http://"+c.address("metrics")+"/"); strings.Contains(page, "previous configuration is in effect") {
		t.Error("the landing page still says that the configuration is invalid")
	}
}

// The files of a ConfigMap change by an atomic swap of a symbolic link.
func TestReloadConfigMap(t *testing.T) {
	dir := t.TempDir()
	version := func(name, text string) {
		t.Helper()
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name, "config.yaml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(name, filepath.Join(dir, "..data_tmp")); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(filepath.Join(dir, "..data_tmp"), filepath.Join(dir, "..data")); err != nil {
			t.Fatal(err)
		}
	}
	version("..1", "resources: {pods: }\n")
	if err := os.Symlink(filepath.Join("..data", "config.yaml"), filepath.Join(dir, "config.yaml")); err != nil {
		t.Fatal(err)
	}
	c := startConfigured(t, "", "--config", filepath.Join(dir, "config.yaml"))
	c.await("kube_pod_info{", "kube_service_info{")
	version("..2", "resources: {services: }\n")
	c.await("kube_service_info{", "kube_pod_info{")
}

// SIGHUP reads the configuration again.
func TestReloadSignal(t *testing.T) {
	c := startConfigured(t, "resources: {pods: }\n")
	c.await("kube_pod_info{", "")
	if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	c.log.await(t, regexp.MustCompile(`msg="reloaded configuration"`))
}

// A hundred changes within seconds end in the last state, with few reloads; meanwhile a
// scraper that never pauses sees every pod once in every scrape.
func TestReloadStorm(t *testing.T) {
	c := startConfigured(t, "resources: {pods: , services: }\n")
	c.await("kube_service_info{", "")
	done := make(chan struct{})
	var scraping sync.WaitGroup
	scraping.Go(func() {
		for n := 0; ; n++ {
			select {
			case <-done:
				return
			default:
			}
			if err := c.complete(); err != nil {
				t.Errorf("scrape %d: %v", n, err)
				return
			}
		}
	})
	for i := range 100 {
		c.write(t, fmt.Sprintf("resources: {pods: , services: }\nlabels_allow_list: {pods: [l%d], services: [l%d, team]}\n", i, i))
		time.Sleep(20 * time.Millisecond)
	}
	c.write(t, "resources: {pods: , services: }\nlabels_allow_list: {services: [env]}\n")
	c.await(`label_env="prod"`, `label_team`)
	close(done)
	scraping.Wait()
	if n := strings.Count(c.log.text(), `msg="reloaded configuration"`); n > 25 {
		t.Errorf("%d reloads", n)
	}
}

// complete scrapes once and returns an error unless each pod and service is there once.
func (c *configured) complete() error {
	response, err := http.Get("http://" + c.address("metrics") + "/metrics") //nolint:noctx // ends with the program
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	for _, line := range []string{`kube_pod_info{namespace="shop",pod="a",`, `kube_pod_info{namespace="other",pod="elsewhere",`, `kube_service_info{namespace="shop",service="s",`} {
		if n := strings.Count(string(body), line); n != 1 {
			return fmt.Errorf("%d times %s", n, line)
		}
	}
	return nil
}
