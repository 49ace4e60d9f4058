package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os/exec"
	"slices"
	"strconv"

	"github.com/kubestate/kubestate/internal/sim/apiserver"
)

// clusterProcess is a simulated API server in another process. One goroutine uses it.
type clusterProcess struct {
	url     string
	process *process
	orders  *json.Encoder
	answers *json.Decoder
}

// startCluster returns when the cluster is generated and served.
func startCluster(ctx context.Context, p programs, nodes, pods int) (*clusterProcess, error) {
	command := exec.Command(p.bench, apiServerCommand, "--nodes", strconv.Itoa(nodes), "--pods", strconv.Itoa(pods))
	in, err1 := command.StdinPipe()
	out, err2 := command.StdoutPipe()
	if err := errors.Join(err1, err2); err != nil {
		return nil, fmt.Errorf("start the simulated API server: %w", err)
	}
	process, err := start(ctx, "the simulated API server", command, io.Discard)
	if err != nil {
		return nil, err
	}
	c := &clusterProcess{process: process, orders: json.NewEncoder(in), answers: json.NewDecoder(out)}
	first, err := c.receive()
	if err != nil {
		c.process.end()
		return nil, err
	}
	c.url = first.URL
	return c, nil
}

func (c *clusterProcess) end() { c.process.end() }

// order gives an order and waits until it is carried out.
func (c *clusterProcess) order(o order) (answer, error) {
	if err := c.orders.Encode(o); err != nil {
		return answer{}, c.lost(err)
	}
	return c.receive()
}

func (c *clusterProcess) receive() (answer, error) {
	var a answer
	if err := c.answers.Decode(&a); err != nil {
		return a, c.lost(err)
	}
	if a.Error != "" {
		return a, fmt.Errorf("the simulated API server: %s", a.Error)
	}
	return a, nil
}

// lost explains why the API server does not respond: its own output says more than the
// broken pipe.
func (c *clusterProcess) lost(err error) error {
	c.process.end()
	return fmt.Errorf("the simulated API server does not answer: %w\n%s", err, c.process.log.bytes())
}

// change changes a share of the objects and returns how.
func (c *clusterProcess) change(share float64) (map[string]apiserver.Changes, error) {
	a, err := c.order(order{Change: share})
	return a.Changes, err
}

// churn starts making changes at a rate per second.
func (c *clusterProcess) churn(perSecond float64) error {
	_, err := c.order(order{Churn: &perSecond})
	return err
}

// count returns the number of objects of each resource.
func (c *clusterProcess) count() (map[string]int, error) {
	a, err := c.order(order{Count: true})
	return a.Objects, err
}

func sum(counts map[string]int) int {
	n := 0
	for c := range maps.Values(counts) {
		n += c
	}
	return n
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
