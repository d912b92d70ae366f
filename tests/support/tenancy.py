"""Ways by which an author of WhisperServices could reach what is not theirs, each with the field that tells it."""

from __future__ import annotations

import uuid
from typing import Any

from tests.support.kubectl import Kubectl

Attempt = tuple[str, dict[str, Any]]
"""The field that has to be named, and the spec."""


def _pod(**spec: Any) -> dict[str, Any]:
    return {"podTemplate": {"spec": spec}}


def _server(**container: Any) -> dict[str, Any]:
    return _pod(containers=[{"name": "server", **container}])


def _volume(**source: Any) -> dict[str, Any]:
    return _pod(volumes=[{"name": "extra", **source}])


def _mounted(path: str, **mount: Any) -> dict[str, Any]:
    """A volume of the author's own, on which the model is fetched, at a path of the server's container."""
    first = {"name": "fetch", "volumeMounts": [{"name": "own", "mountPath": "/own"}]}
    server = {"name": "server", "volumeMounts": [{"name": "own", "mountPath": path, **mount}]}
    return _pod(volumes=[{"name": "own", "emptyDir": {}}], initContainers=[first], containers=[server])


def _metadata(**metadata: Any) -> dict[str, Any]:
    return {"podTemplate": {"metadata": metadata}}


def _ingress(**ingress: Any) -> dict[str, Any]:
    return {"ingress": {"host": "speech.example.com", **ingress}}


def _source(url: str, **source: Any) -> dict[str, Any]:
    return {"model": {"name": "mine", "source": {"url": url, "sha256": "a" * 64, **source}}}


def _encoder(url: str, **source: Any) -> dict[str, Any]:
    return {"diarization": {"model": {"name": "mine", "source": {"url": url, "sha256": "a" * 64, **source}}}}


def _gateway(**gateway: Any) -> dict[str, Any]:
    return {"gateway": {"parentRefs": [{"name": "own"}], "hostnames": ["a.example.com"], **gateway}}


def _monitor(**monitor: Any) -> dict[str, Any]:
    return {"monitoring": {"serviceMonitor": monitor}}


def _required(**term: Any) -> dict[str, Any]:
    return {"requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": "kubernetes.io/hostname", **term}]}


def _preferred(**term: Any) -> dict[str, Any]:
    weighed = {"weight": 1, "podAffinityTerm": {"topologyKey": "kubernetes.io/hostname", **term}}
    return {"preferredDuringSchedulingIgnoredDuringExecution": [weighed]}


