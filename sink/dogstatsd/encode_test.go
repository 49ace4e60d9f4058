package dogstatsd

import (
	"math"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/kubestate/kubestate/sink"
)

func tags(pairs ...string) (all []sink.Tag) {
	for i := 0; i < len(pairs); i += 2 {
		all = append(all, sink.Tag{Key: pairs[i], Value: pairs[i+1]})
	}
	return all
}

func TestSeries(t *testing.T) {
	node := &sink.Block{Host: "node-1", Tags: tags("kube_cluster_name", "c", "node", "node-1")}
	bare := &sink.Block{}
	for _, c := range []struct {
		name     string
		encoder  encoder
		metric   string
		block    *sink.Block
		tags     []sink.Tag
		value    float64
		expected string
	}{
		{"everything", encoder{instance: tags("env", "prod")}, "kubernetes_state.node.count", node, tags("os", "linux", "zone", "a"), 1,
			"kubernetes_state.node.count:1|g|#host:node-1,env:prod,kube_cluster_name:c,node:node-1,os:linux,zone:a"},
		{"an entity", encoder{}, "m", &sink.Block{Tags: tags("a", "b"), Resource: tags("k8s.pod.name", "p", "k8s.pod.uid", "u")}, tags("c", "d"), 1,
			"m:1|g|#host:,a:b,k8s.pod.name:p,k8s.pod.uid:u,c:d"},
		{"an entity attribute is the host", encoder{}, "m", &sink.Block{Resource: tags("host", "x")}, nil, 1, "m:1|g|#host:x"},
		{"no tags of its own", encoder{}, "m", node, nil, 0.5, "m:0.5|g|#host:node-1,kube_cluster_name:c,node:node-1"},
		{"no host", encoder{}, "m", bare, nil, 1, "m:1|g|#host:"},
		{"no host, own tag", encoder{}, "m", bare, tags("a", "b"), 1, "m:1|g|#host:,a:b"},
		{"agent's host", encoder{agentHost: true}, "m", bare, nil, 1, "m:1|g"},
		{"agent's host, own tag", encoder{agentHost: true}, "m", bare, tags("a", "b"), 1, "m:1|g|#a:b"},
		{"agent's host, series with a host", encoder{agentHost: true}, "m", node, nil, 1, "m:1|g|#host:node-1,kube_cluster_name:c,node:node-1"},
		{"a tag is the host", encoder{}, "m", &sink.Block{Tags: tags("host", "x")}, nil, 1, "m:1|g|#host:x"},
		{"an instance tag is the host", encoder{instance: tags("host", "x")}, "m", bare, nil, 1, "m:1|g|#host:x"},
		{"hostile name", encoder{agentHost: true}, "a:b|c\nd,e#f@g", bare, nil, 1, "a_b_c_d,e#f@g:1|g"},
		{"hostile tag", encoder{agentHost: true}, "m", bare, tags("a,b|c:d\r\n", "e,f|g:h\n\x00"), 1, "m:1|g|#a_b_c_d__:e_f_g:h__"},
		{"empty value", encoder{agentHost: true}, "m", bare, tags("a", ""), 1, "m:1|g|#a:"},
		{"unicode", encoder{agentHost: true}, "m", bare, tags("é", "日本,\u2028🙂"), 1, "m:1|g|#é:日本_\u2028🙂"},
		{"not unicode", encoder{agentHost: true}, "m", bare, tags("k", "a\xffb\xed\xa0\x80"), 1, "m:1|g|#k:a\uFFFDb\uFFFD\uFFFD\uFFFD"},
		{"hostile host", encoder{}, "m", &sink.Block{Host: "a,b|c\nd"}, nil, 1, "m:1|g|#host:a_b_c_d"},
	} {
		t.Run(c.name, func(t *testing.T) {
			line, ok := c.encoder.series(&sink.Series{Metric: &sink.Metric{Name: c.metric}, Block: c.block, Tags: c.tags, Value: c.value})
			if !ok || string(line) != c.expected {
				t.Errorf("got  %q\nwant %q", line, c.expected)
			}
			if !utf8.Valid(line) {
				t.Errorf("invalid UTF-8: %q", line)
			}
		})
	}
}

