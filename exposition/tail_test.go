package exposition

import (
	"strings"
	"testing"

	"github.com/kubestate/kubestate/metric"
)

func tailSchema() *metric.Schema {
	return metric.NewSchema("things", []metric.Label{{Name: "thing"}}, []metric.Desc{
		{Name: "plain", Type: metric.Gauge},
		{Name: "own", Type: metric.Gauge, Labels: []metric.Label{{Name: "a"}}},
		{Name: "dynamic", Type: metric.Gauge, Prefix: "label"},
	})
}

// writeTails renders an object whose values look like syntax.
func writeTails(w *Writer, e *metric.Emitter, s *metric.Schema) (lines [3]string) {
	e.Begin(s, "x} 1\n\"")
	e.Family(0)
	e.Add(1)
	e.Family(1)
	e.Add(2, `} 2,b="`)
	e.Add(2.5, "")
	e.Family(2)
	e.AddLabeled(3)
	e.Label("label_k", "v")
	e.AddLabeled(4)
	for i := range lines {
		lines[i] = string(w.Lines(i))
	}
	return lines
}

func TestTails(t *testing.T) {
	s := tailSchema()
	w := NewWriter(s)
	e := metric.NewEmitter(w)
	plain := writeTails(w, e, s)
	if want := "plain{thing=\"x} 1\\n\\\"\"} 1\n"; plain[0] != want {
		t.Fatalf("without tails %q, want %q", plain[0], want)
	}
	zone := AppendLabel(AppendLabel(nil, "zone", "a\"b\xff"), "team", "")
	if want := ",zone=\"a\\\"b\uFFFD\",team=\"\""; string(zone) != want {
		t.Fatalf("tail %q, want %q", zone, want)
	}
	w.Tails([][]byte{zone, nil, zone})
	tailed := writeTails(w, e, s)
	want := [3]string{
		"plain{thing=\"x} 1\\n\\\"\"" + string(zone) + "} 1\n",
		plain[1],
		"dynamic{thing=\"x} 1\\n\\\"\"" + string(zone) + "} 3\ndynamic{thing=\"x} 1\\n\\\"\",label_k=\"v\"" + string(zone) + "} 4\n",
	}
	if tailed != want {
		t.Errorf("got %q, want %q", tailed, want)
	}
	w.Tails(nil)
	if again := writeTails(w, e, s); again != plain {
		t.Errorf("without tails again %q, want %q", again, plain)
	}
}

// The replacement equals what would have been written.
func TestReplaceTail(t *testing.T) {
	s := tailSchema()
	w := NewWriter(s)
	e := metric.NewEmitter(w)
	tails := [][]byte{nil, AppendLabel(nil, "zone", "b"), AppendLabel(AppendLabel(nil, "zone", "} 7"), "k", "v\\")}
	for _, from := range tails {
		w.Tails([][]byte{from, from, from})
		before := writeTails(w, e, s)
		for _, to := range tails {
			w.Tails([][]byte{to, to, to})
			for i, want := range writeTails(w, e, s) {
				if got := ReplaceTail([]byte("kept "), []byte(before[i]), from, to); string(got) != "kept "+want {
					t.Errorf("%q for %q: got %q, want %q", to, from, got, want)
				}
			}
		}
	}
	mixed := `a{x="1",zone="b"} 1` + "\nbare 2\n" + `other{zone="c"} 3` + "\n" + `a{x="2",zone="b"} 4` + "\n" + `unended{x="1",zone="b"} 5`
	if got, want := string(ReplaceTail(nil, []byte(mixed), tails[1], []byte(`,k="v"`))), strings.ReplaceAll(mixed, `,zone="b"`, `,k="v"`); got != want {
		t.Errorf("lines with and without the tail: got %q, want %q", got, want)
	}
	for _, line := range []string{"bare 1\n", "other{zone=\"a\"} 1\n", ""} {
		if got := ReplaceTail(nil, []byte(line), tails[1], tails[2]); string(got) != line {
			t.Errorf("%q became %q", line, got)
		}
	}
}

func TestTailsAllocateNothing(t *testing.T) {
	s := tailSchema()
	w := NewWriter(s)
	e := metric.NewEmitter(w)
	tails := [][]byte{AppendLabel(nil, "zone", "a"), AppendLabel(nil, "zone", "a"), AppendLabel(nil, "zone", "a")}
	w.Tails(tails)
	buf := make([]byte, 0, 1000)
	if n := testing.AllocsPerRun(100, func() {
		e.Begin(s, "x")
		e.Family(1)
		e.Add(1, "v")
		buf = ReplaceTail(buf[:0], w.Lines(1), tails[1], tails[0])
	}); n != 0 {
		t.Errorf("%v allocations per object, want 0", n)
	}
}
