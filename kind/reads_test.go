package kind_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/kubestate/kubestate/internal/kindtest"
	"github.com/kubestate/kubestate/internal/wire"
	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/metric"
)

// Objects are decoded without the fields that a table does not declare to read. That must
// not change the samples of all rows together, of the default rows, or of any single row.
func TestReads(t *testing.T) {
	if raceDetector {
		t.Skip("slow, and one goroutine: make without-race runs it")
	}
	for _, table := range kind.All() {
		t.Run(table.Name, func(t *testing.T) {
			objects := encodedObjects(t, table)
			if objects == nil {
				return
			}
			checkReads(t, kindtest.Everything.Plan(t, table), objects)
			checkReads(t, kindtest.Options{}.Plan(t, table), objects)
			for _, d := range table.Schema().Families {
				checkReads(t, alone(t, table, d.Name), objects[:min(len(objects), 60)])
			}
		})
	}
}

// alone returns a table with one family only.
func alone(t testing.TB, table *kind.Table, family string) *kind.Table {
	t.Helper()
	planned, err := table.Plan(kind.Options{
		Keep:   func(d *metric.Desc) bool { return d.Name == family },
		Labels: []string{"*"}, Annotations: []string{"*"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return planned
}

func checkReads(t *testing.T, table *kind.Table, messages [][]byte) {
	t.Helper()
	filter, err := wire.Compile(table.New(), kind.Reads(table))
	if err != nil {
		t.Fatal(err)
	}
	reused := table.New()
	for _, message := range messages {
		short := filter.Append(nil, message)
		whole, _ := kindtest.Text(t, table, decode(t, table, message))
		filtered, _ := kindtest.Text(t, table, decode(t, table, short))
		table.Reset(reused)
		if err := reused.Unmarshal(short); err != nil {
			t.Fatal(err)
		}
		if again, _ := kindtest.Text(t, table, reused); again != filtered {
			t.Fatalf("a reused %s (-new +reused):\n%s",
				table.Kind, gocmp.Diff(strings.Split(filtered, "\n"), strings.Split(again, "\n")))
		}
		if whole != filtered {
			t.Fatalf("a row of %s reads a field that is in neither Kind.Reads nor Row.Reading, so it is not decoded (-whole +filtered):\n%s",
				table.Kind, gocmp.Diff(strings.Split(whole, "\n"), strings.Split(filtered, "\n")))
		}
	}
}

func decode(t *testing.T, table *kind.Table, message []byte) kind.Object {
	t.Helper()
	o := table.New()
	if err := o.Unmarshal(message); err != nil {
		t.Fatal(err)
	}
	return o
}

// encodedObjects returns objects of a kind as the API server sends them: those of the other
// tests, and many with random content.
func encodedObjects(t *testing.T, table *kind.Table) (messages [][]byte) {
	t.Helper()
	if table.New().Unmarshal(nil) != nil {
		return nil // a custom resource, which has no protobuf form and is decoded whole
	}
	add := func(o kind.Object) { messages = append(messages, encode(t, o)) }
	for _, c := range kindtest.Load(t, goldenFile(table)) {
		add(kindtest.Decode(t, table, c.Object))
	}
	for _, c := range readLines[conformanceCase](t, "testdata/conformance/edge-cases.jsonl") {
		if c.Resource == table.Name {
			add(kindtest.Decode(t, table, c.Obj))
		}
	}
	random := rand.NewChaCha8([32]byte{})
	for range 150 {
		data := make([]byte, 20_000)
		_, _ = random.Read(data) // never fails
		o := table.New()
		filler(data).Fill(o)
		add(o)
	}
	return messages
}

// Labels and annotations are decoded only if a row shows some of them.
func TestReadsOfPlannedTables(t *testing.T) {
	for _, test := range []struct {
		name    string
		options kindtest.Options
		want    []string // of the fields that depend on the plan
	}{
		{"default", kindtest.Options{}, nil},
		{"labels", kindtest.Options{Labels: []string{"app"}}, []string{"metadata.labels"}},
		{"annotations", kindtest.Options{Annotations: []string{"a*"}}, []string{"metadata.annotations[!kubectl.kubernetes.io/last-applied-configuration]"}},
	} {
		all := kind.Reads(test.options.Plan(t, kind.Secrets))
		var got []string
		for _, field := range all {
			if strings.HasPrefix(field, "metadata.labels") || strings.HasPrefix(field, "metadata.annotations") {
				got = append(got, field)
			}
		}
		if diff := gocmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s: -want +got:\n%s", test.name, diff)
		}
	}
	workload := kind.Reads(alone(t, kind.Pods, "kube_pod_workload"))
	if !strings.Contains(strings.Join(workload, " "), "metadata.labels") {
		t.Errorf("kube_pod_workload reads %q, which lacks labels", workload)
	}
}

// Objects of a table declared elsewhere are filtered if every row declares what it reads.
func TestReadsOfOwnRows(t *testing.T) {
	own := kind.NewRow(desc("kube_priorityclass_value"), classValue)
	declared := func(reads []string, rows ...row) *kind.Table {
		k := priorityClasses(rows...)
		k.Reads = reads
		table, err := kind.Define(k)
		if err != nil {
			t.Fatal(err)
		}
		return table
	}
	const identity = "metadata.creationTimestamp metadata.deletionTimestamp metadata.generation metadata.name metadata.namespace metadata.resourceVersion metadata.uid"
	if got := kind.Reads(declared(nil, own)); got != nil {
		t.Errorf("a kind without Reads reads %q, want nil for everything", got)
	}
	base := declared([]string{})
	for want, table := range map[string]*kind.Table{
		identity:                             base,
		identity + " value":                  declared([]string{"value"}, own),
		identity + " preemptionPolicy value": declared([]string{"value"}, own.Reading("preemptionPolicy")),
		"globalDefault " + identity:          extended(t, base, own.Reading("globalDefault")),
		identity + " ":                       extended(t, base, own.Reading()),
	} {
		if got := strings.Join(kind.Reads(table), " "); got != strings.TrimSpace(want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	whole := extended(t, base, own)
	if kind.Reads(whole) != nil || kind.Reads(base, whole) != nil {
		t.Error("a row without Reading gets filtered objects")
	}
	if got := strings.Join(kind.Reads(base, declared([]string{"value"})), " "); got != identity+" value" {
		t.Errorf("two tables read %q", got)
	}
}

func extended(t *testing.T, table *kind.Table, rows ...row) *kind.Table {
	t.Helper()
	more, err := kind.Extend(table, rows...)
	if err != nil {
		t.Fatal(err)
	}
	return more
}
