package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/kubestate/kubestate/internal/conf"
)

// takeOptions gives a command groups of options as flags. args is the command
// line of the program. A flag that does not exist does not end the parsing, so
// that it is told together with all that check returns, which otherwise is the
// command's to call.
func takeOptions(c *cobra.Command, args []string, o *conf.Options, check func() error, groups ...conf.Group) {
	o.AddFlags(c.Flags(), groups...)
	c.FParseErrWhitelist.UnknownFlags = true
	c.PreRunE = func(c *cobra.Command, _ []string) error {
		unknown := unknownFlags(c.Flags(), args)
		if len(unknown) == 0 {
			return nil
		}
		return errors.Join(append(unknown, check())...)
	}
}

// completes returns a check of options that says no more than that.
func completes(o *conf.Options) func() error {
	return func() error {
		_, err := o.Complete()
		return err
	}
}

// unknownFlags returns an error for each flag in args that is not in fs.
func unknownFlags(fs *pflag.FlagSet, args []string) []error {
	var unknown []error
	for i := 0; i < len(args) && args[i] != "--"; i++ {
		name, _, hasValue := strings.Cut(args[i], "=")
		f, ok := lookup(fs, name)
		switch {
		case !ok:
		case f == nil:
			unknown = append(unknown, fmt.Errorf("unknown flag: %s", name))
		case !hasValue && f.NoOptDefVal == "":
			i++ // the next argument is the value
		}
	}
	return unknown
}

// lookup returns the flag that an argument names, nil if there is none of that
// name. It is not ok where the argument is no flag at all.
func lookup(fs *pflag.FlagSet, arg string) (f *pflag.Flag, ok bool) {
	if name, long := strings.CutPrefix(arg, "--"); long {
		return fs.Lookup(name), true
	}
	if name, short := strings.CutPrefix(arg, "-"); short && name != "" {
		return fs.ShorthandLookup(name[:1]), true
	}
	return nil, false
}
