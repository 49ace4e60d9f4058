package prometheus

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/kubestate/kubestate"
	"github.com/kubestate/kubestate/exposition"
)

const acceptOpenMetrics = "application/openmetrics-text;version=1.0.0"

// write returns the response to a scraper with the Accept header, and its content type.
func write(t testing.TB, x *kubestate.Exporter, accept string) (body []byte, contentType string) {
	t.Helper()
	negotiated := exposition.Negotiate(http.Header{"Accept": {accept}})
	var b bytes.Buffer
	if err := x.Write(&b, negotiated.Format, kubestate.Selection{}); err != nil {
		t.Fatalf("write for %q: %v", accept, err)
	}
	return b.Bytes(), negotiated.ContentType
}

// openMetricsErrors returns violations of OpenMetrics 1.0 that the parser of Prometheus
// accepts: a sample outside its family, a split family, a name that does not match the
// type, content after "# EOF".
func openMetricsErrors(body string) error {
	text, found := strings.CutSuffix(body, "# EOF\n")
	if !found {
		return errors.New("the body does not end with # EOF")
	}
	var errs []error
	seen := map[string]bool{}
	var family, typ string
	for line := range strings.Lines(text) {
		fields := strings.SplitN(strings.TrimSuffix(line, "\n"), " ", 4)
		switch {
		case fields[0] != "#":
			if err := sampleName(line, family, typ); err != nil {
				errs = append(errs, err)
			}
		case len(fields) < 4 || fields[1] != "HELP" && fields[1] != "TYPE":
			errs = append(errs, fmt.Errorf("comment %q is neither HELP nor TYPE", line))
		default:
			if fields[2] != family {
				family, typ = fields[2], ""
				if seen[family] {
					errs = append(errs, fmt.Errorf("family %s is in two pieces", family))
				}
				seen[family] = true
			}
			if fields[1] == "TYPE" {
				typ = fields[3]
			}
		}
	}
	return errors.Join(errs...)
}

// sampleName returns an error if the sample does not belong to the family.
func sampleName(line, family, typ string) error {
	name := line[:strings.IndexAny(line+" ", "{ ")]
	want := family
	switch typ {
	case "counter":
		want += "_total"
	case "info":
		want += "_info"
	case "gauge", "unknown":
	default:
		return fmt.Errorf("family %s: type %q is not among those that kubestate may use", family, typ)
	}
	if name != want {
		return fmt.Errorf("family %s of type %s: sample name %s, not %s", family, typ, name, want)
	}
	return nil
}

func TestOpenMetricsErrors(t *testing.T) {
	const good = "# HELP a A.\n# TYPE a counter\na_total{x=\"1\"} 1\n# HELP b B.\n# TYPE b gauge\nb 2\n# EOF\n"
	if err := openMetricsErrors(good); err != nil {
		t.Error(err)
	}
	for name, bad := range map[string]string{
		"no end":                  strings.TrimSuffix(good, "# EOF\n"),
		"text behind the end":     good + "c 1\n",
		"counter without suffix":  strings.Replace(good, "a_total", "a", 1),
		"sample of another":       strings.Replace(good, "b 2", "c 2", 1),
		"family in two pieces":    strings.Replace(good, "# EOF", "# TYPE a counter\na_total 3\n# EOF", 1),
		"no type":                 strings.Replace(good, "# TYPE b gauge\n", "", 1),
		"type of the text format": strings.Replace(good, "b gauge", "b untyped", 1),
		"another comment":         strings.Replace(good, "# HELP b B.", "# b", 1),
	} {
		if openMetricsErrors(bad) == nil {
			t.Errorf("%s: no error found", name)
		}
	}
}
