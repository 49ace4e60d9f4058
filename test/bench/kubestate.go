package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/kubestate/kubestate/internal/sim/apiserver"
)

// kubestate is the program under test in a process of its own.
type kubestate struct {
	process   *process
	pid       int
	metrics   string // URL of the main port's /metrics
	telemetry string // URL of the telemetry port
	client    *http.Client
}

// startKubestate starts the program against a cluster and returns when its ports are
// open, which is before any list.
func startKubestate(ctx context.Context, p programs, c *clusterProcess) (*kubestate, error) {
	ports := &portFinder{found: make(chan [2]string, 1)}
	process, err := start(ctx, "kubestate", exec.Command(p.kubestate, "--apiserver", c.url,
		"--host", "127.0.0.1", "--port", "0", "--telemetry-host", "127.0.0.1", "--telemetry-port", "0"), ports)
	if err != nil {
		return nil, err
	}
	select {
	case found := <-ports.found:
		return &kubestate{
			process: process, pid: process.command.Process.Pid,
			metrics: "http://" + found[0] + "/metrics", telemetry: "http://" + found[1], client: newClient(),
		}, nil
	case <-process.ended:
		return nil, process.died()
	case <-ctx.Done():
		process.end()
		return nil, ctx.Err()
	}
}

func (k *kubestate) end() { k.process.end() }

// portFinder reads the log of kubestate for the addresses of its two ports.
type portFinder struct {
	found chan [2]string
	once  sync.Once
	log   []byte
}

func (f *portFinder) Write(b []byte) (int, error) {
	const enough = 64 << 10 // the line comes among the first
	if len(f.log) > enough {
		return len(b), nil
	}
	f.log = append(f.log, b...)
	listening := regexp.MustCompile(`msg=listening .*\bmetrics=(\S+) telemetry=(\S+)\b.*\n`)
	if match := listening.FindSubmatch(f.log); match != nil {
		f.once.Do(func() { f.found <- [2]string{string(match[1]), string(match[2])} })
	}
	return len(b), nil
}

// awaitReady waits until the program is ready.
func (k *kubestate) awaitReady(ctx context.Context) error {
	for {
		if err := k.process.died(); err != nil {
			return err
		}
		if _, err := k.get(ctx, k.telemetry+"/readyz"); err == nil {
			return nil
		}
		if err := sleep(ctx, 20*time.Millisecond); err != nil {
			return fmt.Errorf("wait for kubestate to be ready: %w", err)
		}
	}
}

// awaitRest waits until the program uses next to no CPU time for a while, so that all
// work after a change is done.
func (k *kubestate) awaitRest(ctx context.Context, quiet time.Duration) error {
	const (
		interval = 200 * time.Millisecond
		busy     = 2 * clockTick // in an interval
	)
	last, err := cpuTime(k.pid)
	for quietSince := time.Now(); err == nil && time.Since(quietSince) < quiet; {
		if err := sleep(ctx, interval); err != nil {
			return fmt.Errorf("wait for kubestate to rest: %w", err)
		}
		var now time.Duration
		if now, err = cpuTime(k.pid); now-last >= busy {
			quietSince = time.Now()
		}
		last = now
	}
	return err
}

// events returns how many events of its watches the program has stored, by
// resource.
func (k *kubestate) events(ctx context.Context) (map[string]int, error) {
	text, err := k.get(ctx, k.telemetry+"/metrics")
	if err != nil {
		return nil, err
	}
	events := map[string]int{}
	err = eachSample(text, "kubestate_watch_events_total", func(labels map[string]string, value float64) {
		switch labels["type"] {
		case "added", "modified", "deleted":
			events[labels["resource"]] += int(value)
		}
	})
	return events, err
}

// awaitChanges waits until the program has stored all events of a change; before
// is what it had stored when the change was ordered.
func (k *kubestate) awaitChanges(ctx context.Context, before map[string]int, changes map[string]apiserver.Changes) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		now, err := k.events(ctx)
		if err != nil {
			return fmt.Errorf("wait for a change to be read: %w", err)
		}
		missing := ""
		for resource, change := range changes {
			if got := now[resource] - before[resource]; got < change.Events {
				missing = fmt.Sprintf("%d of %d events of %s came", got, change.Events, resource)
			}
		}
		if missing == "" {
			return nil
		}
		if err := sleep(ctx, 10*time.Millisecond); err != nil {
			return fmt.Errorf("wait for a change to be read: %s: %w", missing, err)
		}
	}
}

// maxTelemetry bounds the response of the telemetry port.
const maxTelemetry = 16 << 20

// get returns a small body; an error if the status is not 200.
func (k *kubestate) get(ctx context.Context, url string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return "", err
	}
	response, err := k.client.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxTelemetry))
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("GET %s: %s: %.200s", url, response.Status, bytes.TrimSpace(body))
	}
	return string(body), err
}

// eachSample calls do for each sample of a family in the text format.
func eachSample(text, family string, do func(labels map[string]string, value float64)) error {
	lines := bufio.NewScanner(strings.NewReader(text))
	for lines.Scan() {
		line := lines.Text()
		if !strings.HasPrefix(line, family) {
			continue
		}
		s, err := parseSample([]byte(line))
		if err != nil {
			return err
		}
		if s.name == family {
			do(s.labels, s.value)
		}
	}
	return lines.Err()
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func parseNumber(text string) (float64, error) {
	value, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return 0, fmt.Errorf("value %q: %w", text, err)
	}
	return value, nil
}
