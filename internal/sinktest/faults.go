package sinktest

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kubestate/kubestate/sink"
)

// Subject is a sink that sends requests.
type Subject struct {
	Protocol
	// New returns a sink within the limits of Options. It does not log.
	New func(t testing.TB, o Options) sink.Sink
	// Lines returns the expected lines of the series of runs, as if each was sent
	// alone.
	Lines func(t testing.TB, runs ...*sink.Run) []string
	// Temporary lists the statuses that the sink retries.
	Temporary []int
	// Path is a valid URL path of the receiver that contains the word secret.
	Path string
	// Unreadable is the start of errors about Options.SecretFile.
	Unreadable string
	// TakenHeader is a response header that reports 20 accepted series.
	TakenHeader string
	// HTTP2 is set if the sink speaks only HTTP/2.
	HTTP2 bool
}

// Options are common options of sinks. A zero field means its default.
type Options struct {
	URL        string
	Client     *http.Client
	CAFile     string
	SecretFile string // for a header
	MaxSeries  int    // per request
	Buffer     int
	Timeout    time.Duration
	Attempts   int
}

// Faults runs the tests for all sinks that send requests.
func Faults(t *testing.T, s Subject) {
	for _, test := range []struct {
		name string
		run  func(s Subject, t *testing.T)
	}{
		{"TemporaryErrors", Subject.temporaryErrors},
		{"Outage", Subject.outage},
		{"Overflow", Subject.overflow},
		{"SecretComesLater", Subject.secretComesLater},
		{"ErrorHasNoSecret", Subject.errorHasNoSecret},
		{"SecretIsRepeated", Subject.secretIsRepeated},
		{"SecretIsReplaced", Subject.secretIsReplaced},
		{"Certificates", Subject.certificates},
		{"Redirect", Subject.redirect},
		{"OneConnection", Subject.oneConnection},
		{"BreaksOff", Subject.breaksOff},
		{"LateReceiver", Subject.lateReceiver},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(s, t) })
	}
}

// behind returns a sink that sends requests of ten series over a network.
func (s Subject) behind(t *testing.T, n *Network, o Options) sink.Sink {
	o.URL, o.Client, o.MaxSeries = "http://receiver", n.Client(), 10
	return s.New(t, o)
}

// CloseAndCount closes a sink after everything was sent, and fails the test unless
// every series is counted once.
func CloseAndCount(t *testing.T, s sink.Sink, sent int) sink.Stats {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	_ = s.Close(ctx) // losses are in the stats
	stats := s.Stats()
	if stats.Series+stats.Dropped+stats.Rejected != uint64(sent) || stats.Buffered != 0 {
		t.Errorf("stats %+v do not add up to %d series", stats, sent)
	}
	return stats
}

func (s Subject) temporaryErrors(t *testing.T) {
	for _, status := range s.Temporary {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			s.TriesAgain(t, time.Second, func(w http.ResponseWriter, _ Request) int {
				w.Header().Set("Retry-After", "1")
				return status
			})
		})
	}
}

// TriesAgain fails two of three requests. Nothing is lost, and pauses follow
// Retry-After.
func (s Subject) TriesAgain(t *testing.T, pause time.Duration, failure Answer) {
	synctest.Test(t, func(t *testing.T) {
		var attempts []time.Time
		receiver := New(t, s.Protocol, func(w http.ResponseWriter, r Request) int {
			if attempts = append(attempts, time.Now()); len(attempts)%3 != 0 {
				return failure(w, r)
			}
			return Success
		})
		to := s.behind(t, &Network{Receiver: receiver}, Options{})
		r := Run(0, Pods(1, 35), nil)
		CheckError(t, SendWithin(t, to, time.Hour, r), "")
		for i := 1; i < len(attempts); i++ {
			if got := attempts[i].Sub(attempts[i-1]); i%3 != 0 && (got < pause || got > pause+time.Second) {
				t.Errorf("pause %s, want at least %s and little more", got, pause)
			}
		}
		CheckLines(t, "series", s.Lines(t, r), receiver.Lines())
		if stats := CloseAndCount(t, to, 35); stats.Series != 35 || stats.Retries != 8 {
			t.Errorf("stats %+v", stats)
		}
	})
}

// outage breaks the network for some runs. What fits into the buffer is delivered in
// the end.
func (s Subject) outage(t *testing.T) {
	for name, fault := range map[string]func(n *Network, on bool){
		"down": func(n *Network, on bool) { n.Down.Store(on) },
		"slow": func(n *Network, on bool) { n.Slow.Store(map[bool]int64{true: int64(time.Hour)}[on]) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				receiver := New(t, s.Protocol, nil)
				n := &Network{Receiver: receiver}
				to := s.behind(t, n, Options{Timeout: time.Second})
				var runs []*sink.Run
				fault(n, true)
				for i := range 10 {
					runs = append(runs, Run(15*i, Pods(1, 20), nil))
					begin := time.Now()
					_ = SendWithin(t, to, 5*time.Second, runs[i]) // may report the deadline
					if took := time.Since(begin); took > 5*time.Second {
						t.Errorf("Send took %s, deadline 5 s", took)
					}
				}
				if stats := to.Stats(); stats.Buffered != 20 || stats.Dropped != 0 {
					t.Errorf("stats %+v during the outage, want 20 buffered requests", stats)
				}
				fault(n, false)
				CloseAndCount(t, to, 200)
				CheckLines(t, "series", s.Lines(t, runs...), receiver.Lines())
			})
		})
	}
}

