// Command release builds what a release of kubestate consists of: the container
// image, and archives of the program for every platform. It needs neither a
// container daemon nor a registry, and what it writes depends only on the commit
// and the version, so a second build gives the same bytes.
//
//	release image --version v1.2.3 --out bin/image     an OCI image layout
//	release archives --version v1.2.3 --out bin/release
//	release push --layout bin/image REGISTRY/NAME:TAG
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "Error:", err)
		stop()
		os.Exit(1)
	}
}

// run executes one command and reports on w what it wrote.
func run(ctx context.Context, args []string, w io.Writer) error {
	usage := errors.New("usage: release image|archives --version VERSION --out DIR, or release push --layout DIR REFERENCE")
	if len(args) == 0 {
		return usage
	}
	flags := flag.NewFlagSet(args[0], flag.ContinueOnError)
	root := flags.String("root", ".", "root `directory` of the repository")
	version := flags.String("version", "", "version of the release, for example v1.2.3")
	out := flags.String("out", "", "`directory` to write to, which is emptied first")
	list := flags.String("platforms", archivePlatforms, "`platforms` of the archives")
	from := flags.String("layout", "", "`directory` of the OCI image layout to push")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	switch {
	case args[0] == "push" && *from != "" && flags.NArg() == 1:
		return push(ctx, w, *from, flags.Arg(0))
	case args[0] != "image" && args[0] != "archives", *version == "", *out == "", flags.NArg() > 0:
		return usage
	}
	platforms, err := parsePlatforms(*list)
	if err != nil {
		return err
	}
	src, err := newSource(ctx, *root, *version)
	if err != nil {
		return err
	}
	if err := os.RemoveAll(*out); err != nil {
		return err
	}
	if args[0] == "image" {
		return writeImage(ctx, w, src, *out)
	}
	return writeArchives(ctx, w, src, platforms, *out)
}