_SECRET_KEY = {"secretKeyRef": {"name": "database-admin", "key": "password"}}
_TOKEN = {"projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}}
_POD = "spec.podTemplate.spec"
_SERVER = f"{_POD}.containers[server]"
_OF_SERVER = f"{_SERVER}.securityContext"

NODE: list[Attempt] = [
    (f"{_POD}.hostNetwork", _pod(hostNetwork=True)),
    (f"{_POD}.hostPID", _pod(hostPID=True)),
    (f"{_POD}.hostIPC", _pod(hostIPC=True)),
    (f"{_POD}.shareProcessNamespace", _pod(shareProcessNamespace=True)),
    (f"{_POD}.hostUsers", _pod(hostUsers=True)),
    (f"{_POD}.nodeName", _pod(nodeName="control-plane")),
    (f"{_POD}.schedulerName", _pod(schedulerName="mine")),
    (f"{_POD}.priorityClassName", _pod(priorityClassName="system-node-critical")),
    (f"{_POD}.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].namespaces",
     _pod(affinity={"podAntiAffinity": _required(namespaces=["payroll"])})),
    ("spec.scheduling.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].namespaceSelector",
     {"scheduling": {"affinity": {"podAntiAffinity": _required(namespaceSelector={})}}}),
    ("spec.scheduling.affinity.podAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].podAffinityTerm.namespaces",
     {"scheduling": {"affinity": {"podAffinity": _preferred(namespaces=["payroll"])}}}),
    (f"{_POD}.runtimeClassName", _pod(runtimeClassName="unconfined")),
    (f"{_POD}.tolerations[0].key", _pod(tolerations=[{"operator": "Exists"}])),
    (f"{_POD}.tolerations[0].key", _pod(tolerations=[{"key": "node-role.kubernetes.io/control-plane"}])),
    (f"{_POD}.resourceClaims", _pod(resourceClaims=[{"name": "gpu", "resourceClaimName": "others"}])),
    (f"{_POD}.volumes[extra].hostPath", _volume(hostPath={"path": "/"})),
    (f"{_POD}.volumes[extra].nfs", _volume(nfs={"server": "files", "path": "/"})),
    (f"{_POD}.volumes[extra].image", _volume(image={"reference": "busybox"})),
    (f"{_POD}.securityContext.sysctls", _pod(securityContext={"sysctls": [{"name": "net.core.x", "value": "1"}]})),
    (f"{_POD}.securityContext.runAsUser", _pod(securityContext={"runAsUser": 0})),
    (f"{_POD}.securityContext.runAsNonRoot", _pod(securityContext={"runAsNonRoot": False})),
    (f"{_POD}.securityContext.seccompProfile.type", _pod(securityContext={"seccompProfile": {"type": "Unconfined"}})),
    (f"{_POD}.securityContext.seccompProfile.",  # either field comes first
     _pod(securityContext={"seccompProfile": {"localhostProfile": "none.json", "type": "Localhost"}})),
    (f"{_POD}.securityContext.windowsOptions", _pod(securityContext={"windowsOptions": {"hostProcess": True}})),
    (f"{_POD}.securityContext.appArmorProfile.type", _pod(securityContext={"appArmorProfile": {"type": "Unconfined"}})),
    (f"{_POD}.securityContext.seLinuxOptions", _pod(securityContext={"seLinuxOptions": {"type": "spc_t"}})),
    (f"{_POD}.securityContext.supplementalGroups", _pod(securityContext={"supplementalGroups": [0]})),
    (f"{_POD}.securityContext", _pod(securityContext=None)),
    (f"{_POD}.securityContext.$patch", _pod(securityContext={"$patch": "delete"})),
    (f"{_OF_SERVER}.$patch", _server(securityContext={"$patch": "replace", "readOnlyRootFilesystem": True})),
    (f"{_SERVER}.$patch", _server(**{"$patch": "replace"})),
    (f"{_OF_SERVER}.privileged", _server(securityContext={"privileged": True})),
    (f"{_OF_SERVER}.allowPrivilegeEscalation", _server(securityContext={"allowPrivilegeEscalation": True})),
    (f"{_OF_SERVER}.allowPrivilegeEscalation", _server(securityContext={"allowPrivilegeEscalation": None})),
    (f"{_OF_SERVER}.capabilities.add", _server(securityContext={"capabilities": {"add": ["SYS_ADMIN"]}})),
    (f"{_OF_SERVER}.capabilities.drop", _server(securityContext={"capabilities": {"drop": []}})),
    (f"{_OF_SERVER}.capabilities", _server(securityContext={"capabilities": None})),
    (f"{_OF_SERVER}.procMount", _server(securityContext={"procMount": "Unmasked"})),
    (f"{_OF_SERVER}.runAsUser", _server(securityContext={"runAsUser": 0})),
    (f"{_OF_SERVER}", _server(securityContext=None)),
    (f"{_SERVER}.ports[http].hostPort", _server(ports=[{"name": "http", "containerPort": 8000, "hostPort": 80}])),
    (f"{_SERVER}.volumeDevices", _server(volumeDevices=[{"name": "disk", "devicePath": "/dev/sda"}])),
    (f"{_SERVER}.resources.limits.smarter-devices/fuse", _server(resources={"limits": {"smarter-devices/fuse": 1}})),
    (f"{_SERVER}.livenessProbe.httpGet.host", _server(livenessProbe={"httpGet": {"host": "169.254.169.254"}})),
    (f"{_SERVER}.image", _server(image="busybox")),
    (f"{_SERVER}.image", _server(image=f"example.com/whisper-runtime@sha256:{'a' * 64}")),
    (f"{_SERVER}.command", _server(command=["sh"])),
    (f"{_SERVER}.args", _server(args=["-c", "import os"])),
    (f"{_SERVER}.lifecycle", _server(lifecycle={"postStart": {"exec": {"command": ["sh"]}}})),
    (f"{_SERVER}.workingDir", _server(workingDir="/app/models")),
    (f"{_SERVER}.readinessProbe.exec", _server(readinessProbe={"exec": {"command": ["sh"]}})),
    (f"{_SERVER}.env[LD_PRELOAD].name", _server(env=[{"name": "LD_PRELOAD", "value": "/app/models/x.pt"}])),
    (f"{_SERVER}.volumeMounts[models].name", _server(volumeMounts=[{"name": "models", "mountPath": "/own"}])),
    (f"{_SERVER}.volumeMounts[own].mountPath '/app/sitecustomize.py'",
     _mounted("/app/sitecustomize.py", subPath="mine-aaaaaaaaaaaa.pt")),
    (f"{_SERVER}.volumeMounts[own].mountPath '/own/../opt/venv/lib'", _mounted("/own/../opt/venv/lib")),
    (f"{_SERVER}.volumeMounts[own].mountPath 'usr/lib'", _mounted("usr/lib")),
    (f"{_SERVER}.volumeMounts[own].mountPath '/'", _mounted("/")),
    (f"{_POD}.initContainers[fetch].volumeMounts[own].mountPath '/app/models'",
     _pod(volumes=[{"name": "own", "emptyDir": {}}],
          initContainers=[{"name": "fetch", "volumeMounts": [{"name": "own", "mountPath": "/app/models"}]}])),
    (f"{_POD}.containers[added].image", _pod(containers=[{"name": "added", "image": "busybox:1"}])),
    (f"{_POD}.initContainers[added].image", _pod(initContainers=[{"name": "added", "image": "busybox@sha256:0"}])),
    (f"{_POD}.initContainers[side].image",
     _pod(initContainers=[{"name": "side", "restartPolicy": "Always", "image": "busybox"}])),
    (f"{_POD}.initContainers[side].command",
     _pod(initContainers=[{"name": "side", "restartPolicy": "Always", "command": ["sh"]}])),
    (f"{_POD}.containers[0].image", _pod(containers=[{"image": "busybox"}])),
    (f"{_POD}.containers", _pod(containers={"server": {"image": "busybox"}})),
    (f"{_POD}.containers", _pod(containers="server")),
    (f"{_POD}.initContainers", _pod(initContainers={"$patch": "delete"})),
    (f"{_POD}.volumes[models].", _pod(volumes=[{"name": "models", "$patch": "delete"}])),
    (f"{_POD}.$setElementOrder/containers", _pod(**{"$setElementOrder/containers": [{"name": "added"}]})),
    (f"{_POD}.$patch", _pod(**{"$patch": "replace"})),
    ("spec.podTemplate.$patch", {"podTemplate": {"$patch": "replace"}}),
    ("spec.podTemplate.metadata.namespace", _metadata(namespace="payroll")),
    ("spec.podTemplate.metadata.finalizers", _metadata(finalizers=["example.com/hold"])),
    (f"{_OF_SERVER}.$retainKeys", _server(securityContext={"$retainKeys": ["runAsUser"]})),
    (f"{_POD}.dnsPolicy", _pod(dnsPolicy="Default")),
    (f"{_POD}.subdomain", _pod(subdomain="payroll")),
    (f"{_POD}.volumes[extra].iscsi", _volume(iscsi={"targetPortal": "192.0.2.1", "iqn": "iqn.2001-04.a:b", "lun": 0})),
    (f"{_POD}.volumes[extra].gitRepo", _volume(gitRepo={"repository": "https://example.com"})),
    (f"{_POD}.volumes[extra].awsElasticBlockStore", _volume(awsElasticBlockStore={"volumeID": "others"})),
    (f"{_SERVER}.volumeMounts[own].mountPropagation", _mounted("/own", mountPropagation="Bidirectional")),
    (f"{_SERVER}.volumeMounts[own].subPathExpr", _mounted("/own", subPathExpr="$(TZ)/..")),
    (f"{_SERVER}.readinessProbe.tcpSocket.host", _server(readinessProbe={"tcpSocket": {"host": "10.0.0.1"}})),
    (f"{_POD}.ephemeralContainers", _pod(ephemeralContainers=[{"name": "added", "image": "busybox"}])),
    ("spec.podTemplate.metadata.annotations.k8s.v1.cni.cncf.io/networks",
     _metadata(annotations={"k8s.v1.cni.cncf.io/networks": "host"})),
    ("spec.podTemplate.metadata.annotations.container.apparmor.security.beta.kubernetes.io/server",
     _metadata(annotations={"container.apparmor.security.beta.kubernetes.io/server": "unconfined"})),
    ("spec.podTemplate.metadata.annotations.cdi.k8s.io/all", _metadata(annotations={"cdi.k8s.io/all": "gpu=all"})),
    ("spec.image.repository", {"image": {"repository": "docker.io/library/busybox"}}),
    ("spec.image.repository", {"image": {"repository": "example.com/runtime", "digest": f"sha256:{'a' * 64}"}}),
    ("spec.server.env[0].name", {"server": {"env": [{"name": "NVIDIA_VISIBLE_DEVICES", "value": "all"}]}}),
    ("spec.server.env[0].name", {"server": {"env": [{"name": "PYTHONPATH", "value": "/app/models"}]}}),
    ("spec.gpu.resourceName", {"gpu": {"resourceName": "devices.kubevirt.io/kvm"}}),
    ("spec.gpu.claim.resourceClaimTemplateName", {"gpu": {"claim": {"resourceClaimTemplateName": "disks"}}}),
    ("spec.gpu.runtimeClassName", {"gpu": {"runtimeClassName": "unconfined"}}),
    ("spec.scheduling.tolerations[0].key", {"scheduling": {"tolerations": [{"operator": "Exists"}]}}),
    ("spec.scheduling.tolerations[0].key",
     {"scheduling": {"tolerations": [{"key": "node-role.kubernetes.io/master", "operator": "Exists"}]}}),
    ("spec.scheduling.priorityClassName", {"scheduling": {"priorityClassName": "system-cluster-critical"}}),
    ("spec.service.type", {"service": {"type": "NodePort"}}),
]  # fmt: skip
"""The node, and code of one's own."""

SECRETS: list[Attempt] = [
    (f"{_POD}.volumes[extra].secret", _volume(secret={"secretName": "database-admin"})),
    (f"{_POD}.volumes[extra].projected", _volume(projected={"sources": [{"secret": {"name": "database-admin"}}]})),
    (f"{_POD}.volumes[extra].configMap", _volume(configMap={"name": "internal"})),
    (f"{_POD}.volumes[extra].azureFile", _volume(azureFile={"secretName": "database-admin", "shareName": "a"})),
    (f"{_POD}.volumes[extra].flexVolume",
     _volume(flexVolume={"driver": "a/b", "secretRef": {"name": "database-admin"}})),
    (f"{_POD}.volumes[extra].csi", _volume(csi={"driver": "secrets-store.csi.k8s.io"})),
    (f"{_POD}.volumes[extra].persistentVolumeClaim", _volume(persistentVolumeClaim={"claimName": "database"})),
    (f"{_POD}.volumes[extra].ephemeral", _volume(ephemeral={"volumeClaimTemplate": {"spec": {"dataSource": {}}}})),
    (f"{_SERVER}.envFrom", _server(envFrom=[{"secretRef": {"name": "database-admin"}}])),
    (f"{_SERVER}.env[TZ].valueFrom.secretKeyRef", _server(env=[{"name": "TZ", "valueFrom": _SECRET_KEY}])),
    (f"{_SERVER}.env[TZ].valueFrom.fileKeyRef",
     _server(env=[{"name": "TZ", "valueFrom": {"fileKeyRef": {"volumeName": "api-keys", "path": "a", "key": "a"}}}])),
    (f"{_POD}.initContainers[fetch].envFrom",
     _pod(initContainers=[{"name": "fetch", "envFrom": [{"secretRef": {"name": "database-admin"}}]}])),
    (f"{_POD}.initContainers[fetch].env[TZ].valueFrom.secretKeyRef",
     _pod(initContainers=[{"name": "fetch", "env": [{"name": "TZ", "valueFrom": _SECRET_KEY}]}])),
    (f"{_POD}.imagePullSecrets", _pod(imagePullSecrets=[{"name": "database-admin"}])),
    (f"{_POD}.hostAliases", _pod(hostAliases=[{"ip": "192.0.2.1", "hostnames": ["models.example.com"]}])),
    (f"{_POD}.dnsConfig", _pod(dnsConfig={"nameservers": ["192.0.2.1"]})),
    ("spec.podTemplate.metadata.annotations.sidecar.istio.io/userVolume",
     _metadata(annotations={"sidecar.istio.io/userVolume": '[{"secret": {"secretName": "database-admin"}}]'})),
    ("spec.server.env[0].valueFrom.secretKeyRef", {"server": {"env": [{"name": "TZ", "valueFrom": _SECRET_KEY}]}}),
    ("spec.server.env[0].valueFrom.configMapKeyRef",
     {"server": {"env": [{"name": "TZ", "valueFrom": {"configMapKeyRef": {"name": "internal", "key": "a"}}}]}}),
    ("spec.model.source.secretRef.name",
     _source("https://collector.example.net/x", secretRef={"name": "database-admin"})),
    ("spec.model.source.secretRef.name",
     _source("hf://team/tune@main", secretRef={"name": "database-admin"}, endpoint="https://collector.example.net")),
    ("spec.model.source.secretRef.name",
     _source("oci://collector.example.net/team/tune:v1", secretRef={"name": "database-admin"})),
    ("spec.model.source.url", _source("pvc://database/data/x.pt")),
    ("spec.diarization.model.source.secretRef.name",
     _encoder("https://collector.example.net/x", secretRef={"name": "database-admin"})),
    ("spec.diarization.model.source.url", _encoder("pvc://database/data/x.onnx")),
    ("spec.model.source.url 'http://169.254.169.254/latest/meta-data/iam'",
     _source("http://169.254.169.254/latest/meta-data/iam")),
    ("spec.model.source.url 'http://2852039166/latest'", _source("http://2852039166/latest")),
    ("spec.model.source.url 'http://0xa9fea9fe/latest'", _source("http://0xa9fea9fe/latest")),
    ("spec.model.source.url 'https://metadata.google.internal/x'", _source("https://metadata.google.internal/x")),
    ("spec.model.source.endpoint", _source("hf://team/tune@main", endpoint="http://169.254.169.254")),
    ("spec.model.source.endpoint", _source("s3://models/mine.pt", endpoint="http://169.254.170.2")),
    ("spec.diarization.model.source.url", _encoder("http://169.254.169.254/x.onnx")),
    ("spec.jobs.storage.s3.endpoint",
     {"redis": {"secretKeyRef": {"name": "store", "key": "url"}},
      "jobs": {"storage": {"type": "S3", "s3": {"bucket": "others", "endpoint": "http://169.254.169.254",
                                                "secretRef": {"name": "own"}}}}}),
    (f"{_POD}.volumes[extra].cephfs", _volume(cephfs={"monitors": ["a"], "secretRef": {"name": "database-admin"}})),
    ("spec.server.env[0].name", {"server": {"env": [{"name": "SSL_CERT_FILE", "value": "/own/ca"}]}}),
    ("spec.cache.existingClaim", {"cache": {"existingClaim": "database"}}),
    ("spec.jobs.storage.existingClaim", {"jobs": {"storage": {"existingClaim": "database"}}}),
    ("spec.ingress.annotations 'nginx.ingress.kubernetes.io/auth-tls-secret'",
     _ingress(annotations={"nginx.ingress.kubernetes.io/auth-tls-secret": "other/database-admin"})),
    ("spec.ingress.annotations 'nginx.ingress.kubernetes.io/configuration-snippet'",
     _ingress(annotations={"nginx.ingress.kubernetes.io/configuration-snippet": "return 200 $secret;"})),
    ("spec.ingress.annotations 'nginx.ingress.kubernetes.io/proxy-ssl-secret'",
     _ingress(annotations={"nginx.ingress.kubernetes.io/proxy-ssl-secret": "other/database-admin"})),
    ("spec.ingress.annotations 'nginx.ingress.kubernetes.io/proxy-body-size'",
     _ingress(annotations={"nginx.ingress.kubernetes.io/proxy-body-size": "8m; alias /etc/"})),
    ("spec.ingress.annotations 'haproxy.org/timeout-server'",
     _ingress(annotations={"haproxy.org/timeout-server": "5s\n  http-request return file /etc/x"})),
    ("spec.ingress.path", _ingress(path="/a{alias/etc/;}")),
    ("spec.ingress.tls.secretName",
     _ingress(tls={"clusterIssuer": "letsencrypt", "secretName": "payroll-tls"})),
    ("spec.ingress.tls.secretName", _ingress(tls={"issuerRef": {"name": "letsencrypt"}, "secretName": "payroll-tls"})),
    ("spec.ingress.tls.clusterIssuer", _ingress(tls={"clusterIssuer": "internal-ca"})),
    ("spec.autoscaling.keda.triggers[0].type",
     {"autoscaling": {"keda": {"triggers": [{"name": "a", "type": "metrics-api", "metadata": {"url": "http://a"}}]}}}),
    ("spec.autoscaling.keda.triggers[0].metadata.serverAddress",
     {"autoscaling": {"keda": {"triggers": [
         {"name": "a", "type": "cron", "metadata": {"serverAddress": "http://169.254.169.254"}}]}}}),
    ("spec.autoscaling.keda.authenticationRef",
     {"autoscaling": {"keda": {"prometheusAddress": "http://prometheus:9090", "authenticationRef": {"name": "a"}}}}),
    ("spec.autoscaling.keda.triggers[0].authenticationRef",
     {"autoscaling": {"keda": {"triggers": [{"name": "a", "type": "cron", "metadata": {},
      "authenticationRef": {"kind": "ClusterTriggerAuthentication", "name": "a"}}]}}}),
    ("spec.ingress.tls.issuerRef 'Issuer.cert-manager.io/internal-ca'",
     _ingress(tls={"issuerRef": {"name": "internal-ca"}})),
    ("spec.ingress.tls.issuerRef 'VaultIssuer.example.com/letsencrypt'",
     _ingress(tls={"issuerRef": {"name": "letsencrypt", "kind": "VaultIssuer", "group": "example.com"}})),
    ("spec.ingress.additionalPaths[0].path", _ingress(additionalPaths=[{"path": "/a{alias/etc/;}"}])),
    ("spec.gateway.path", _gateway(path="/a{alias/etc/;}")),
    ("spec.gateway.matches[0].path.value",
     _gateway(matches=[{"path": {"type": "RegularExpression", "value": "/(payroll|hr)/.*"}}])),
    ("spec.monitoring.serviceMonitor.relabelings[0].targetLabel '__address__'",
     _monitor(relabelings=[{"targetLabel": "__address__", "replacement": "169.254.169.254"}])),
    ("spec.monitoring.serviceMonitor.relabelings[0].targetLabel '$1'",
     _monitor(relabelings=[{"sourceLabels": ["a"], "targetLabel": "$1"}])),
    ("spec.monitoring.serviceMonitor.relabelings[0].action 'LabelMap'",
     _monitor(relabelings=[{"action": "LabelMap", "regex": "x(.*)y"}])),
    ("spec.monitoring.serviceMonitor.metricRelabelings[0].targetLabel 'namespace'",
     _monitor(metricRelabelings=[{"targetLabel": "namespace", "replacement": "other"}])),
    ("spec.cache.annotations 'cdi.kubevirt.io/storage.import.endpoint'",
     {"cache": {"annotations": {"cdi.kubevirt.io/storage.import.endpoint": "http://169.254.169.254"}}}),
    ("spec.cache.annotations 'volume.beta.kubernetes.io/storage-class'",
     {"cache": {"annotations": {"volume.beta.kubernetes.io/storage-class": "fast"}}}),
    ("spec.cache.labels 'app'", {"cache": {"labels": {"app": "database"}}}),
    ("spec.jobs.storage.annotations 'cdi.kubevirt.io/storage.import.endpoint'",
     {"jobs": {"storage": {"annotations": {"cdi.kubevirt.io/storage.import.endpoint": "http://169.254.169.254"}}}}),
    ("spec.jobs.storage.labels 'app'", {"jobs": {"storage": {"labels": {"app": "database"}}}}),
    ("spec.autoscaling.keda.prometheusAddress",
     {"autoscaling": {"keda": {"prometheusAddress": "http://prometheus@169.254.169.254/latest"}}}),
    ("spec.jobs.webhooks.privateNetworks[0] '10.0.0.0/8'",
     {"jobs": {"webhooks": {"allowedHosts": ["http://api"], "privateNetworks": ["10.0.0.0/8"],
                            "secretRef": {"name": "hooks"}}}}),
    ("spec.server.audioUrls.privateNetworks[0] '169.254.0.0/16'",
     {"server": {"audioUrls": {"allowedHosts": ["http://metadata"], "privateNetworks": ["169.254.0.0/16"]}}}),
]  # fmt: skip
"""Secrets and data of others."""

HOSTS: list[Attempt] = [
    ("spec.ingress.host", {"ingress": {}}),
    ("spec.ingress.host", {"ingress": {"host": "*.example.com"}}),
    ("spec.ingress.annotations 'nginx.ingress.kubernetes.io/server-alias'",
     _ingress(annotations={"nginx.ingress.kubernetes.io/server-alias": "login.example.com"})),
    ("spec.ingress.annotations 'external-dns.alpha.kubernetes.io/hostname'",
     _ingress(annotations={"external-dns.alpha.kubernetes.io/hostname": "login.example.com"})),
    ("spec.ingress.annotations 'alb.ingress.kubernetes.io/group.name'",
     _ingress(annotations={"alb.ingress.kubernetes.io/group.name": "others"})),
    ("spec.ingress.annotations 'traefik.ingress.kubernetes.io/router.middlewares'",
     _ingress(annotations={"traefik.ingress.kubernetes.io/router.middlewares": "other-auth@kubernetescrd"})),
    ("spec.ingress.annotations 'cert-manager.io/cluster-issuer'",
     _ingress(annotations={"cert-manager.io/cluster-issuer": "internal-ca"})),
    ("spec.service.type", {"service": {"type": "LoadBalancer"}}),
    ("spec.service.annotations 'external-dns.alpha.kubernetes.io/hostname'",
     {"service": {"annotations": {"external-dns.alpha.kubernetes.io/hostname": "login.example.com"}}}),
    ("spec.service.annotations 'nginx.ingress.kubernetes.io/configuration-snippet'",
     {"service": {"annotations": {"nginx.ingress.kubernetes.io/configuration-snippet": "return 200;"}}}),
    ("spec.service.annotations 'metallb.io/loadBalancerIPs'",
     {"service": {"annotations": {"metallb.io/loadBalancerIPs": "192.0.2.1"}}}),
    ("spec.service.annotations 'getambassador.io/config'",
     {"service": {"annotations": {"getambassador.io/config": "kind: Mapping"}}}),
    ("spec.objectMetadata.annotations 'external-dns.alpha.kubernetes.io/hostname'",
     {"objectMetadata": {"annotations": {"external-dns.alpha.kubernetes.io/hostname": "login.example.com"}}}),
    ("spec.objectMetadata.labels 'io.cilium/lb-pool'", {"objectMetadata": {"labels": {"io.cilium/lb-pool": "public"}}}),
    ("spec.service.labels 'io.cilium/lb-pool'", {"service": {"labels": {"io.cilium/lb-pool": "public"}}}),
    ("spec.service.labels 'app'", {"service": {"labels": {"app": "payments"}}}),
    ("spec.ingress.additionalHosts[0]", _ingress(additionalHosts=["*.example.com"])),
    ("spec.ingress.pathType 'ImplementationSpecific'", _ingress(pathType="ImplementationSpecific")),
    ("spec.ingress.additionalPaths[0].pathType",
     _ingress(additionalPaths=[{"path": "/v1", "pathType": "ImplementationSpecific"}])),
    ("spec.ingress.labels 'app'", _ingress(labels={"app": "payments"})),
    ("spec.gateway.filters[0].type 'RequestMirror'",
     _gateway(filters=[{"type": "RequestMirror", "requestMirror": {"backendRef": {"name": "x", "namespace": "y"}}}])),
    ("spec.gateway.filters[0].type 'ExtensionRef'",
     _gateway(filters=[{"type": "ExtensionRef", "extensionRef": {"group": "a.io", "kind": "Plugin", "name": "x"}}])),
    ("spec.gateway.filters[0].requestMirror",
     _gateway(filters=[{"type": "URLRewrite", "urlRewrite": {}, "requestMirror": {"backendRef": {"name": "x"}}}])),
    ("spec.gateway.filters[0].type ''", _gateway(filters=[{}])),
    ("spec.gateway.annotations 'konghq.com/plugins'", _gateway(annotations={"konghq.com/plugins": "other"})),
    ("spec.gateway.labels 'k8s-app'", _gateway(labels={"k8s-app": "dns"})),
    ("spec.gateway.hostnames", {"gateway": {"parentRefs": [{"name": "own"}]}}),
    ("spec.gateway.hostnames", {"gateway": {"parentRefs": [{"name": "own"}], "hostnames": ["*.example.com"]}}),
    ("spec.gateway.parentRefs",
     {"gateway": {"parentRefs": [{"name": "public", "namespace": "other"}], "hostnames": ["a.example.com"]}}),
    ("spec.gateway.parentRefs",
     {"gateway": {"parentRefs": [{"name": "web", "kind": "Service", "group": ""}], "hostnames": ["a.example.com"]}}),
]  # fmt: skip
"""Hosts of other namespaces."""

ACCOUNTS: list[Attempt] = [
    (f"{_POD}.serviceAccountName", _pod(serviceAccountName="powerful")),
    (f"{_POD}.serviceAccountName", _pod(serviceAccountName=None)),
    (f"{_POD}.serviceAccount", _pod(serviceAccount="powerful")),
    (f"{_POD}.automountServiceAccountToken", _pod(automountServiceAccountToken=True)),
    (f"{_POD}.automountServiceAccountToken", _pod(automountServiceAccountToken=None)),
    (f"{_POD}.volumes[extra].projected", _volume(**_TOKEN)),
    (f"{_POD}.volumes[extra].projected",
     _volume(projected={"sources": [{"serviceAccountToken": {"path": "a", "audience": "vault"}}]})),
    (f"{_POD}.volumes[extra].projected",
     _volume(projected={"sources": [{"podCertificate": {"signerName": "a.io/b", "keyType": "RSA3072"}}]})),
    ("spec.serviceAccount.annotations 'eks.amazonaws.com/role-arn'",
     {"serviceAccount": {"annotations": {"eks.amazonaws.com/role-arn": "arn:aws:iam::1:role/admin"}}}),
    ("spec.podMetadata.labels 'istio'", {"podMetadata": {"labels": {"istio": "ingressgateway"}}}),
    ("spec.podMetadata.labels 'security.istio.io/tlsMode'",
     {"podMetadata": {"labels": {"security.istio.io/tlsMode": "disabled"}}}),
    ("spec.monitoring.alerts.alertLabels 'namespace'",
     {"monitoring": {"alerts": {"alertLabels": {"namespace": "payroll"}}}}),
    ("spec.objectMetadata.annotations 'replicator.v1.mittwald.de/replicate-to'",
     {"objectMetadata": {"annotations": {"replicator.v1.mittwald.de/replicate-to": "*"}}}),
    ("spec.podTemplate.metadata.annotations.iam.amazonaws.com/role",
     _metadata(annotations={"iam.amazonaws.com/role": "admin"})),
    ("spec.podTemplate.metadata.annotations.vault.hashicorp.com/agent-inject",
     _metadata(annotations={"vault.hashicorp.com/agent-inject": "true"})),
    ("spec.podTemplate.metadata.labels.azure.workload.identity/use",
     _metadata(labels={"azure.workload.identity/use": "true"})),
    ("spec.podTemplate.metadata.labels.aadpodidbinding", _metadata(labels={"aadpodidbinding": "admin"})),
    ("spec.podMetadata.labels 'aadpodidbinding'", {"podMetadata": {"labels": {"aadpodidbinding": "admin"}}}),
    ("spec.podTemplate.metadata.labels.app", _metadata(labels={"app": "payments"})),
]  # fmt: skip
"""Other accounts, and the traffic of others."""

ATTEMPTS = [*NODE, *SECRETS, *HOSTS, *ACCOUNTS]

HARMLESS: list[dict[str, Any]] = [
    {},
    _pod(hostNetwork=False, hostPID=None, nodeName="", hostAliases=[], overhead={}),
    _pod(terminationGracePeriodSeconds=60, nodeSelector={"disk": "ssd"}, automountServiceAccountToken=False),
    _pod(tolerations=[{"key": "nvidia.com/gpu", "operator": "Exists"}], priorityClassName="speech"),
    _pod(securityContext={"fsGroup": None, "runAsUser": 1000, "seccompProfile": {"type": "RuntimeDefault"}}),
    _pod(volumes=[{"name": "own", "emptyDir": {"medium": "Memory"}}],
         containers=[{"name": "server", "volumeMounts": [{"name": "own", "mountPath": "/own", "readOnly": False},
                                                         {"name": "own", "mountPath": "/dev/shm"}]}]),
    _pod(affinity={"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": []}, "podAffinity": None,
                   "podAntiAffinity": _preferred(labelSelector={"matchLabels": {"a": "b"}})}),
    {"scheduling": {"affinity": {"podAntiAffinity": _required(namespaces=[], labelSelector={})}}},
    _server(env=[{"name": "TZ", "value": "UTC"}], securityContext={"privileged": False},
            resources={"limits": {"cpu": 2, "memory": "4Gi", "nvidia.com/gpu": 1}}, command=None),
    _server(ports=[{"containerPort": 9001, "hostPort": 0}], startupProbe={"periodSeconds": 5, "failureThreshold": 9}),
    _metadata(annotations={"sidecar.istio.io/inject": "false", "team": "speech"}, labels={"team": "speech"}),
    {"server": {"env": [{"name": "HTTPS_PROXY", "value": "http://proxy:3128"},
                        {"name": "TZ", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]}},
    {"server": {"audioUrls": {"allowedHosts": ["files.example.com", "*.cdn.example.com"]}}},
    {"replicas": 1, "jobs": {"webhooks": {"allowedHosts": ["hooks.example.com"], "secretRef": {"name": "hooks"}}}},
    _ingress(tls={"clusterIssuer": "letsencrypt-staging"}, path="/speech/v1",
             annotations={"nginx.ingress.kubernetes.io/proxy-read-timeout": "60", "team": "speech; a {team}",
                          "nginx.ingress.kubernetes.io/whitelist-source-range": "10.0.0.0/8, fd00::/8",
                          "nginx.org/proxy-read-timeout": "60s"}),
    {"gateway": {"parentRefs": [{"name": "own", "kind": "Gateway"}], "hostnames": ["a.example.com"]}},
    _source("https://models.example.com/mine.pt"),
    _source("s3://models/mine.pt", secretRef={"name": "bucket"}),
    _source("hf://openai/whisper-base@main", endpoint="https://hub.example.com"),
    _source(f"oci://registry.example.com/team/tune:v1@sha256:{'a' * 64}", endpoint="https://mirror.example.com"),
    _source("pvc://shared-models/mine.pt"),
    {"service": {"labels": {"team": "speech"}, "ipFamilyPolicy": "PreferDualStack"}},
    _ingress(additionalHosts=["b.example.com"], additionalPaths=[{"path": "/v1", "pathType": "Exact"}], tls={},
             labels={"router": "internal", "example.com/shard": "a"},
             annotations={"nginx.ingress.kubernetes.io/canary": "true",
                          "nginx.ingress.kubernetes.io/canary-weight": "10"}),
    _ingress(tls={"issuerRef": {"name": "letsencrypt-staging"}}),
    _gateway(matches=[{"path": {"type": "PathPrefix", "value": "/speech"}, "method": "POST"}],
             filters=[{"type": "URLRewrite", "urlRewrite": {"path": {"type": "ReplacePrefixMatch"}}}],
             annotations={"team": "speech"}, labels={"team": "speech"}, timeouts=False),
    _monitor(scrapeTimeout="10s", relabelings=[{"targetLabel": "team", "replacement": "speech"}],
             metricRelabelings=[{"action": "drop", "sourceLabels": ["__name__"], "regex": "python_.*"}]),
    {"cache": {"labels": {"velero.io/exclude-from-backup": "true"},
               "annotations": {"backup.velero.io/backup-volumes": "a"}}},
    {"cache": {"existingClaim": "models"}, "gpu": {"resourceName": "nvidia.com/mig-1g.5gb"}},
]  # fmt: skip
"""Specs that ask for nothing that the default policy withholds."""


def as_tenant(kubectl: Kubectl) -> Kubectl:
    """kubectl in a new namespace, as an account that may write WhisperServices there and nothing else."""
    name = f"team-{uuid.uuid4().hex[:8]}"
    kubectl("create", "namespace", name)
    within = kubectl.within(name)
    verbs = "--verb=create,get,list,watch,patch,update,delete"
    within("create", "role", "tenant", verbs, "--resource=whisperservices.whisper-operator.io")
    within("create", "rolebinding", "tenant", "--role=tenant", f"--user={name}")
    return within.acting_as(name)
