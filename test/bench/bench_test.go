package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestMain lets the test binary act as the programs of the harness.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && slices.Contains([]string{apiServerCommand, agentCommand, receiveCommand}, os.Args[1]) {
		os.Exit(run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

// TestProgram builds kubestate for what needs it.
func TestProgram(t *testing.T) {
	p, err := preparePrograms(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer p.remove()
	t.Run("scenario", func(t *testing.T) { testScenario(t, p) })
	t.Run("soak", func(t *testing.T) { testSoak(t, p) })
}

// testScenario measures a tiny cluster, to keep the harness working.
func testScenario(t *testing.T, p programs) {
	var progress bytes.Buffer
	pace := pace{settle: 300 * time.Millisecond, rest: time.Millisecond, quiet: time.Millisecond, scrapes: 2}
	s := scenario{Name: "tiny", Nodes: 3, Pods: 60, Churn: 200}
	r, err := measure(t.Context(), s, p, pace, &progress)
	if err != nil {
		t.Fatalf("%v\n%s", err, progress.String())
	}
	if r.Objects < 100 || r.Series < 1000 || r.Changed < 1 {
		t.Errorf("%d objects, %d series, %d changed", r.Objects, r.Series, r.Changed)
	}
	refs := r.References
	if refs.G <= 0 || refs.U <= 0 || refs.B < 1e5 || refs.GzipSize <= 0 || refs.GzipSize >= refs.B || refs.Pod.Unmarshal <= 0 || refs.Pod.Bytes <= 0 {
		t.Errorf("references %+v", refs)
	}
	if len(r.Rows) < 20 {
		t.Errorf("%d rows, want every figure", len(r.Rows))
	}
	var table strings.Builder
	r.write(&table)
	for _, row := range r.Rows {
		if !strings.Contains(table.String(), "| "+row.What+" ") {
			t.Errorf("the table lacks %q:\n%s", row.What, table.String())
		}
		if row.Unit == allocationsUnit && row.Limit != nil && row.Figure != 0 {
			t.Errorf("%s: %v allocations", row.What, row.Figure)
		}
		// A change this small may take less CPU time than a clock tick.
		mayBeZero := row.Unit == allocationsUnit || strings.HasPrefix(row.What, "processor time to take in")
		if row.Figure <= 0 && !mayBeZero || row.Reference != "" && row.ReferenceValue <= 0 {
			t.Errorf("%s: figure %v, reference %q %v", row.What, row.Figure, row.Reference, row.ReferenceValue)
		}
	}
	checkSaved(t, &report{Scenarios: []*result{r}})
}

// checkSaved reads a report back.
func checkSaved(t *testing.T, r *report) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "results.json")
	if err := r.save(file); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var back report
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatal(err)
	}
	if got, want := back.Scenarios[0].Rows[0].What, r.Scenarios[0].Rows[0].What; got != want {
		t.Errorf("first row %q, saved was %q", got, want)
	}
}

// testSoak soaks briefly: long enough to scrape in every form, break all watches and
// compare the objects at the end.
func testSoak(t *testing.T, p programs) {
	var out, messages bytes.Buffer
	code := run(t.Context(), []string{"soak", "--kubestate", p.kubestate, "--duration", "2s", "--nodes", "3", "--pods", "60", "--churn", "100",
		"--pause", "10ms", "--sample", "100ms", "--breaks", "500ms"}, nil, &out, &messages)
	t.Log(out.String())
	// In two seconds memory may still grow, or there may be too few readings.
	for line := range strings.Lines(messages.String()) {
		if !strings.Contains(line, " grew from ") {
			t.Error(line)
		}
	}
	for _, want := range []string{"| text, gzip ", "In the end "} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("exit code %d, and the output lacks %q", code, want)
		}
	}
}

func TestFlags(t *testing.T) {
	for _, args := range [][]string{
		{"--scenario", "huge"}, {"--scenario", "all", "--pods", "5"}, {"--nodes", "-1"}, {"soak", "--duration", "x"}, {apiServerCommand, "--nodes", "0"},
	} {
		var messages bytes.Buffer
		if code := run(t.Context(), args, strings.NewReader(""), &messages, &messages); code != 1 || !strings.Contains(messages.String(), "bench: ") {
			t.Errorf("%v: exit code %d, %q", args, code, messages.String())
		}
	}
}

// The API server rejects invalid orders.
func TestOrders(t *testing.T) {
	in := strings.NewReader(`{"churn":50} {"change":0.01} {"churn":0} {"change":0.5} {} {"count":true}`)
	var out bytes.Buffer
	if err := serveCluster(t.Context(), []string{"--nodes", "2", "--pods", "20"}, in, &out, &out); err != nil {
		t.Fatal(err)
	}
	answers := json.NewDecoder(&out)
	for i, wanted := range []string{"", "", "objects change all the time", "", "share must be", "order is empty", ""} {
		var a answer
		if err := answers.Decode(&a); err != nil {
			t.Fatal(err)
		}
		if wanted == "" && a.Error != "" || !strings.Contains(a.Error, wanted) {
			t.Errorf("answer %d: error %q, want %q", i, a.Error, wanted)
		}
		if i == 6 && (a.Objects["pods"] != 20 || a.Objects["nodes"] != 2) {
			t.Errorf("counted %v", a.Objects)
		}
	}
}
