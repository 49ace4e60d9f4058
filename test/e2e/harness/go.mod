module github.com/kubestate/kubestate/test/e2e/harness

go 1.26.0
