#!/usr/bin/env bash
# kube-apiserver 1.37.2: who writes a Deployment's number of pods by its subresource /scale is the field's manager
# afterwards, as of any write; but not who writes 0. Then nobody is, and whoever managed the number before has lost it:
# Scale's `replicas` is left out where it is 0 (omitempty), so that the field looks unset to the bookkeeping. By the
# Deployment itself, whose number is a pointer, 0 has its manager.
# Expected: that managedFields tells who scaled to zero, as it tells who scaled to one, for which an operator looks
# before it scales up again. Seen: the table below. Remedy: keep in a status or an annotation who it was.
# Fails (exit 1) once that changes.
# shellcheck source=findings/kube-apiserver.sh
source "$(dirname "$0")/kube-apiserver.sh"
PYTHONPATH="$directory" python3 - <<'PYTHON'
import json
import sys

from api import MERGE, ask

DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
POD = {
    "metadata": {"labels": {"app": "web"}},
    "spec": {"containers": [{"name": "web", "image": "registry.example.com/web:1"}]},
}
SPEC = {"replicas": 2, "selector": {"matchLabels": {"app": "web"}}, "template": POD}


def owners(path, replicas):
    """Who manages the number of pods of a new Deployment after a merge patch at `path` by `scaler`."""
    name = f"web{path.replace('/', '-')}-{replicas}"
    body = {"metadata": {"name": name}, "spec": SPEC}
    ask("POST", f"{DEPLOYMENTS}?fieldManager=creator", body)
    number = json.dumps({"spec": {"replicas": replicas}}).encode()
    status, _ = ask("PATCH", f"{DEPLOYMENTS}/{name}{path}?fieldManager=scaler", number, MERGE)
    assert status == 200, status
    _, found = ask("GET", f"{DEPLOYMENTS}/{name}")
    assert found["spec"]["replicas"] == replicas
    managers = found["metadata"]["managedFields"]
    return ", ".join(one["manager"] for one in managers if "f:replicas" in one["fieldsV1"].get("f:spec", {})) or "nobody"


EXPECTED = {("", 1): "scaler", ("", 0): "scaler", ("/scale", 1): "scaler", ("/scale", 0): "nobody"}
found = {}
for path, replicas in EXPECTED:
    found[path, replicas] = owners(path, replicas)
    print(f"{replicas} written to the Deployment{path:7}: its manager is {found[path, replicas]}")
sys.exit(found != EXPECTED)
PYTHON
