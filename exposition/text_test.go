package exposition

import (
	"encoding/json"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"
	"testing/quick"
	"unicode/utf8"

	"github.com/kubestate/kubestate/metric"
)

// vectors are inputs and the output of kube-state-metrics for them.
type vectors struct {
	Escaping []struct {
		In   []byte `json:"in_bytes"`
		Line []byte `json:"line_bytes"`
	} `json:"escaping_base64"`
	Floats []struct {
		Bits uint64 `json:"bits"`
		Text string `json:"text"`
	} `json:"floats"`
	Accept []struct {
		Accept      string `json:"accept"`
		ContentType string `json:"content_type"`
	} `json:"accept"`
}

func readVectors(t *testing.T) vectors {
	t.Helper()
	data, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var v vectors
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	if len(v.Escaping) == 0 || len(v.Floats) == 0 || len(v.Accept) == 0 {
		t.Fatal("testdata/vectors.json lacks a part")
	}
	return v
}

// widgets is a schema with every shape of family: with and without own labels, with
// labels chosen by the object, without samples.
var widgets = metric.NewSchema("widgets", []metric.Label{{Name: "namespace"}, {Name: "widget"}}, []metric.Desc{
	{Name: "widget_size"},
	{Name: "widget_part", Labels: []metric.Label{{Name: "part"}, {Name: "colour"}}},
	{Name: "widget_empty"},
	{Name: "widget_labels", Prefix: "label"},
})

func emitWidget(e *metric.Emitter, name string) {
	e.Begin(widgets, "shop", name)
	e.Family(0)
	e.Add(3)
	e.Family(1)
	e.Add(1, "wheel", "red")
	e.Add(0.5, `"b"`, "")
	e.Family(3)
	e.Label("label_a", "1\n2")
	e.Label("label_b", `\`)
	e.AddLabeled(1)
}

func TestWriterLines(t *testing.T) {
	w := NewWriter(widgets)
	e := metric.NewEmitter(w)
	want := []string{
		"widget_size{namespace=\"shop\",widget=\"W\"} 3\n",
		"widget_part{namespace=\"shop\",widget=\"W\",part=\"wheel\",colour=\"red\"} 1\n" +
			"widget_part{namespace=\"shop\",widget=\"W\",part=\"\\\"b\\\"\",colour=\"\"} 0.5\n",
		"",
		"widget_labels{namespace=\"shop\",widget=\"W\",label_a=\"1\\n2\",label_b=\"\\\\\"} 1\n",
	}
	// The second, longer object must leave nothing behind for the third.
	for _, name := range []string{"one", strings.Repeat("long", 100), `th"ree`} {
		emitWidget(e, name)
		escaped := strings.ReplaceAll(name, `"`, `\"`)
		for i := range want {
			if got, want := string(w.Lines(i)), strings.ReplaceAll(want[i], "W", escaped); got != want {
				t.Errorf("object %.10q family %d:\n got %q\nwant %q", name, i, got, want)
			}
		}
		if w.Series() != 4 {
			t.Errorf("object %.10q: %d series, want 4", name, w.Series())
		}
	}
	w.Reset()
	for i := range want {
		if got := w.Lines(i); len(got) != 0 {
			t.Errorf("family %d after Reset: %q", i, got)
		}
	}
	if w.Series() != 0 {
		t.Errorf("%d series after Reset", w.Series())
	}
}

// Commas and braces between identity labels and others.
func TestWriterIdentities(t *testing.T) {
	families := []metric.Desc{{Name: "a"}, {Name: "b", Labels: []metric.Label{{Name: "x"}, {Name: "y"}}}, {Name: "c", Prefix: "p"}}
	tests := []struct {
		name     string
		identity []metric.Label
		values   []string
		want     string
	}{
		{"none", nil, nil,
			"a 1\n" + `b{x="1",y="2"} 1` + "\n" + `c{p_k="v",p_l="w"} 1` + "\n" + "c 1\n"},
		{"one", []metric.Label{{Name: "i"}}, []string{"I"},
			`a{i="I"} 1` + "\n" + `b{i="I",x="1",y="2"} 1` + "\n" + `c{i="I",p_k="v",p_l="w"} 1` + "\n" + `c{i="I"} 1` + "\n"},
		{"two", []metric.Label{{Name: "i"}, {Name: "j"}}, []string{"", "J"},
			`a{i="",j="J"} 1` + "\n" + `b{i="",j="J",x="1",y="2"} 1` + "\n" + `c{i="",j="J",p_k="v",p_l="w"} 1` + "\n" + `c{i="",j="J"} 1` + "\n"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := metric.NewSchema("things", test.identity, families)
			w := NewWriter(s)
			e := metric.NewEmitter(w)
			e.Begin(s, test.values...)
			e.Family(0)
			e.Add(1)
			e.Family(1)
			e.Add(1, "1", "2")
			e.Family(2)
			e.Label("p_k", "v")
			e.Label("p_l", "w")
			e.AddLabeled(1)
			e.AddLabeled(1)
			if got := string(w.Lines(0)) + string(w.Lines(1)) + string(w.Lines(2)); got != test.want {
				t.Errorf("got:\n%swant:\n%s", got, test.want)
			}
		})
	}
}

