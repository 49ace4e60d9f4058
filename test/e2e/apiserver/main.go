// Command apiserver is a Kubernetes API server with its etcd in one process, for tests.
// It does not know about tests: it runs until SIGTERM, SIGINT or SIGKILL, and another
// run with the same etcd directory finds the objects of the previous one.
//
//	apiserver ETCD-DIRECTORY [kube-apiserver flag ...]
package main

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"time"

	"go.etcd.io/etcd/server/v3/embed"
	"k8s.io/component-base/cli"
	"k8s.io/kubernetes/cmd/kube-apiserver/app"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: apiserver ETCD-DIRECTORY [kube-apiserver flag ...]")
		os.Exit(2)
	}
	etcd, err := startEtcd(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, "apiserver:", err)
		os.Exit(1)
	}
	command := app.NewAPIServerCommand()
	command.SetArgs(append([]string{"--etcd-servers=http://" + etcd.Clients[0].Addr().String()}, os.Args[2:]...))
	code := cli.Run(command)
	etcd.Close()
	os.Exit(code)
}

// startEtcd starts a one-member etcd on free ports of 127.0.0.1 and returns when it is
// ready.
func startEtcd(dir string) (*embed.Etcd, error) {
	anyPort := []url.URL{{Scheme: "http", Host: "127.0.0.1:0"}}
	config := embed.NewConfig()
	config.Dir = dir
	config.ListenClientUrls, config.AdvertiseClientUrls = anyPort, anyPort
	config.ListenPeerUrls, config.AdvertisePeerUrls = anyPort, anyPort
	config.InitialCluster = config.InitialClusterFromName(config.Name)
	config.LogLevel = "error"
	config.UnsafeNoFsync = true // the data has to outlive the process, not the machine
	etcd, err := embed.StartEtcd(config)
	if err != nil {
		return nil, fmt.Errorf("start etcd in %s: %w", dir, err)
	}
	select {
	case <-etcd.Server.ReadyNotify():
		return etcd, nil
	case err := <-etcd.Err():
		return nil, fmt.Errorf("start etcd in %s: %w", dir, err)
	case <-time.After(time.Minute):
		etcd.Close()
		return nil, errors.New("start etcd: not ready after one minute")
	}
}
