#!/usr/bin/env bash
# oras 0.2.43, the Python client of OCI registries: `pull` compares nothing with a digest. Neither the manifest that was
# asked for by `@sha256:…`, nor a layer, whose digest and size the manifest lists, has to be the content that came: a cut
# or exchanged blob, from a registry, a mirror or a cache in between, is a file of the right name and a success. (The
# command `oras`, in Go, checks both.)
# Expected: that a pull by digest gives the content of that digest, or fails; it is what a digest is written for.
# Seen: the lines below. Remedy: hash what was pulled, and the manifest too, or use another client. Fails (exit 1) once
# one of the two is found out.
set -euo pipefail
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
python3 -m venv "$directory/venv"
"$directory/venv/bin/pip" install --quiet oras==0.2.43
cd "$directory"
HOME="$directory" "$directory/venv/bin/python" - <<'PYTHON'
import hashlib
import http.server
import json
import sys
import threading

import oras.client

WANTED, SENT = b"the model that was pushed", b"another one"
TITLE = {"org.opencontainers.image.title": "model.bin"}
MEDIA_TYPE = "application/vnd.oci.image.manifest.v1+json"


def digest(content):
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def manifest(**more):
    layer = {"mediaType": "application/octet-stream", "digest": digest(WANTED), "size": len(WANTED), "annotations": TITLE}
    empty = {"mediaType": "application/vnd.oci.empty.v1+json", "digest": digest(b"{}"), "size": 2}
    body = {"schemaVersion": 2, "mediaType": MEDIA_TYPE, "config": empty, "layers": [layer], **more}
    return json.dumps(body).encode()


class Registry(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        is_manifest = "/manifests/" in self.path
        content = manifest(annotations={"exchanged": "yes"}) if is_manifest else SENT
        self.send_response(200)
        self.send_header("Content-Type", MEDIA_TYPE if is_manifest else "application/octet-stream")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Registry)
threading.Thread(target=server.serve_forever, daemon=True).start()
client = oras.client.OrasClient(insecure=True)
reference = f"127.0.0.1:{server.server_port}/team/model@{digest(manifest())}"
try:
    (file,) = client.pull(target=reference, outdir=".")
except Exception as error:
    print(f"refused: {type(error).__name__}: {error}")
    sys.exit(1)
found = open(file, "rb").read()
print(f"asked for the manifest {digest(manifest())[:19]}…, of which a layer is {digest(WANTED)[:19]}…")
print(f"pulled {file.rpartition('/')[2]}, {digest(found)[:19]}…, {len(found)} bytes of {len(WANTED)}, without an error")
sys.exit(found != SENT)
PYTHON
