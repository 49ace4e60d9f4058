package kubestate

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
)

// sliceSize is how many bytes of text a slice has at most when it is listed:
// half of what the most limited client reads (vmagent: 16 MiB), since clusters grow
// between two looks at the list.
const sliceSize = 8 << 20

// targetGroup is a list of targets as Prometheus reads it
// (https://prometheus.io/docs/prometheus/latest/http_sd/).
type targetGroup struct {
	Targets []string          `json:"targets"`
	Labels  map[string]string `json:"labels"`
}

// ServeDiscovery lists the slices of /metrics as service discovery over HTTP:
// whoever scrapes each of them has every series once, in bodies of a few MiB. The
// parameters resources and exclude_resources of the query are passed on. How many
// slices there are doubles as the cluster grows, so that they change seldom.
func (x *Exporter) ServeDiscovery(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	sel, err := ParseSelection(query)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
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
	for _, r := range x.resources {
		if sel.admits(r.Table().Name) {
			size += r.Stats().Bytes
		}
	}
	n := 1
	for n < mostSlices/2 && size > n*sliceSize {
		n *= 2
	}
	return n
}
