#!/usr/bin/env bash
# Sourced by the kopf-*.sh scripts: installs kopf in $directory/venv and writes $directory/cluster.py, an API server of
# one kind as far as kopf asks (discovery, list, watch), and an operator that keeps the events which its handler gets.
set -euo pipefail
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
python3 -m venv "$directory/venv"
"$directory/venv/bin/pip" install --quiet kopf==1.45.2
cat >"$directory/cluster.py" <<'PYTHON'
import http.server
import json
import threading
import urllib.parse

import kopf

GROUP, VERSION, PLURAL = "example.com", "v1", "things"
API = f"{GROUP}/{VERSION}"


def kinds(group_version, **found):
    verbs = ["get", "list", "watch", "patch", "create"]
    resources = [
        {"name": name, "singularName": "", "kind": kind, "namespaced": True, "verbs": verbs}
        for name, kind in found.items()
    ]
    return {"kind": "APIResourceList", "groupVersion": group_version, "resources": resources}


VERSIONS = {"groupVersion": API, "version": VERSION}
THINGS = {"name": GROUP, "versions": [VERSIONS], "preferredVersion": VERSIONS}
DISCOVERY = {
    "/api": {"kind": "APIVersions", "versions": ["v1"]},
    "/api/v1": kinds("v1", namespaces="Namespace", events="Event"),
    "/apis": {"kind": "APIGroupList", "groups": [THINGS]},
    f"/apis/{API}": kinds(API, things="Thing"),
}


def thing(name, version):
    metadata = {"name": name, "namespace": "default", "uid": f"uid-of-{name}", "resourceVersion": str(version)}
    return {"apiVersion": API, "kind": "Thing", "metadata": metadata}


def serve(listed, watched, answer=lambda path, query: None):
    """Address of the API server; `listed()`: a version and the things, `watched(query)`: the events of a watch.

    `answer(path, query)`: what is sent to a request for anything but discovery; None where the two say it.
    """

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            path, _, query = self.path.partition("?")
            query = dict(urllib.parse.parse_qsl(query))
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            if path in DISCOVERY:
                self.send(DISCOVERY[path])
            elif (bodies := answer(path, query)) is not None:
                for body in bodies:
                    self.send(body)
            elif query.get("watch") == "true":
                for event in watched(query):
                    self.send(event)
            else:
                version, things = listed()
                metadata = {"resourceVersion": str(version)}
                self.send({"apiVersion": API, "kind": "ThingList", "metadata": metadata, "items": things})

        def send(self, body):
            self.wfile.write(json.dumps(body).encode() + b"\n")
            self.wfile.flush()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"


async def operate(url, stop, **watching):
    """The events that an operator's handler gets until `stop`, as (type, name); a listed thing has the type None."""
    seen, registry, settings = [], kopf.OperatorRegistry(), kopf.OperatorSettings()
    settings.posting.enabled = False
    settings.scanning.disabled = True
    for name, value in watching.items():
        setattr(settings.watching, name, value)
    kopf.on.login(registry=registry)(lambda **_: kopf.ConnectionInfo(server=url))

    @kopf.on.event(GROUP, VERSION, PLURAL, registry=registry)
    async def handle(event, name, **_):
        seen.append((event["type"], name))

    try:
        await kopf.operator(registry=registry, settings=settings, standalone=True, clusterwide=True, stop_flag=stop)
    finally:
        stop.set()  # a thread of kopf's waits for it, and the event loop for that thread
    return seen
PYTHON
