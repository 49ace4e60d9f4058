{{/* The flags of kubestate, one a line. Arguments: root, resources (a list), flags (more flags), lease (its name or empty). */}}
{{- define "kubestate.args" -}}
{{- $v := .root.Values -}}
{{- if $v.kubeRBACProxy.enabled }}
- --host=127.0.0.1
- --port={{ $v.kubeRBACProxy.port }}
- --telemetry-host=127.0.0.1
- --telemetry-port={{ add1 $v.kubeRBACProxy.port }}
{{- else }}
- --port={{ $v.service.port }}
{{- with $v.selfMonitor.telemetryHost }}
- --telemetry-host={{ . }}
{{- end }}
- --telemetry-port={{ $v.selfMonitor.telemetryPort }}
{{- end }}
- --resources={{ join "," .resources }}
{{- with $v.metricLabelsAllowlist }}
- --metric-labels-allowlist={{ join "," . }}
{{- end }}
{{- with $v.metricAnnotationsAllowList }}
- --metric-annotations-allowlist={{ join "," . }}
{{- end }}
{{- with $v.metricAllowlist }}
- --metric-allowlist={{ join "," . }}
{{- end }}
{{- with $v.metricDenylist }}
- --metric-denylist={{ join "," . }}
{{- end }}
{{- with include "kubestate.namespaces" .root | fromJsonArray }}
- --namespaces={{ join "," . }}
{{- end }}
{{- with include "kubestate.list" ($v.namespacesDenylist | default "") | fromJsonArray }}
- --namespaces-denylist={{ join "," . }}
{{- end }}
{{- if $v.autosharding.enabled }}
- --pod=$(POD_NAME)
- --pod-namespace=$(POD_NAMESPACE)
{{- end }}
{{- with .lease }}
- --leader-election
- --leader-election-name={{ . }}
- --leader-election-namespace={{ include "kubestate.namespace" $.root }}
{{- end }}
{{- if $v.kubeconfig.enabled }}
- --kubeconfig=/opt/k8s/.kube/config
{{- end }}
{{- if $v.customResourceState.enabled }}
- --custom-resource-state-config-file=/etc/customresourcestate/{{ $v.customResourceState.key }}
{{- end }}
{{- if $v.authFilter.enabled }}
- --auth-filter
{{- end }}
{{- if $v.tls.secretName }}
- --tls-config=/etc/kubestate-tls/{{ $v.tls.key }}
{{- end }}
{{- if $v.config }}
- --config=/etc/kubestate/config.yaml
{{- end }}
{{- range .flags }}
- {{ . }}
{{- end }}
{{- range $v.extraArgs }}
- {{ tpl . $.root | quote }}
{{- end }}
{{- end -}}

{{/* A probe. Arguments: probe, path, port, tls. */}}
{{- define "kubestate.probe" -}}
failureThreshold: {{ .probe.failureThreshold }}
httpGet:
  {{- with .probe.httpGet.httpHeaders }}
  httpHeaders:
  {{- toYaml . | nindent 2 }}
  {{- end }}
  path: {{ .path }}
  port: {{ .port }}
  scheme: {{ ternary "HTTPS" (upper .probe.httpGet.scheme) .tls }}
initialDelaySeconds: {{ .probe.initialDelaySeconds }}
periodSeconds: {{ .probe.periodSeconds }}
successThreshold: {{ .probe.successThreshold }}
timeoutSeconds: {{ .probe.timeoutSeconds }}
{{- end -}}

