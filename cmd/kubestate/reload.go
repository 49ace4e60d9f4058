package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/kubestate/kubestate/internal/conf"
	"github.com/kubestate/kubestate/internal/reload"
	"github.com/kubestate/kubestate/internal/serve"
	"github.com/kubestate/kubestate/kubewatch"
)

// hangups returns a channel with the signals that ask for a reload, until the function that
// it returns is called.
func hangups() (<-chan os.Signal, func()) {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGHUP)
	return c, func() { signal.Stop(c) }
}

// followFiles applies the configuration when its files change, or at a signal, until ctx
// ends.
func (r *reading) followFiles(ctx context.Context, signals <-chan os.Signal) {
	for begun := false; ctx.Err() == nil; begun = true {
		paths := r.inputs()
		watching, stop := context.WithCancel(ctx)
		changed := func(_ context.Context, changed []string) {
			r.reload(changed)
			if !slices.Equal(paths, r.inputs()) {
				stop()
			}
		}
		if begun { // they may have changed while nobody watched
			changed(watching, nil)
		}
		reload.Watch(watching, reload.Config{Paths: paths, Signals: signals, Logger: r.log}, changed)
		stop()
	}
}

// inputs returns the files that the configuration was read from.
func (r *reading) inputs() []string {
	o := r.settings.Options
	paths := append(clientConfig(o).Files(), r.options.Config, o.TLSConfig, o.Push.DatadogConfig)
	paths = append(paths, o.Custom.Files...)
	slices.Sort(paths)
	return slices.DeleteFunc(slices.Compact(paths), func(path string) bool { return path == "" })
}

// configFiles returns those files of inputs whose state is reported.
func (r *reading) configFiles(o *conf.Options) []serve.ConfigFile {
	var files []serve.ConfigFile
	for _, path := range o.Custom.Files {
		files = append(files, serve.ConfigFile{Type: "customresourceconfig", Path: path})
	}
	for _, f := range []serve.ConfigFile{
		{Type: "config", Path: r.options.Config}, {Type: "kubeconfig", Path: o.Kubeconfig}, {Type: "tlsconfig", Path: o.TLSConfig}, {Type: "datadogconfig", Path: o.Push.DatadogConfig},
	} {
		if f.Path != "" {
			files = append(files, f)
		}
	}
	return files
}

// reload changes to the configuration that flags and files have now. If that is invalid, the
// one before stays in effect.
func (r *reading) reload(changed []string) {
	next, err := r.options.Complete()
	if err == nil {
		err = r.change(next, changed)
	}
	r.files.Loaded(err, r.configFiles(r.settings.Options)...)
	if err != nil {
		r.log.Error("failed to reload configuration; keeping the previous one", "err", err)
		return
	}
	r.log.Info("reloaded configuration", "changed", strings.Join(changed, ","), "pending_watches", r.group.Pending())
}

// change changes to other settings. What can be wrong with them is found before anything
// changes.
func (r *reading) change(next conf.Settings, changed []string) error {
	client, err := r.clientFor(next.Options, changed)
	if err = errors.Join(err, serve.CheckWebConfig(r.settings.Options.TLSConfig)); err != nil {
		return err
	}
	return r.shards.change(func() error {
		if err := r.custom.check(next); err != nil {
			return err
		}
		before := r.settings
		if err := r.export(next, client.Server()); err != nil {
			return err
		}
		r.settings = next
		r.warn(before, next)
		r.shards.setOptions(&next.Options.Shards)
		if client != r.client {
			r.client.Become(client)
		}
		return nil
	})
}

// clientFor returns a new client if what it is made of has changed, and else that in use.
func (r *reading) clientFor(o *conf.Options, changed []string) (*kubewatch.Client, error) {
	before, after := clientConfig(r.settings.Options), clientConfig(o)
	files := after.Files()
	if before == after && !slices.ContainsFunc(changed, func(path string) bool { return slices.Contains(files, path) }) {
		return r.client, nil
	}
	return kubewatch.Connect(after)
}

// warn logs the warnings of settings that those before did not have, and the options that
// changed without effect.
func (r *reading) warn(previous, next conf.Settings) {
	for _, w := range next.Warnings {
		if !slices.Contains(previous.Warnings, w) {
			r.log.Warn(w)
		}
	}
	before, after := fixed(previous.Options), fixed(next.Options)
	var names []string
	for i := range before {
		if before[i] != after[i] {
			name, _, _ := strings.Cut(before[i], "=")
			names = append(names, name)
		}
	}
	if r.pusher != nil || next.Push != nil {
		names = append(names, "agent") // whether it changed is not known
	}
	if len(names) > 0 {
		r.log.Warn("changes of these options take effect after a restart", "options", strings.Join(names, ","))
	}
}

// fixed returns the options that cannot change while the program runs, as NAME=VALUE.
func fixed(o *conf.Options) []string {
	return []string{
		fmt.Sprint("host=", o.Host), fmt.Sprint("port=", o.Port),
		fmt.Sprint("telemetry-host=", o.TelemetryHost), fmt.Sprint("telemetry-port=", o.TelemetryPort),
		fmt.Sprint("server-read-timeout=", o.ServerReadTimeout), fmt.Sprint("server-read-header-timeout=", o.ServerReadHeaderTimeout),
		fmt.Sprint("server-write-timeout=", o.ServerWriteTimeout), fmt.Sprint("server-idle-timeout=", o.ServerIdleTimeout),
		fmt.Sprint("auth-filter=", o.AuthFilter), fmt.Sprint("tls-config=", o.TLSConfig), fmt.Sprint("enable-pprof=", o.EnablePprof),
		fmt.Sprint("leader-election=", o.Election), fmt.Sprint("log-level=", o.LogLevel), fmt.Sprint("log-format=", o.LogFormat),
		fmt.Sprint("auto-gomemlimit=", o.Memory), fmt.Sprint("pod=", o.Shards.Pod, o.Shards.PodNamespace),
	}
}
