{
  local config = $._config,
  local s = config.selector,

  local alert(name, severity, wait, expr, summary, description) = {
    alert: name,
    expr: std.strReplace(std.stripChars(expr, ' \n'), '\n  ', '\n'),
    'for': wait,
    labels: { severity: severity },
    annotations: {
      summary: summary,
      description: description,
      runbook_url: config.runbooks % std.asciiLower(name),
    },
  },

  prometheusAlerts+:: {
    groups+: [{
      name: 'kubestate',
      rules: [
        alert('KubestateDown', 'critical', '10m', 'absent(up{%s} == 1)' % s,
              'No kubestate can be scraped.',
              'Prometheus has scraped no target of kubestate for 10 minutes; metrics of the cluster are missing.'),
        alert('KubestateWatchFailing', 'warning', '10m', |||
          kubestate_watch_up{%(s)s} == 0
            unless ignoring (reason) kubestate_watch_failure_info{%(s)s, reason=~"Forbidden|NotFound"}
        ||| % { s: s },
              'kubestate cannot watch a resource.',
              'The watch of {{ $labels.resource }} by {{ $labels.instance }} has failed for 10 minutes; its metrics do not change.'),
        alert('KubestateForbidden', 'warning', '15m', 'kubestate_watch_failure_info{%s, reason="Forbidden"} == 1' % s,
              'kubestate lacks a permission.',
              'The API server does not let {{ $labels.instance }} list or watch {{ $labels.resource }}; its metrics are missing.'),
        alert('KubestateNotSynced', 'warning', '15m', |||
          kubestate_watch_synced{%(s)s} == 0
            unless ignoring (reason) kubestate_watch_failure_info{%(s)s, reason=~"Forbidden|NotFound"}
        ||| % { s: s },
              'kubestate has not read a resource completely.',
              'The initial list of {{ $labels.resource }} by {{ $labels.instance }} has not completed for 15 minutes; its metrics are missing.'),
        alert('KubestateListErrors', 'warning', '15m', |||
          sum by (job, instance, resource) (rate(kube_state_metrics_list_total{%(s)s, result="error"}[5m]))
            / sum by (job, instance, resource) (rate(kube_state_metrics_list_total{%(s)s}[5m]))
            > 0.01
        ||| % { s: s },
              'Lists of kubestate fail.',
              '{{ $value | humanizePercentage }} of the lists of {{ $labels.resource }} by {{ $labels.instance }} fail.'),
        alert('KubestateStale', 'critical', '5m', |||
          time() - max by (job, instance) (kubestate_watch_last_event_timestamp_seconds{%s}) > %d
        ||| % [s, config.staleAfter],
              'kubestate serves stale data.',
              '{{ $labels.instance }} has had no event from the API server for {{ $value | humanizeDuration }}.'),
        alert('KubestateReloadFailed', 'warning', '5m', 'kube_state_metrics_last_config_reload_successful{%s} == 0' % s,
              'A changed configuration of kubestate is invalid.',
              '{{ $labels.instance }} keeps its former configuration: {{ $labels.filename }} is invalid or cannot be read.'),
        alert('KubestateShardsMismatch', 'critical', '15m', 'stdvar(kube_state_metrics_total_shards{%s}) != 0' % s,
              'Shards of kubestate disagree on their number.',
              'Some objects have no metrics or have them twice: not all instances have the same total of shards.'),
        alert('KubestateShardMissing', 'critical', '15m', |||
          max by (job) (kube_state_metrics_total_shards{%(s)s})
            - count by (job) (count by (job, shard_ordinal) (kube_state_metrics_shard_ordinal{%(s)s}))
            != 0
        ||| % { s: s },
              'A shard of kubestate is missing.',
              'Of the shards of {{ $labels.job }}, {{ $value }} cannot be scraped; the metrics of their objects are missing.'),
        alert('KubestateNoLeader', 'critical', '5m', 'sum by (job) (kubestate_leader{%s}) == 0' % s,
              'No replica of kubestate is the leader.',
              'All replicas of {{ $labels.job }} are standbys, so that none serves metrics of the cluster.'),
        alert('KubestateAgentNoLeader', 'critical', '5m', 'sum by (job) (kubestate_agent_leader{%s}) == 0' % s,
              'No replica of the agent is the leader.',
              'All replicas of {{ $labels.job }} are standbys, so that none pushes.'),
        alert('KubestateSinkDropping', 'critical', '10m', 'rate(kubestate_sink_dropped_series_total{%s}[5m]) > 0' % s,
              'kubestate drops series that it should push.',
              'The buffer of the sink {{ $labels.sink }} of {{ $labels.instance }} is full, or the receiver rejects what it gets: {{ $value | humanize }} series per second are lost.'),
        alert('KubestatePushFailing', 'warning', '15m', 'rate(kubestate_agent_runs_total{%s, result="failed"}[5m]) > 0' % s,
              'kubestate cannot push.',
              'Pushes of {{ $labels.instance }} to the sink {{ $labels.sink }} fail.'),
        alert('KubestateMetricsMissing', 'warning', '5m', 'increase(kubestate_store_render_failures_total{%s}[1h]) > 0' % s,
              'kubestate could not compute a metric.',
              'A metric of {{ $labels.resource }} is missing for some objects: a bug in kubestate, which logs the object.'),
        alert('KubestateObjectsInvalid', 'warning', '5m', 'increase(kubestate_watch_decode_errors_total{%s}[1h]) > 0' % s,
              'kubestate cannot read objects.',
              'Objects of {{ $labels.resource }} cannot be decoded and have no metrics.'),
        alert('KubestateMemoryNearLimit', 'warning', '15m', |||
          process_resident_memory_bytes{%s}
            / on (namespace, pod) group_left () max by (namespace, pod) (
              kube_pod_container_resource_limits{%s, resource="memory", container=~"%s"}
            )
            > %s
        ||| % [s, config.stateSelector, config.container, config.memoryShare],
              'kubestate is near its memory limit.',
              '{{ $labels.pod }} uses {{ $value | humanizePercentage }} of its memory limit.'),
      ],
    }],
  },
}