// What is cached of a Block is not written for another.
func TestBlocksInTurn(t *testing.T) {
	a := &sink.Block{Host: "a", Tags: tags("x", "1")}
	b := &sink.Block{}
	e := encoder{agentHost: true}
	for _, c := range []struct {
		block    *sink.Block
		expected string
	}{{a, "m:1|g|#host:a,x:1,o:p"}, {a, "m:1|g|#host:a,x:1,o:p"}, {b, "m:1|g|#o:p"}, {a, "m:1|g|#host:a,x:1,o:p"}} {
		line, _ := e.series(&sink.Series{Metric: &sink.Metric{Name: "m"}, Block: c.block, Tags: tags("o", "p"), Value: 1})
		if string(line) != c.expected {
			t.Errorf("got %q, want %q", line, c.expected)
		}
		e.check(&sink.Check{Name: "c", Block: b}) // must not disturb the cache
	}
}

func TestChecks(t *testing.T) {
	node := &sink.Block{Host: "node-1", Tags: tags("node", "node-1")}
	for _, c := range []struct {
		name     string
		check    sink.Check
		expected string
	}{
		{"everything", sink.Check{Name: "kubernetes_state.node.ready", Status: sink.Critical, Message: "node-1 is not ready", Block: node, Tags: tags("a", "b")},
			"_sc|kubernetes_state.node.ready|2|h:node-1|#env:prod,node:node-1,a:b|m:node-1 is not ready"},
		{"an entity", sink.Check{Name: "c", Block: &sink.Block{Host: "h", Tags: tags("a", "b"), Resource: tags("k8s.node.name", "n")}, Tags: tags("c", "d")},
			"_sc|c|0|h:h|#env:prod,a:b,k8s.node.name:n,c:d"},
		{"no host", sink.Check{Name: "c", Status: sink.OK, Block: &sink.Block{}}, "_sc|c|0|#host:,env:prod"},
		{"hostile", sink.Check{Name: "a|b", Status: sink.Warning, Message: "one, two\nm:three|four\t\xff", Block: node},
			"_sc|a_b|1|h:node-1|#env:prod,node:node-1|m:one, two\\nm:three_four_\uFFFD"},
		{"invalid status", sink.Check{Name: "c", Status: 9, Block: node}, "_sc|c|3|h:node-1|#env:prod,node:node-1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := encoder{instance: tags("env", "prod")}
			if line := e.check(&c.check); string(line) != c.expected {
				t.Errorf("got  %q\nwant %q", line, c.expected)
			}
		})
	}
}

func TestValues(t *testing.T) {
	for v, expected := range map[float64]string{
		0: "0", 1: "1", -3: "-3", 0.1: "0.1", 1501569018: "1501569018", 1.5e9 + 0.25: "1500000000.25",
		1 << 53: "9007199254740992", 1e20: "100000000000000000000", 1e21: "1e+21", 1e300: "1e+300",
		1e-6: "0.000001", 1.5e-7: "1.5e-07", -math.MaxFloat64: "-1.7976931348623157e+308",
		math.SmallestNonzeroFloat64: "5e-324", math.MaxInt64: "9223372036854776000",
	} {
		got := string(appendValue(nil, v))
		if got != expected {
			t.Errorf("%g: got %s, want %s", v, got, expected)
		}
		if back, err := strconv.ParseFloat(got, 64); err != nil || back != v {
			t.Errorf("%g: %s parsed as %g (%v)", v, got, back, err)
		}
	}
}

// isPlain, which checks eight bytes at a time, agrees with checking each byte.
func TestEveryByteEverywhere(t *testing.T) {
	for length := 1; length <= 20; length++ {
		for at := range length {
			for c := range 256 {
				s := strings.Repeat("x", at) + string([]byte{byte(c)}) + strings.Repeat("~", length-at-1)
				if isPlain(s) != isPlainIn(s, everywhere) {
					t.Fatalf("isPlain(%q) is %t", s, isPlain(s))
				}
			}
		}
	}
}

func TestEncodeAllocs(t *testing.T) {
	e := encoder{instance: tags("env", "prod")}
	blocks := []*sink.Block{{Host: "a", Tags: tags("k", "é")}, {Tags: tags("k", "a|b")}}
	m := &sink.Metric{Name: "m"}
	series, check := &sink.Series{Metric: m, Tags: tags("a", "b"), Value: 0.1}, &sink.Check{Name: "c", Message: "a\nb"}
	i := 0
	encode := func() {
		i++
		series.Block, check.Block = blocks[i%2], blocks[i%2]
		e.series(series)
		e.check(check)
	}
	encode()
	if n := testing.AllocsPerRun(1000, encode); n != 0 {
		t.Errorf("%g allocations", n)
	}
}
