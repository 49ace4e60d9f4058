package main

import (
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/kubestate/kubestate/internal/serve"
)

// version is set by the linker for releases.
var version = "dev"

// buildInfo says what was built, as far as the toolchain recorded it.
func buildInfo() serve.Build {
	b := serve.Build{Version: version, Revision: "unknown", Branch: "unknown"}
	if info, ok := debug.ReadBuildInfo(); ok {
		if b.Version == "dev" && info.Main.Version != "" && info.Main.Version != "(devel)" {
			b.Version = info.Main.Version // of `go install …@version`, or of the repository's tag
		}
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				b.Revision = s.Value
			}
		}
	}
	return b
}

// versionText returns what version and --version print.
func versionText() string {
	b := buildInfo()
	return fmt.Sprintf("kubestate, version %s (revision: %s)\n  go version: %s\n  platform:   %s/%s\n",
		b.Version, b.Revision, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

func versionCommand() *cobra.Command {
	var output string
	c := &cobra.Command{
		Use:     "version",
		Short:   "Print the version",
		Example: "  kubestate version\n  kubestate version -o json",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			b := buildInfo()
			switch output {
			case "text":
				_, err := io.WriteString(c.OutOrStdout(), versionText())
				return err
			case "json":
				e := json.NewEncoder(c.OutOrStdout())
				e.SetIndent("", "  ")
				return e.Encode(map[string]string{
					"version": b.Version, "revision": b.Revision, "goVersion": runtime.Version(),
					"platform": runtime.GOOS + "/" + runtime.GOARCH,
				})
			default:
				return usageError{fmt.Errorf("--output: invalid format %q: must be text or json", output)}
			}
		},
	}
	c.Flags().StringVarP(&output, "output", "o", "text", "output `format`: text or json")
	return c
}
