package main

import (
	"cmp"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Units of figures.
const (
	secondsUnit     = "s"
	bytesUnit       = "bytes"
	allocationsUnit = "allocations"
)

// Names of reference costs; those of a single letter are in the heading of a table.
const (
	referenceG = "G"
	referenceU = "U"
	referenceB = "B"
)

// row is one figure and its reference.
type row struct {
	What   string  `json:"what"`
	Figure float64 `json:"figure"`
	Unit   string  `json:"unit"`
	// Reference names the cost that the figure is compared with; if empty, Ratio is the
	// figure itself. ReferenceValue is in the unit of the figure.
	Reference      string  `json:"reference,omitempty"`
	ReferenceValue float64 `json:"reference_value,omitempty"`
	Ratio          float64 `json:"ratio"`
	// Limit is the largest ratio that passes; nil if the row is informational. Aim is
	// the desired ratio; 0 if there is none.
	Limit *float64 `json:"limit,omitempty"`
	Aim   float64  `json:"aim,omitempty"`
	Pass  bool     `json:"pass"` // true where there is no limit
	// ServerCPU is the CPU time of the server per scrape, in seconds; 0 if not
	// applicable, or too small to measure.
	ServerCPU float64   `json:"server_cpu_seconds,omitempty"`
	Samples   []float64 `json:"samples,omitempty"`
	// Note explains a figure that does not measure what the row is about.
	Note string `json:"note,omitempty"`
}

// complete computes the ratio and the verdict of every row, once the references
// are known.
func (r *result) complete() {
	for i := range r.Rows {
		row := &r.Rows[i]
		row.ReferenceValue = cmp.Or(row.ReferenceValue, map[string]float64{
			referenceG: r.References.G, referenceU: r.References.U, referenceB: r.References.B}[row.Reference])
		row.judge()
	}
}

func (r *row) judge() {
	r.Ratio = r.Figure
	if r.Reference != "" {
		r.Ratio = r.Figure / r.ReferenceValue
	}
	r.Pass = r.Limit == nil || r.Ratio <= *r.Limit && r.Note == ""
}

// verdict is the last column.
func (r *row) verdict() string {
	verdict := "pass"
	switch {
	case r.Limit == nil && r.Note == "":
		return ""
	case r.Limit == nil:
		return r.Note
	case !r.Pass:
		verdict = "FALLS SHORT"
	}
	if r.Note != "" {
		verdict += ": " + r.Note
	}
	return verdict
}

// target is the column of limits.
func (r *row) target() string {
	switch {
	case r.Limit == nil && r.Aim > 0:
		return "aim " + r.times(r.Aim, r.fraction())
	case r.Limit == nil:
		return ""
	}
	text := "≤ " + r.times(*r.Limit, r.fraction())
	if r.Aim > 0 {
		text += ", aim " + r.times(r.Aim, r.fraction())
	}
	return text
}

// fraction reports whether ratios of the row read best as a fraction of the reference.
func (r *row) fraction() bool {
	if r.Limit != nil && *r.Limit > 0 {
		return *r.Limit < 0.1
	}
	return r.Reference != "" && r.Ratio < 0.1
}

// times writes a ratio with its reference: G/120, 1/120 of at rest, or 0.42 B.
func (r *row) times(ratio float64, fraction bool) string {
	switch {
	case r.Reference == "" && r.Unit == secondsUnit:
		return show(ratio, r.Unit)
	case r.Reference == "":
		return fmt.Sprintf("%.3g", ratio)
	case fraction && utf8.RuneCountInString(r.Reference) == 1:
		return fmt.Sprintf("%s/%.0f", r.Reference, 1/ratio)
	case fraction:
		return fmt.Sprintf("1/%.0f of %s", 1/ratio, r.Reference)
	}
	return fmt.Sprintf("%.2f %s", ratio, r.Reference)
}

// write prints the scenario as a table of Markdown.
func (r *result) write(w io.Writer) {
	refs := &r.References
	fmt.Fprintf(w, "\n### %s\n\n", r.scenario)
	fmt.Fprintf(w, "%s objects, %s series; a change of 1 %% changes %s objects.\n", thousands(r.Objects), thousands(r.Series), thousands(r.Changed))
	fmt.Fprintf(w, "G = %s, U = %s, B = %s; compress/gzip makes %s of it.\n", show(refs.G, secondsUnit), show(refs.U, secondsUnit),
		show(refs.B, bytesUnit), show(refs.GzipSize, bytesUnit))
	fmt.Fprintf(w, "A pod has %s and takes Unmarshal %s and %.0f allocations.\n",
		show(refs.Pod.Bytes, bytesUnit), show(refs.Pod.Unmarshal, secondsUnit), refs.Pod.Allocations)
	if r.Agent != nil {
		fmt.Fprintln(w, r.Agent)
	}
	fmt.Fprintln(w)
	writeRows(w, r.Rows)
}

func writeRows(w io.Writer, rows []row) {
	lines := [][]string{{"what", "figure", "server CPU", "reference", "ratio", "target", "verdict"}}
	for i := range rows {
		row := &rows[i]
		cpu, reference, ratio := "", "", ""
		if row.Samples != nil {
			cpu = show(row.ServerCPU, secondsUnit)
		}
		if row.Reference != "" {
			reference = row.Reference + " = " + show(row.ReferenceValue, row.Unit)
			ratio = row.times(row.Ratio, row.fraction())
		}
		lines = append(lines, []string{row.What, show(row.Figure, row.Unit), cpu, reference, ratio, row.target(), row.verdict()})
	}
	writeTable(w, lines)
}

// writeTable aligns the columns of a Markdown table; the first line is its head.
func writeTable(w io.Writer, lines [][]string) {
	widths := make([]int, len(lines[0]))
	for _, line := range lines {
		for i, cell := range line {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for n, line := range lines {
		for i, cell := range line {
			fmt.Fprintf(w, "| %s%s ", cell, strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell)))
		}
		fmt.Fprintln(w, "|")
		if n > 0 {
			continue
		}
		for _, width := range widths {
			fmt.Fprintf(w, "|%s", strings.Repeat("-", width+2))
		}
		fmt.Fprintln(w, "|")
	}
}

// show writes a figure with three digits in the unit that fits it.
func show(figure float64, unit string) string {
	units := []scale{{1, unit}}
	switch unit {
	case secondsUnit:
		units = []scale{{1, "s"}, {1e-3, "ms"}, {1e-6, "µs"}, {1e-9, "ns"}}
	case bytesUnit:
		units = []scale{{1e9, "GB"}, {1e6, "MB"}, {1e3, "kB"}, {1, "bytes"}}
	}
	if figure == 0 {
		return "0 " + unit
	}
	for _, u := range units {
		if figure >= u.size {
			return threeDigits(figure/u.size) + " " + u.name
		}
	}
	smallest := units[len(units)-1]
	return threeDigits(figure/smallest.size) + " " + smallest.name
}

type scale struct {
	size float64
	name string
}

func threeDigits(v float64) string {
	switch {
	case v == 0 || v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}

// thousands writes a number with commas.
func thousands(n int) string {
	digits := strconv.Itoa(n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

func seconds(durations []time.Duration) []float64 {
	all := make([]float64, len(durations))
	for i, d := range durations {
		all[i] = d.Seconds()
	}
	return all
}
