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
	// New returns a sink that is not to send more than Options say. It logs nothing.
	New func(t testing.TB, o Options) sink.Sink
	// Lines returns what the series of runs become, each as if it came alone.
	Lines func(t testing.TB, runs ...*sink.Run) []string
	// Temporary are the statuses after which the sink tries again.
	Temporary []int
	// Path may stand behind the host of a receiver and has the word secret in it.
	Path string
	// Unreadable is how an error about Options.SecretFile begins.
	Unreadable string
	// TakenHeader stands in an answer that says that 20 series were taken.
	TakenHeader string
	// HTTP2 is the only version of HTTP that the sink speaks.
	HTTP2 bool
}

// Options are what the sinks have in common; zero is the default.
type Options struct {
	URL        string
	Client     *http.Client
	CAFile     string
	SecretFile string // in a header
	MaxSeries  int    // of a request
	Buffer     int
	Timeout    time.Duration
	Attempts   int
}

// Faults runs the tests that hold for every sink which sends requests.
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
// every series has one fate.
func CloseAndCount(t *testing.T, s sink.Sink, sent int) sink.Stats {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	_ = s.Close(ctx) // what is lost is in the numbers
	stats := s.Stats()
	if stats.Series+stats.Dropped+stats.Rejected != uint64(sent) || stats.Buffered != 0 {
		t.Errorf("stats %+v do not tell of %d series", stats, sent)
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

// TriesAgain has two of three requests fail. Nothing is lost, and each pause is as
// long as the answer asks for.
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
				t.Errorf("the pause was %s, want at least %s and little more", got, pause)
			}
		}
		CheckLines(t, "series", s.Lines(t, r), receiver.Lines())
		if stats := CloseAndCount(t, to, 35); stats.Series != 35 || stats.Retries != 8 {
			t.Errorf("stats %+v", stats)
		}
	})
}

// outage has the network fail for some runs. What fits into the buffer is there in
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
					_ = SendWithin(t, to, 5*time.Second, runs[i]) // it may say that time was up
					if took := time.Since(begin); took > 5*time.Second {
						t.Errorf("Send took %s of the 5 s that it had", took)
					}
				}
				if stats := to.Stats(); stats.Buffered != 20 || stats.Dropped != 0 {
					t.Errorf("stats %+v in the outage, which has 20 requests to buffer", stats)
				}
				fault(n, false)
				CloseAndCount(t, to, 200)
				CheckLines(t, "series", s.Lines(t, runs...), receiver.Lines())
			})
		})
	}
}

// overflow has more wait than the buffer takes: old ones go, and are counted.
func (s Subject) overflow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		receiver := New(t, s.Protocol, nil)
		n := &Network{Receiver: receiver}
		n.Down.Store(true)
		to := s.behind(t, n, Options{Buffer: 8_000})
		var runs []*sink.Run
		for i := range 10 {
			runs = append(runs, Run(15*i, Pods(1, 20), nil))
			_ = SendWithin(t, to, time.Second, runs[i]) // it may say what was lost
		}
		n.Down.Store(false)
		stats := CloseAndCount(t, to, 200)
		if stats.Dropped == 0 || stats.Dropped == 200 {
			t.Errorf("%d of 200 series were dropped", stats.Dropped)
		}
		got := receiver.Lines()
		if uint64(len(got)) != stats.Series {
			t.Errorf("%d series have arrived, %d are counted", len(got), stats.Series)
		}
		last := s.Lines(t, runs[len(runs)-1])
		CheckLines(t, "the last run, which must be whole", last, got[max(0, len(got)-len(last)):])
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

// secretComesLater has a file that is not there yet, as a secret that is mounted
// late, then one that cannot be right.
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
				t.Errorf("error %q holds a secret", err)
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
			t.Errorf("error %q holds a secret", err)
		}
	})
}

// secretIsRepeated has a receiver that says what it does not like.
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

// secretIsReplaced has a secret that the receiver knows no more until there is a
// new one in the file: what was refused meanwhile is not lost.
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
