package kubestate_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/kubestate/kubestate"
	"github.com/kubestate/kubestate/exposition"
	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/metric"
)

// mostOfASlice is the maximum size of a listed slice that docs/operations.md documents.
const mostOfASlice = 8 << 20

// target is the target group of one slice.
type target struct {
	Targets []string
	Labels  map[string]string
}

// discover returns what /sd lists.
func discover(t *testing.T, x *kubestate.Exporter, query string) []target {
	t.Helper()
	w := httptest.NewRecorder()
	x.Discovery("/metrics").ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://kubestate:8080/sd?"+query, nil))
	var targets []target
	if err := json.Unmarshal(w.Body.Bytes(), &targets); w.Code != http.StatusOK || err != nil {
		t.Fatalf("status %d, %v: %s", w.Code, err, w.Body)
	}
	return targets
}

// scrape returns the bodies of the listed targets.
func scrape(t *testing.T, x *kubestate.Exporter, targets []target) (bodies []string) {
	t.Helper()
	for _, target := range targets {
		query := url.Values{}
		for name, value := range target.Labels {
			if parameter, ok := strings.CutPrefix(name, "__param_"); ok {
				query.Set(parameter, value)
			}
		}
		w := httptest.NewRecorder()
		x.ServeHTTP(w, httptest.NewRequest(http.MethodGet, target.Labels["__metrics_path__"]+"?"+query.Encode(), nil))
		if w.Code != http.StatusOK {
			t.Fatalf("%s: status %d: %s", query.Encode(), w.Code, w.Body)
		}
		bodies = append(bodies, w.Body.String())
	}
	return bodies
}

