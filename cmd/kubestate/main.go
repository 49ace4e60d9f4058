// Command kubestate turns the objects of a Kubernetes cluster into metrics.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	_ "time/tzdata" // CronJobs name time zones, and an image may lack them

	"github.com/spf13/cobra"
)

func main() {
	collectOften(gcPercentReading)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run is the whole program: it runs one command and returns the exit code.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	c := rootCommand(args)
	c.SetArgs(args)
	c.SetIn(stdin)
	c.SetOut(stdout)
	c.SetErr(stderr)
	if err := c.ExecuteContext(ctx); err != nil {
		for problem := range strings.SplitSeq(err.Error(), "\n") {
			_, _ = fmt.Fprintln(stderr, "Error:", problem)
		}
		return 1
	}
	return 0
}

func rootCommand(args []string) *cobra.Command {
	c := serveCommand(args)
	c.AddCommand(agentCommand(args), renderCommand(args), demoCommand(args), explainCommand(), versionCommand())
	// Errors are printed once, by run; the usage would bury them.
	c.SilenceErrors, c.SilenceUsage = true, true
	return c
}
