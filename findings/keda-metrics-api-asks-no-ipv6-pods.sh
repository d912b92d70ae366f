#!/usr/bin/env bash
# KEDA 2.21.0 on Kubernetes 1.37.2: with `aggregateFromKubeServiceEndpoints` the scaler `metrics-api` asks each pod behind
# a Service, and sums what they answer; it writes a pod's address before the port as the EndpointSlice has it, an IPv6
# address without its brackets, too.
# Expected: that a ScaledObject which works on a cluster of IPv4 works on one of IPv6. Seen: the very same one is active
# with a pod at an IPv4 address, and with a pod at an IPv6 address every question fails before anything is sent, so that
# nothing is ever scaled up from zero. KEDA says so by an Event (KEDAScalerFailed), and in the condition Active.
# Remedy: on clusters of IPv6 name the Service alone, whose name KEDA then asks like any other host; that is one pod of
# it, so have one. Or let Prometheus ask the pods. Needs Go and Python alone, and builds KEDA's operator in some ten
# minutes; it asks an API server without nodes. Fails (exit 1) once that changes.
# shellcheck source=findings/kube-apiserver.sh
source "$(dirname "$0")/kube-apiserver.sh"
unset GOFLAGS
keda=$(cd "$directory" && go mod download -json github.com/kedacore/keda/v2@v2.21.0 | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')
(cd "$keda" && CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" -o "$directory/keda" ./cmd/operator)
openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 \
    -keyout "$directory/tls.key" -out "$directory/tls.crt" 2>/dev/null
mkdir "$directory/certs"
cp "$directory/tls.crt" "$directory/certs/ca.crt"
mv "$directory/tls.key" "$directory/tls.crt" "$directory/certs"
cat >"$directory/kubeconfig" <<YAML
{apiVersion: v1, kind: Config, current-context: here, contexts: [{name: here, context: {cluster: here, user: here}}],
 clusters: [{name: here, cluster: {server: "https://127.0.0.1:$port", certificate-authority: $directory/certificate.pem}}],
 users: [{name: here, user: {token: unused}}]}
YAML
CRDS=$keda/config/crd/bases PYTHONPATH="$directory" python3 - <<'PYTHON'
import http.server
import os
import pathlib
import socket
import subprocess
import sys
import threading
import time

import api

DIRECTORY = os.environ["PYTHONPATH"]
APPS, OURS = "/apis/apps/v1/namespaces/default/deployments", "/apis/keda.sh/v1alpha1/namespaces/default/scaledobjects"
SLICES = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices"


class Demand(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"waiting": 5}')

    def log_message(self, *_):
        pass


def create(path, kind, name, group="v1", **fields):
    body = {"apiVersion": group, "kind": kind, "metadata": {"name": name, **fields.pop("metadata", {})}, **fields}
    status, answer = api.ask("POST", path, body)
    assert status == 201, answer


def own_address():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as connected:
        connected.connect(("192.0.2.1", 9))  # sends nothing; an EndpointSlice may not name an address of the loopback
        return connected.getsockname()[0]


def scaled(name, family, address, port):
    """A Deployment with no pods, and a Service with one pod that KEDA asks for it."""
    labels = {"app": name}
    container = {"name": "main", "image": "example.com/main"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    spec = {"replicas": 0, "selector": {"matchLabels": labels}, "template": template}
    create(APPS, "Deployment", name, "apps/v1", spec=spec)
    of_service = {"labels": {"kubernetes.io/service-name": name}}
    ports, endpoints = [{"name": "http", "port": port}], [{"addresses": [address], "conditions": {"ready": True}}]
    create(
        SLICES,
        "EndpointSlice",
        name,
        "discovery.k8s.io/v1",
        metadata=of_service,
        addressType=family,
        endpoints=endpoints,
        ports=ports,
    )
    url = f"http://{name}.default.svc:{port}/demand"
    metadata = {"url": url, "valueLocation": "waiting", "targetValue": "1", "aggregateFromKubeServiceEndpoints": "true"}
    trigger = {"type": "metrics-api", "metadata": {**metadata, "aggregationType": "sum"}}
    spec = {"scaleTargetRef": {"name": name}, "minReplicaCount": 0, "pollingInterval": 1, "triggers": [trigger]}
    create(OURS, "ScaledObject", name, "keda.sh/v1alpha1", spec=spec)


def active(name):
    conditions = api.ask("GET", f"{OURS}/{name}")[1].get("status", {}).get("conditions", [])
    return next((one["status"] for one in conditions if one["type"] == "Active"), "Unknown")


def failures(name):
    events = api.ask("GET", "/apis/events.k8s.io/v1/namespaces/default/events")[1]["items"]
    return [e["note"] for e in events if e["regarding"]["name"] == name and e["reason"] == "KEDAScalerFailed"]


def causes(log):
    return [line for line in pathlib.Path(log).read_text().splitlines() if "metric for http://2001:db8::7" in line]


def until(what, holds):
    for _ in range(600):
        if found := holds():
            return found
        time.sleep(0.2)
    sys.exit(f"not seen: {what}")


for file in sorted(pathlib.Path(os.environ["CRDS"]).glob("*.yaml")):
    path = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{file.stem.replace('_', '@').split('@')[1]}."
    path += file.stem.split("_")[0]
    status, answer = api.ask("PATCH", f"{path}?fieldManager=finding", file.read_bytes(), api.APPLY)
    assert status in (200, 201), answer
until("KEDA's kinds are served", lambda: '"ScaledObjectList"' in api.text(OURS))
create("/api/v1/namespaces", "Namespace", "keda")
server = http.server.ThreadingHTTPServer(("0.0.0.0", 0), Demand)
threading.Thread(target=server.serve_forever, daemon=True).start()
scaled("four", "IPv4", own_address(), server.server_port)
scaled("six", "IPv6", "2001:db8::7", server.server_port)
flags = ("--zap-log-level=debug", "--metrics-bind-address=0", "--health-probe-bind-address=0", "--metrics-service-bind-address=127.0.0.1:0")
settings = {"KUBECONFIG": f"{DIRECTORY}/kubeconfig", "WATCH_NAMESPACE": "", "KEDA_CLUSTER_OBJECT_NAMESPACE": "keda"}
with open(f"{DIRECTORY}/keda.log", "w") as log:
    command = (f"{DIRECTORY}/keda", f"--cert-dir={DIRECTORY}/certs", *flags)
    keda = subprocess.Popen(command, env={**os.environ, **settings}, stdout=log, stderr=log)
try:
    until("KEDA has asked the pod at an IPv4 address", lambda: active("four") == "True")
    said = until("KEDA has told a failure", lambda: failures("six"))
    why = until("KEDA has logged the cause", lambda: causes(f"{DIRECTORY}/keda.log"))
    print("active by a pod at an IPv4 address:", active("four"), failures("four"))
    print("active by a pod at an IPv6 address:", active("six"), said[-1])
    print(why[-1])
    sys.exit(active("six") == "True" or "invalid port" not in why[-1])
finally:
    keda.kill()
PYTHON
