package compare_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kubestate/kubestate/internal/compare"
)

// texts is a source that returns one text after another, and then the last one
// repeatedly.
func texts(name string, all ...string) compare.Source {
	n := 0
	return compare.Source{Name: name, Open: func(context.Context) (io.ReadCloser, error) {
		text := all[min(n, len(all)-1)]
		n++
		return io.NopCloser(strings.NewReader(text)), nil
	}}
}

// run compares, and returns a line per difference and the totals.
func run(t *testing.T, c compare.Config) ([]string, *compare.Report) {
	t.Helper()
	var lines []string
	c.Details = func(d compare.Difference) {
		lines = append(lines, strings.TrimSpace(fmt.Sprintf("%s %s{%s} %v %v %s", d.Kind, d.Family, d.Labels, d.A, d.B, d.Repair)))
	}
	c.Pause = time.Nanosecond
	report, err := compare.Run(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return lines, report
}

const before = `# HELP kube_pod_info Pods.
# TYPE kube_pod_info gauge
kube_pod_info{namespace="a",pod="one"} 1
kube_pod_info{namespace="a",pod="two"} 1
# TYPE kube_pod_created counter
kube_pod_created{pod="one"} 1.5e+09
kube_pod_created{pod="two"} -6.21355968e+10
kube_ingress_path{ingress="i",service_port="0"} 1
kube_pod_status_phase{pod="one",phase="Running"} 1
kube_pod_status_phase{pod="one",phase="Failed"} 0
kube_pod_ips{ip="::1"} 1
kube_pod_ips{ip="::1"} 1
nothing NaN
text{l="a\"},b=\"c\\"} 2 1700000000
`

const after = `# TYPE kube_pod_info gauge
kube_pod_info{pod="one",namespace="a"} 1.0
kube_pod_info{namespace="a",pod="three"} 1

# TYPE kube_pod_created gauge
kube_pod_created{pod="one"} 1500000000
kube_ingress_path{ingress="i",service_port="http"} 1
kube_pod_status_phase{pod="one",phase="Running"} 0
kube_pod_status_phase{pod="one",phase="Failed"} 1
kube_pod_ips{ip="::1"} 1
nothing NaN
text{l="a\"},b=\"c\\"} 2
`

func TestDifferences(t *testing.T) {
	want := []string{
		`missing kube_pod_info{namespace="a",pod="two"} 1 0`,
		`extra kube_pod_info{namespace="a",pod="three"} 0 1`,
		`missing kube_pod_created{pod="two"} -6.21355968e+10 0 zero time`,
		`missing kube_ingress_path{ingress="i",service_port="0"} 1 0 named port`,
		`extra kube_ingress_path{ingress="i",service_port="http"} 0 1 named port`,
		`different kube_pod_status_phase{pod="one",phase="Running"} 1 0`,
		`different kube_pod_status_phase{pod="one",phase="Failed"} 0 1`,
		`repeated kube_pod_ips{ip="::1"} 1 1 repeated series`,
	}
	for _, static := range []bool{true, false} {
		lines, report := run(t, compare.Config{A: texts("a", before), B: texts("b", after), Static: static})
		if diff := cmp.Diff(want, lines); diff != "" {
			t.Errorf("static %v (-want +got):\n%s", static, diff)
		}
		total, _ := json.Marshal(report.Total())
		if want := `{"name":"total","equal":4,"missing":1,"extra":1,"different":2,"repeated":0,` +
			`"repaired":{"named port":2,"repeated series":1,"zero time":1}}`; string(total) != want {
			t.Errorf("total %s, want %s", total, want)
		}
		if f := report.Families[1]; f.TypeA != "counter" || f.TypeB != "gauge" || f.Same() {
			t.Errorf("types of %s: %q and %q", f.Name, f.TypeA, f.TypeB)
		}
		if report.Same() {
			t.Error("report without differences")
		}
	}
}

func TestRepairsDoNotCount(t *testing.T) {
	_, report := run(t, compare.Config{A: texts("a", "created -62135596800\nx 1\n"), B: texts("b", "x 1\n"), Static: true})
	if !report.Same() {
		t.Errorf("%+v differs", report)
	}
}

// A cluster changes between the reads of A and B.
func TestChangesBetweenTheReadsDoNotCount(t *testing.T) {
	for _, test := range []struct {
		name           string
		a, b           []string
		lines          []string
		equal, unknown int
	}{
		{"a value arrives", []string{"x 1\n", "x 2\n"}, []string{"x 2\n"}, nil, 1, 0},
		{"a series arrives", []string{"x 1\n", "x 1\ny 1\n"}, []string{"x 1\ny 1\n"}, nil, 2, 0},
		{"a series disappears", []string{"x 1\ny 1\n", "x 1\n"}, []string{"x 1\n"}, nil, 1, 0},
		{"it settles later", []string{"x 1\n", "x 2\n", "x 3\n", "x 4\n"}, []string{"x 2\n", "x 3\n", "x 4\n"}, nil, 1, 0},
		{"it settles on a difference", []string{"x 1\n", "x 2\n"}, []string{"x 3\n", "x 4\n"}, []string{"different x{} 2 4"}, 0, 0},
		{"it never settles", []string{"x 1\n", "x 2\n", "x 3\n", "x 4\n", "x 5\n"}, []string{"x 9\n"}, nil, 0, 1},
	} {
		lines, report := run(t, compare.Config{A: texts("a", test.a...), B: texts("b", test.b...)})
		if diff := cmp.Diff(test.lines, lines); diff != "" || report.Total().Equal != test.equal || report.Unsettled != test.unknown {
			t.Errorf("%s: %d equal, %d unsettled, want %d, %d; differences (-want +got):\n%s",
				test.name, report.Total().Equal, report.Unsettled, test.equal, test.unknown, diff)
		}
	}
}

func TestNotAnExposition(t *testing.T) {
	for text, want := range map[string]string{
		"x 1\n<html>\n":            `read b: line 2: invalid sample "<html>"`,
		"x one\n":                  `read b: line 1: invalid value "one" in sample "x one"`,
		"x{a=\"b} 1\n":             `read b: line 1: unterminated label value in sample "x{a=\"b} 1"`,
		"x{a} 1\n":                 `read b: line 1: invalid labels in sample "x{a} 1"`,
		strings.Repeat("x", 2<<20): "read b: line 1: longer than 1048576 bytes",
	} {
		_, err := compare.Run(t.Context(), compare.Config{A: texts("a", ""), B: texts("b", text), Static: true})
		if err == nil || err.Error() != want {
			t.Errorf("%.20q: error %v, want %s", text, err, want)
		}
	}
}

func TestOpen(t *testing.T) {
	dir := t.TempDir()
	token := filepath.Join(dir, "token")
	if err := os.WriteFile(token, []byte("T0P\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("the redirect was followed, with %q", r.Header.Get("Authorization"))
	}))
	defer elsewhere.Close()
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/moved":
			http.Redirect(w, r, elsewhere.URL, http.StatusFound)
		case r.Header.Get("Authorization") != "Bearer T0P":
			w.WriteHeader(http.StatusUnauthorized)
		default:
			_, _ = io.WriteString(w, "x 1\n")
		}
	}))
	defer server.Close()
	for _, test := range []struct {
		location string
		access   compare.Access
		want     string
	}{
		{server.URL + "/metrics", compare.Access{TokenFile: token, Insecure: true}, ""},
		{server.URL + "/metrics", compare.Access{Insecure: true}, "status 401 Unauthorized"},
		{server.URL + "/moved", compare.Access{TokenFile: token, Insecure: true}, "status 302 Found"},
		{server.URL + "/metrics", compare.Access{TokenFile: token}, "certificate"},
		{server.URL + "/metrics", compare.Access{CAFile: token}, "no PEM certificate in " + token},
		{token, compare.Access{}, ""},
		{token, compare.Access{TokenFile: token}, "apply to URLs only"},
		{filepath.Join(dir, "absent"), compare.Access{}, "no such file"},
		{"ftp://example.com/metrics", compare.Access{}, "scheme must be http or https"},
		{"http://user:s3cret@example.com/metrics", compare.Access{TokenFile: token}, "a token is sent over https or to localhost only"},
	} {
		source, _, err := compare.Open(test.location, test.access)
		if err == nil {
			var body io.ReadCloser
			if body, err = source.Open(t.Context()); err == nil {
				_ = body.Close()
			}
		}
		switch {
		case test.want == "" && err != nil, test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
			t.Errorf("%s %+v: error %v, want %q", test.location, test.access, err, test.want)
		case err != nil && (strings.Contains(err.Error(), "T0P") || strings.Contains(err.Error(), "s3cret")):
			t.Errorf("secret in %v", err)
		}
	}
}

// Reading a known sample does not allocate, so memory depends only on the number of
// series.
func TestMemoryFollowsSeries(t *testing.T) {
	var text strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&text, "kube_pod_info{namespace=\"ns-%d\",pod=\"pod-%d\",node=\"a-node-with-a-name\"} 1\n", i%50, i)
	}
	body := text.String()
	allocs := testing.AllocsPerRun(1, func() {
		if _, err := compare.Run(t.Context(), compare.Config{A: texts("a", body), B: texts("b", body), Static: true}); err != nil {
			t.Fatal(err)
		}
	})
	if allocs > 1000 {
		t.Errorf("%v allocations for 20,000 series", allocs)
	}
}
