package main

import (
	"context"
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/kubestate/kubestate/internal/manifest"
	"github.com/kubestate/kubestate/internal/sim/apiserver"
	"github.com/kubestate/kubestate/kind"
)

// TestMain lets the scripts run this program as the command kubestate.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"kubestate": func() {
		os.Exit(run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
	}})
}

func TestScripts(t *testing.T) {
	if raceDetector {
		t.Skip("slow: make without-race runs it, and test/e2e a program with the race detector")
	}
	testscript.Run(t, testscript.Params{
		WorkdirRoot: t.TempDir(),
		Dir:         "testdata/script", UpdateScripts: os.Getenv("UPDATE") != "",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"cluster": startCluster},
	})
}

// startCluster is the command cluster FILE of scripts: an API server with the
// objects of a file, at $APISERVER until the end of the script.
func startCluster(ts *testscript.TestScript, _ bool, args []string) {
	store, err := apiserver.NewStore(apiserver.StoreConfig{Resources: simulated()})
	ts.Check(err)
	for _, name := range args {
		err := manifest.NewReader(kind.All()).Read(name, []byte(ts.ReadFile(name)), func(_ *kind.Table, o kind.Object) { ts.Check(store.Put(o)) })
		ts.Check(err)
	}
	server, err := apiserver.Start(apiserver.New(store, apiserver.Config{}), 0)
	ts.Check(err)
	ts.Defer(server.Close)
	ts.Setenv("APISERVER", server.URL)
}
