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

{{/* What the operator may do with WhisperServices and their children. */}}
{{- define "whisper-operator.rules" -}}
- apiGroups: [whisper-operator.io]
  resources: [whisperservices]
  verbs: [get, list, watch]
- apiGroups: [whisper-operator.io]
  resources: [whisperservices/status]
  verbs: [patch]
# Owner references that block their owner's deletion need this where the API server enforces it.
- apiGroups: [whisper-operator.io]
  resources: [whisperservices/finalizers]
  verbs: [update]
- apiGroups: [""]
  resources: [serviceaccounts, services]
  verbs: [get, list, watch, create, patch, delete]
# A claim is data and a Deployment is held where it cannot follow the spec: neither is ever deleted by the operator.
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
  resources: [ingresses]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [monitoring.coreos.com]
  resources: [servicemonitors]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [""]
  resources: [pods]
  verbs: [get, list, watch]
# Whether a Secret exists: its metadata is all that is asked for.
- apiGroups: [""]
  resources: [secrets]
  verbs: [get]
{{- end }}
