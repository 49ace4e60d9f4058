package kubestate_test

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/kubestate/kubestate"
	"github.com/kubestate/kubestate/exposition"
	"github.com/kubestate/kubestate/internal/manifest"
	"github.com/kubestate/kubestate/kind"
)

// TestCases renders small objects that reproduce reported bugs, with all resources. Each
// case is testdata/cases/NAME.yaml, and each line of NAME.expected is one of:
//
//	// a comment
//	!a regular expression that no sample matches
//	a sample that is served
//
// No case has a duplicate series or the zero time.
func TestCases(t *testing.T) {
	files, err := filepath.Glob("testdata/cases/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal("no cases", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			expected, err := os.ReadFile(strings.TrimSuffix(file, ".yaml") + ".expected")
			if err != nil {
				t.Fatal(err)
			}
			checkCase(t, renderCase(t, file), string(expected))
		})
	}
}

func checkCase(t *testing.T, samples []string, expected string) {
	t.Helper()
	for line := range strings.Lines(expected) {
		line = strings.TrimSuffix(line, "\n")
		if pattern, ok := strings.CutPrefix(line, "!"); ok {
			if i := slices.IndexFunc(samples, regexp.MustCompile(pattern).MatchString); i >= 0 {
				t.Errorf("unexpected sample: %s matches %s", samples[i], pattern)
			}
		} else if line != "" && !strings.HasPrefix(line, "//") && !slices.Contains(samples, line) {
			t.Errorf("missing sample: %s", line)
		}
	}
	series := map[string]bool{}
	for _, sample := range samples {
		end := strings.LastIndexByte(sample, ' ')
		if series[sample[:end]] {
			t.Errorf("duplicate series: %s", sample)
		}
		if series[sample[:end]] = true; sample[end+1:] == "-6.21355968e+10" {
			t.Errorf("zero time: %s", sample)
		}
	}
}

// renderCase returns the samples of the objects in a file.
func renderCase(t *testing.T, file string) (samples []string) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	x, err := kubestate.New(kubestate.Config{Kinds: kind.All()})
	if err != nil {
		t.Fatal(err)
	}
	feeds := map[string]*kubestate.Feed{}
	for _, table := range x.Tables() {
		if feeds[table.Name], err = x.NewFeed(table.Resource); err != nil {
			t.Fatal(err)
		}
		feeds[table.Name].Begin()
	}
	put := func(table *kind.Table, o kind.Object) { feeds[table.Name].Put(o) }
	if err := manifest.NewReader(kind.All()).Read(file, data, put); err != nil {
		t.Fatal(err)
	}
	for _, f := range feeds {
		f.Commit()
	}
	var b bytes.Buffer
	if err := x.Write(&b, exposition.Text, kubestate.Selection{}); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(b.String()) {
		if !strings.HasPrefix(line, "#") {
			samples = append(samples, strings.TrimSuffix(line, "\n"))
		}
	}
	return samples
}
