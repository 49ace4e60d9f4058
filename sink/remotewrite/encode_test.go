package remotewrite

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kubestate/kubestate/internal/sinktest"
	"github.com/kubestate/kubestate/sink"
)

const now = 1000 * sinktest.Seconds

func newTestEncoder(c Config) *encoder {
	c.fillDefaults()
	return newEncoder(c)
}

// encode returns a request with the series.
func encode(c Config, version Version, ended bool, series ...sink.Series) []byte {
	e := newTestEncoder(c)
	e.beginRun(time.UnixMilli(now))
	e.beginRequest(version)
	for i := range series {
		e.add(&series[i], ended)
	}
	return slices.Clone(e.message())
}

// tags parses tags of the form key=value.
func tags(pairs ...string) []sink.Tag { return sinktest.Tags(pairs...) }

func TestLabels(t *testing.T) {
	gauge := &sink.Metric{Name: "m"}
	tests := []struct {
		name   string
		config Config
		series sink.Series
		want   string
	}{
		{
			name:   "own labels are merged with those of the block",
			series: sink.Series{Metric: gauge, Block: &sink.Block{Tags: tags("A=1", "b=2", "d=4", "f=6")}, Tags: tags("a=x", "c=y", "g=z")},
			want:   `{A="1", __name__="m", a="x", b="2", c="y", d="4", f="6", g="z"}`,
		}, {
			name:   "precedence",
			config: Config{Tags: tags("own=config", "block=config", "resource=config", "host=config", "config=config")},
			series: sink.Series{Metric: gauge, Tags: tags("own=own"), Block: &sink.Block{
				Host: "host", Tags: tags("block=block", "own=block"), Resource: tags("block=resource", "own=resource", "resource=resource"),
			}},
			want: `{__name__="m", block="block", config="config", host="host", own="own", resource="resource"}`,
		}, {
			name:   "several values of a key are joined",
			series: sink.Series{Metric: gauge, Block: &sink.Block{Tags: tags("a=", "a=1", "a=2", "b=1", "b=1")}, Tags: tags("c=", "c=x", "c=y", "d=z")},
			want:   `{__name__="m", a="1,2", b="1", c="x,y", d="z"}`,
		}, {
			name:   "own values override those of the block",
			series: sink.Series{Metric: gauge, Block: &sink.Block{Tags: tags("a=1", "a=2", "b=3")}, Tags: tags("a=8", "a=9")},
			want:   `{__name__="m", a="8,9", b="3"}`,
		}, {
			name:   "invalid names are rewritten and merged",
			series: sink.Series{Metric: &sink.Metric{Name: "kubernetes_state.pod:ready/1"}, Block: &sink.Block{Tags: tags("9é=1", "a.b=4", "a_b=3", "k8s/c:d=5")}},
			want:   `{_9_="1", __name__="kubernetes_state_pod:ready_1", a_b="3,4", k8s_c_d="5"}`,
		}, {
			name:   "with UTF-8 names, only invalid UTF-8 is rewritten",
			config: Config{UTF8Names: true},
			series: sink.Series{Metric: &sink.Metric{Name: "kubernetes_state.pod"}, Block: &sink.Block{Tags: tags("9é=1", "a.b=2", "a_b=3", "\xff=4")}},
			want:   `{9é="1", _="4", __name__="kubernetes_state.pod", a.b="2", a_b="3"}`,
		}, {
			name:   "the name of the metric cannot be overridden",
			series: sink.Series{Metric: gauge, Block: &sink.Block{Tags: tags("__name__=x")}, Tags: tags("__name__=y")},
			want:   `{__name__="m"}`,
		}, {
			name:   "empty labels are dropped and override those of the block",
			series: sink.Series{Metric: gauge, Block: &sink.Block{Tags: tags("=1", "a=2", "b=", "c=3", "e=1")}, Tags: tags("=1", "c=", "d=", "e=", "e=")},
			want:   `{__name__="m", a="2"}`,
		}, {
			name:   "values with invalid UTF-8",
			series: sink.Series{Metric: gauge, Block: &sink.Block{Tags: tags("a=\xff")}, Tags: tags("b=x\xc3")},
			want:   `{__name__="m", a="` + "\uFFFD" + `", b="x` + "\uFFFD" + `"}`,
		}, {
			name:   "other label for the host",
			config: Config{HostLabel: "instance"},
			series: sink.Series{Metric: gauge, Block: &sink.Block{Host: "node-1"}},
			want:   `{__name__="m", instance="node-1"}`,
		}, {
			name:   "or none",
			config: Config{HostLabel: NoHost},
			series: sink.Series{Metric: gauge, Block: &sink.Block{Host: "node-1"}},
			want:   `{__name__="m"}`,
		},
	}
	for _, test := range tests {
		for _, version := range []Version{V1, V2} {
			t.Run(fmt.Sprintf("%s/%d", test.name, version), func(t *testing.T) {
				want := test.want + fmt.Sprintf(" 0 @%d", now)
				if version == V2 {
					want += ` type=2 help="" unit=""`
				}
				// Twice, to see that the first leaves nothing behind for the second.
				got := decode(t, version, encode(test.config, version, false, test.series, test.series))
				if diff := cmp.Diff([]string{want, want}, got); diff != "" {
					t.Errorf("labels differ (-want +got):\n%s", diff)
				}
			})
		}
	}
}

