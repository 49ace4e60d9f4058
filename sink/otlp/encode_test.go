package otlp

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

const (
	now  = sinktest.Seconds
	nano = "@" + nanoseconds // as printed by decode

	nanoseconds = "1700000000000000000"
	nanoBefore  = "@1699999999999000000" // of ended series
)

func newTestEncoder(c Config) *encoder {
	e := newEncoder(c)
	e.beginRun(time.Unix(now, 0))
	e.beginRequest()
	return e
}

// encode returns a request with the series.
func encode(c Config, ended bool, series ...sink.Series) []byte {
	e := newTestEncoder(c)
	for i := range series {
		e.add(&series[i], ended)
	}
	return slices.Clone(e.message())
}

// tags parses tags of the form key=value.
func tags(pairs ...string) []sink.Tag { return sinktest.Tags(pairs...) }

func TestAttributes(t *testing.T) {
	gauge := &sink.Metric{Name: "m"}
	long := strings.Repeat("日", 10_000)
	tests := []struct {
		name   string
		config Config
		series sink.Series
		want   string // resource and point
	}{
		{
			name: "resource, block and own",
			series: sink.Series{
				Metric: gauge, Block: &sink.Block{Resource: tags("k8s.pod.uid=u", "k8s.pod.name=p"), Tags: tags("b=1", "d=2")}, Tags: tags("a=3", "c=4"),
			},
			want: "{k8s.pod.uid=u,k8s.pod.name=p} m gauge {a=3,c=4,b=1,d=2}",
		}, {
			name:   "the host",
			series: sink.Series{Metric: gauge, Block: &sink.Block{Host: "node-1", Resource: tags("a=1")}},
			want:   "{a=1,host.name=node-1} m gauge {}",
		}, {
			name:   "resource with a host of its own",
			series: sink.Series{Metric: gauge, Block: &sink.Block{Host: "node-1", Resource: tags("host.name=other")}},
			want:   "{host.name=other} m gauge {}",
		}, {
			name:   "attributes of the config are overridden",
			config: Config{Resource: tags("k=config", "a=config", "host.name=config"), Tags: tags("x=config", "own=config", "block=config", "block=more")},
			series: sink.Series{
				Metric: gauge, Block: &sink.Block{Host: "h", Resource: tags("a=1"), Tags: tags("block=1")}, Tags: tags("own=2"),
			},
			want: "{a=1,host.name=h,k=config} m gauge {own=2,block=1,x=config}",
		}, {
			name:   "attributes of the config are added",
			config: Config{Resource: tags("b=2", "b=1", "a=1", "=x"), Tags: tags("c=1", "c=2")},
			series: sink.Series{Metric: gauge, Block: &sink.Block{}},
			want:   `{a=1,b=["1" "2"]} m gauge {c=["1" "2"]}`,
		}, {
			name:   "distinct values of a key become an array",
			series: sink.Series{Metric: gauge, Block: &sink.Block{Tags: tags("a=1", "a=1", "a=2", "b=1", "b=1")}, Tags: tags("c=", "c=x", "d=y")},
			want:   `{} m gauge {c=["" "x"],d=y,a=["1" "2"],b=1}`,
		}, {
			name:   "own tags override those of the block",
			series: sink.Series{Metric: gauge, Block: &sink.Block{Tags: tags("a=1", "b=2", "b=3", "c=4")}, Tags: tags("b=9", "c=8", "c=9")},
			want:   `{} m gauge {b=9,c=["8" "9"],a=1}`,
		}, {
			name:   "tags without a key are dropped, those without a value are not",
			series: sink.Series{Metric: gauge, Block: &sink.Block{Resource: tags("a=1", "=1"), Tags: tags("=1", "a=")}, Tags: tags("=2", "=3", "b=")},
			want:   `{a=1} m gauge {b=,a=}`,
		}, {
			name: "invalid UTF-8",
			series: sink.Series{
				Metric: &sink.Metric{Name: "m\xff"}, Block: &sink.Block{Host: "\xff", Tags: tags("a\xc3=\xa9b", "b=\xff", "b=\xffx")}, Tags: tags("x=\xffé"),
			},
			want: "{host.name=\uFFFD} m\uFFFD gauge {x=\uFFFDé,a\uFFFD=\uFFFDb,b=[\"\uFFFD\" \"\uFFFDx\"]}",
		}, {
			name:   "long strings",
			series: sink.Series{Metric: gauge, Block: &sink.Block{Resource: tags("r=" + long), Tags: tags("a="+long, "a=1"+long)}, Tags: tags(long + "=1")},
			want:   fmt.Sprintf("{r=%s} m gauge {%s=1,a=%q}", long, long, []string{long, "1" + long}),
		}, {
			name:   "lengths around the limit of one byte",
			series: sink.Series{Metric: gauge, Block: &sink.Block{Tags: lengths("a")}, Tags: lengths("b")},
			want:   "{} m gauge " + strings.NewReplacer(" ", ",", "[", "{", "]", "}").Replace(fmt.Sprint(pairs(lengths("b"), lengths("a")))),
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			// Twice, to see that the first leaves nothing behind for the second.
			want := test.want + " 0 " + nano
			got := decode(t, encode(test.config, false, test.series, test.series))
			if diff := cmp.Diff([]string{want, want}, got); diff != "" {
				t.Errorf("attributes (-want +got):\n%s", diff)
			}
		})
	}
}

