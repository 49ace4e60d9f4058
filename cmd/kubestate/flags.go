package main

import (
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"

	"github.com/kubestate/kubestate/internal/conf"
	"github.com/kubestate/kubestate/internal/problem"
)

// takeOptions gives a command groups of options as flags, with the completion of their
// values. An unknown flag does not end the parsing: it is reported with all other
// problems of the options. Call it when the command has its Args and other flags.
func takeOptions(c *cobra.Command, o *conf.Options, groups ...conf.Group) {
	o.AddFlags(c.Flags(), groups...)
	for _, completion := range o.Completions() {
		// The error means that there is no such flag.
		_ = c.RegisterFlagCompletionFunc(completion.Flag, completeValue(completion))
	}
	c.FParseErrWhitelist.UnknownFlagsHandling = pflag.PassUnknownFlagToArgs
	positional := c.Args
	c.Args = func(c *cobra.Command, args []string) error {
		unknown := unknownFlags(c, args)
		switch {
		case len(unknown) == 0 && positional == nil:
			return nil
		case len(unknown) == 0:
			return positional(c, args)
		}
		_, err := o.Complete()
		return usageError{append(unknown, problem.Of(err)...)}
	}
}

// unknownFlags returns a problem for each unknown flag, which the parser leaves among
// the arguments.
func unknownFlags(c *cobra.Command, args []string) problem.List {
	if n := c.ArgsLenAtDash(); n >= 0 {
		args = args[:n]
	}
	var unknown problem.List
	for _, arg := range args {
		if name, _, _ := strings.Cut(arg, "="); strings.HasPrefix(arg, "-") && arg != "-" {
			unknown = append(unknown, unknownFlag(c, name))
		}
	}
	return unknown
}

// completeValue completes the value of a flag, of a list its last item.
func completeValue(c conf.Completion) cobra.CompletionFunc {
	directive := cobra.ShellCompDirectiveDefault
	if c.List || slices.ContainsFunc(c.Values, func(v string) bool { return strings.HasSuffix(v, ":") }) {
		directive |= cobra.ShellCompDirectiveNoSpace
	}
	return func(_ *cobra.Command, _ []string, text string) ([]string, cobra.ShellCompDirective) {
		before := ""
		if c.List {
			before = text[:strings.LastIndex(text, ",")+1]
		}
		var values []string
		for _, v := range c.Values {
			if strings.HasPrefix(before+v, text) {
				values = append(values, before+v)
			}
		}
		return values, directive
	}
}

const (
	helpWidth  = 80 // columns, of no terminal
	flagIndent = "  "
	helpIndent = "      "
)

// usage writes how a command is used: examples first, then commands and flags, those of
// options under the headings of their groups.
func usage(c *cobra.Command) error {
	w := &wrapper{width: terminalWidth(c.OutOrStdout())}
	if c.HasExample() {
		w.line("Examples:", c.Example, "")
	}
	w.line("Usage:")
	if c.Runnable() {
		w.line("  " + c.UseLine())
	}
	if c.HasAvailableSubCommands() {
		w.line("  " + c.CommandPath() + " [command]")
	}
	if c.HasAvailableSubCommands() {
		w.line("", "Commands:")
		for _, sub := range c.Commands() {
			if sub.IsAvailableCommand() || sub.Name() == "help" {
				w.line("  " + sub.Name() + strings.Repeat(" ", sub.NamePadding()-len(sub.Name())) + " " + sub.Short)
			}
		}
	}
	for _, g := range conf.Groups() {
		w.flags(string(g), c.Flags(), string(g))
	}
	w.flags("Flags", c.Flags(), "")
	if c.HasAvailableSubCommands() {
		w.line("", "Run '"+c.CommandPath()+" COMMAND --help' for more about a command.")
	}
	_, err := io.WriteString(c.OutOrStderr(), w.String())
	return err
}

// terminalWidth returns the columns of a terminal, and helpWidth for anything else.
func terminalWidth(out io.Writer) int {
	if f, ok := out.(*os.File); ok {
		if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > len(helpIndent) {
			return width
		}
	}
	return helpWidth
}

// wrapper is text of a limited width.
type wrapper struct {
	strings.Builder

	width int
}

func (w *wrapper) line(lines ...string) {
	for _, l := range lines {
		w.WriteString(l + "\n")
	}
}

// flags writes the flags of a group, if there are any.
func (w *wrapper) flags(heading string, all *pflag.FlagSet, group string) {
	all.VisitAll(func(f *pflag.Flag) {
		if f.Hidden || strings.Join(f.Annotations[conf.GroupAnnotation], "") != group {
			return
		}
		if heading != "" {
			w.line("", heading+":")
			heading = ""
		}
		name, text := pflag.UnquoteUsage(f)
		left := flagIndent + "--" + f.Name
		if f.Shorthand != "" {
			left = flagIndent + "-" + f.Shorthand + ", --" + f.Name
		}
		if name != "" {
			left += " " + name
		}
		if d := f.DefValue; d != "" && d != "0" && d != "false" && d != "[]" {
			left += " (default " + d + ")"
		}
		w.line(left)
		w.paragraph(text)
	})
}

// paragraph writes text, indented and wrapped.
func (w *wrapper) paragraph(text string) {
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && len(helpIndent)+len(line)+1+len(word) > w.width {
			w.line(helpIndent + line)
			line = ""
		}
		line = strings.TrimPrefix(line+" "+word, " ")
	}
	w.line(helpIndent + line)
}
