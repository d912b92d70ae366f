{{/*
A value that is null is as good as absent: each optional object is read in parentheses, which Go's templates answer by
nil where it is none.
*/}}

{{- define "whisper-operator.name" -}}
{{ .Values.nameOverride | default .Chart.Name | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* Name of the objects; a suffix of theirs must fit into the 63 characters of a label. */}}
{{- define "whisper-operator.fullname" -}}
{{- $name := include "whisper-operator.name" . }}
{{- $long := contains $name .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name $name) }}
{{- .Values.fullnameOverride | default $long | trunc 45 | trimSuffix "-" }}
{{- end }}

{{/* Name of what may meet another installation's: in the cluster's scope, or in a namespace that both watch. */}}
{{- define "whisper-operator.unique-name" -}}
{{ .Release.Namespace }}:{{ include "whisper-operator.fullname" . }}
{{- end }}

{{- define "whisper-operator.service-account" -}}
{{- $account := .Values.serviceAccount | default dict }}
{{- $created := $account.create | default false | ternary (include "whisper-operator.fullname" .) "default" }}
{{- $account.name | default $created }}
{{- end }}

{{- define "whisper-operator.selector" -}}
app.kubernetes.io/name: {{ include "whisper-operator.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "whisper-operator.labels" -}}
{{- $own := include "whisper-operator.selector" . | fromYaml }}
{{- $_ := set $own "app.kubernetes.io/version" (include "whisper-operator.label" .Chart.AppVersion) }}
{{- $_ := set $own "app.kubernetes.io/managed-by" .Release.Service }}
{{- $_ := set $own "app.kubernetes.io/part-of" "whisper-operator" }}
{{- $_ := set $own "helm.sh/chart" (include "whisper-operator.label" (printf "%s-%s" .Chart.Name .Chart.Version)) }}
{{- merge $own (.Values.commonLabels | default dict) | toYaml }}
{{- end }}

{{/* A version may hold a plus, which no label may. */}}
{{- define "whisper-operator.label" -}}
{{ . | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* The labels of all objects, and those of one kind: a pair of the root and a map. */}}
{{- define "whisper-operator.labels-and" -}}
{{- merge (include "whisper-operator.labels" (first .) | fromYaml) (last . | default dict) | toYaml }}
{{- end }}

{{/* Name, namespace and labels of an object, whose name has a suffix: a pair of the root and that. */}}
{{- define "whisper-operator.metadata" -}}
{{- $root := first . -}}
name: {{ include "whisper-operator.fullname" $root }}{{ last . }}
namespace: {{ $root.Release.Namespace }}
labels: {{- include "whisper-operator.labels" $root | nindent 2 }}
{{- end }}

{{/* Repository, tag and digest; the operator reads the tag of the runtime's even where a digest says more. */}}
{{- define "whisper-operator.image" -}}
{{- $image := .image | default dict }}
{{- include "whisper-operator.repository" . -}}
:{{ $image.tag | default .default }}{{ with $image.digest }}@{{ . }}{{ end }}
{{- end }}

{{/* The repository of an image, in the registry of all images where one is set; a host has a dot or a port. */}}
{{- define "whisper-operator.repository" -}}
{{- $given := required (printf "%s.repository is empty: name the image's repository" .value) (.image | default dict).repository }}
{{- with (.global | default dict).imageRegistry -}}
{{ trimSuffix "/" . }}/{{ regexReplaceAll "^[^/]*[.:][^/]*/" $given "" }}
{{- else -}}
{{ $given }}
{{- end }}
{{- end }}

{{/*
The settings of the policy, for the operator and for the API server alike. One that is null has its default; merge would
take that for one that is empty or false, too.
*/}}
{{- define "whisper-operator.policy" -}}
{{- $settings := dict }}
{{- range $name, $default := (.Files.Get "files/admission.yaml" | fromYaml).defaults }}
{{- $value := index ($.Values.policy | default dict) $name }}
{{- $_ := set $settings $name (kindIs "invalid" $value | ternary $default $value) }}
{{- end }}
{{- $_ := set $settings "imageRepositories" (append $settings.imageRepositories (include "whisper-operator.repository" (dict "image" .Values.runtimeImage "value" "runtimeImage" "global" .Values.global))) }}
{{- toJson $settings }}
{{- end }}

{{/* The defaults for all services as JSON, without those that are null or empty; empty where none is left. */}}
{{- define "whisper-operator.defaults" -}}
{{- $found := dict }}
{{- range $name, $value := .Values.defaults | default dict }}
{{- $set := $value }}
{{- if has $name (list "gpu" "podMetadata" "objectMetadata") }}
{{- $set = dict }}
{{- range $field, $inner := $value | default dict }}
{{- if $inner }}{{ $_ := set $set $field $inner }}{{ end }}
{{- end }}
{{- end }}
{{- if $set }}{{ $_ := set $found $name $set }}{{ end }}
{{- end }}
{{- if $found }}{{ toJson $found }}{{ end }}
{{- end }}

{{/* In CEL, the class of a WhisperService, whose variable's name is given. */}}
{{- define "whisper-operator.class" -}}
{{ . }}.metadata.?labels[?'whisper-operator.io/class']
{{- end }}

{{/*
Whether this release installs the CustomResourceDefinition: where there is none, or where it has installed it before.
Helm refuses to take over what another release or kubectl has made, and a cluster has one for all of its operators.
*/}}
{{- define "whisper-operator.owns-crd" -}}
{{- $live := lookup "apiextensions.k8s.io/v1" "CustomResourceDefinition" "" "whisperservices.whisper-operator.io" }}
{{- $of := (($live | default dict).metadata | default dict).annotations | default dict }}
{{- $mine := and (eq (index $of "meta.helm.sh/release-name" | default "") .Release.Name) (eq (index $of "meta.helm.sh/release-namespace" | default "") .Release.Namespace) }}
{{- or (not $live) $mine | ternary "true" "" }}
{{- end }}

{{/* Permissions that need the scope of the cluster. */}}
{{- define "whisper-operator.cluster-rules" -}}
- apiGroups: [""]
  resources: [nodes]
  verbs: [get, list, watch]
- apiGroups: [storage.k8s.io]
  resources: [storageclasses]
  verbs: [get, list, watch]
# To count the GPUs that drivers of dynamic resource allocation offer, and those that are free.
- apiGroups: [resource.k8s.io]
  resources: [resourceslices, deviceclasses]
  verbs: [get, list, watch]
- apiGroups: [resource.k8s.io]
  resources: [resourceclaims]
  verbs: [list]
{{- end }}

{{/* Permissions on WhisperServices and their children. */}}
{{- define "whisper-operator.rules" -}}
- apiGroups: [whisper-operator.io]
  resources: [whisperservices]
  verbs: [get, list, watch]
- apiGroups: [whisper-operator.io]
  resources: [whisperservices/status]
  verbs: [patch]
# The API server may require this for owner references that block their owner's deletion.
- apiGroups: [whisper-operator.io]
  resources: [whisperservices/finalizers]
  verbs: [update]
- apiGroups: [""]
  resources: [serviceaccounts, services]
  verbs: [get, list, watch, create, patch, delete]
# delete: of a claim that has no volume yet, to make it anew as the spec asks now, and of jobs whose retention is Delete.
- apiGroups: [""]
  resources: [persistentvolumeclaims]
  verbs: [get, list, watch, create, patch, delete]
# Without delete: a Deployment that cannot follow the spec keeps serving.
- apiGroups: [apps]
  resources: [deployments]
  verbs: [get, list, watch, create, patch]
# To start the first pod of a service, and to end its last ones.
- apiGroups: [apps]
  resources: [deployments/scale]
  verbs: [patch]
- apiGroups: [batch]
  resources: [jobs]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [autoscaling]
  resources: [horizontalpodautoscalers]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [networking.k8s.io]
  resources: [ingresses, networkpolicies]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [policy]
  resources: [poddisruptionbudgets]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [gateway.networking.k8s.io]
  resources: [httproutes]
  verbs: [get, list, watch, create, patch, delete]
# For the protocol of a listener, which status.url says.
- apiGroups: [gateway.networking.k8s.io]
  resources: [gateways]
  verbs: [get]
- apiGroups: [keda.sh]
  resources: [scaledobjects]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [monitoring.coreos.com]
  resources: [servicemonitors, prometheusrules]
  verbs: [get, list, watch, create, patch, delete]
# To report why a pod does not start, and whether there is room for it.
- apiGroups: [""]
  resources: [pods, events, resourcequotas, limitranges]
  verbs: [get, list, watch]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
# To check that a Secret or ConfigMap of a spec exists and has its keys; never listed, never watched.
- apiGroups: [""]
  resources: [secrets, configmaps]
  verbs: [get]
# To check that the template of spec.gpu.claim exists; never listed, never watched.
- apiGroups: [resource.k8s.io]
  resources: [resourceclaimtemplates]
  verbs: [get]
{{- end }}