// lengths returns tags with values of all lengths around 100 and 128.
func lengths(key string) []sink.Tag {
	var all []sink.Tag
	for n := 85; n < 140; n++ {
		all = append(all, sink.Tag{Key: fmt.Sprint(key, 1000+n), Value: strings.Repeat("x", n)})
	}
	return all
}

func pairs(tags ...[]sink.Tag) (all []string) {
	for _, t := range slices.Concat(tags...) {
		all = append(all, t.Key+"="+t.Value)
	}
	return all
}

func TestValues(t *testing.T) {
	gauge := &sink.Metric{Name: "g", Type: sink.Gauge, Help: "A gauge.", Unit: "By"}
	counter := &sink.Metric{Name: "c", Type: sink.Counter, Help: "A counter.", Unit: "{restart}"}
	upDown := &sink.Metric{Name: "u", Type: sink.UpDown, Unit: "{pod}"}
	block := &sink.Block{}
	series := []sink.Series{
		{Metric: gauge, Block: block, Value: 1.5, Start: 5},
		{Metric: counter, Block: block, Value: math.Inf(1), Start: now*1000 - 1},
		{Metric: counter, Block: block, Value: -0.25},
		{Metric: counter, Block: block, Start: now*1000 + 1},
		{Metric: counter, Block: block, Start: -1},
		{Metric: upDown, Block: block, Value: math.NaN(), Start: 5},
	}
	want := []string{
		"{} g gauge {} 1.5 " + nano + " unit=By description=A gauge.",
		"{} c sum(2,true) {} +Inf " + nano + " since 1699999999999000000 unit={restart} description=A counter.",
		"{} c sum(2,true) {} -0.25 " + nano + " unit={restart} description=A counter.",
		"{} c sum(2,true) {} 0 " + nano + " unit={restart} description=A counter.",
		"{} c sum(2,true) {} 0 " + nano + " unit={restart} description=A counter.",
		"{} u sum(2,false) {} NaN " + nano + " unit={pod}",
	}
	if diff := cmp.Diff(want, decode(t, encode(Config{}, false, series...))); diff != "" {
		t.Errorf("values (-want +got):\n%s", diff)
	}
	for i := range want {
		head, tail, _ := strings.Cut(want[i], " @")
		_, tail, _ = strings.Cut(tail, " unit")
		want[i] = head[:strings.LastIndex(head, " ")] + " none " + nanoBefore + " flags=1 unit" + tail
	}
	if diff := cmp.Diff(want, decode(t, encode(Config{}, true, series...))); diff != "" {
		t.Errorf("ended (-want +got):\n%s", diff)
	}
}

// Each metric of a block occurs once, in order of first appearance.
func TestGrouping(t *testing.T) {
	one, two := &sink.Metric{Name: "one"}, &sink.Metric{Name: "two", Type: sink.Counter}
	a, b := &sink.Block{Resource: tags("r=a"), Tags: tags("x=1")}, &sink.Block{Resource: tags("r=b")}
	got := decode(t, encode(Config{Version: "1.2"}, false,
		sink.Series{Metric: one, Block: a, Value: 1}, sink.Series{Metric: two, Block: a, Value: 2},
		sink.Series{Metric: one, Block: a, Tags: tags("x=9"), Value: 3}, sink.Series{Metric: two, Block: a, Value: 4},
		sink.Series{Metric: two, Block: b, Value: 5}, sink.Series{Metric: one, Block: b, Value: 6},
		sink.Series{Metric: one, Block: a, Value: 7},
	))
	want := []string{
		"{r=a} one gauge {x=1} 1 " + nano, "{r=a} one gauge {x=9} 3 " + nano,
		"{r=a} two sum(2,true) {x=1} 2 " + nano, "{r=a} two sum(2,true) {x=1} 4 " + nano,
		"{r=b} two sum(2,true) {} 5 " + nano, "{r=b} one gauge {} 6 " + nano,
		"{r=a} one gauge {x=1} 7 " + nano,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("points (-want +got):\n%s", diff)
	}
}

