// Package prometheus runs a real Prometheus for tests. Its own tests check the output
// of kubestate with its consumers: Prometheus, promtool, and the parser of Prometheus
// with random and hostile objects. README.md says how long they take.
package prometheus

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/kubestate/kubestate/test/e2e/harness"
)

// Server is a running Prometheus.
type Server struct {
	*harness.Process
	URL string // without a path
}

// Start runs the Prometheus binary at path with a configuration file and flags, and
// returns when it is ready.
func Start(t testing.TB, path, config string, flags ...string) *Server {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "prometheus.yml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	flags = append([]string{
		"--config.file=" + file, "--storage.tsdb.path=" + filepath.Join(dir, "data"), "--web.listen-address=127.0.0.1:0",
	}, flags...)
	s := &Server{Process: harness.Start(t, "prometheus", path, flags...)}
	s.URL = "http://" + s.LogMatch(t, "Prometheus listens", regexp.MustCompile(`msg="Listening on".* address=(\S+)\n`))[1]
	s.Eventually(t, time.Minute, "Prometheus is ready", func() error {
		response, err := harness.Get(t.Context(), s.URL+"/-/ready")
		if err == nil && response.Status != http.StatusOK {
			err = fmt.Errorf("status %d", response.Status)
		}
		return err
	})
	return s
}

// point is an element of the result of an instant query.
type point struct {
	Metric map[string]string
	Value  [2]any // time, and the value as a string
}

func (s *Server) query(t testing.TB, query string) ([]point, error) {
	var data struct{ Result []point }
	err := s.get(t, "query?query="+url.QueryEscape(query), &data)
	return data.Result, err
}

// MetricType returns the type of a family according to the metadata of a job's scrapes;
// empty if unknown.
func (s *Server) MetricType(t testing.TB, job, family string) string {
	t.Helper()
	var data []struct{ Type string }
	target := url.QueryEscape(fmt.Sprintf("{job=%q}", job))
	if err := s.get(t, "targets/metadata?metric="+family+"&match_target="+target, &data); err != nil {
		t.Fatal(err)
	}
	if len(data) == 0 {
		return ""
	}
	return data[0].Type
}

// get decodes the data of a response of the HTTP API.
func (s *Server) get(t testing.TB, path string, data any) error {
	t.Helper()
	response, err := harness.Get(t.Context(), s.URL+"/api/v1/"+path)
	if err != nil {
		return err
	}
	answer := struct {
		Status, Error string
		Data          any
	}{Data: data}
	if err := json.Unmarshal([]byte(response.Body), &answer); err != nil {
		return fmt.Errorf("get %s: %w", path, err)
	}
	if answer.Status != "success" {
		return fmt.Errorf("get %s: %s", path, answer.Error)
	}
	return nil
}

// patience is the maximum wait on a busy machine.
const patience = 3 * time.Minute

// Wait returns when the query has one element with the value.
func (s *Server) Wait(t testing.TB, what, query string, want int) {
	t.Helper()
	s.Eventually(t, patience, what, func() error {
		points, err := s.query(t, query)
		switch {
		case err != nil:
			return err
		case len(points) != 1 || points[0].Value[1] != strconv.Itoa(want):
			return fmt.Errorf("query %s: %v, not %d", query, points, want)
		}
		return nil
	})
}

// Series returns the kubestate series of a job in Prometheus, with their values,
// sorted. Labels added by Prometheus are omitted.
func (s *Server) Series(t testing.TB, job string) []string {
	t.Helper()
	points, err := s.query(t, fmt.Sprintf(`{job=%q,__name__=~"kube_.+"}`, job))
	if err != nil {
		t.Fatal(err)
	}
	all := make([]string, len(points))
	for i, p := range points {
		delete(p.Metric, "job")
		delete(p.Metric, "instance")
		value, err := strconv.ParseFloat(fmt.Sprint(p.Value[1]), 64)
		if err != nil {
			t.Fatalf("series %v: %v", p.Metric, err)
		}
		all[i] = seriesText(labels.FromMap(p.Metric), value)
	}
	slices.Sort(all)
	return all
}

// CheckSeries fails the test unless Prometheus has exactly the wanted series of a job,
// in the form of Series. After a timed-out scrape it has none; the next one counts.
func (s *Server) CheckSeries(t testing.TB, job string, want []string) {
	t.Helper()
	s.Eventually(t, patience, "the series of job "+job, func() error {
		got := s.Series(t, job)
		if len(got) == 0 {
			return errors.New("there are none")
		}
		if err := SameSeries(got, want); err != nil {
			t.Errorf("job %s: %v", job, err)
		}
		return nil
	})
}

// SameSeries returns an error that names the first difference, if any.
func SameSeries(got, want []string) error {
	if slices.Equal(got, want) {
		return nil
	}
	return fmt.Errorf("%d series that are not the %d wanted, or differ from them:\n%s", len(got), len(want), firstDifference(got, want))
}

// CheckLog fails the test if Prometheus logged a problem with what it scraped.
func (s *Server) CheckLog(t testing.TB) {
	t.Helper()
	var complaints []error
	for line := range strings.Lines(s.Log()) {
		if strings.Contains(line, "level=ERROR") || strings.Contains(line, "level=WARN") {
			complaints = append(complaints, errors.New(strings.TrimSpace(line)))
		}
	}
	if err := errors.Join(complaints...); err != nil {
		t.Errorf("Prometheus complains:\n%v", err)
	}
}

func firstDifference(got, want []string) string {
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || got[i] != want[i] {
			return fmt.Sprintf("got  %s\nwant %s", at(got, i), at(want, i))
		}
	}
	return ""
}

func at(s []string, i int) string {
	if i < len(s) {
		return s[i]
	}
	return "nothing"
}
