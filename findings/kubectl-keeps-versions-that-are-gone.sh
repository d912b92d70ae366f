#!/usr/bin/env bash
# kubectl 1.37.2 with kube-apiserver 1.37.2: once the version of a custom resource that kubectl has read is no longer
# served, `kubectl get NAME` fails with NotFound though the objects are there in another version, and does so in every
# shell of that user for up to six hours. kubectl keeps the versions that a server has on disk (--cache-dir, by default
# ~/.kube/cache; cachedDiscoveryClient with a TTL of 6 h in cli-runtime's config_flags.go), and asks anew only for a
# resource that the cache has not, never for one that the server has no more.
# Expected: that a 404 of a resource's own path makes kubectl ask for the versions again.
# Seen: the lines below. Remedy: after an upgrade that ends a version, name a version (`kubectl get NAME.v2.GROUP`), or
# run `kubectl api-resources`, which asks anew; scripts set --cache-dir to a folder of their own. Fails (exit 1) once
# kubectl finds the objects by itself.
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

SCHEMA = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}


def definition(**served):
    versions = [
        {"name": name, "served": serve, "storage": name == "v1", "schema": SCHEMA} for name, serve in served.items()
    ]
    names = {"kind": "Route", "plural": "routes"}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "routes.example.com"},
        "spec": {"group": "example.com", "names": names, "scope": "Namespaced", "versions": versions},
    }


def kubectl(*arguments, body=None, cache="cache"):
    authority = f"--certificate-authority={os.environ['DIRECTORY']}/certificate.pem"
    where = (f"--server={os.environ['SERVER']}", "--token=unused", authority)
    kept = f"--cache-dir={os.environ['DIRECTORY']}/{cache}"
    command = (os.environ["KUBECTL"], "--kubeconfig=/dev/null", *where, kept, *arguments)
    done = subprocess.run(command, input=json.dumps(body), capture_output=True, text=True)
    return done.returncode, (done.stdout + done.stderr).strip()


def until(what, *arguments):
    for _ in range(200):
        if what in kubectl(*arguments, cache="another")[1]:
            return
        time.sleep(0.3)
    sys.exit(f"never: {what}")


def serve(**versions):
    """Returns once the API server serves these versions alone."""
    kubectl("apply", "-f", "-", body=definition(**versions))
    for name, is_served in versions.items():
        until("APIResourceList" if is_served else "NotFound", "get", "--raw", f"/apis/example.com/{name}")


serve(v1=True, v2=False)
kubectl("create", "-f", "-", body={"apiVersion": "example.com/v1", "kind": "Route", "metadata": {"name": "a"}})
found = {"v1 is served": kubectl("get", "routes", "-o", "name")}
serve(v1=False, v2=True)
found["v2 alone is"] = kubectl("get", "routes", "-o", "name")
found["once more"] = kubectl("get", "routes", "-o", "name")
found["by version"] = kubectl("get", "routes.v2.example.com", "-o", "name")
found["with another cache"] = kubectl("get", "routes", "-o", "name", cache="new")
found["asked anew"] = kubectl("api-resources", "--api-group=example.com", "-o", "name")
found["after that"] = kubectl("get", "routes", "-o", "name")
for when, (code, text) in found.items():
    print(f"{when:18} exit code {code}: {text}")
there = (0, "route.example.com/a")
sys.exit(
    {when: found[when] for when in ("v1 is served", "by version", "with another cache", "after that")}
    != dict.fromkeys(("v1 is served", "by version", "with another cache", "after that"), there)
    or any("NotFound" not in found[when][1] for when in ("v2 alone is", "once more"))
)
PYTHON
