package kind

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubestate/kubestate/metric"
)

func TestSchedulesAreBounded(t *testing.T) {
	var s schedules
	for i := range 3 * maxSchedules {
		if s.get(fmt.Sprintf("@every %ds", i+1)) == nil {
			t.Fatalf("schedule %d is invalid", i)
		}
		if len(s.parsed) > maxSchedules {
			t.Fatalf("%d schedules are cached, %d are allowed", len(s.parsed), maxSchedules)
		}
	}
	before := len(s.parsed)
	for _, long := range []string{strings.Repeat("0,", maxScheduleLength) + "0 * * * *", strings.Repeat(" ", maxScheduleLength) + "@daily"} {
		if s.get(long) != nil || len(s.parsed) != before {
			t.Error("a schedule longer than the bound is parsed or cached")
		}
	}
	all := make([]string, 60)
	for i := range all {
		all[i] = strconv.Itoa(i)
	}
	full := func(n int) string { return strings.Join(all[1:n], ",") }
	if text := "TZ=America/Argentina/ComodRivadavia 0," + full(60) + " " + full(24) + " " + full(32) + " " + full(13) + " " + full(7); s.get(text) == nil {
		t.Errorf("a schedule of %d bytes with every value is rejected", len(text))
	}
}

// The text of a schedule is often in memory of the Emitter that the next object overwrites.
func TestSchedulesCopyTheirText(t *testing.T) {
	var s schedules
	e := metric.NewEmitter(&names{})
	schema := metric.NewSchema("things", nil, nil)
	texts := []string{"TZ=UTC 0 1 * * *", "TZ=UTC 0 2 * * *", "TZ=UTC 0 9 9 9 9"}
	base := time.Date(2025, 3, 1, 0, 0, 0, 0, time.UTC)
	for range 2 {
		for _, text := range texts {
			e.Begin(schema)
			got, want := s.get(e.Concat(text)), parseSchedule(text)
			if got == nil || want == nil {
				if got != want {
					t.Errorf("schedule %q is %v, want %v", text, got, want)
				}
			} else if !got.Next(base).Equal(want.Next(base)) {
				t.Errorf("schedule %q is next due at %v, want %v", text, got.Next(base), want.Next(base))
			}
		}
	}
	for _, text := range texts {
		if _, ok := s.parsed[text]; !ok {
			t.Errorf("schedule %q is not cached", text)
		}
	}
}

func TestSchedulesConcurrently(t *testing.T) {
	var s schedules
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for i := range 500 {
				if s.get(fmt.Sprintf("%d * * * *", i%60)) == nil {
					t.Errorf("schedule of minute %d is invalid", i%60)
				}
			}
		})
	}
	all.Wait()
}

// values is a sink that records the value of the last sample of each family.
type values map[string]float64

func (values) Begin(*metric.Schema, []string) {}

func (v values) Sample(s *metric.Sample) { v[s.Desc.Name] = s.Value }

func TestScheduleWithoutZoneIsLocal(t *testing.T) {
	tokyo, err := time.LoadLocation("Asia/Tokyo")
	if err != nil {
		t.Fatal(err)
	}
	defer func(local *time.Location) { time.Local = local }(time.Local)
	time.Local = tokyo
	c := &cronJob{
		ObjectMeta: metav1.ObjectMeta{CreationTimestamp: metav1.Date(2025, 3, 1, 10, 0, 0, 0, time.UTC)},
		Spec:       batchv1.CronJobSpec{Schedule: "30 0 * * *"},
	}
	got := values{}
	if err := cronJobs(new(schedules)).Collect(c, metric.NewEmitter(got)); err != nil {
		t.Fatal(err)
	}
	want := float64(time.Date(2025, 3, 2, 0, 30, 0, 0, tokyo).Unix())
	if next := got["kube_cronjob_next_schedule_time"]; next != want {
		t.Errorf("next due at %v, want %v", next, want)
	}
}

// FuzzSchedule parses arbitrary text: nothing may panic or hang, and the next time must be
// later.
func FuzzSchedule(f *testing.F) {
	for _, text := range []string{
		"", " ", "=", "TZ=", "CRON_TZ=", "TZ=UTC", "TZ= ", "TZ= * * * * *", "TZ=UTC @daily", "TZ=../x * * * * *", "TZ=Europe/Berlin 30 2 30 3 *",
		"TZ=America/Sao_Paulo 0 0 1 11 *", "@", "@every", "@every ", "@every 1h", "@every -1h", "@every 2562047h", "* * * * *", "? ? ? ? ?", "*/0 * * * *",
		", * * * *", "* , * * *", "* * , , ,", "* * , * *", "1-2-3 * * * *", "1/2/3 * * * *", "59/9223372036854775807 * * * *", "0 0 29 2 *", "0 0 31 2 *",
		"0 0 13 * FRI", "0 0 * * 7", "0 0 L * *", "0 0 0 * * *", "\xff * * * *",
	} {
		f.Add(text, int64(1_740_826_800))
	}
	f.Fuzz(func(t *testing.T, text string, seconds int64) {
		base := time.Unix(seconds%4_000_000_000, 0)
		if s := parseSchedule(text); s != nil {
			if next := s.Next(base); !next.IsZero() && !next.After(base) {
				t.Errorf("schedule %q is next due at %v, which is not after %v", text, next, base)
			}
		}
	})
}