// overflow fills the buffer: the oldest requests are dropped and counted.
func (s Subject) overflow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		receiver := New(t, s.Protocol, nil)
		n := &Network{Receiver: receiver}
		n.Down.Store(true)
		to := s.behind(t, n, Options{Buffer: 8_000})
		var runs []*sink.Run
		for i := range 10 {
			runs = append(runs, Run(15*i, Pods(1, 20), nil))
			_ = SendWithin(t, to, time.Second, runs[i]) // may report what was lost
		}
		n.Down.Store(false)
		stats := CloseAndCount(t, to, 200)
		if stats.Dropped == 0 || stats.Dropped == 200 {
			t.Errorf("%d of 200 series dropped", stats.Dropped)
		}
		got := receiver.Lines()
		if uint64(len(got)) != stats.Series {
			t.Errorf("%d series received, %d counted", len(got), stats.Series)
		}
		last := s.Lines(t, runs[len(runs)-1])
		CheckLines(t, "complete last run", last, got[max(0, len(got)-len(last)):])
		all := s.Lines(t, runs...)
		for _, line := range got {
			i := slices.Index(all, line)
			if i < 0 {
				t.Fatalf("out of order: %s", line)
			}
			all = all[i+1:]
		}
	})
}

// secretComesLater starts without the secret file, as if it was mounted late, and then
// has invalid content.
func (s Subject) secretComesLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		receiver := New(t, s.Protocol, nil)
		file := t.TempDir() + "/secret"
		to := s.behind(t, &Network{Receiver: receiver}, Options{SecretFile: file})
		for _, content := range []string{"", "\n", "one\ntwo"} {
			want := s.Unreadable + ": " + file
			if content == "" {
				want = s.Unreadable + ": open " + file
			} else {
				Write(t, file, content)
			}
			err := SendWithin(t, to, time.Minute, Run(0, Pods(1, 2), nil))
			CheckError(t, err, want)
			if strings.Contains(fmt.Sprint(err), "two") {
				t.Errorf("secret in error %q", err)
			}
		}
		Write(t, file, "secret")
		if stats := CloseAndCount(t, to, 6); stats.Series != 6 {
			t.Errorf("stats %+v", stats)
		}
	})
}

func (s Subject) errorHasNoSecret(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &Network{}
		n.Down.Store(true)
		to := s.New(t, Options{URL: "http://receiver" + s.Path, Client: n.Client(), Attempts: 1})
		err := SendWithin(t, to, time.Hour, Run(0, Pods(1, 2), nil))
		CheckError(t, err, "receiver: network is down")
		if strings.Contains(fmt.Sprint(err), "secret") {
			t.Errorf("secret in error %q", err)
		}
	})
}

// secretIsRepeated has a receiver that quotes the secret.
func (s Subject) secretIsRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		receiver := New(t, s.Protocol, func(w http.ResponseWriter, _ Request) int {
			http.Error(w, "the key secret-key is wrong", http.StatusForbidden)
			return Refused
		})
		file := t.TempDir() + "/secret"
		Write(t, file, " secret-key \n")
		to := s.behind(t, &Network{Receiver: receiver}, Options{SecretFile: file, Attempts: 1})
		err := SendWithin(t, to, time.Hour, Run(0, Pods(1, 2), nil))
		CheckError(t, err, "post to receiver: status 403 Forbidden: the key *** is wrong")
		if stats := to.Stats(); stats.Dropped != 2 || stats.Retries != 0 {
			t.Errorf("stats %+v", stats)
		}
	})
}

// secretIsReplaced has a receiver that rejects the secret until the file changes:
// nothing is lost meanwhile.
func (s Subject) secretIsReplaced(t *testing.T) {
	for _, status := range []int{http.StatusUnauthorized, http.StatusForbidden} {
		synctest.Test(t, func(t *testing.T) {
			known := false
			receiver := New(t, s.Protocol, func(http.ResponseWriter, Request) int { return map[bool]int{false: status}[known] })
			file := t.TempDir() + "/secret"
			Write(t, file, "secret")
			to := s.behind(t, &Network{Receiver: receiver}, Options{SecretFile: file})
			r := Run(0, Pods(1, 20), nil)
			CheckError(t, SendWithin(t, to, time.Minute, r), http.StatusText(status))
			synctest.Wait()
			known = true
			if stats := CloseAndCount(t, to, 20); stats.Series != 20 {
				t.Errorf("status %d: stats %+v", status, stats)
			}
			CheckLines(t, "series", s.Lines(t, r), receiver.Lines())
		})
	}
}
