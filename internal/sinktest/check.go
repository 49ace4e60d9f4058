package sinktest

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// CheckLines compares what has arrived.
func CheckLines(t testing.TB, what string, want, got []string) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// CheckError fails the test unless err says want or, if that is empty, is none.
func CheckError(t testing.TB, err error, want string) {
	t.Helper()
	if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, want one about %q", err, want)
	}
}

// CheckConfig fails the test unless err says all that is wanted, without the word
// hidden, which stands for secrets.
func CheckConfig(t testing.TB, err error, want ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("no error about %q", want)
		return
	}
	for _, w := range want {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("error %q does not say %q", err, w)
		}
	}
	if strings.Contains(err.Error(), "hidden") {
		t.Errorf("error %q holds a secret", err)
	}
}

// CheckAllocs fails the test if run, once it was called, allocates more often than
// most times.
func CheckAllocs(t testing.TB, most float64, run func()) {
	t.Helper()
	if raceDetector {
		t.Skip("the race detector allocates")
	}
	run()
	if got := testing.AllocsPerRun(20, run); got > most {
		t.Errorf("%v allocations, want %v at most", got, most)
	}
}
