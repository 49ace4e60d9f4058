package main

import (
	"context"
	"errors"
	"os"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

type linesConfig struct {
	File string `mapstructure:"file"`
}

func (c *linesConfig) Validate() error {
	if c.File == "" {
		return errors.New("file: must be the path of a file")
	}
	return nil
}

// lines is an exporter that appends a line for each request to a file. What it
// gets has been written when the sender gets its answer.
type lines struct {
	path string
	file *os.File
}

func newLinesFactory() exporter.Factory {
	return exporter.NewFactory(
		component.MustNewType("lines"),
		func() component.Config { return &linesConfig{} },
		exporter.WithMetrics(func(_ context.Context, _ exporter.Settings, c component.Config) (exporter.Metrics, error) {
			return &lines{path: c.(*linesConfig).File}, nil
		}, component.StabilityLevelDevelopment),
	)
}

func (l *lines) Start(context.Context, component.Host) (err error) {
	l.file, err = os.OpenFile(l.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	return err
}

func (l *lines) ConsumeMetrics(_ context.Context, metrics pmetric.Metrics) error {
	line, err := (&pmetric.JSONMarshaler{}).MarshalMetrics(metrics)
	if err != nil {
		return err
	}
	_, err = l.file.Write(append(line, '\n')) // at once, so that lines do not mix
	return err
}

func (l *lines) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

func (l *lines) Shutdown(context.Context) error { return l.file.Close() }
