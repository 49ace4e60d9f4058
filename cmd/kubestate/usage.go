package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/kubestate/kubestate/internal/problem"
	"github.com/kubestate/kubestate/internal/spell"
)

// usageError is an error in the command line, after which run points to --help.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// asUsage returns err as a usageError; nil stays nil.
func asUsage(err error) error {
	if err == nil {
		return nil
	}
	return usageError{err}
}

// markUsage makes the errors of a command about its arguments and flags usage errors.
func markUsage(c *cobra.Command) {
	if check := c.Args; check != nil {
		c.Args = func(c *cobra.Command, args []string) error { return asUsage(check(c, args)) }
	}
	if check := c.PreRunE; check != nil {
		c.PreRunE = func(c *cobra.Command, args []string) error { return asUsage(check(c, args)) }
	}
}

// knownCommand is the check of the arguments of the root: those that it sees are no
// commands.
func knownCommand(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, s := range c.Commands() {
		names = append(names, s.Name())
	}
	return fmt.Errorf("unknown command %q%s", args[0], spell.Hint(args[0], names))
}

// unknownFlag returns the problem that a command has no such flag.
func unknownFlag(c *cobra.Command, name string) problem.Problem {
	var names []string
	c.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, "--"+f.Name) })
	return problem.Problem{Source: "unknown flag", What: problem.Cut(name), Hint: spell.Near(name, names)}
}

// flagError adds to an error about an unknown flag the one that was probably meant. The
// flags of options have it from unknownFlags.
func flagError(c *cobra.Command, err error) error {
	if unknown, ok := errors.AsType[*pflag.NotExistError](err); ok && unknown.GetSpecifiedShortnames() == "" {
		err = unknownFlag(c, "--"+unknown.GetSpecifiedName())
	}
	return usageError{err}
}