func TestWriterAllocatesNothing(t *testing.T) {
	e := metric.NewEmitter(NewWriter(widgets))
	emitWidget(e, "warm up the buffers")
	if n := testing.AllocsPerRun(100, func() { emitWidget(e, "w\xff\n") }); n != 0 {
		t.Errorf("%v allocations per object, want 0", n)
	}
}

func TestEscapingVectors(t *testing.T) {
	s := metric.NewSchema("x", nil, []metric.Desc{{Name: "x", Labels: []metric.Label{{Name: "l"}}}})
	for _, v := range readVectors(t).Escaping {
		w := NewWriter(s)
		e := metric.NewEmitter(w)
		e.Begin(s)
		e.Family(0)
		e.Add(1, string(v.In))
		want := string(v.Line)
		if !utf8.Valid(v.In) {
			want = perByteUTF8(want) // the only difference: invalid UTF-8 is replaced
		}
		if got := string(w.Lines(0)); got != want {
			t.Errorf("value %q:\n got %q\nwant %q", v.In, got, want)
		}
	}
}

// perByteUTF8 replaces each byte that is not part of UTF-8 text with U+FFFD.
func perByteUTF8(s string) string { return string([]rune(s)) }

func TestAppendValue(t *testing.T) {
	tests := map[string]string{
		"":                     `"`,
		"\n":                   `\n"`,
		"\\":                   `\\"`,
		`""`:                   `\"\""`,
		"\\n":                  `\\n"`,
		"a\nb\nc":              `a\nb\nc"`,
		"\x00\x01\t\r\x7f":     "\x00\x01\t\r\x7f\"",
		"\u2028\U0001F600é":    "\u2028\U0001F600é\"",
		"# EOF\n":              `# EOF\n"`,
		"\xff":                 "\uFFFD\"",
		"\xffa\xfe":            "\uFFFDa\uFFFD\"",
		"é\xc3":                "é\uFFFD\"",
		"\xc3\"":               "\uFFFD\\\"\"",
		"\xc3\n":               "\uFFFD\\n\"",
		"\xed\xa0\x80":         "\uFFFD\uFFFD\uFFFD\"", // a surrogate half
		"\xc0\xaf":             "\uFFFD\uFFFD\"",       // an overlong slash
		"\uFFFD":               "\uFFFD\"",             // a literal U+FFFD stays
		"\xf4\x90\x80\x80":     "\uFFFD\uFFFD\uFFFD\uFFFD\"",
		"\xe2\x80":             "\uFFFD\uFFFD\"",
		"日本\xe6語":              "日本\uFFFD語\"",
		strings.Repeat("x", 9): "xxxxxxxxx\"",
	}
	for in, want := range tests {
		if got := string(appendValue([]byte("="), in)); got != "="+want {
			t.Errorf("appendValue(%q) = %q, want %q", in, got, "="+want)
		}
	}
}

func FuzzAppendValue(f *testing.F) {
	for _, s := range []string{"", "plain", "a\"b\\c\nd", "\xff\xfe", "é\xc3", `\n`, "# EOF\n", "\x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, v string) {
		got := string(appendValue(nil, v))
		if !utf8.ValidString(got) {
			t.Errorf("%q became %q, which is not UTF-8", v, got)
		}
		back, rest, ok := unquote(got)
		if !ok || rest != "" {
			t.Fatalf("%q became %q, which does not end at its quote", v, got)
		}
		if back != perByteUTF8(v) {
			t.Errorf("%q became %q, which parses as %q", v, got, back)
		}
	})
}

