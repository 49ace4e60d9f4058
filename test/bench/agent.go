package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os/exec"
	"strconv"
)

// agentCommand is the subcommand that measures the agent.
const agentCommand = "agent"

// agentResult is the cost of the agent next to that of the old way.
type agentResult struct {
	Nodes   int   `json:"nodes"`
	Pods    int   `json:"pods"`
	Changed int   `json:"changed_objects"` // by a change of 1 %
	Series  int   `json:"series"`          // per flush of the agent
	Checks  int   `json:"checks"`
	OldWay  int   `json:"old_way_points"` // series and checks of the old way
	Rows    []row `json:"rows,omitempty"`
}

// agentMain measures the agent in this process and prints a table or, for another
// process, JSON.
func agentMain(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet(agentCommand, flag.ContinueOnError)
	flags.SetOutput(stderr)
	nodes := flags.Int("nodes", 500, "nodes of the cluster")
	pods := flags.Int("pods", 20_000, "pods of the cluster")
	runs := flags.Int("runs", 3, "how often 1 % changes and both ways run")
	asJSON := flags.Bool("json", false, "print JSON rather than a table")
	if err := flags.Parse(args); err != nil {
		return err
	}
	r, err := measureAgent(ctx, *nodes, *pods, *runs, stderr)
	if err != nil {
		return fmt.Errorf("measure the agent: %w", err)
	}
	if *asJSON {
		return json.NewEncoder(stdout).Encode(r)
	}
	r.write(stdout)
	return nil
}

func (r *agentResult) write(w io.Writer) {
	fmt.Fprintf(w, "\n### agent: %s nodes, %s pods\n\n", thousands(r.Nodes), thousands(r.Pods))
	fmt.Fprintf(w, "%s A change of 1 %% changes %s objects.\n\n", r, thousands(r.Changed))
	writeRows(w, r.Rows)
}

func (r *agentResult) String() string {
	return fmt.Sprintf("A run of the agent has %s series and %s checks; the old way makes %s of both.",
		thousands(r.Series), thousands(r.Checks), thousands(r.OldWay))
}

// agent measures the agent in its own process, so that its memory and that of the old
// way do not add to this one's. It is the last step: other processes have ended, as the
// old way may need all memory.
func (m *measurement) agent(ctx context.Context) error {
	m.kubestate.end()
	m.cluster.end()
	m.say("measuring the agent and the old way")
	command := exec.CommandContext(ctx, m.programs.bench, agentCommand, "--json",
		"--nodes", strconv.Itoa(m.Nodes), "--pods", strconv.Itoa(m.Pods), "--runs", strconv.Itoa(max(1, m.pace.scrapes/3)))
	var messages bytes.Buffer
	command.Stderr = &messages
	out, err := command.Output()
	if err != nil {
		return fmt.Errorf("measure the agent: %w\n%s", err, bytes.TrimSpace(messages.Bytes()))
	}
	var r agentResult
	if err := json.Unmarshal(out, &r); err != nil {
		return fmt.Errorf("measure the agent: %w", err)
	}
	m.Rows = append(m.Rows, r.Rows...)
	r.Rows = nil
	m.Agent = &r
	return nil
}
