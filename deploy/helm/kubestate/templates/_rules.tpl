{{/* The rules of the role that reads. Arguments: root, cluster (a ClusterRole, or a Role). */}}
{{- define "kubestate.rules" -}}
{{- $v := .root.Values -}}
{{- $catalog := .root.Files.Get "files/resources.yaml" | fromYaml -}}
{{- $groups := dict -}}
{{- range include "kubestate.resources" .root | fromJsonArray -}}
{{- $group := (get $catalog .).group -}}
{{- $_ := set $groups $group (append (get $groups $group | default list) .) -}}
{{- end -}}
{{- range $group := keys $groups | sortAlpha }}
- apiGroups: [{{ $group | quote }}]
  resources: {{ get $groups $group | toJson }}
  verbs: [list, watch]
{{- end }}
{{- if and $v.customResourceState.enabled $v.rbac.customResourceState.createClusterRoleRules }}
{{- if .cluster }}
- apiGroups: [apiextensions.k8s.io]
  resources: [customresourcedefinitions]
  verbs: [list, watch]
{{- end }}
{{- $custom := dict -}}
{{- range dig "spec" "resources" list $v.customResourceState.config -}}
{{- $group := dig "groupVersionKind" "group" "" . -}}
{{- if $group }}{{ $_ := set $custom $group (append (get $custom $group | default list) (.resourcePlural | default "*")) }}{{ end -}}
{{- end -}}
{{- range $group := keys $custom | sortAlpha }}
- apiGroups: [{{ $group | quote }}]
  resources: {{ has "*" (get $custom $group) | ternary (list "*") (get $custom $group | uniq | sortAlpha) | toJson }}
  verbs: [list, watch]
{{- end }}
{{- end }}
{{- if and .cluster (or $v.authFilter.enabled $v.kubeRBACProxy.enabled) }}
- apiGroups: [authentication.k8s.io]
  resources: [tokenreviews]
  verbs: [create]
- apiGroups: [authorization.k8s.io]
  resources: [subjectaccessreviews]
  verbs: [create]
{{- end }}
{{- with $v.rbac.extraRules }}
{{ toYaml . }}
{{- end }}
{{- end -}}
