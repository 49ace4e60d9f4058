package kubewatch_test

import (
	"context"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"time"

	"github.com/kubestate/kubestate"
	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/kubewatch"
)

// A program of one's own that serves what an API server holds. Each watch has a
// Feed of its own: here Pods of two namespaces, and all Nodes.
func ExampleGroup() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()

	exporter, err := kubestate.New(kubestate.Config{Kinds: []*kind.Table{kind.Pods, kind.Nodes}})
	if err != nil {
		slog.Error("configure", "err", err)
		return
	}
	client, err := kubewatch.Connect(kubewatch.Config{Kubeconfig: os.Getenv("KUBECONFIG"), Version: "1.0"})
	if err != nil {
		slog.Error("connect", "err", err)
		return
	}
	var watches []kubewatch.Watch
	for _, table := range exporter.Tables() {
		namespaces := []string{""}
		if table.Namespaced {
			namespaces = []string{"shop", "billing"}
		}
		for _, namespace := range namespaces {
			feed, err := exporter.NewFeed(table.Resource)
			if err != nil {
				slog.Error("feed", "err", err)
				return
			}
			watches = append(watches, kubewatch.Watch{
				Table: table, Namespace: namespace, Fields: kind.Reads(table), Store: feed,
			})
		}
	}
	group, err := kubewatch.NewGroup(client, watches, slog.Default())
	if err != nil {
		slog.Error("watch", "err", err)
		return
	}

	server := &http.Server{Addr: "127.0.0.1:8080", Handler: exporter, ReadHeaderTimeout: 5 * time.Second}
	go func() {
		<-ctx.Done()
		_ = server.Close() // scrapes that are under way break off
	}()
	go func() {
		if err := server.ListenAndServe(); ctx.Err() == nil {
			slog.Error("serve", "err", err)
			stop()
		}
	}()
	group.Run(ctx) // until ctx ends; group.Synced and group.Statuses tell how far it is
}
