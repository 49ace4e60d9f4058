package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kubestate/kubestate/exposition"

	library "github.com/kubestate/kubestate"
	"github.com/kubestate/kubestate/sink"
	"github.com/kubestate/kubestate/test/bench/oldway"
)

// The agent has the same series and service checks as the old way, as objects change.
func TestAgentIsTheOldWay(t *testing.T) {
	m := &agentMeasurement{agentResult: &agentResult{}, progress: io.Discard}
	var err error
	if m.cluster, err = newFedCluster(6, 120); err != nil {
		t.Fatal(err)
	}
	if _, err := m.start(); err != nil {
		t.Fatal(err)
	}
	compareWays(t, m)
	for range 3 {
		if _, err := m.cluster.churn.ChangeShare(0.1); err != nil {
			t.Fatal(err)
		}
		changes, err := m.cluster.changes()
		if err != nil {
			t.Fatal(err)
		}
		apply(m.exportFed, changes)
		apply(m.agentFeeds, changes)
		compareWays(t, m)
	}
}

// compareWays names some points that only one of the two has.
func compareWays(t *testing.T, m *agentMeasurement) {
	t.Helper()
	now := time.Unix(time.Now().Unix(), 0)
	ours, theirs := agentPoints(m.reader.Run(now)), oldPoints(t, m, now)
	if len(theirs) < 3000 {
		t.Fatalf("the old way makes %d points only", len(theirs))
	}
	const few = 20
	told := 0
	for i, j := 0, 0; (i < len(ours) || j < len(theirs)) && told < few; {
		switch {
		case j == len(theirs) || i < len(ours) && ours[i] < theirs[j]:
			t.Errorf("only the agent has   %s", ours[i])
			i, told = i+1, told+1
		case i == len(ours) || ours[i] > theirs[j]:
			t.Errorf("only the old way has %s", theirs[j])
			j, told = j+1, told+1
		default:
			i, j = i+1, j+1
		}
	}
	if told > 0 {
		t.FailNow()
	}
}

func agentPoints(r *sink.Run) []string {
	var points []string
	for s := range r.Series {
		if compared(s.Metric.Name) {
			points = append(points, pointText(s.Metric.Name, s.Value, s.Block.Host, tagTexts(s.Block, s.Tags)))
		}
	}
	for c := range r.Checks {
		points = append(points, pointText("check "+c.Name, float64(c.Status), c.Block.Host, tagTexts(c.Block, c.Tags)))
	}
	slices.Sort(points)
	return points
}

// compared drops points that the exposition does not determine: rollout durations,
// which depend on history, and durations of running Jobs.
func compared(name string) bool {
	return !strings.HasSuffix(name, ".rollout_duration") && !strings.HasSuffix(name, ".job.duration")
}

func tagTexts(b *sink.Block, own []sink.Tag) []string {
	var texts []string
	for _, tag := range slices.Concat(b.Tags, own) {
		texts = append(texts, tag.Key+":"+tag.Value)
	}
	return texts
}

func oldPoints(t *testing.T, m *agentMeasurement, now time.Time) []string {
	t.Helper()
	body, w := io.Pipe()
	go func() { w.CloseWithError(m.exporter.Write(w, exposition.Text, library.Selection{})) }()
	var points []string
	_, err := oldway.New().Run(body, now, func(p oldway.Point) {
		if p.Service {
			p.Name = "check " + p.Name
		}
		if compared(p.Name) {
			points = append(points, pointText(p.Name, p.Value, p.Host, p.Tags))
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(points)
	return points
}

// pointText formats a point as a line. A tag that is both own and joined counts once.
// Sums differ in their last digits, because the order differs.
func pointText(name string, value float64, host string, tags []string) string {
	slices.Sort(tags)
	return fmt.Sprintf("%s %.12g @%s %s", name, value, host, strings.Join(slices.Compact(tags), " "))
}
