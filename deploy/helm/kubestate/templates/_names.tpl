{{/* The value of app.kubernetes.io/name. It is that of the chart kube-state-metrics: selectors
cannot be changed by an upgrade, and dashboards select on the job of this name. */}}
{{- define "kubestate.name" -}}
{{- .Values.nameOverride | default "kube-state-metrics" | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "kubestate.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- $name := .Values.nameOverride | default "kube-state-metrics" -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "kubestate.namespace" -}}
{{- .Values.namespaceOverride | default .Release.Namespace -}}
{{- end -}}

{{- define "kubestate.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- .Values.serviceAccount.name | default (include "kubestate.fullname" .) -}}
{{- else -}}
{{- .Values.serviceAccount.name | default "default" -}}
{{- end -}}
{{- end -}}

{{- define "kubestate.selectorLabels" -}}
{{- if .Values.selectorOverride -}}
{{ toYaml .Values.selectorOverride }}
{{- else -}}
app.kubernetes.io/name: {{ include "kubestate.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}
{{- end -}}

{{- define "kubestate.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: {{ include "kubestate.name" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
{{ include "kubestate.selectorLabels" . }}
{{- if .Values.selectorOverride }}
app.kubernetes.io/name: {{ include "kubestate.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}
{{- if .Values.releaseLabel }}
release: {{ .Release.Name }}
{{- end }}
{{- with .Values.customLabels }}
{{ tpl (toYaml .) $ }}
{{- end }}
{{- end -}}

{{/* Metadata of an object. Arguments: root, name, component, and optionally annotations, labels, namespace. */}}
{{- define "kubestate.metadata" -}}
name: {{ .name }}
{{- if not .clusterScoped }}
namespace: {{ .namespace | default (include "kubestate.namespace" .root) }}
{{- end }}
labels:
  {{- include "kubestate.labels" .root | nindent 2 }}
  app.kubernetes.io/component: {{ .component | default "metrics" }}
  {{- with .labels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with .annotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* An image. Arguments: root, image, tag. */}}
{{- define "kubestate.image" -}}
{{- printf "%s/%s:%s" (.root.Values.global.imageRegistry | default .image.registry) .image.repository (.image.tag | default .tag) -}}
{{- with .image.sha }}@sha256:{{ . | trimPrefix "sha256:" }}{{ end -}}
{{- end -}}

{{/* imagePullSecrets from names and objects. Arguments: root, secrets. */}}
{{- define "kubestate.imagePullSecrets" -}}
{{- range concat (.root.Values.global.imagePullSecrets | default list) (.secrets | default list) }}
{{- if kindIs "string" . }}
- name: {{ tpl . $.root }}
{{- else }}
- {{ toYaml . | nindent 2 | trim }}
{{- end }}
{{- end }}
{{- end -}}

{{/* A list from a list, or from a string separated by commas, as JSON. */}}
{{- define "kubestate.list" -}}
{{- $items := list -}}
{{- if kindIs "string" . -}}
{{- range splitList "," . }}{{ with trim . }}{{ $items = append $items . }}{{ end }}{{ end -}}
{{- else -}}
{{- range . }}{{ $items = append $items . }}{{ end -}}
{{- end -}}
{{- toJson $items -}}
{{- end -}}

{{/* The namespaces that are read, sorted, as JSON; [] means all. */}}
{{- define "kubestate.namespaces" -}}
{{- $namespaces := include "kubestate.list" (.Values.namespaces | default "") | fromJsonArray -}}
{{- if .Values.releaseNamespace }}{{ $namespaces = append $namespaces (include "kubestate.namespace" .) }}{{ end -}}
{{- $namespaces | uniq | sortAlpha | toJson -}}
{{- end -}}

{{/* The resources that are served, sorted, as JSON. A Role cannot grant those without a namespace. */}}
{{- define "kubestate.resources" -}}
{{- $catalog := .Files.Get "files/resources.yaml" | fromYaml -}}
{{- $resources := list -}}
{{- range concat .Values.collectors (.Values.collectorsExtra | default list) | uniq | sortAlpha -}}
{{- $known := get $catalog . -}}
{{- if not $known }}{{ fail (printf "collectors: unknown resource %q: must be one of %s" . (keys $catalog | sortAlpha | join ", ")) }}{{ end -}}
{{- if and (not (has . ($.Values.collectorsExclude | default list))) (or $known.namespaced $.Values.rbac.useClusterRole) }}{{ $resources = append $resources . }}{{ end -}}
{{- end -}}
{{- toJson $resources -}}
{{- end -}}

{{/* Not empty if a leader is elected. */}}
{{- define "kubestate.election" -}}
{{- if kindIs "bool" .Values.leaderElection.enabled -}}
{{- if .Values.leaderElection.enabled }}true{{ end -}}
{{- else if and (gt (int .Values.replicas) 1) (not .Values.autosharding.enabled) }}true{{ end -}}
{{- end -}}

{{- define "kubestate.leaseName" -}}
{{- .Values.leaderElection.leaseName | default (include "kubestate.fullname" .) -}}
{{- end -}}

{{- define "kubestate.customResourceStateName" -}}
{{- .Values.customResourceState.name | default (printf "%s-customresourcestate-config" (include "kubestate.fullname" .)) -}}
{{- end -}}
