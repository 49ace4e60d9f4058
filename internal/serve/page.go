package serve

import (
	"cmp"
	_ "embed"
	"fmt"
	"html/template"
	"net"
	"net/http"
	"slices"
	"time"
)

// Page is what the landing page shows.
type Page struct {
	Version     string
	Standby     bool   // another replica is the leader
	ConfigError string // of the last reload; empty: the configuration is in effect
	Files       []ConfigFile
	Rows        []Row
	Total       Row       // of all rows; State counts those that fail
	Sinks       []SinkRow // empty: nothing is pushed
}

// SinkRow is one sink of the agent on the landing page.
type SinkRow struct {
	Name         string
	Series       int    // in the last flush
	Runs, Failed uint64 // since the start
	Dropped      uint64 // series
	LastSent     time.Time
}

// Row is one watch on the landing page.
type Row struct {
	Resource, Namespace    string // an empty namespace stands for all
	State                  string
	Error                  string
	Objects, Series, Bytes int
	LastEvent              time.Time
}

// Page returns what the landing page shows now.
func (s Sources) Page() Page {
	p := Page{Version: s.Build.Version, Rows: s.Rows(), Sinks: s.Agent.Rows(), Standby: s.Election != nil && !s.Election().Leading}
	if s.Files != nil {
		p.Files = s.Files.list()
		if err := s.Files.Error(); err != nil {
			p.ConfigError = err.Error()
		}
	}
	failing := 0
	for _, r := range p.Rows {
		p.Total.Objects += r.Objects
		p.Total.Series += r.Series
		p.Total.Bytes += r.Bytes
		if r.Error != "" {
			failing++
		}
	}
	if p.Total.Resource = plural(len(p.Rows), "watch", "watches"); failing > 0 {
		p.Total.State = fmt.Sprint(failing, " failing")
	}
	return p
}

// Rows returns the rows of the landing page: watches that fail, then by resource. What is
// stored is counted per resource, and shown in the first row of each.
func (s Sources) Rows() []Row {
	statuses := s.Watches()
	rows := make([]Row, 0, len(statuses))
	for i := range statuses {
		w := &statuses[i]
		row := Row{Resource: w.Resource.Name, Namespace: w.Namespace, State: string(w.State), Error: w.Error, LastEvent: w.LastEvent}
		if s.Exporter != nil && (i == 0 || statuses[i-1].Resource.Name != w.Resource.Name || statuses[i-1].Resource.Group != w.Resource.Group) {
			held := s.Exporter.Stats(w.Resource)
			row.Objects, row.Series, row.Bytes = held.Objects, held.Series, held.Bytes
		}
		rows = append(rows, row)
	}
	slices.SortStableFunc(rows, func(a, b Row) int {
		return cmp.Or(compareBool(b.Error != "", a.Error != ""), cmp.Compare(a.Resource, b.Resource))
	})
	return rows
}

// compareBool orders false before true.
func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

func plural(n int, one, several string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprint(n, " ", several)
}

type link struct{ Path, Text string }

//go:embed landing.html
var landingHTML string

// landing serves the landing page. other is the address of the telemetry port, where that is
// another one; nil: it is not.
func landing(page func() Page, other func() net.Addr, links []link) http.HandlerFunc {
	t := template.Must(template.New("landing").Funcs(template.FuncMap{"ago": ago, "size": size}).Parse(landingHTML))
	return func(w http.ResponseWriter, r *http.Request) {
		links := links
		if other != nil {
			links = append(slices.Clone(links), link{besides(r, other()), "telemetry: metrics of kubestate itself, profiles"})
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
		_ = t.Execute(w, struct { // an error means that the client is gone
			Page
			Links []link
		}{page(), links})
	}
}

// besides returns the URL of another port of the host that a request is for.
func besides(r *http.Request, other net.Addr) string {
	host, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		host = r.Host
	}
	_, port, err := net.SplitHostPort(other.String())
	if err != nil {
		return "/"
	}
	return "//" + net.JoinHostPort(host, port) + "/"
}

// ago returns how long ago t was, for people.
func ago(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return time.Since(t).Round(time.Second).String() + " ago"
}

// size returns a number of bytes for people.
func size(n int) string {
	switch {
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	case n >= 1<<10:
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	default:
		return fmt.Sprintf("%d B", n)
	}
}
