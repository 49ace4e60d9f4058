package agent_test

import (
	"strings"
	"testing"
	"time"

	"github.com/kubestate/kubestate/agent"
	"github.com/kubestate/kubestate/agent/naming/datadog"
	"github.com/kubestate/kubestate/internal/agenttest"
)

// A CronJob with an impossible schedule is never late: it has no check, now or in ten
// years, while one that is due every day becomes critical.
func TestImpossibleScheduleIsNeverLate(t *testing.T) {
	x := agenttest.New(t, agent.Config{Scheme: datadog.Scheme()})
	const daily = "daily"
	for name, schedule := range map[string]string{
		daily:               "CRON_TZ=UTC 0 0 * * *",
		"february-31":       "0 0 31 2 *",
		"february-31-zoned": "CRON_TZ=Asia/Tokyo 0 0 31 2 *",
		"april-31":          "0 0 31 4 *",
		"no-minute":         ", * * * *",
		"no-schedule":       "never",
	} {
		object := `{apiVersion: batch/v1, kind: CronJob, metadata: {name: ` + name + `, namespace: ns, creationTimestamp: "2026-01-01T12:00:00Z"},
 spec: {schedule: "` + schedule + `"}`
		x.Put(objects(t, object+"}", strings.Replace(object, name, name+"-ran", 1)+`, status: {lastScheduleTime: "2026-01-01T12:30:00Z"}}`)...)
	}
	for _, c := range []struct {
		now  time.Time
		want string
	}{
		{time.Date(2026, 1, 1, 13, 0, 0, 0, time.UTC), "ok"},
		{time.Date(2026, 1, 3, 0, 0, 0, 0, time.UTC), "critical"},
		{time.Date(2036, 1, 1, 0, 0, 0, 0, time.UTC), "critical"},
	} {
		checks := 0
		for _, line := range x.Lines(c.now) {
			status, ok := strings.CutPrefix(line, "check kubernetes_state.cronjob.on_schedule_check ")
			switch {
			case !ok:
			case strings.Contains(line, "kube_cronjob:"+daily) && strings.HasPrefix(status, c.want+" "):
				checks++
			default:
				t.Errorf("got %[2]s at %[1]v", c.now, line)
			}
		}
		if checks != 2 {
			t.Errorf("at %v: got %d checks %s for CronJobs due daily, want 2", c.now, checks, c.want)
		}
	}
}
