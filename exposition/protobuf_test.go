package exposition

import (
	"bytes"
	"errors"
	"io"
	"math"
	"path/filepath"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"golang.org/x/tools/txtar"
	"google.golang.org/protobuf/encoding/protodelim"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"

	"github.com/kubestate/kubestate/metric"
)

// appendFamily appends a complete family to a protobuf body.
func appendFamily(t testing.TB, dst []byte, d *metric.Desc, lines []byte) []byte {
	t.Helper()
	size := ProtobufSize(lines, d)
	dst = AppendProtobufHead(dst, d, size)
	before := len(dst)
	dst = AppendProtobuf(dst, lines, d)
	if got := len(dst) - before; got != size {
		t.Errorf("%s: ProtobufSize says %d bytes, AppendProtobuf appends %d", d.Name, size, got)
	}
	return dst
}

// readFamilies parses a protobuf body.
func readFamilies(t testing.TB, body []byte) []*dto.MetricFamily {
	t.Helper()
	r := bytes.NewReader(body)
	var families []*dto.MetricFamily
	for {
		f := &dto.MetricFamily{}
		err := protodelim.UnmarshalOptions{MaxSize: -1}.UnmarshalFrom(r, f)
		if errors.Is(err, io.EOF) && r.Len() == 0 {
			return families
		}
		if err != nil {
			t.Fatalf("read family %d: %v", len(families), err)
		}
		families = append(families, f)
	}
}

// family returns one family as parsed from protobuf. The bytes must equal those of the
// protobuf library, so that no varint is longer than necessary.
func family(t testing.TB, d *metric.Desc, lines []byte) *dto.MetricFamily {
	t.Helper()
	body := appendFamily(t, nil, d, lines)
	families := readFamilies(t, body)
	if len(families) != 1 {
		t.Fatalf("%s: %d families, want 1", d.Name, len(families))
	}
	if unknown := families[0].ProtoReflect().GetUnknown(); len(unknown) > 0 {
		t.Errorf("%s: unknown fields %x", d.Name, unknown)
	}
	var want bytes.Buffer
	if _, err := (protodelim.MarshalOptions{MarshalOptions: proto.MarshalOptions{Deterministic: true}}).MarshalTo(&want, families[0]); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(body, want.Bytes()) {
		t.Errorf("%s:\n got %x\nwant %x", d.Name, body, want.Bytes())
	}
	return families[0]
}

// textFamily returns what one family becomes for a reader of text.
func textFamily(t testing.TB, d *metric.Desc, lines []byte) *dto.MetricFamily {
	t.Helper()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(append(AppendHeader(nil, d, Text), lines...)))
	if err != nil {
		t.Fatalf("%s: read text: %v", d.Name, err)
	}
	return families[d.Name]
}

func compareFamilies(t testing.TB, got, want *dto.MetricFamily) {
	t.Helper()
	if !proto.Equal(got, want) {
		t.Errorf("got:\n%s\nwant:\n%s", prototext.Format(got), prototext.Format(want))
	}
}

// TestProtobufIsTheText reads what every kind makes of its golden objects both
// ways.
func TestProtobufIsTheText(t *testing.T) {
	files, err := filepath.Glob("../kind/testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden files: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			compared := 0
			for _, f := range archive.Files {
				if filepath.Base(f.Name) == "want.prom" {
					compared += compareGolden(t, string(f.Data))
				}
			}
			if compared == 0 {
				t.Error("no family was compared")
			}
		})
	}
}

// compareGolden compares the families of one golden text and returns their number.
func compareGolden(t *testing.T, text string) int {
	t.Helper()
	const typeLine = "# TYPE "
	n := 0
	for part := range strings.SplitSeq(text, typeLine) {
		head, lines, _ := strings.Cut(part, "\n")
		name, typ, ok := strings.Cut(head, " ")
		if !ok {
			continue // before the first TYPE line
		}
		d := &metric.Desc{Name: name, Type: metric.Type(typ), Stability: metric.Stable, Help: `Says "a\b".`}
		compareFamilies(t, family(t, d, []byte(lines)), textFamily(t, d, []byte(lines)))
		n++
	}
	return n
}

