{{- define "whisper-operator.labels" -}}
app.kubernetes.io/name: whisper-operator
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- define "whisper-operator.selector" -}}
app.kubernetes.io/name: whisper-operator
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "whisper-operator.image" -}}
{{ .image.repository }}:{{ .image.tag | default .default }}
{{- end }}

{{/* Permissions that need the scope of the cluster. */}}
{{- define "whisper-operator.cluster-rules" -}}
- apiGroups: [""]
  resources: [nodes]
  verbs: [get, list, watch]
- apiGroups: [storage.k8s.io]
  resources: [storageclasses]
  verbs: [get, list, watch]
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
# Without delete: a claim is data, and a Deployment that cannot follow the spec keeps serving.
- apiGroups: [""]
  resources: [persistentvolumeclaims]
  verbs: [get, list, watch, create, patch]
- apiGroups: [apps]
  resources: [deployments]
  verbs: [get, list, watch, create, patch]
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
{{- end }}
