#!/usr/bin/env bash
# kube-apiserver 1.37.2: a watch of a custom resource that was open before its CustomResourceDefinition got a new field
# shows the objects without that field, at the versions at which a read has it.
# Expected: once the changed definition is in force (a strict create with the field is taken), each watch shows what a
# read shows, or ends with the definition. Seen: the object whose new field was just set comes as MODIFIED, with its new
# resourceVersion and generation, and without the field; a read of that very version has it. The watch ends later. One
# that goes on from there is sent nothing more, and a list has the object at a version that the watcher knows already:
# who compares versions, as informers do, never learns of the field. Remedy: compare the spec of each answer to a write
# of the status with the one that was acted on.
# Fails (exit 1) once that changes.
# shellcheck source=findings/kube-apiserver.sh
source "$(dirname "$0")/kube-apiserver.sh"
PYTHONPATH="$directory" python3 - <<'PYTHON'
import http.client
import json
import sys
import time

import api

GROUP, THINGS = "example.com", "/apis/example.com/v1/namespaces/default/things"
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
KNOWN = {"type": "object", "properties": {"known": {"type": "string"}}}
SCHEMA = {"type": "object", "properties": {"spec": KNOWN}}
VERSION = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": SCHEMA}}
NAMES = {"plural": "things", "singular": "thing", "kind": "Thing", "listKind": "ThingList"}


def thing(name, **spec):
    return {"apiVersion": "example.com/v1", "kind": "Thing", "metadata": {"name": name}, "spec": spec}


def until(what, holds):
    for _ in range(300):
        if holds():
            return
        time.sleep(0.1)
    sys.exit(f"not seen: {what}")


spec = {"group": GROUP, "scope": "Namespaced", "names": NAMES, "versions": [VERSION]}
body = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition"}
assert api.ask("POST", CRDS, {**body, "metadata": {"name": "things.example.com"}, "spec": spec})[0] == 201
until("the kind is served", lambda: '"ThingList"' in api.text(THINGS))
assert api.ask("POST", THINGS, thing("one", known="a"))[0] == 201

watch = http.client.HTTPSConnection("127.0.0.1", api.connection.port, context=api.context, timeout=300)
watch.request("GET", f"{THINGS}?watch=true", headers={"Authorization": "Bearer unused"})
events = watch.getresponse()
first = json.loads(events.readline())
assert first["type"] == "ADDED", first

field = [{"op": "add", "path": "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/later",
          "value": {"type": "string"}}]
assert api.ask("PATCH", f"{CRDS}/things.example.com", field, "application/json-patch+json")[0] == 200
strict = f"{THINGS}?fieldValidation=Strict&dryRun=All"
until("the new field is in force", lambda: api.ask("POST", strict, thing("probe", later="x"))[0] == 201)

assert api.ask("PATCH", f"{THINGS}/one", {"spec": {"later": "x"}}, api.MERGE)[0] == 200
read = api.ask("GET", f"{THINGS}/one")[1]
event = json.loads(events.readline())
shown = event["object"]
print("read: ", read["metadata"]["resourceVersion"], read["metadata"]["generation"], read["spec"])
print("watch:", shown["metadata"]["resourceVersion"], shown["metadata"]["generation"], shown["spec"])
assert shown["metadata"]["resourceVersion"] == read["metadata"]["resourceVersion"]
assert shown["metadata"]["generation"] == read["metadata"]["generation"] == 2
assert read["spec"] == {"known": "a", "later": "x"}
assert shown["spec"] == {"known": "a"}
began = time.monotonic()
rest = events.read()
print(f"the watch ended {time.monotonic() - began:.0f} s later, with {len(rest)} bytes more")
listed = api.ask("GET", THINGS)[1]["items"][0]
assert listed["metadata"]["resourceVersion"] == shown["metadata"]["resourceVersion"]
assert listed["spec"] == {"known": "a", "later": "x"}
PYTHON
