package sinks

import (
	"encoding/json"
	"fmt"
	"math"
	"net/url"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/kubestate/kubestate/test/e2e/harness"
	"github.com/kubestate/kubestate/test/prometheus"
)

const prometheusBinary = "../prometheus/bin/prometheus"

var buildPrometheus = sync.OnceValue(func() error {
	return harness.Build(os.Stderr, "../prometheus", "../prometheus/bin", "-tags=remove_all_sd",
		"github.com/prometheus/prometheus/cmd/prometheus")
})

// startPrometheus starts a Prometheus that accepts remote write and scrapes nothing.
func startPrometheus(t *testing.T, flags ...string) *prometheus.Server {
	t.Helper()
	return startPrometheusWith(t, "{}", flags...)
}

// startPrometheusWith does so with a configuration file.
func startPrometheusWith(t *testing.T, config string, flags ...string) *prometheus.Server {
	t.Helper()
	if err := buildPrometheus(); err != nil {
		t.Fatal(err)
	}
	return prometheus.Start(t, prometheusBinary, config, append([]string{"--web.enable-remote-write-receiver"}, flags...)...)
}

// state is series as seen from outside: sorted and quoted labels, and values.
type state map[string]float64

// instant returns the result of an instant query for the series sent by a test.
func instant(t *testing.T, server *prometheus.Server, at time.Time) state {
	t.Helper()
	got := state{}
	for _, s := range query(t, server, "query", url.Values{
		"query": {fmt.Sprintf("{sent=%q}", t.Name())}, "time": {seconds(at)},
	}) {
		delete(s.Metric, "sent")
		got[labelText(s.Metric)] = number(t, s.Value[1])
	}
	return got
}

func seconds(at time.Time) string { return fmt.Sprintf("%.3f", float64(at.UnixMilli())/1000) }

func number(t *testing.T, text any) float64 {
	t.Helper()
	value, err := strconv.ParseFloat(fmt.Sprint(text), 64)
	if err != nil {
		t.Fatal(err)
	}
	return value
}

type queried struct {
	Metric map[string]string
	Value  [2]any   // of an instant query: seconds, and a number as text
	Values [][2]any // of a range
}

func query(t *testing.T, server *prometheus.Server, path string, parameters url.Values) []queried {
	t.Helper()
	response, err := harness.Get(t.Context(), server.URL+"/api/v1/"+path+"?"+parameters.Encode())
	if err != nil {
		t.Fatal(err)
	}
	var answer struct {
		Status, Error string
		Data          struct{ Result []queried }
	}
	if err := json.Unmarshal([]byte(response.Body), &answer); err != nil || answer.Status != "success" {
		t.Fatalf("query %v: %v %s", parameters, err, answer.Error)
	}
	return answer.Data.Result
}

func labelText(labels map[string]string) string {
	text, err := json.Marshal(labels) // sorts
	if err != nil {
		panic(err)
	}
	return string(text)
}

func compare(t *testing.T, what string, got, want state) {
	t.Helper()
	for labels, value := range want {
		if other, ok := got[labels]; !ok {
			t.Errorf("%s: no series %s", what, labels)
		} else if other != value && !(math.IsNaN(other) && math.IsNaN(value)) {
			t.Errorf("%s: %s is %v, want %v", what, labels, other, value)
		}
	}
	for labels := range got {
		if _, ok := want[labels]; !ok {
			t.Errorf("%s: unexpected series %s", what, labels)
		}
	}
}
