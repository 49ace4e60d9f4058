// Command bench measures kubestate as a user runs it: the built binary, in its own
// process, against a simulated API server in another. Each figure is next to a
// reference cost measured in the same run on the same machine, because machines differ
// and ratios do not.
//
//	go run ./test/bench --scenario 20k       the table of one scenario
//	go run ./test/bench agent --pods 20000   the agent alone, next to the old way
//	go run ./test/bench soak --duration 10m  the same pair under change and scrapes, for long
//
// It does not judge: a ratio that misses its limit is printed, and the exit code is
// still 0. The soak is different, as a leak is a fault.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is the program; it returns the exit code.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	var err error
	switch {
	case len(args) > 0 && args[0] == apiServerCommand:
		err = serveCluster(ctx, args[1:], stdin, stdout, stderr)
	case len(args) > 0 && args[0] == receiveCommand:
		err = receiveMain(ctx, args[1:], stdin, stdout)
	case len(args) > 0 && args[0] == agentCommand:
		err = agentMain(ctx, args[1:], stdout, stderr)
	case len(args) > 0 && args[0] == "soak":
		err = soakCommand(ctx, args[1:], stdout, stderr)
	default:
		err = benchCommand(ctx, args, stdout, stderr)
	}
	if err != nil {
		_, _ = fmt.Fprintln(stderr, "bench:", err)
		return 1
	}
	return 0
}

// benchCommand measures the scenarios that the flags choose.
func benchCommand(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	name := flags.String("scenario", "20k", "`name` of what to measure: "+strings.Join(scenarioNames(), ", "))
	nodes := flags.Int("nodes", 0, "nodes of the cluster, instead of the scenario's")
	pods := flags.Int("pods", 0, "pods of the cluster, instead of the scenario's")
	churn := flags.Float64("churn", 50, "changes per second of the row that scrapes under change; 0 leaves it out")
	file := flags.String("json", "", "`file` that gets the results as JSON")
	binary := flags.String("kubestate", "", "kubestate `program` to measure, instead of building the present source")
	pace := pace{settle: 3 * time.Second}
	flags.DurationVar(&pace.rest, "rest", 40*time.Second, "time that memory gets to come to rest, after the start and after scrapes")
	flags.DurationVar(&pace.quiet, "quiet", 5*time.Second, "length of the quiet moment between a change and a scrape")
	flags.IntVar(&pace.scrapes, "scrapes", 9, "least number of scrapes per figure")
	if err := flags.Parse(args); err != nil {
		return err
	}
	scenarios, err := chooseScenarios(*name, *nodes, *pods)
	if err != nil {
		return err
	}
	for i := range scenarios {
		scenarios[i].Churn = *churn
	}
	programs, err := preparePrograms(ctx, *binary)
	if err != nil {
		return err
	}
	defer programs.remove()
	r := report{Machine: thisMachine(), Started: time.Now().UTC().Truncate(time.Second)}
	_, _ = fmt.Fprintln(stdout, r.Machine)
	for _, s := range scenarios {
		result, err := measure(ctx, s, programs, pace, stderr)
		if err != nil {
			return fmt.Errorf("scenario %s: %w", s.Name, err)
		}
		r.Scenarios = append(r.Scenarios, result)
		result.write(stdout)
	}
	r.Growth = growth(r.Scenarios)
	writeGrowth(stdout, r.Growth)
	return r.save(*file)
}

// report is everything that a run measured, as it is written to JSON.
type report struct {
	Machine   machine   `json:"machine"`
	Started   time.Time `json:"started"`
	Scenarios []*result `json:"scenarios"`
	Growth    []row     `json:"growth,omitempty"`
}

// save writes the report; an empty name writes nothing.
func (r *report) save(file string) error {
	if file == "" {
		return nil
	}
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("write results: %w", err)
	}
	if err := os.WriteFile(file, append(data, '\n'), 0o644); err != nil {
		return fmt.Errorf("write results: %w", err)
	}
	return nil
}
