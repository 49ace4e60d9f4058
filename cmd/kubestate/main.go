// Command kubestate turns the objects of a Kubernetes cluster into metrics.
package main

import (
	"context"
	"errors"
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
	if c, err := c.ExecuteContextC(ctx); err != nil {
		exit, ok := errors.AsType[*exitError](err)
		if ok && exit.err == nil {
			return exit.code
		}
		for problem := range strings.SplitSeq(err.Error(), "\n") {
			_, _ = fmt.Fprintln(stderr, "Error:", problem)
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

func rootCommand(args []string) *cobra.Command {
	c := serveCommand(args)
	c.AddCommand(agentCommand(args), renderCommand(args), demoCommand(args), explainCommand(), compareCommand(), versionCommand())
	// Errors are printed once, by run; the usage would bury them.
	c.SilenceErrors, c.SilenceUsage = true, true
	c.Version = version
	c.Flags().Bool("version", false, "print the version")
	c.SetVersionTemplate(versionText())
	c.Args = knownCommand
	c.SetFlagErrorFunc(suggestFlag)
	for _, command := range append(c.Commands(), c) {
		markUsage(command)
	}
	return c
}
