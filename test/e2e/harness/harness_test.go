package harness

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// judged is a testing.TB that records failures.
type judged struct {
	testing.TB
	complaints []string
}

func (j *judged) Errorf(format string, args ...any) {
	j.complaints = append(j.complaints, fmt.Sprintf(format, args...))
}

func (j *judged) Fatalf(format string, args ...any) {
	j.Errorf(format, args...)
	panic(j)
}

// judge returns the failures of a test.
func judge(t *testing.T, test func(t testing.TB)) string {
	t.Helper()
	j := &judged{TB: t}
	func() {
		defer func() {
			if p := recover(); p != nil && p != any(j) {
				panic(p)
			}
		}()
		test(j)
	}()
	return strings.Join(j.complaints, "\n")
}

// Waiting for a process that has ended fails at once.
func TestEventuallyWithoutProcess(t *testing.T) {
	p := Start(t, "sh", "/bin/sh", "-c", "exit 3")
	got := judge(t, func(t testing.TB) {
		p.Eventually(t, time.Hour, "something comes", func() error { return errors.New("nothing came") })
	})
	if want := "something comes: the process has ended: nothing came"; got != want {
		t.Errorf("the complaint is %q, not %q", got, want)
	}
	if code := p.ExitCode(t, time.Minute); code != 3 {
		t.Errorf("exit code %d, not 3", code)
	}
}

// The log of a kubestate contains what must never happen.
func TestCheckLog(t *testing.T) {
	for _, c := range []struct{ log, want string }{
		{`msg=listening\nmsg="watch failed; retrying" resource=pods`, ""},
		{`one\npanic: store of pods is broken:\nthree`, "kubestate says: panic: store of pods is broken:"},
		{`msg="a row fails" error="store of pods is broken: x"`, `kubestate says: msg="a row fails" error="store of pods is broken: x"`},
		{`WARNING: DATA RACE\n`, "kubestate says: WARNING: DATA RACE"},
	} {
		k := &Kubestate{Process: Start(t, "kubestate", "/bin/sh", "-c", "printf '"+c.log+"'")}
		k.ExitCode(t, time.Minute)
		if got := judge(t, k.checkLog); got != c.want {
			t.Errorf("the complaint about %q is %q, not %q", c.log, got, c.want)
		}
	}
}

// Ports requested together are distinct.
func TestFreePorts(t *testing.T) {
	seen := map[int]bool{}
	for _, port := range FreePorts(t, 100) {
		if seen[port] {
			t.Fatalf("port %d comes twice", port)
		}
		seen[port] = true
	}
}