// Every kind of series follows every other, to test what the encoder caches.
func TestOrder(t *testing.T) {
	blocks := []*sink.Block{
		{Host: "h", Tags: tags("b=1", "d=2")}, {Host: "i", Tags: tags("b=3", "d=4")}, {Tags: tags("b=1", "d=2")},
		{Tags: tags("b=1", "c=2", "d=3")}, {Tags: tags("b=1", "b=2")}, {Tags: tags("b=1", "b=3")}, {Tags: tags("a=5"), Resource: tags("d=6")}, {},
	}
	own := [][]sink.Tag{nil, tags("a=1", "c=2"), tags("b=1", "e=2"), tags("c=1", "c=2"), tags("common=1")}
	one := &sink.Metric{Name: "m"} // shared, so that each series finds the cache of the one before
	var series []sink.Series
	for i, block := range blocks {
		for j := range own {
			series = append(series, sink.Series{Metric: one, Block: block, Tags: own[j], Value: float64(i*10 + j)})
		}
	}
	config := Config{Tags: tags("common=c", "d=c")}
	var alone []string
	for _, s := range series {
		alone = append(alone, decode(t, encode(config, false, s))...)
	}
	for i := range series {
		for j := range series {
			if diff := cmp.Diff([]string{alone[i], alone[j]}, decode(t, encode(config, false, series[i], series[j]))); diff != "" {
				t.Fatalf("series differ (-alone +one after the other):\n%s", diff)
			}
		}
	}
}

// The growth of a request is at most its bound.
func TestBound(t *testing.T) {
	bad := strings.Repeat("\xff.", 50_000)
	series := slices.Concat(sinktest.Pods(3, 30), []sink.Series{
		{Metric: &sink.Metric{Name: "short"}, Block: &sink.Block{}},
		{Metric: &sink.Metric{Name: "m", Help: strings.Repeat("long ", 50_000), Unit: "By"}, Block: &sink.Block{}},
		{Metric: &sink.Metric{Name: "m"}, Block: &sink.Block{Tags: tags("a="+bad, "a=b"+bad), Host: bad, Resource: tags("r=" + bad)}},
		{Metric: &sink.Metric{Name: "m"}, Block: &sink.Block{}, Tags: tags("a=" + bad)},
		{Metric: &sink.Metric{Name: "m"}, Block: &sink.Block{Tags: tags("b=1")}, Tags: tags(bad+"=1", "b=1", "d=1", "d=2")},
		{Metric: &sink.Metric{Name: "m", Type: sink.Counter}, Block: &sink.Block{}, Tags: slices.Repeat(tags("a=1", "a=2"), 10_000), Start: 5},
	})
	for _, many := range []bool{false, true} {
		e := newTestEncoder(Config{Tags: tags("common=yes")})
		for i := range series {
			if !many {
				e.beginRequest()
			}
			before, bound := e.size(), e.bound(&series[i])
			e.add(&series[i], false)
			if e.size()-before > bound {
				t.Errorf("series %d took %d bytes, bound %d", i, e.size()-before, bound)
			}
			if size := e.size(); !many && size < len(e.message()) {
				t.Errorf("size bound %d, message of %d bytes", size, len(e.message()))
			}
		}
		if size := e.size(); size < len(e.message()) {
			t.Errorf("size bound %d, message of %d bytes", size, len(e.message()))
		}
	}
}

func TestEncodeAllocations(t *testing.T) {
	series := slices.Concat(sinktest.Pods(10, 20), []sink.Series{{
		Metric: &sink.Metric{Name: "m"}, Block: &sink.Block{Host: "h", Resource: tags("k8s.pod.name=x"), Tags: tags("a=1", "b=1", "b=2")},
		Tags: tags("a.b=1", "b=1", "b=2", "d="+strings.Repeat("x", 200)),
	}})
	e := newTestEncoder(Config{Tags: tags("cluster=c"), Resource: tags("cluster=c")})
	sinktest.CheckAllocs(t, 0, func() {
		e.beginRun(time.Unix(now, 0))
		e.beginRequest()
		for i := range series {
			if e.bound(&series[i])+e.size() > 1<<30 {
				t.Fatal("too large")
			}
			e.add(&series[i], i%7 == 0)
		}
		e.message()
		e.forget()
	})
}
