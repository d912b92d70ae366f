#!/usr/bin/env bash
# kubectl 1.37.2 with kube-apiserver 1.37.2: where a CustomResourceDefinition has a default for a field within the items
# of a list, `kubectl apply` of an unchanged manifest says "configured" for ever and sends a patch each time, while
# `kubectl diff` shows nothing. Of a custom resource kubectl compares a list as one value, with the stored list, into
# which the API server has filled the default. The same default outside a list, or in a map, does no harm.
# Expected: "unchanged", as `kubectl diff` has it; `x-kubernetes-list-type: map` does not help either. A controller that
# compares as kubectl does takes such an object for out of sync.
# Seen: the lines below. Remedy: no defaults within items of lists; let the controller know them. Fails (exit 1) once
# the two agree.
# shellcheck source=findings/kube-apiserver.sh
source "$(dirname "$0")/kube-apiserver.sh"
kubectl=$programs/kubectl
if [ ! -x "$kubectl" ]; then
    (cd "$directory/kubernetes.module" && go build -o "$kubectl" -ldflags "-s -w" k8s.io/kubernetes/cmd/kubectl)
fi
DIRECTORY="$directory" KUBECTL="$kubectl" SERVER="https://127.0.0.1:$port" python3 - <<'PYTHON'
import json
import os
import subprocess
import sys
import time

TEXT = {"type": "string"}
DEFAULTED = {"type": "string", "default": "Prefix"}
ITEM = {"type": "object", "required": ["path"], "properties": {"path": TEXT, "type": DEFAULTED}}
KEYED = {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["path"]}
FIELDS = {
    "of-an-object": {"type": "object", "properties": {"path": TEXT, "type": DEFAULTED}},
    "in-a-list": {"type": "array", "items": ITEM},
    "in-a-list-by-key": {"type": "array", "items": ITEM, **KEYED},
}
VALUES = {"of-an-object": {"path": "/a"}, "in-a-list": [{"path": "/a"}], "in-a-list-by-key": [{"path": "/a"}]}
SPEC = {"type": "object", "properties": FIELDS}
VERSION = {
    "name": "v1",
    "served": True,
    "storage": True,
    "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": SPEC}}},
}
DEFINITION = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "routes.example.com"},
    "spec": {
        "group": "example.com",
        "names": {"kind": "Route", "plural": "routes"},
        "scope": "Namespaced",
        "versions": [VERSION],
    },
}


def kubectl(*arguments, body=None):
    authority = f"--certificate-authority={os.environ['DIRECTORY']}/certificate.pem"
    where = (f"--server={os.environ['SERVER']}", "--token=unused", authority, f"--cache-dir={os.environ['DIRECTORY']}")
    command = (os.environ["KUBECTL"], "--kubeconfig=/dev/null", *where, *arguments)
    return subprocess.run(command, input=json.dumps(body), capture_output=True, text=True)


def route(name):
    metadata = {"name": name, "namespace": "default"}
    return {"apiVersion": "example.com/v1", "kind": "Route", "metadata": metadata, "spec": {name: VALUES[name]}}


kubectl("apply", "-f", "-", body=DEFINITION).check_returncode()
found = {}
for name in FIELDS:
    for _ in range(100):  # the API is served after a moment
        first = kubectl("apply", "-f", "-", body=route(name))
        if first.returncode == 0:
            break
        time.sleep(0.3)
    again = kubectl("apply", "-f", "-", body=route(name)).stdout.split()[-1]
    third = kubectl("apply", "-f", "-", body=route(name)).stdout.split()[-1]
    found[name] = again, third, kubectl("diff", "-f", "-", body=route(name)).returncode
    print(f"{name:17} applied again: {again}, once more: {third}, exit code of kubectl diff: {found[name][2]}")
wanted = {
    "of-an-object": ("unchanged", "unchanged", 0),
    "in-a-list": ("configured", "configured", 0),
    "in-a-list-by-key": ("configured", "configured", 0),
}
sys.exit(found != wanted)
PYTHON
