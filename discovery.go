package kubestate

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/kubestate/kubestate/exposition"
	"github.com/kubestate/kubestate/internal/request"
	"github.com/kubestate/kubestate/kind"
)

// sliceSize is the maximum size of a slice when slices are listed, in bytes of text: half
// of the lowest limit of a client (vmagent: 16 MiB), since clusters grow until the list is
// read again. A slice consists of whole blocks of the store.
const sliceSize = 8 << 20

// unevenness bounds the number of slices that are tried, as a multiple of the number that
// would be enough if all had the same size.
const unevenness = 4

// targetGroup is a list of targets as Prometheus reads it
// (https://prometheus.io/docs/prometheus/latest/http_sd/).
type targetGroup struct {
	Targets []string          `json:"targets"`
	Labels  map[string]string `json:"labels"`
}

// Discovery returns a handler that lists the slices of an Exporter as HTTP service
// discovery for Prometheus. metricsPath is where the Exporter itself is mounted, such as
// "/metrics", on the same host. Scraping all targets yields every series once, in bodies of
// at most 8 MiB unless a single object is larger.
//
// The query parameters resources and exclude_resources are passed on to the targets; a
// selection of nothing has no targets. The number of slices doubles as the cluster grows,
// and halves when half as many would be half full, so that targets seldom change.
func (x *Exporter) Discovery(metricsPath string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { x.discover(w, r, metricsPath) })
}

func (x *Exporter) discover(w http.ResponseWriter, r *http.Request, metricsPath string) {
	query, ok := request.Check(w, r)
	if !ok {
		return
	}
	if query.Has("slice") {
		http.Error(w, "invalid parameter slice: service discovery lists all slices; it takes resources and exclude_resources", http.StatusBadRequest)
		return
	}
	sel := Selection{Only: x.served(names(query["resources"])), Without: x.served(names(query["exclude_resources"]))}
	n := x.slices(sel)
	groups := make([]targetGroup, n)
	for i := range groups {
		labels := map[string]string{"__metrics_path__": metricsPath}
		setParameter(labels, "resources", sel.Only)
		setParameter(labels, "exclude_resources", sel.Without)
		if n > 1 {
			slice := strconv.Itoa(i+1) + "/" + strconv.Itoa(n)
			labels["__param_slice"] = slice
			// Each slice is a target with an "up" of its own.
			labels["instance"] = r.Host + "?slice=" + slice
		}
		groups[i] = targetGroup{Targets: []string{r.Host}, Labels: labels}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(groups) // an error means that the client has disconnected
}

// served returns the names that are resources of the Exporter, without duplicates, so that
// the labels of thousands of targets do not repeat arbitrary client input. It returns nil
// for nil.
func (x *Exporter) served(names []string) []string {
	if names == nil {
		return nil
	}
	known := []string{}
	tables := x.Tables()
	for _, name := range names {
		isServed := slices.ContainsFunc(tables, func(t *kind.Table) bool { return isName(name, t) })
		if isServed && !slices.Contains(known, name) {
			known = append(known, name)
		}
	}
	return known
}

func setParameter(labels map[string]string, name string, values []string) {
	if len(values) > 0 {
		labels["__param_"+name] = strings.Join(values, ",")
	}
}

// slices returns the number of slices of a selection.
func (x *Exporter) slices(sel Selection) int {
	size := 0
	var admitted []string
	for _, t := range x.Tables() {
		if sel.admits(t) {
			admitted = append(admitted, t.Name+"."+t.Group)
			size += x.Stats(t.Resource).Bytes
		}
	}
	if admitted == nil {
		return 0
	}
	x.cuts.mu.Lock()
	defer x.cuts.mu.Unlock()
	key := strings.Join(admitted, ",")
	n := x.cut(sel, size, max(1, x.cuts.last[key]))
	x.cuts.remember(key, n)
	return n
}

// cut returns the number of slices for text of some size, for which the last list had n
// slices.
func (x *Exporter) cut(sel Selection, size, n int) int {
	for n > 1 && x.fits(sel, n/2, sliceSize/2) {
		n /= 2
	}
	even := 1 // number of slices if all had the same size
	for even < mostSlices/2 && size > even*sliceSize {
		even *= 2
	}
	for more := n; more <= min(unevenness*even, mostSlices); more *= 2 {
		if x.fits(sel, more, sliceSize) {
			return more
		}
	}
	return max(n, even)
}

// fits reports whether each of n slices has at most some number of bytes. It costs as much
// as n snapshots, and writes nothing.
func (x *Exporter) fits(sel Selection, n, most int) bool {
	for i := range n {
		sel.Slice = Slice{Index: i, Of: n}
		if size, _ := x.body(exposition.Text, sel).Encode(exposition.Identity); size > most {
			return false
		}
	}
	return true
}

// cuts remembers the number of slices of each selection.
type cuts struct {
	mu   sync.Mutex
	last map[string]int // by the joined names of resources
}

// mostCuts bounds the number of selections that are remembered; a client may ask for any.
const mostCuts = 100

func (c *cuts) remember(key string, n int) {
	if _, known := c.last[key]; c.last == nil || !known && len(c.last) >= mostCuts {
		c.last = map[string]int{}
	}
	c.last[key] = n
}