// Every kind of series follows every other, to test what the encoder caches.
func TestOrder(t *testing.T) {
	blocks := []*sink.Block{
		{Host: "h", Tags: tags("b=1", "d=2")}, {Host: "i", Tags: tags("b=3", "d=4")}, {Tags: tags("b=1", "d=2")},
		{Tags: tags("b=1", "c=2", "d=3")}, {Tags: tags("b=1", "b=2")}, {Tags: tags("b=1", "b=3")},
		{Tags: tags("b=5"), Resource: tags("d=6")}, {Tags: tags("b=5", "d=6")}, {},
	}
	own := [][]sink.Tag{nil, tags("a=1", "c=2"), tags("b=1", "e=2"), tags("c=1", "c=2"), tags("b=1", "c=")}
	var series []sink.Series
	for i, block := range blocks {
		for j := range own {
			series = append(series, sink.Series{Metric: &sink.Metric{Name: "m"}, Block: block, Tags: own[j], Value: float64(i*10 + j)})
		}
	}
	one := &sink.Metric{Name: "m"} // shared, so that each series finds the cache of the one before
	for _, version := range []Version{V1, V2} {
		var alone []string
		for _, s := range series {
			alone = append(alone, decode(t, version, encode(Config{}, version, false, s))...)
		}
		for i := range series {
			for j := range series {
				first, second := series[i], series[j]
				first.Metric, second.Metric = one, one
				if diff := cmp.Diff([]string{alone[i], alone[j]}, decode(t, version, encode(Config{}, version, false, first, second))); diff != "" {
					t.Fatalf("version %d: series differ (-alone +one after the other):\n%s", version, diff)
				}
			}
		}
	}
}

func TestValues(t *testing.T) {
	metrics := map[sink.Type]*sink.Metric{
		sink.Gauge:   {Name: "g", Type: sink.Gauge, Help: "A gauge.", Unit: "By"},
		sink.Counter: {Name: "c", Type: sink.Counter, Help: "A counter.", Unit: "s"},
		sink.UpDown:  {Name: "u", Type: sink.UpDown, Unit: "{pod}"},
	}
	block := &sink.Block{}
	series := []sink.Series{
		{Metric: metrics[sink.Gauge], Block: block, Value: 1.5, Start: 5},
		{Metric: metrics[sink.Counter], Block: block, Value: math.Inf(1), Start: now - 1},
		{Metric: metrics[sink.Counter], Block: block, Value: -0.25},
		{Metric: metrics[sink.Counter], Block: block, Start: now},
		{Metric: metrics[sink.UpDown], Block: block, Value: math.NaN(), Start: 5},
	}
	tests := []struct {
		version Version
		ended   bool
		want    []string
	}{
		{V1, false, []string{
			`{__name__="g"} 1.5 @1700000000000`, `{__name__="c"} +Inf @1700000000000`, `{__name__="c"} -0.25 @1700000000000`,
			`{__name__="c"} 0 @1700000000000`, `{__name__="u"} NaN @1700000000000`,
		}},
		{V1, true, []string{
			`{__name__="g"} stale @1699999999999`, `{__name__="c"} stale @1699999999999`, `{__name__="c"} stale @1699999999999`,
			`{__name__="c"} stale @1699999999999`, `{__name__="u"} stale @1699999999999`,
		}},
		{V2, false, []string{
			`{__name__="g"} 1.5 @1700000000000 type=2 help="A gauge." unit="bytes"`,
			`{__name__="c"} +Inf @1700000000000 since 1699999999999 type=1 help="A counter." unit="seconds"`,
			`{__name__="c"} -0.25 @1700000000000 type=1 help="A counter." unit="seconds"`,
			`{__name__="c"} 0 @1700000000000 type=1 help="A counter." unit="seconds"`,
			`{__name__="u"} NaN @1700000000000 type=2 help="" unit=""`,
		}},
		{V2, true, []string{
			`{__name__="g"} stale @1699999999999 type=2 help="A gauge." unit="bytes"`,
			`{__name__="c"} stale @1699999999999 type=1 help="A counter." unit="seconds"`,
			`{__name__="c"} stale @1699999999999 type=1 help="A counter." unit="seconds"`,
			`{__name__="c"} stale @1699999999999 type=1 help="A counter." unit="seconds"`,
			`{__name__="u"} stale @1699999999999 type=2 help="" unit=""`,
		}},
	}
	for _, test := range tests {
		got := decode(t, test.version, encode(Config{}, test.version, test.ended, series...))
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("version %d, ended %t (-want +got):\n%s", test.version, test.ended, diff)
		}
	}
}

