{{/* The limits that ServiceMonitor and ScrapeConfig have in common. */}}
{{- define "kubestate.scrapeLimits" -}}
{{- $limits := . -}}
{{- range $key := list "sampleLimit" "targetLimit" "labelLimit" "labelNameLengthLimit" "labelValueLengthLimit" }}
{{- with get $limits $key }}
{{ $key }}: {{ int64 . }}
{{- end }}
{{- end }}
{{- end -}}

{{/* An endpoint of a ServiceMonitor, from the values of prometheus.monitor.http. */}}
{{- define "kubestate.endpoint" -}}
{{- $endpoint := . | default dict -}}
{{- range $key := list "interval" "scrapeTimeout" "proxyUrl" "scheme" "bearerTokenFile" }}
{{- with get $endpoint $key }}
{{ $key }}: {{ . }}
{{- end }}
{{- end }}
{{- with $endpoint.enableHttp2 }}
enableHttp2: {{ . }}
{{- end }}
{{- with $endpoint.honorLabels }}
honorLabels: {{ . }}
{{- end }}
{{- range $key := list "bearerTokenSecret" "tlsConfig" "metricRelabelings" "relabelings" }}
{{- with get $endpoint $key }}
{{ $key }}:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
{{- end -}}