func TestProtobufHead(t *testing.T) {
	tests := []struct {
		desc     metric.Desc
		wantHelp string
		wantType dto.MetricType
	}{
		{metric.Desc{Name: "a", Type: metric.Gauge, Help: "H."}, "H.", dto.MetricType_GAUGE},
		{metric.Desc{Name: "a_total", Type: metric.Counter, Help: "H."}, "H.", dto.MetricType_COUNTER},
		{metric.Desc{Name: "a_info", Type: metric.Info, Help: "H."}, "H.", dto.MetricType_GAUGE},
		{metric.Desc{Name: "a", Type: metric.StateSet, Help: "H."}, "H.", dto.MetricType_GAUGE},
		{metric.Desc{Name: "a", Type: metric.Gauge}, "", dto.MetricType_GAUGE},
		{metric.Desc{Name: "a", Type: metric.Gauge, Help: "H.", Stability: metric.Stable, Deprecated: "v2.14.0"},
			"[STABLE] (Deprecated since v2.14.0) H.", dto.MetricType_GAUGE},
		{metric.Desc{Name: "a", Type: metric.Gauge, Help: "\"a\\b\"\nand \xff."}, "\"a\\b\"\nand \uFFFD.", dto.MetricType_GAUGE},
		{metric.Desc{Name: strings.Repeat("n", 200), Type: metric.Gauge, Help: strings.Repeat("h", 20_000)}, strings.Repeat("h", 20_000), dto.MetricType_GAUGE},
	}
	for _, test := range tests {
		want := &dto.MetricFamily{Name: &test.desc.Name, Help: &test.wantHelp, Type: &test.wantType}
		compareFamilies(t, family(t, &test.desc, nil), want)
	}
}

// Several families in a row, as in a body.
func TestProtobufBody(t *testing.T) {
	w := NewWriter(widgets)
	e := metric.NewEmitter(w)
	var body []byte
	for i := range widgets.Families {
		var lines []byte
		for _, name := range []string{"one", strings.Repeat("long", 100), "th\"r\\e\n"} {
			emitWidget(e, name)
			lines = append(lines, w.Lines(i)...)
		}
		body = appendFamily(t, body, &widgets.Families[i], lines)
	}
	families := readFamilies(t, body)
	if len(families) != len(widgets.Families) {
		t.Fatalf("%d families, want %d", len(families), len(widgets.Families))
	}
	for i, want := range []int{3, 6, 0, 3} {
		if got := families[i]; got.GetName() != widgets.Families[i].Name || len(got.Metric) != want {
			t.Errorf("family %d is %s with %d metrics, want %s with %d", i, got.GetName(), len(got.Metric), widgets.Families[i].Name, want)
		}
	}
	if got := families[1].Metric[4].Label[1].GetValue(); got != "th\"r\\e\n" {
		t.Errorf("last widget: %q", got)
	}
}

// Values around the lengths at which varints grow: of the value, its label and its
// metric.
func TestProtobufLengths(t *testing.T) {
	d := &metric.Desc{Name: "a", Type: metric.Gauge}
	for _, edge := range []int{0, 1 << 7, 1 << 14, 1 << 21} {
		for n := max(0, edge-30); n < edge+3; n++ {
			value := strings.Repeat("v", n)
			lines := []byte(`a{l="` + value + "\"} 1\na 2\n")
			f := family(t, d, lines)
			if len(f.Metric) != 2 || len(f.Metric[0].Label) != 1 || f.Metric[0].Label[0].GetValue() != value || f.Metric[1].Gauge.GetValue() != 2 {
				t.Errorf("%d bytes of value: read %d metrics", n, len(f.Metric))
			}
		}
	}
}

func TestProtobufNoBraces(t *testing.T) {
	for _, d := range []metric.Desc{{Name: "a", Type: metric.Gauge, Help: "H."}, {Name: "a_total", Type: metric.Counter, Help: "H."}} {
		lines := []byte(d.Name + " 1\n" + d.Name + " -2.5\n" + d.Name + " +Inf\n")
		compareFamilies(t, family(t, &d, lines), textFamily(t, &d, lines))
	}
}