func TestDowngrade(t *testing.T) {
	series := sinktest.Pods(3, 300)
	got, err := downgrade(encode(Config{}, V2, false, series...))
	if err != nil {
		t.Fatal(err)
	}
	want := decode(t, V1, encode(Config{}, V1, false, series...))
	if diff := cmp.Diff(want, decode(t, V1, got)); diff != "" {
		t.Errorf("request differs from version 1 (-want +got):\n%s", diff)
	}
	broken := encode(Config{}, V2, false, series[:2]...)
	for n := range broken {
		// Must not panic.
		_, _ = downgrade(broken[:n])
		_, _ = downgrade(broken[n:])
	}
}

// The growth of a request is at most its bound.
func TestBound(t *testing.T) {
	series := slices.Concat(sinktest.Pods(3, 30), []sink.Series{
		{Metric: &sink.Metric{Name: "short"}, Block: &sink.Block{}},
		{Metric: &sink.Metric{Name: "m", Help: strings.Repeat("long ", 50_000), Unit: "By"}, Block: &sink.Block{}},
		{Metric: &sink.Metric{Name: "m"}, Block: &sink.Block{Tags: tags("a=" + strings.Repeat("\xff.", 50_000))}},
		{Metric: &sink.Metric{Name: "m"}, Block: &sink.Block{}, Tags: tags("a=" + strings.Repeat("\xff.", 50_000))},
		{Metric: &sink.Metric{Name: "m"}, Block: &sink.Block{}, Tags: tags(strings.Repeat("8.", 50_000)+"=1", "d=1", "d=2")},
	})
	for _, version := range []Version{V1, V2} {
		e := newTestEncoder(Config{})
		e.beginRun(time.UnixMilli(now))
		for i := range series {
			e.beginRequest(version)
			before, bound := e.size(), e.bound(&series[i])
			e.add(&series[i], false)
			if e.size()-before > bound {
				t.Errorf("version %d: series %d took %d bytes, bound %d", version, i, e.size()-before, bound)
			}
			if e.size() != len(e.message()) {
				t.Errorf("version %d: size %d, message of %d bytes", version, e.size(), len(e.message()))
			}
		}
	}
}

func TestRenamedIsBounded(t *testing.T) {
	var n naming
	for i := range 3 * maxRenamed {
		if got, want := n.label(fmt.Sprintf("a.%d", i)), fmt.Sprintf("a_%d", i); got != want {
			t.Fatalf("label %q, want %q", got, want)
		}
	}
	if len(n.renamed) > maxRenamed {
		t.Errorf("%d names cached", len(n.renamed))
	}
}

func TestEncodeAllocations(t *testing.T) {
	series := slices.Concat(sinktest.Pods(10, 20), []sink.Series{
		{Metric: &sink.Metric{Name: "m"}, Block: &sink.Block{Resource: tags("k8s.pod.name=x")}, Tags: tags("a.b=1", "c.d=2")},
	})
	for _, version := range []Version{V1, V2} {
		e := newTestEncoder(Config{Tags: tags("cluster=c")})
		sinktest.CheckAllocs(t, 0, func() {
			e.beginRun(time.UnixMilli(now))
			e.beginRequest(version)
			for i := range series {
				if e.bound(&series[i])+e.size() > 1<<30 {
					t.Fatal("too large")
				}
				e.add(&series[i], false)
			}
			e.message()
			e.forget()
		})
	}
}
