package harness

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// judged is a test of which somebody wants to know what it fails of.
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

// judge returns what a test complains of.
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

// TestEventuallyWithoutProcess: who waits for a process that has ended is told so.
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

// TestCheckLog has a kubestate say what must never be.
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

// TestFreePorts: ports that are asked for together differ.
func TestFreePorts(t *testing.T) {
	seen := map[int]bool{}
	for _, port := range FreePorts(t, 100) {
		if seen[port] {
			t.Fatalf("port %d comes twice", port)
		}
		seen[port] = true
	}
}
