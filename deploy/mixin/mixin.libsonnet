// The mixin of kubestate: alerts and dashboards for Prometheus and Grafana.
// With jsonnet-bundler, import it and change what is in _config:
//
//   (import 'kubestate/deploy/mixin/mixin.libsonnet') + { _config+:: { selector: 'job="kubestate"' } }
(import 'config.libsonnet') +
(import 'alerts.libsonnet') +
(import 'dashboards.libsonnet')
