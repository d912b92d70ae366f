#!/usr/bin/env bash
# kube-apiserver 1.37.2: a list of metadata alone (Accept: as=PartialObjectMetadataList) that finds nothing has
# `"items": null`; the same list of whole objects has `"items": []`. As soon as one object is there, both are lists.
# Expected: one shape for one list, whichever representation is asked for. Seen: the table below. A client that loops
# over `items` works in every test that has an object, and fails in the namespace that is empty.
# Remedy: `answer["items"] or []`. Fails (exit 1) once both are lists.
# shellcheck source=findings/kube-apiserver.sh
source "$(dirname "$0")/kube-apiserver.sh"
PYTHONPATH="$directory" python3 - <<'PYTHON'
import json
import sys

from api import NAMESPACE, ask, connection

ACCEPT = {
    "whole objects": "application/json",
    "metadata alone": "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1",
}


def items(accept, label):
    headers = {"Authorization": "Bearer unused", "Accept": accept}
    connection.request("GET", f"{NAMESPACE}/configmaps?labelSelector=app%3D{label}", headers=headers)
    found = json.loads(connection.getresponse().read())
    return found["items"] if found["items"] is None else len(found["items"])


ask("POST", f"{NAMESPACE}/configmaps", {"metadata": {"name": "one", "labels": {"app": "there"}}})
seen = {}
for what, accept in ACCEPT.items():
    seen[what] = items(accept, "there"), items(accept, "absent")
    print(f"{what:14} one object: {seen[what][0]} item  none: {'null' if seen[what][1] is None else seen[what][1]}")
sys.exit(seen != {"whole objects": (1, 0), "metadata alone": (1, None)})
PYTHON
