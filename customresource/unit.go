package customresource

import (
	"fmt"
	"strings"
	"time"
)

// Unit is the unit of a metric, with which its name must end. It decides how text becomes
// a number: in seconds, "5m" is a duration of 300 and not a quantity of 0.005.
type Unit string

// unitSeconds is the Unit of durations and timestamps.
const unitSeconds Unit = "seconds"

// number converts a value of an object.
func (u Unit) number(v any) (float64, error) {
	if text, ok := v.(string); ok && u == unitSeconds {
		if d, err := time.ParseDuration(text); err == nil {
			return d.Seconds(), nil
		}
	}
	return toNumber(v)
}

// unit checks the unit of a metric.
func (k *checker) unit(at place, m *Metric, f *family) {
	if m.Unit == "" {
		return
	}
	f.desc.Unit = string(m.Unit)
	if !validMetricName.MatchString(string(m.Unit)) || !strings.HasSuffix(f.desc.Name, "_"+string(m.Unit)) {
		k.wrong(at.in("unit"), fmt.Sprintf("invalid unit %q of metric %s", m.Unit, f.desc.Name), "must be how the name of the metric ends, such as seconds or bytes")
	}
	if !strings.EqualFold(m.Each.Type, "gauge") {
		k.wrong(at.in("unit"), fmt.Sprintf("invalid unit %q of type %s", m.Unit, m.Each.Type), "must be given for gauges only")
	}
}
