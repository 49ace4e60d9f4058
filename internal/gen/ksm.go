package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/kubestate/kubestate/internal/conf"
	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/metric"
)

// comparisonPath is the page that compares kubestate with kube-state-metrics. Its tables
// are generated, the text around them is not.
const comparisonPath = "docs/kube-state-metrics.md"

// Verdicts about a flag or a family, as against kube-state-metrics.
const (
	same      = "same"
	better    = "better"
	different = "different"
	ours      = "only here"
)

// verdict is one of the verdicts and its reason.
type verdict struct{ what, why string }

// ownFlags are those that kube-state-metrics lacks.
func ownFlags() []string {
	return []string{
		"server-side-sharding", "custom-resource-pack", "join", "names", "sink", "interval", "cluster-name", "cluster-id", "datadog-config", "datadog-instance",
		"once", "timeout", "check", "leader-election", "leader-election-namespace", "leader-election-name", "enable-pprof", "log-format", "log-level",
	}
}

// flagVerdicts are those about flags that are not the same.
func flagVerdicts() map[string]verdict {
	noEffect := verdict{different, "accepted; a value other than the default causes a warning, as kubestate logs to standard error in the format of `--log-format`"}
	return map[string]verdict{
		"auth-filter":                  {better, "a token that the API server does not know gets 401, there 500; `/sd` is protected, too"},
		"auto-gomemlimit-ratio":        {better, "a ratio that makes no sense is an error if `--auto-gomemlimit` is set"},
		"config":                       {better, "sets may be lists; problems are reported together, with lines; the section `agent` says what to push"},
		"continue-without-config":      {different, "an invalid file ends the program; kube-state-metrics waits without listening"},
		"enable-gzip-encoding":         {different, "on by default; zstd, too; q-values count"},
		"metric-allowlist":             {better, "patterns that match nothing are reported; a pattern that is slow to match is given up after 2 s, there after a minute for each family"},
		"metric-denylist":              {better, "as `--metric-allowlist`"},
		"metric-opt-in-list":           {better, "selects the families that only kubestate has, too"},
		"metric-labels-allowlist":      {better, "`*` matches all keys wherever it is in a list; keys may have any characters; what is ignored is reported"},
		"metric-annotations-allowlist": {better, "as `--metric-labels-allowlist`; the annotation with a copy of a Secret is never shown"},
		"namespaces":                   {better, "a namespace that is listed twice does not duplicate series"},
		"node":                         {better, "selects Pods and leaves other resources alone; there the API server refuses these"},
		"total-shards":                 {better, "joins see the objects of all shards; objects of other shards are dropped before they are decoded"},
		"use-apiserver-cache":          {better, "a list after the first asks for a state that is not older than what is known, so that series do not go back"},
		"v":                            {different, "from 4 on, debug messages are logged"},
		"vmodule":                      {different, "names source files of kubestate; from 4 on, their debug messages are logged"},
		"stderrthreshold":              {same, "counts only if `--legacy_stderr_threshold_behavior=false`"},
		"logtostderr":                  noEffect,
		"add_dir_header":               noEffect,
		"alsologtostderr":              noEffect,
		"alsologtostderrthreshold":     noEffect,
		"log_backtrace_at":             noEffect,
		"log_dir":                      noEffect,
		"log_file":                     noEffect,
		"log_file_max_size":            noEffect,
		"one_output":                   noEffect,
		"skip_headers":                 noEffect,
		"skip_log_headers":             noEffect,
	}
}

// familyVerdicts are those about families that are not the same.
func familyVerdicts() map[string]verdict {
	return map[string]verdict{
		"kube_ingress_path":               {better, "a named port has its name, there 0; a path without a backend has empty labels"},
		"kube_volumeattachment_labels":    {better, "respects `--metric-labels-allowlist`"},
		"kube_cronjob_next_schedule_time": {better, "day of month and day of week, and daylight saving time, as for the CronJob controller"},
		"kube_secret_annotations":         {better, "never has the annotation with a copy of the Secret"},
	}
}

// comparison returns the page at path with its tables regenerated.
func comparison(path string) ([]byte, error) {
	page, err := os.ReadFile(filepath.Clean(path))
	if err != nil {
		return nil, err
	}
	for _, table := range []struct {
		name string
		text []byte
	}{{"flags", flagTable()}, {"keys", keyTable()}, {"metrics", familyTable(kind.All())}} {
		begin, end := "<!-- generated: "+table.name+" -->\n", "<!-- end -->\n"
		before, rest, ok := bytes.Cut(page, []byte(begin))
		_, after, closed := bytes.Cut(rest, []byte(end))
		if !ok || !closed {
			return nil, fmt.Errorf("%s: no place for the table %s", path, table.name)
		}
		page = slices.Concat(before, []byte(begin), table.text, []byte(end), after)
	}
	return page, nil
}

func flagTable() []byte {
	var b bytes.Buffer
	verdicts := flagVerdicts()
	b.WriteString("\n| flag | default | | |\n|---|---|---|---|\n")
	for _, d := range conf.FlagDocs() {
		v, listed := verdicts[d.Name]
		switch {
		case slices.Contains(ownFlags(), d.Name):
			v = verdict{ours, strings.ReplaceAll(d.Help, "*", `\*`)}
			if d.Group == conf.Pushing {
				v.why = "of `kubestate agent`: " + v.why
			}
		case !listed:
			v = verdict{what: same}
		}
		writeRow(&b, "`--"+d.Name+"`", code(d.Default), v.what, v.why)
	}
	b.WriteString("\n")
	return b.Bytes()
}

func keyTable() []byte {
	var b bytes.Buffer
	b.WriteString("\n| key | flag | |\n|---|---|---|\n")
	for _, d := range conf.FlagDocs() {
		note := ""
		switch {
		case d.Key == "":
			continue
		case d.Set:
			note = "a mapping, whose keys count, or a list"
		case d.Name == "config":
			note = "ignored, as in kube-state-metrics"
		}
		if slices.Contains(ownFlags(), d.Name) {
			note = ours
		}
		writeRow(&b, code(d.Key), "`--"+d.Name+"`", note)
		if d.OldKey != "" {
			writeRow(&b, code(d.OldKey), "`--"+d.Name+"`", "deprecated, as in kube-state-metrics")
		}
	}
	b.WriteString("\n")
	return b.Bytes()
}

func familyTable(tables []*kind.Table) []byte {
	var b bytes.Buffer
	verdicts := familyVerdicts()
	b.WriteString("\n| metric | | |\n|---|---|---|\n")
	for _, t := range tables {
		for i := range t.Schema().Families {
			d := &t.Schema().Families[i]
			v, listed := verdicts[d.Name]
			switch {
			case d.Beyond:
				v = verdict{ours, onlyHere(d)}
			case !listed:
				v = verdict{what: same}
			}
			writeRow(&b, "["+code(d.Name)+"](reference/metrics/"+t.Name+".md)", v.what, v.why)
		}
	}
	b.WriteString("\n")
	return b.Bytes()
}

func onlyHere(d *metric.Desc) string {
	if d.OptIn {
		return "off unless `--metric-opt-in-list` selects it"
	}
	return ""
}

func code(text string) string {
	if text == "" {
		return ""
	}
	return "`" + text + "`"
}

func writeRow(b *bytes.Buffer, cells ...string) {
	for _, c := range cells {
		b.WriteString("| ")
		if c != "" {
			b.WriteString(strings.ReplaceAll(c, "|", `\|`) + " ")
		}
	}
	b.WriteString("|\n")
}
