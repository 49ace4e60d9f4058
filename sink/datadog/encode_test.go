package datadog

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kubestate/kubestate/internal/sinktest"
	"github.com/kubestate/kubestate/sink"
)

// encode returns a payload with the series.
func encode(common []sink.Tag, series ...sink.Series) []byte {
	e := newEncoder(common)
	e.begin(time.Unix(sinktest.Seconds, 0))
	var payload []byte
	for i := range series {
		e.prepare(&series[i])
		payload = e.append(payload)
	}
	return payload
}

// tags parses tags of the form key=value.
func tags(pairs ...string) []sink.Tag { return sinktest.Tags(pairs...) }

func TestEncode(t *testing.T) {
	gauge := &sink.Metric{Name: "m"}
	tests := []struct {
		name   string
		common []sink.Tag
		series sink.Series
		want   string
	}{
		{
			name:   "tags of config, block, entity and series",
			common: tags("a=1"),
			series: sink.Series{
				Metric: gauge, Block: &sink.Block{Host: "node-1", Tags: tags("b=2", "c=3"), Resource: tags("d=4")}, Tags: tags("e=5"), Value: 1.5,
			},
			want: "m{a:1,b:2,c:3,d:4,e:5} 3 1.5  @1700000000 host=node-1",
		}, {
			name:   "repeated keys and duplicates",
			series: sink.Series{Metric: gauge, Block: &sink.Block{Tags: tags("a=1", "a=2")}, Tags: tags("a=2", "a=3")},
			want:   "m{a:1,a:2,a:2,a:3} 3 0  @1700000000",
		}, {
			name:   "only a name",
			series: sink.Series{Metric: gauge, Block: &sink.Block{}, Value: -1},
			want:   "m{} 3 -1  @1700000000",
		}, {
			name:   "empty keys and values",
			series: sink.Series{Metric: gauge, Block: &sink.Block{Tags: tags("a=", "=b")}},
			want:   "m{a:,:b} 3 0  @1700000000",
		}, {
			name:   "a counter is a gauge",
			series: sink.Series{Metric: &sink.Metric{Name: "c", Type: sink.Counter, Unit: "{restart}"}, Block: &sink.Block{}, Value: 7, Start: 5},
			want:   "c{} 3 7  @1700000000",
		}, {
			name:   "an UpDown is a gauge; unit of bytes",
			series: sink.Series{Metric: &sink.Metric{Name: "u", Type: sink.UpDown, Unit: "By"}, Block: &sink.Block{}, Value: 1 << 53},
			want:   "u{} 3 9.007199254740992e+15 byte @1700000000",
		}, {
			name:   "unit of seconds",
			series: sink.Series{Metric: &sink.Metric{Name: "s", Unit: "s"}, Block: &sink.Block{}, Value: math.MaxFloat64},
			want:   "s{} 3 1.7976931348623157e+308 second @1700000000",
		}, {
			name: "invalid UTF-8",
			series: sink.Series{
				Metric: &sink.Metric{Name: "m\xff"}, Block: &sink.Block{Host: "h\xff", Tags: tags("a\xc3=\xa9b")}, Tags: tags("x=\xffé"),
			},
			want: "m\uFFFD{a\uFFFD:\uFFFDb,x:\uFFFDé} 3 0  @1700000000 host=h\uFFFD",
		}, {
			name:   "long strings",
			series: sink.Series{Metric: gauge, Block: &sink.Block{Host: strings.Repeat("h", 300)}, Tags: tags("a=" + strings.Repeat("日", 10_000))},
			want:   "m{a:" + strings.Repeat("日", 10_000) + "} 3 0  @1700000000 host=" + strings.Repeat("h", 300),
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			// Twice, to see that the first leaves nothing behind for the second.
			got := decode(t, encode(test.common, test.series, test.series))
			if diff := cmp.Diff([]string{test.want, test.want}, got); diff != "" {
				t.Errorf("series (-want +got):\n%s", diff)
			}
		})
	}
}

// Kinds of series follow each other, to test what the encoder caches.
func TestEncodeOrder(t *testing.T) {
	one, two := &sink.Metric{Name: "one"}, &sink.Metric{Name: "two", Unit: "s"}
	a, b := &sink.Block{Host: "h", Tags: tags("a=1")}, &sink.Block{Tags: tags("b=2")}
	got := decode(t, encode(nil,
		sink.Series{Metric: one, Block: a, Value: 1}, sink.Series{Metric: two, Block: a, Tags: tags("x=1"), Value: 2},
		sink.Series{Metric: one, Block: b, Value: 3}, sink.Series{Metric: one, Block: b, Value: 4},
		sink.Series{Metric: two, Block: a, Value: 5}, sink.Series{Metric: two, Block: b, Value: 6},
	))
	want := []string{
		"one{a:1} 3 1  @1700000000 host=h", "two{a:1,x:1} 3 2 second @1700000000 host=h",
		"one{b:2} 3 3  @1700000000", "one{b:2} 3 4  @1700000000",
		"two{a:1} 3 5 second @1700000000 host=h", "two{b:2} 3 6 second @1700000000",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("series (-want +got):\n%s", diff)
	}
}

// prepare returns the size that append appends, and offset finds the series.
func TestSize(t *testing.T) {
	series := slices.Concat(sinktest.Pods(2, 30), []sink.Series{
		{Metric: &sink.Metric{}, Block: &sink.Block{}},
		{Metric: &sink.Metric{Name: "m"}, Block: &sink.Block{}, Tags: tags("a=" + strings.Repeat("\xff.", 50_000))},
		{Metric: &sink.Metric{Name: "m"}, Block: &sink.Block{Tags: tags("a=" + strings.Repeat("x", 130))}},
	})
	e := newEncoder(tags("common=yes"))
	e.begin(time.Unix(sinktest.Seconds, 0))
	var payload []byte
	for i := range series {
		if at := offset(payload, i); at != len(payload) {
			t.Errorf("series %d starts at %d, want %d", i, at, len(payload))
		}
		before, size := len(payload), e.prepare(&series[i])
		if payload = e.append(payload); len(payload)-before != size {
			t.Errorf("series %d took %d bytes, want %d", i, len(payload)-before, size)
		}
	}
	if got := decode(t, payload); len(got) != len(series) {
		t.Errorf("%d series, want %d", len(got), len(series))
	}
}

func TestEncodeAllocations(t *testing.T) {
	series := sinktest.Pods(10, 20)
	e := newEncoder(tags("cluster=c"))
	var payload []byte
	sinktest.CheckAllocs(t, 0, func() {
		e.begin(time.Unix(sinktest.Seconds, 0))
		payload = payload[:0]
		for i := range series {
			e.prepare(&series[i])
			payload = e.append(payload)
		}
		e.forget()
	})
}
