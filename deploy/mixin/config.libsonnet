{
  _config+:: {
    // Selects the self metrics of kubestate (the telemetry port).
    selector: 'job="kube-state-metrics"',
    // Selects the metrics of the cluster's objects.
    stateSelector: 'job="kube-state-metrics"',
    // Containers of kubestate, for the alert about memory.
    container: 'kube-state-metrics|kubestate',
    // Seconds without any event of the API server after which data are stale.
    // A cluster with Nodes has events every few seconds: their Leases.
    staleAfter: 600,
    // Share of the memory limit that is too much.
    memoryShare: 0.9,
    runbooks: 'https://github.com/kubestate/kubestate/blob/main/docs/runbooks.md#%s',
  },
}