// newFat returns an Exporter that serves only the labels of ReplicaSets.
func newFat(t *testing.T) *kubestate.Exporter {
	t.Helper()
	t.Setenv("KUBESTATE_VALIDATE", "0") // too slow for this much text
	x, err := kubestate.New(kubestate.Config{
		Kinds:  []*kind.Table{kind.ReplicaSets},
		Keep:   func(d *metric.Desc) bool { return d.Name == "kube_replicaset_labels" },
		Labels: map[string][]string{"replicasets": {"*"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// fat returns a ReplicaSet with about that many bytes of text.
func fat(name string, size int) kind.Object {
	o := replicaSet(name)
	o.Labels = map[string]string{"long": strings.Repeat("x", size)}
	return o
}

func TestDiscoveryOfASmallCluster(t *testing.T) {
	s := serveMany(t, kubestate.Config{})
	a := request(t, http.MethodGet, s.URL+"/sd?resources=pods&resources=nodes", nil)
	host := strings.TrimPrefix(s.URL, "http://")
	want := `[{"targets":["` + host + `"],"labels":{"__metrics_path__":"/metrics","__param_resources":"pods,nodes"}}]` + "\n"
	if a.body != want || a.header.Get("Content-Type") != "application/json" {
		t.Errorf("Content-Type %s:\n%swant\n%s", a.header.Get("Content-Type"), a.body, want)
	}
}

// An Exporter can be mounted at any path, and arbitrary client input is not repeated for
// each target.
func TestDiscoveryLabels(t *testing.T) {
	x := newExporter(t, kubestate.Config{})
	feed(t, x, "pods", pod("a"))
	w := httptest.NewRecorder()
	query := "resources=pods,pods," + strings.Repeat("made-up,", 5_000) + "nodes&exclude_resources=other&exclude_resources=nodes"
	x.Discovery("/cluster/state").ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://kubestate:8080/sd?"+query, nil))
	want := `[{"targets":["kubestate:8080"],"labels":{"__metrics_path__":"/cluster/state","__param_exclude_resources":"nodes","__param_resources":"pods,nodes"}}]` + "\n"
	if w.Body.String() != want {
		t.Errorf("got  %swant %s", w.Body, want)
	}
}

// The largest slice is what matters to a client: slices have different numbers of blocks of
// objects.
func TestDiscoveryOfALargeCluster(t *testing.T) {
	x := newFat(t)
	var sets []kind.Object
	for i := range 3 * 128 {
		sets = append(sets, fat(fmt.Sprint("rs-", i), 40_000))
	}
	feed(t, x, "replicasets", sets...)
	targets := discover(t, x, "")
	if n := len(targets); n < 2 || n > 4 {
		t.Fatalf("%d slices of 15 MB, want 2, or 4 because slices consist of blocks", n)
	}
	for i, g := range targets {
		want := fmt.Sprintf("%d/%d", i+1, len(targets))
		if !slices.Equal(g.Targets, []string{"kubestate:8080"}) || g.Labels["__param_slice"] != want {
			t.Errorf("group %d: %+v, want slice %s of kubestate:8080", i, g, want)
		}
		if g.Labels["instance"] != "kubestate:8080?slice="+want {
			t.Errorf("group %d: %+v, want an instance of its own", i, g)
		}
	}
	var all []string
	for i, body := range scrape(t, x, targets) {
		if len(body) > mostOfASlice {
			t.Errorf("slice %d of %d has %d bytes, more than %d", i+1, len(targets), len(body), mostOfASlice)
		}
		all = append(all, samples(body)...)
	}
	slices.Sort(all)
	if want := slices.Sorted(slices.Values(samples(write(t, x, exposition.Text, kubestate.Selection{})))); !slices.Equal(all, want) {
		t.Errorf("the slices have %d samples, the whole %d, or they differ", len(all), len(want))
	}
}

// A single object cannot be split, but the number of slices is the same as for many small
// ones.
func TestDiscoveryOfAHugeObject(t *testing.T) {
	x := newFat(t)
	feed(t, x, "replicasets", fat("huge", 20<<20))
	if n := len(discover(t, x, "")); n != 4 {
		t.Errorf("%d slices of one object of 20 MiB, want 4", n)
	}
}

// The number of slices does not follow every change, because all series change their
// instance label with it.
func TestDiscoveryIsSteady(t *testing.T) {
	x := newFat(t)
	feeds := make([]*kubestate.Feed, 16) // so that slices have the same size
	for i := range feeds {
		feeds[i] = feed(t, x, "replicasets")
	}
	resize := func(mib int) {
		for i, f := range feeds {
			f.Put(fat(fmt.Sprint("rs-", i), mib<<20/len(feeds)))
		}
	}
	f := func(mib, want int) {
		t.Helper()
		resize(mib)
		for range 2 {
			if n := len(discover(t, x, "resources=replicasets,replicasets,nodes")); n != want {
				t.Errorf("%d slices of %d MiB, want %d", n, mib, want)
			}
		}
	}
	f(7, 1)
	f(9, 2)
	f(7, 2)
	f(9, 2)
	f(5, 2)
	f(17, 4)
	f(15, 4)
	f(9, 4)
	f(6, 2)
	f(3, 1)
}

func TestDiscoveryOfNothing(t *testing.T) {
	s := serveMany(t, kubestate.Config{})
	for _, query := range []string{"resources=", "resources=%20,", "resources=nosuch", "resources=pods&exclude_resources=pods"} {
		a := request(t, http.MethodGet, s.URL+"/sd?"+query, nil)
		if a.status != http.StatusOK || a.body != "[]\n" {
			t.Errorf("%s: status %d, %q", query, a.status, a.body)
		}
		if whole := request(t, http.MethodGet, s.URL+"/metrics?"+query, nil).body; whole != "" {
			t.Errorf("%s: /metrics has %d bytes", query, len(whole))
		}
	}
}

func TestDiscoveryOfASlice(t *testing.T) {
	s := serveMany(t, kubestate.Config{})
	for _, query := range []string{"slice=1/4", "slice=", "slice=5/4", "slice=a"} {
		a := request(t, http.MethodGet, s.URL+"/sd?"+query, nil)
		if a.status != http.StatusBadRequest || a.body != "invalid parameter slice: service discovery lists all slices; it takes resources and exclude_resources\n" {
			t.Errorf("%s: status %d, %q", query, a.status, a.body)
		}
	}
}
