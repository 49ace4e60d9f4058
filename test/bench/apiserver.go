package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"

	"github.com/kubestate/kubestate/internal/sim/apiserver"
	"github.com/kubestate/kubestate/internal/sim/cluster"
	"github.com/kubestate/kubestate/kind"
)

// apiServerCommand is the subcommand that is the simulated API server.
const apiServerCommand = "apiserver"

// order is a command to the API server, one JSON object per line of its standard input.
// Exactly one field is set.
type order struct {
	// Change changes this share of all objects, chosen at random.
	Change float64 `json:"change,omitempty"`
	// Churn starts making changes at this rate per second; 0 stops them.
	Churn *float64 `json:"churn,omitempty"`
	// Count asks for the number of objects.
	Count bool `json:"count,omitempty"`
	// Break breaks all watches and compacts the log, so that every client has to
	// relist.
	Break bool `json:"break,omitempty"`
}

// answer is the response to an order, one JSON object per line of standard output. The
// first one is sent unasked, once the cluster is served.
type answer struct {
	URL     string                       `json:"url,omitempty"`
	Changes map[string]apiserver.Changes `json:"changes,omitempty"` // by resource
	Objects map[string]int               `json:"objects,omitempty"` // by resource
	Error   string                       `json:"error,omitempty"`
}

// serveCluster generates a cluster, serves it on 127.0.0.1 and takes orders until
// its input ends.
func serveCluster(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet(apiServerCommand, flag.ContinueOnError)
	flags.SetOutput(stderr)
	nodes := flags.Int("nodes", 10, "nodes of the cluster")
	pods := flags.Int("pods", 200, "pods of the cluster")
	seed := flags.Uint64("seed", 1, "number from which the cluster is made")
	if err := flags.Parse(args); err != nil {
		return err
	}
	config := cluster.Config{Nodes: *nodes, Pods: *pods, Seed: *seed}
	s, err := newSimulation(config)
	if err != nil {
		return err
	}
	running, err := apiserver.Start(s.server, 0)
	if err != nil {
		return err
	}
	defer running.Close()
	defer func() { _ = s.stopChurn() }()
	out := json.NewEncoder(stdout)
	if err := out.Encode(answer{URL: running.URL}); err != nil {
		return err
	}
	orders, ended := readOrders(stdin)
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-ended:
			return err
		case o := <-orders:
			if err := out.Encode(s.obey(ctx, o)); err != nil {
				return err
			}
		}
	}
}

// readOrders passes orders on until the input ends.
func readOrders(stdin io.Reader) (<-chan order, <-chan error) {
	orders, ended := make(chan order), make(chan error, 1)
	go func() {
		in := json.NewDecoder(stdin)
		for {
			var o order
			err := in.Decode(&o)
			switch {
			case errors.Is(err, io.EOF):
				ended <- nil
				return
			case err != nil:
				ended <- fmt.Errorf("read orders: %w", err)
				return
			}
			orders <- o
		}
	}()
	return orders, ended
}

// simulation is a cluster that changes on demand.
type simulation struct {
	store  *apiserver.Store
	server *apiserver.Server
	churn  *cluster.Churn
	stop   func() error // stops continuous changes; nil if there are none
}

// logSize is the number of events kept per resource: more than any change here makes.
const logSize = 200_000

func newSimulation(config cluster.Config) (*simulation, error) {
	store, err := apiserver.NewStore(apiserver.StoreConfig{Resources: served(), LogSize: logSize})
	if err != nil {
		return nil, err
	}
	if err := cluster.Generate(store, config); err != nil {
		return nil, err
	}
	// Without roll-outs, so that the cluster keeps its size.
	churn, err := cluster.NewChurn(store, cluster.ChurnConfig{
		Seed: config.Seed, Time: config.Time, Mix: cluster.Mix{PodStatus: 75, PodReplace: 20, Node: 5}})
	if err != nil {
		return nil, err
	}
	return &simulation{store: store, server: apiserver.New(store, apiserver.Config{}), churn: churn}, nil
}

// served returns the resources of the cluster and, without objects, the others that
// kubestate lists.
func served() []apiserver.Resource {
	resources := apiserver.Resources()
	for _, t := range kind.Defaults() {
		if !slices.ContainsFunc(resources, func(r apiserver.Resource) bool { return r.Group == t.Group && r.Name == t.Name }) {
			resources = append(resources, apiserver.Resource{
				Group: t.Group, Version: t.Version, Name: t.Name, Kind: t.Kind, Namespaced: t.Namespaced,
				New: func() apiserver.Object { return t.New() },
			})
		}
	}
	return resources
}

func (s *simulation) obey(ctx context.Context, o order) answer {
	var a answer
	var err error
	switch {
	case o.Change > 0:
		if s.stop != nil {
			err = errors.New("objects change all the time; end that first")
			break
		}
		a.Changes, err = s.churn.ChangeShare(o.Change)
	case o.Churn != nil:
		if err = s.stopChurn(); err == nil && *o.Churn > 0 {
			s.startChurn(ctx, *o.Churn)
		}
	case o.Count:
		a.Objects = map[string]int{}
		for _, r := range served() {
			a.Objects[r.Name] = s.store.Len(r.Name)
		}
	case o.Break:
		s.store.Compact()
		s.server.CutWatches("")
	default:
		err = errors.New("the order is empty")
	}
	if err != nil {
		a.Error = err.Error()
	}
	return a
}

func (s *simulation) startChurn(ctx context.Context, perSecond float64) {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- s.churn.Run(ctx, perSecond) }()
	s.stop = func() error {
		cancel()
		return <-ended
	}
}

// stopChurn ends the changes; the error is that of a change.
func (s *simulation) stopChurn() error {
	if s.stop == nil {
		return nil
	}
	stop := s.stop
	s.stop = nil
	return stop()
}
