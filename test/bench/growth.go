package main

import (
	"fmt"
	"io"
)

// growthFactor is the ratio of the sizes of two scenarios whose costs are compared.
const growthFactor = 5

// growth compares the costs of two scenarios, one with five times the nodes and Pods of
// the other; nil if there are no such scenarios.
func growth(results []*result) []row {
	for _, base := range results {
		for _, large := range results {
			if large.Nodes == growthFactor*base.Nodes && large.Pods == growthFactor*base.Pods {
				return growthRows(base, large)
			}
		}
	}
	return nil
}

func growthRows(base, large *result) []row {
	const limit = 5.5
	pair := func(what string, before, after float64, unit string) row {
		r := row{What: what, Figure: after, Unit: unit, Reference: "before", ReferenceValue: before}
		r.judge()
		return r
	}
	rows := []row{
		pair("objects", float64(base.Objects), float64(large.Objects), ""),
		pair("B, the plain body", base.References.B, large.References.B, bytesUnit),
		pair("G", base.References.G, large.References.G, secondsUnit),
		pair("U", base.References.U, large.References.U, secondsUnit),
	}
	for _, before := range base.Rows {
		for _, after := range large.Rows {
			if before.What != after.What || before.Unit == allocationsUnit {
				continue
			}
			r := pair(after.What, before.Figure, after.Figure, after.Unit)
			r.Note = after.Note
			if after.Limit != nil {
				r.Limit = new(limit)
			}
			r.judge()
			rows = append(rows, r)
		}
	}
	return rows
}

// writeGrowth prints what a cluster five times as large costs.
func writeGrowth(w io.Writer, rows []row) {
	if len(rows) == 0 {
		return
	}
	fmt.Fprintf(w, "\n### Growth: %d times the nodes and the pods\n\n", growthFactor)
	lines := [][]string{{"what", "before", "after", "ratio", "target", "verdict"}}
	for i := range rows {
		r := &rows[i]
		target := ""
		if r.Limit != nil {
			target = fmt.Sprintf("≤ %.1f", *r.Limit)
		}
		lines = append(lines, []string{r.What, show(r.ReferenceValue, r.Unit), show(r.Figure, r.Unit),
			fmt.Sprintf("%.2f", r.Ratio), target, r.verdict()})
	}
	writeTable(w, lines)
}