func TestParseFloat(t *testing.T) {
	values := []float64{
		0, 1, -1, 9, 10, 0.5, -0.25, 999999, -999999, 1e6, -1e6, 1.7408232e9, 1<<53 + 2, 1e300, 1e-300,
		math.MaxFloat64, math.SmallestNonzeroFloat64, math.Inf(1), math.Inf(-1), math.Nextafter(1, 2),
	}
	for _, v := range readVectors(t).Floats {
		values = append(values, math.Float64frombits(v.Bits))
	}
	for _, v := range values {
		if got := parseFloat(AppendFloat(nil, v)); got != v && !(math.IsNaN(got) && math.IsNaN(v)) {
			t.Errorf("%v became %s and then %v", v, AppendFloat(nil, v), got)
		}
	}
	for text, want := range map[string]float64{
		"999999999999999": 999999999999999, "-999999999999999": -999999999999999, // the longest that are parsed as integers
		"9007199254740993": 9007199254740992, "12345678901234567890": 12345678901234567890,
	} {
		if got := parseFloat([]byte(text)); got != want {
			t.Errorf("%s parsed as %v, want %v", text, got, want)
		}
	}
	// Prometheus assigns meanings to other NaNs.
	if got := math.Float64bits(parseFloat([]byte("NaN"))); got != 0x7ff8000000000001 {
		t.Errorf("NaN has the bits %#x", got)
	}
}

func TestProtobufAllocatesNothing(t *testing.T) {
	d := &metric.Desc{Name: "a", Type: metric.Counter}
	lines := []byte(`a{b="c"} 1` + "\n" + `a{b="c\n\"\\",d="` + strings.Repeat("e", 200) + `"} -1.7976931348623157e+308` + "\na NaN\na +Inf\na 1.7408232e+09\n")
	dst := make([]byte, 0, ProtobufSize(lines, d))
	if n := testing.AllocsPerRun(100, func() { AppendProtobuf(dst, lines, d) }); n != 0 {
		t.Errorf("%v allocations per AppendProtobuf, want 0", n)
	}
	if n := testing.AllocsPerRun(100, func() { ProtobufSize(lines, d) }); n != 0 {
		t.Errorf("%v allocations per ProtobufSize, want 0", n)
	}
}

// Labels and values survive unchanged.
func FuzzAppendProtobuf(f *testing.F) {
	for _, s := range []string{"", "plain", `a"b\c` + "\nd", `\`, `"`, `\\"`, "} 1\n", `",x="`, "\xff\xfe", "é\xc3", "\x00", strings.Repeat("\n", 130)} {
		f.Add(s, s+s, 1.5, true)
	}
	f.Add("a", "b", math.NaN(), false)
	f.Add("a", "b", 1e15, false)
	schema := metric.NewSchema("things", []metric.Label{{Name: "id"}}, []metric.Desc{{Name: "thing", Type: metric.Gauge, Prefix: "label"}})
	f.Fuzz(func(t *testing.T, id, value string, v float64, labeled bool) {
		w := NewWriter(schema)
		e := metric.NewEmitter(w)
		e.Begin(schema, id)
		e.Family(0)
		want := [][]string{{"id", id}}
		if labeled {
			e.Label("label_x", value)
			want = append(want, []string{"label_x", value})
		}
		e.AddLabeled(v)
		e.Label("label_other", "x")
		e.AddLabeled(3)
		got := family(t, &schema.Families[0], w.Lines(0))
		if len(got.Metric) != 2 || len(got.Metric[0].Label) != len(want) || len(got.Metric[1].Label) != 2 || got.Metric[1].Gauge.GetValue() != 3 {
			t.Fatalf("%q, %q: got\n%s", id, value, prototext.Format(got))
		}
		for i, l := range got.Metric[0].Label {
			if l.GetName() != want[i][0] || l.GetValue() != perByteUTF8(want[i][1]) {
				t.Errorf("label %d is %s=%q, want %q", i, l.GetName(), l.GetValue(), want[i])
			}
		}
		if got := got.Metric[0].Gauge.GetValue(); got != v && !(math.IsNaN(got) && math.IsNaN(v)) {
			t.Errorf("value %v, want %v", got, v)
		}
	})
}