// unquote parses an escaped value up to its closing quote, as defined by the formats.
func unquote(s string) (value, rest string, ok bool) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case '"':
			return b.String(), s[i+1:], true
		case '\n':
			return "", "", false
		case '\\':
			i++
			if i == len(s) {
				return "", "", false
			}
			switch s[i] {
			case 'n':
				b.WriteByte('\n')
			case '\\', '"':
				b.WriteByte(s[i])
			default:
				return "", "", false
			}
		default:
			b.WriteByte(c)
		}
	}
	return "", "", false
}

func TestFloatVectors(t *testing.T) {
	for _, v := range readVectors(t).Floats {
		if got := string(AppendFloat(nil, math.Float64frombits(v.Bits))); got != v.Text {
			t.Errorf("bits %#x: %s, want %s", v.Bits, got, v.Text)
		}
	}
}

// slowFloat is what AppendFloat must agree with.
func slowFloat(v float64) string {
	if v == 0 {
		return "0"
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}

func TestAppendFloat(t *testing.T) {
	edges := []float64{
		0, math.Copysign(0, -1), 1, -1, 0.1, -0.1, 1e-4, 9.9e-5, 1e-5, 999999, -999999, 999999.5, 1e6, -1e6, 1000001,
		math.MaxInt32, math.MaxInt64, math.MinInt64, 1 << 53, 1<<53 + 2, 1 << 63, 1 << 64, -1 << 63, 1e300, -1e300,
		math.MaxFloat64, -math.MaxFloat64, math.SmallestNonzeroFloat64, -math.SmallestNonzeroFloat64,
		math.Float64frombits(0x000fffffffffffff), math.Float64frombits(0x0010000000000000), // around the first normal number
		math.NaN(), math.Float64frombits(0xfff8000000000001), math.Inf(1), math.Inf(-1),
		math.Nextafter(1, 2), math.Nextafter(1e6, 0), math.Nextafter(-1e6, 0), math.Nextafter(5, 6),
	}
	for _, v := range edges {
		if got, want := string(AppendFloat([]byte("x"), v)), "x"+slowFloat(v); got != want {
			t.Errorf("AppendFloat(%v) = %s, want %s", v, got, want)
		}
	}
	for v := -1_000_010; v <= 1_000_010; v += 997 {
		if got, want := string(AppendFloat(nil, float64(v))), slowFloat(float64(v)); got != want {
			t.Errorf("AppendFloat(%d) = %s, want %s", v, got, want)
		}
	}
	agree := func(bits uint64, n int32, scale int16) bool {
		for _, v := range []float64{math.Float64frombits(bits), float64(n), float64(n) / float64(scale), float64(n%2_000_000) + 0.5} {
			if string(AppendFloat(nil, v)) != slowFloat(v) {
				t.Logf("AppendFloat(%v) = %s", v, AppendFloat(nil, v))
				return false
			}
		}
		return true
	}
	if err := quick.Check(agree, &quick.Config{MaxCount: 20_000}); err != nil {
		t.Error(err)
	}
}

func FuzzAppendFloat(f *testing.F) {
	f.Add(uint64(0))
	f.Add(math.Float64bits(1e6))
	f.Add(math.Float64bits(math.NaN()))
	f.Fuzz(func(t *testing.T, bits uint64) {
		v := math.Float64frombits(bits)
		got := string(AppendFloat(nil, v))
		if got != slowFloat(v) {
			t.Errorf("AppendFloat(%v) = %s, want %s", v, got, slowFloat(v))
		}
		if back, err := strconv.ParseFloat(got, 64); err != nil || back != v && !math.IsNaN(v) {
			t.Errorf("%v became %s, which parses as %v, %v", v, got, back, err)
		}
	})
}

func TestAppendHeader(t *testing.T) {
	const help = "Says \"a\\b\"\nand \xff c."
	const inText, inOpenMetrics = `Says "a\\b"\nand ` + "\uFFFD c.", `Says \"a\\b\"\nand ` + "\uFFFD c."
	tests := []struct {
		name              string
		desc              metric.Desc
		text, openMetrics string
	}{
		{"gauge", metric.Desc{Name: "a_b", Type: metric.Gauge, Help: "H."},
			"# HELP a_b H.\n# TYPE a_b gauge\n", "# HELP a_b H.\n# TYPE a_b gauge\n"},
		{"alpha is not marked", metric.Desc{Name: "a", Type: metric.Gauge, Stability: metric.Alpha, Help: "H."},
			"# HELP a H.\n# TYPE a gauge\n", "# HELP a H.\n# TYPE a gauge\n"},
		{"stable", metric.Desc{Name: "a", Type: metric.Gauge, Stability: metric.Stable, Help: "H."},
			"# HELP a [STABLE] H.\n# TYPE a gauge\n", "# HELP a [STABLE] H.\n# TYPE a gauge\n"},
		{"deprecated", metric.Desc{Name: "a", Type: metric.Gauge, Help: "H.", Deprecated: "v2.14.0"},
			"# HELP a (Deprecated since v2.14.0) H.\n# TYPE a gauge\n", "# HELP a (Deprecated since v2.14.0) H.\n# TYPE a gauge\n"},
		{"stable and deprecated", metric.Desc{Name: "a", Type: metric.Gauge, Stability: metric.Stable, Help: "H.", Deprecated: "v2.14.0"},
			"# HELP a [STABLE] (Deprecated since v2.14.0) H.\n# TYPE a gauge\n", "# HELP a [STABLE] (Deprecated since v2.14.0) H.\n# TYPE a gauge\n"},
		{"escaping", metric.Desc{Name: "a", Type: metric.Gauge, Help: help},
			"# HELP a " + inText + "\n# TYPE a gauge\n", "# HELP a " + inOpenMetrics + "\n# TYPE a gauge\n"},
		{"no help", metric.Desc{Name: "a", Type: metric.Gauge},
			"# HELP a \n# TYPE a gauge\n", "# HELP a \n# TYPE a gauge\n"},
		{"counter", metric.Desc{Name: "a_total", Type: metric.Counter, Help: "H."},
			"# HELP a_total H.\n# TYPE a_total counter\n", "# HELP a H.\n# TYPE a counter\n"},
		{"counter without suffix", metric.Desc{Name: "a_count", Type: metric.Counter, Help: "H."},
			"# HELP a_count H.\n# TYPE a_count counter\n", "# HELP a_count H.\n# TYPE a_count unknown\n"},
		{"counter that is only a suffix", metric.Desc{Name: "_total", Type: metric.Counter, Help: "H."},
			"# HELP _total H.\n# TYPE _total counter\n", "# HELP _total H.\n# TYPE _total unknown\n"},
		{"info", metric.Desc{Name: "a_info", Type: metric.Info, Help: "H."},
			"# HELP a_info H.\n# TYPE a_info gauge\n", "# HELP a H.\n# TYPE a info\n"},
		{"info without suffix", metric.Desc{Name: "a_labels", Type: metric.Info, Help: "H."},
			"# HELP a_labels H.\n# TYPE a_labels gauge\n", "# HELP a_labels H.\n# TYPE a_labels unknown\n"},
		{"gauge with the suffix of others", metric.Desc{Name: "a_info", Type: metric.Gauge, Help: "H."},
			"# HELP a_info H.\n# TYPE a_info gauge\n", "# HELP a_info H.\n# TYPE a_info gauge\n"},
		{"stateset", metric.Desc{Name: "a", Type: metric.StateSet, Help: "H.", Labels: []metric.Label{{Name: "a"}}},
			"# HELP a H.\n# TYPE a gauge\n", "# HELP a H.\n# TYPE a stateset\n"},
		{"stateset without the label of its states", metric.Desc{Name: "a", Type: metric.StateSet, Help: "H.", Labels: []metric.Label{{Name: "b"}}},
			"# HELP a H.\n# TYPE a gauge\n", "# HELP a H.\n# TYPE a gauge\n"},
		{"unit", metric.Desc{Name: "a_seconds", Type: metric.Gauge, Help: "H.", Unit: "seconds"},
			"# HELP a_seconds H.\n# TYPE a_seconds gauge\n", "# HELP a_seconds H.\n# TYPE a_seconds gauge\n# UNIT a_seconds seconds\n"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for format, want := range map[Format]string{Text: test.text, OpenMetrics: test.openMetrics, OpenMetrics001: test.openMetrics} {
				if got := string(AppendHeader([]byte("before\n"), &test.desc, format)); got != "before\n"+want {
					t.Errorf("format %d:\n got %q\nwant %q", format, got, "before\n"+want)
				}
			}
		})
	}
}
