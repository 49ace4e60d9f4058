package kind

import (
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestScheduleOfExactlyTheBound(t *testing.T) {
	text := "0" + strings.Repeat(" ", maxScheduleLength-len("0* * * *")) + "* * * *"
	if new(schedules).get(text) == nil {
		t.Errorf("a schedule of %d bytes is refused, %d are allowed", len(text), maxScheduleLength)
	}
	if new(schedules).get(" "+text) != nil {
		t.Errorf("a schedule of %d bytes is parsed, %d are allowed", len(text)+1, maxScheduleLength)
	}
}

// A list without items is due at no time, and is not searched for one.
func TestScheduleWithoutMinuteOrHour(t *testing.T) {
	for _, text := range []string{", * * * *", "* , * * *"} {
		if s := parseSchedule(text); s != (never{}) {
			t.Errorf("schedule %q is %#v, want never", text, s)
		} else if next := s.Next(time.Unix(0, 0)); !next.IsZero() {
			t.Errorf("schedule %q is next due at %v, want never", text, next)
		}
	}
}

// An owner that says it is not the controller gives way to one that is.
func TestMainOwnerIsTheController(t *testing.T) {
	no, yes := false, true
	refs := []metav1.OwnerReference{{Kind: "A", Name: "a", Controller: &no}, {Kind: "B", Name: "b", Controller: &yes}}
	if got, want := mainOwner(refs), (Owner{"B", "b"}); got != want {
		t.Errorf("the owner is %v, want %v", got, want)
	}
	if got, want := mainOwner(refs[:1]), (Owner{"A", "a"}); got != want {
		t.Errorf("without a controller the owner is %v, want %v", got, want)
	}
}

func TestOwnerByHashNeedsAName(t *testing.T) {
	if owner, ok := ownerByHash(map[string]string{"pod-template-hash": "bcd"}, "-bcd"); ok {
		t.Errorf("the owner of a ReplicaSet named by its hash alone is %v, want none", owner)
	}
}

func TestLabelNamesAloneAdmitKeys(t *testing.T) {
	k := keyPatterns{derived: []string{"app"}}
	if k.empty() {
		t.Error("patterns of label names alone are empty")
	}
}
