// Command kubestate turns the objects of a Kubernetes cluster into metrics.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // CronJobs name time zones, and an image may lack them

	"github.com/spf13/cobra"

	"github.com/kubestate/kubestate/internal/problem"
)

func main() {
	setGCPercent(gcPercentReading)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run is the whole program: it runs one command and returns the exit code.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	c := rootCommand()
	c.SetArgs(args)
	c.SetIn(stdin)
	c.SetOut(stdout)
	c.SetErr(stderr)
	if c, err := c.ExecuteContextC(ctx); err != nil {
		exit, ok := errors.AsType[*exitError](err)
		if ok && exit.err == nil {
			return exit.code
		}
		for _, p := range problem.Of(err) {
			_, _ = fmt.Fprintln(stderr, "Error:", p)
		}
		if _, usage := errors.AsType[usageError](err); usage {
			_, _ = fmt.Fprintf(stderr, "Run '%s --help' for usage.\n", c.CommandPath())
		}
		if ok {
			return exit.code
		}
		return 1
	}
	return 0
}

// exitError ends the program with a code other than 1, or without a message.
type exitError struct {
	code int
	err  error // nil: nothing to say
}

func (e *exitError) Error() string { return e.err.Error() }

func (e *exitError) Unwrap() error { return e.err }

func rootCommand() *cobra.Command {
	c := serveCommand()
	c.AddCommand(agentCommand(), renderCommand(), demoCommand(), explainCommand(), scaffoldCommand(), compareCommand(), checkCommand(), rbacCommand(), versionCommand())
	c.SetUsageFunc(usage)
	// run prints errors, without the usage, which would bury them.
	c.SilenceErrors, c.SilenceUsage = true, true
	c.Version = version
	c.Flags().Bool("version", false, "print the version")
	c.SetVersionTemplate(versionText())
	c.SetFlagErrorFunc(flagError)
	for _, command := range append(c.Commands(), c) {
		markUsage(command)
	}
	return c
}