{{/* A container of kube-rbac-proxy. Arguments: root, name, port (where it listens), upstream (local port), health. */}}
{{- define "kubestate.proxy" -}}
{{- $p := .root.Values.kubeRBACProxy -}}
- name: kube-rbac-proxy-{{ .name }}
  image: {{ include "kubestate.image" (dict "root" .root "image" $p.image) }}
  imagePullPolicy: {{ $p.image.pullPolicy }}
  args:
  {{- if $p.ignoreProbePaths }}
  - --ignore-paths=/livez,/readyz,/healthz
  {{- end }}
  - --secure-listen-address=:{{ .port }}
  - --upstream=http://127.0.0.1:{{ .upstream }}/
  - --proxy-endpoints-port={{ .health }}
  - --config-file=/etc/kube-rbac-proxy-config/config-file.yaml
  {{- range $p.extraArgs }}
  - {{ tpl . $.root | quote }}
  {{- end }}
  ports:
  - name: {{ .name }}
    containerPort: {{ .port }}
  - name: {{ .name }}-healthz
    containerPort: {{ .health }}
  readinessProbe:
    httpGet:
      scheme: HTTPS
      port: {{ .health }}
      path: healthz
    initialDelaySeconds: 5
    timeoutSeconds: 5
  {{- with $p.resources }}
  resources:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $p.containerSecurityContext }}
  securityContext:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  volumeMounts:
  - name: kube-rbac-proxy-config
    mountPath: /etc/kube-rbac-proxy-config
    readOnly: true
  {{- with $p.volumeMounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}

{{/* A template of Pods. Arguments as of kubestate.args, and component. */}}
{{- define "kubestate.podTemplate" -}}
{{- $v := .root.Values -}}
metadata:
  labels:
    {{- include "kubestate.labels" .root | nindent 4 }}
    app.kubernetes.io/component: {{ .component }}
    {{- with $v.podLabels }}
    {{- tpl (toYaml .) $.root | nindent 4 }}
    {{- end }}
  {{- if or $v.config $v.podAnnotations }}
  annotations:
    {{- if $v.config }}
    checksum/config: {{ toYaml $v.config | sha256sum }}
    {{- end }}
    {{- with $v.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- end }}
spec:
  automountServiceAccountToken: {{ $v.automountServiceAccountToken }}
  hostNetwork: {{ $v.hostNetwork }}
  {{- if kindIs "bool" $v.hostUsers }}
  hostUsers: {{ $v.hostUsers }}
  {{- end }}
  serviceAccountName: {{ include "kubestate.serviceAccountName" .root }}
  {{- if $v.securityContext.enabled }}
  securityContext:
    {{- omit $v.securityContext "enabled" | toYaml | nindent 4 }}
  {{- end }}
  {{- with $v.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  dnsPolicy: {{ $v.dnsPolicy }}
  {{- with $v.dnsConfig }}
  dnsConfig:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $v.initContainers }}
  initContainers:
  {{- tpl (kindIs "string" . | ternary . (toYaml .)) $.root | nindent 2 }}
  {{- end }}
  containers:
  {{- include "kubestate.container" . | nindent 2 }}
  {{- if $v.kubeRBACProxy.enabled }}
  {{- include "kubestate.proxy" (dict "root" .root "name" "http" "port" $v.service.port "upstream" $v.kubeRBACProxy.port "health" $v.kubeRBACProxy.proxyEndpointsPort) | nindent 2 }}
  {{- if $v.selfMonitor.enabled }}
  {{- include "kubestate.proxy" (dict "root" .root "name" "metrics" "port" $v.selfMonitor.telemetryPort "upstream" (add1 $v.kubeRBACProxy.port) "health" (add1 $v.kubeRBACProxy.proxyEndpointsPort)) | nindent 2 }}
  {{- end }}
  {{- end }}
  {{- with $v.containers }}
  {{- tpl (kindIs "string" . | ternary . (toYaml .)) $.root | nindent 2 }}
  {{- end }}
  {{- with include "kubestate.imagePullSecrets" (dict "root" .root "secrets" $v.imagePullSecrets) }}
  imagePullSecrets:
  {{- trim . | nindent 2 }}
  {{- end }}
  {{- with $v.affinity }}
  affinity:
    {{- tpl (toYaml .) $.root | nindent 4 }}
  {{- end }}
  {{- with $v.nodeSelector }}
  nodeSelector:
    {{- tpl (toYaml .) $.root | nindent 4 }}
  {{- end }}
  {{- with $v.tolerations }}
  tolerations:
  {{- tpl (toYaml .) $.root | nindent 2 }}
  {{- end }}
  {{- with $v.topologySpreadConstraints }}
  topologySpreadConstraints:
  {{- tpl (kindIs "string" . | ternary . (toYaml .)) $.root | nindent 2 }}
  {{- end }}
  {{- with include "kubestate.volumes" .root }}
  volumes:
  {{- trim . | nindent 2 }}
  {{- end }}
{{- end -}}

{{- define "kubestate.container" -}}
{{- $v := .root.Values -}}
{{- $tls := ne $v.tls.secretName "" -}}
- name: kube-state-metrics
  image: {{ include "kubestate.image" (dict "root" .root "image" $v.image "tag" (printf "v%s" .root.Chart.AppVersion)) }}
  imagePullPolicy: {{ $v.image.pullPolicy }}
  args:
  {{- include "kubestate.args" . | trim | nindent 2 }}
  env:
  - name: POD_NAME
    valueFrom:
      fieldRef:
        fieldPath: metadata.name
  - name: POD_NAMESPACE
    valueFrom:
      fieldRef:
        fieldPath: metadata.namespace
  - name: NODE_NAME
    valueFrom:
      fieldRef:
        fieldPath: spec.nodeName
  {{- with $v.env }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
  {{- if not $v.kubeRBACProxy.enabled }}
  ports:
  - name: http
    containerPort: {{ $v.service.port }}
  - name: metrics
    containerPort: {{ $v.selfMonitor.telemetryPort }}
  {{- /* Behind kube-rbac-proxy both ports are local, where the kubelet reaches neither. */}}
  {{- if $v.startupProbe.enabled }}
  startupProbe:
    {{- include "kubestate.probe" (dict "probe" $v.startupProbe "path" "/healthz" "port" "http" "tls" $tls) | nindent 4 }}
  {{- end }}
  livenessProbe:
    {{- include "kubestate.probe" (dict "probe" $v.livenessProbe "path" "/livez" "port" "http" "tls" $tls) | nindent 4 }}
  readinessProbe:
    {{- include "kubestate.probe" (dict "probe" $v.readinessProbe "path" "/readyz" "port" "metrics" "tls" $tls) | nindent 4 }}
  {{- else if $v.kubeRBACProxy.ignoreProbePaths }}
  livenessProbe:
    {{- include "kubestate.probe" (dict "probe" $v.livenessProbe "path" "/livez" "port" $v.service.port "tls" true) | nindent 4 }}
  readinessProbe:
    {{- include "kubestate.probe" (dict "probe" $v.readinessProbe "path" "/readyz" "port" $v.service.port "tls" true) | nindent 4 }}
  {{- end }}
  {{- with $v.resources }}
  resources:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $v.containerSecurityContext }}
  securityContext:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with include "kubestate.mounts" .root }}
  volumeMounts:
  {{- . | nindent 2 }}
  {{- end }}
{{- end -}}

