#!/usr/bin/env bash
# kopf 1.45.2, default settings: a kind whose CustomResourceDefinition is there, and which discovery does not show at the
# moment when the operator starts, is never watched, although discovery shows it a second later. So it is for a moment
# whenever a definition has just been created and is not yet established, and while an API server starts. kopf warns
# "Unresolved resources cannot be served", and goes on.
# Expected from `settings.scanning`: that the operator "will gracefully start/stop the watch streams" as kinds come. It
# does when an event of the definition comes later; but the first list of definitions, of which this one is part, is
# ignored, "as all custom resources were already noticed by API listing" (process_discovered_resource_event in
# kopf/_core/reactor/observation.py), and a definition that is established already has no further event.
# Seen: one list of definitions and a watch of them, and no request for the kind, ten seconds after it is served.
# Remedy: look by yourself, now and then, which kinds are served, and begin anew where one of them is not watched.
# Fails (exit 1) once the kind is listed or watched.
# shellcheck source=findings/kopf-cluster.sh
source "$(dirname "$0")/kopf-cluster.sh"
"$directory/venv/bin/python" - "$directory" <<'PYTHON'
import asyncio
import importlib.metadata
import sys
import threading

import kopf

sys.path.insert(0, sys.argv[1])
import cluster

DEFINITIONS = "apiextensions.k8s.io/v1"
served = {"groupVersion": DEFINITIONS, "version": "v1"}
definitions = {"name": "apiextensions.k8s.io", "versions": [served], "preferredVersion": served}
stop, asked = threading.Event(), []
whole = dict(cluster.DISCOVERY)
late = f"/apis/{cluster.API}"
del cluster.DISCOVERY[late]
cluster.DISCOVERY["/apis"] = {"kind": "APIGroupList", "groups": [definitions]}
cluster.DISCOVERY[f"/apis/{DEFINITIONS}"] = cluster.kinds(
    DEFINITIONS, customresourcedefinitions="CustomResourceDefinition"
)


def serve_the_kind():
    cluster.DISCOVERY["/apis"] = {"kind": "APIGroupList", "groups": [definitions, *whole["/apis"]["groups"]]}
    cluster.DISCOVERY[late] = whole[late]
    asked.append("(the kind is served)")
    threading.Timer(10, stop.set).start()


def of_definitions(path, query):
    """The one definition, in a list; a watch without an event that lasts until the end."""
    if query.get("watch") == "true":
        threading.Timer(1, serve_the_kind).start()
        stop.wait(30)
        return []
    body = {
        "apiVersion": DEFINITIONS,
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "things.example.com", "uid": "uid-of-things", "resourceVersion": "1"},
        "spec": {"group": cluster.GROUP, "names": {"plural": "things", "kind": "Thing"}},
    }
    metadata = {"resourceVersion": "1"}
    return [{"apiVersion": DEFINITIONS, "kind": "CustomResourceDefinitionList", "metadata": metadata, "items": [body]}]


def answer(path, query):
    asked.append(f"{path}{' (watch)' if query.get('watch') == 'true' else ''}")
    return of_definitions(path, query) if "customresourcedefinitions" in path else None


async def operate(url):
    registry, settings = kopf.OperatorRegistry(), kopf.OperatorSettings()
    settings.posting.enabled = False
    kopf.on.login(registry=registry)(lambda **_: kopf.ConnectionInfo(server=url))
    kopf.on.event(cluster.GROUP, cluster.VERSION, cluster.PLURAL, registry=registry)(lambda **_: None)
    await kopf.operator(registry=registry, settings=settings, standalone=True, clusterwide=True, stop_flag=stop)


asyncio.run(operate(cluster.serve(lambda: (1, []), lambda query: stop.wait(30) and (), answer)))
print(f"kopf {importlib.metadata.version('kopf')} asked for", *asked, sep="\n  ")
sys.exit(any(cluster.PLURAL in one.rpartition("/")[2] and "definitions" not in one for one in asked))
PYTHON
