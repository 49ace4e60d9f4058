package kubestate

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/kubestate/kubestate/exposition"
	"github.com/kubestate/kubestate/kind"
)

// sliceSize is how many bytes of text the largest slice has at most when slices
// are listed: half of what the most limited client reads (vmagent: 16 MiB), since
// clusters grow between two looks at the list. What is not cut is a block of the
// store.
const sliceSize = 8 << 20

// unevenness is how many times as many slices are tried as there would have to be
// if all had one size.
const unevenness = 4

// targetGroup is a list of targets as Prometheus reads it
// (https://prometheus.io/docs/prometheus/latest/http_sd/).
type targetGroup struct {
	Targets []string          `json:"targets"`
	Labels  map[string]string `json:"labels"`
}

// ServeDiscovery lists the slices of /metrics as service discovery over HTTP:
// whoever scrapes each of them has every series once, in bodies of at most 8 MiB
// unless single objects are larger. The parameters resources and exclude_resources
// of the query are passed on; a selection of nothing has no slices. How many slices
// there are doubles as the cluster grows, and halves when half as many would be
// half full, so that they change seldom.
func (x *Exporter) ServeDiscovery(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	if query.Has("slice") {
		http.Error(w, "slice: service discovery lists slices and takes none; it takes resources and exclude_resources", http.StatusBadRequest)
		return
	}
	sel := Selection{Only: names(query["resources"]), Without: names(query["exclude_resources"])}
	n := x.slices(sel)
	groups := make([]targetGroup, n)
	for i := range groups {
		labels := map[string]string{"__metrics_path__": "/metrics"}
		for _, name := range []string{"resources", "exclude_resources"} {
			if value := strings.Join(query[name], ","); value != "" {
				labels["__param_"+name] = value
			}
		}
		if n > 1 {
			slice := strconv.Itoa(i+1) + "/" + strconv.Itoa(n)
			labels["__param_slice"] = slice
			// Each slice is a target with an "up" of its own.
			labels["instance"] = r.Host + "?slice=" + slice
		}
		groups[i] = targetGroup{Targets: []string{r.Host}, Labels: labels}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(groups) // the client has gone; there is nobody to tell
}

// slices returns into how many slices the text of a selection is to be cut.
func (x *Exporter) slices(sel Selection) int {
	size := 0
	var admitted []string
	for _, name := range kind.Names(x.Tables()) {
		if sel.admits(name) {
			admitted = append(admitted, name)
			size += x.Stats(name).Bytes
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

// cut returns into how many slices to cut text of some size that was cut into n
// the last time.
func (x *Exporter) cut(sel Selection, size, n int) int {
	for n > 1 && x.fits(sel, n/2, sliceSize/2) {
		n /= 2
	}
	even := 1 // if all slices had one size
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

// fits reports whether each of n slices has at most some number of bytes. It costs
// as much as to begin as many scrapes, and writes nothing.
func (x *Exporter) fits(sel Selection, n, most int) bool {
	for i := range n {
		sel.Slice = Slice{Index: i, Of: n}
		if size, _ := x.body(exposition.Text, sel).Encode(exposition.Identity); size > most {
			return false
		}
	}
	return true
}

// cuts remembers into how many slices selections were cut.
type cuts struct {
	mu   sync.Mutex
	last map[string]int // by the names of resources
}

// mostCuts bounds what is remembered: a client might ask for any selection.
const mostCuts = 100

func (c *cuts) remember(key string, n int) {
	if _, known := c.last[key]; c.last == nil || !known && len(c.last) >= mostCuts {
		c.last = map[string]int{}
	}
	c.last[key] = n
}