{{- define "kubestate.mounts" -}}
{{- $v := .Values -}}
{{- if $v.kubeconfig.enabled }}
- name: kubeconfig
  mountPath: /opt/k8s/.kube/
  readOnly: true
{{- end }}
{{- if $v.customResourceState.enabled }}
- name: customresourcestate-config
  mountPath: /etc/customresourcestate
  readOnly: true
{{- end }}
{{- if $v.config }}
- name: config
  mountPath: /etc/kubestate
  readOnly: true
{{- end }}
{{- if $v.tls.secretName }}
- name: tls
  mountPath: /etc/kubestate-tls
  readOnly: true
{{- end }}
{{- with $v.volumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "kubestate.volumes" -}}
{{- $v := .Values -}}
{{- if $v.kubeconfig.enabled }}
- name: kubeconfig
  secret:
    secretName: {{ include "kubestate.fullname" . }}-kubeconfig
{{- end }}
{{- if $v.customResourceState.enabled }}
- name: customresourcestate-config
  configMap:
    name: {{ include "kubestate.customResourceStateName" . }}
{{- end }}
{{- if $v.config }}
- name: config
  configMap:
    name: {{ include "kubestate.fullname" . }}-config
{{- end }}
{{- if $v.tls.secretName }}
- name: tls
  secret:
    secretName: {{ $v.tls.secretName }}
{{- end }}
{{- if $v.kubeRBACProxy.enabled }}
- name: kube-rbac-proxy-config
  configMap:
    name: {{ include "kubestate.fullname" . }}-rbac-config
{{- end }}
{{- with $v.volumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}
