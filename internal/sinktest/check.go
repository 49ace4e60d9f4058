package sinktest

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// CheckLines compares the received lines.
func CheckLines(t testing.TB, what string, want, got []string) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// CheckError fails the test unless err contains want, or is nil if want is empty.
func CheckError(t testing.TB, err error, want string) {
	t.Helper()
	if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, want one about %q", err, want)
	}
}

// CheckConfig fails the test unless err contains everything wanted and not the word
// hidden, which represents secrets.
func CheckConfig(t testing.TB, err error, want ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("no error, want %q", want)
		return
	}
	for _, w := range want {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("error %q does not contain %q", err, w)
		}
	}
	if strings.Contains(err.Error(), "hidden") {
		t.Errorf("secret in error %q", err)
	}
}

// CheckAllocs fails the test if run, after a first call, allocates more than most
// times.
func CheckAllocs(t testing.TB, most float64, run func()) {
	t.Helper()
	if raceDetector {
		t.Skip("the race detector allocates")
	}
	run()
	if got := testing.AllocsPerRun(20, run); got > most {
		t.Errorf("%v allocations, want at most %v", got, most)
	}
}
