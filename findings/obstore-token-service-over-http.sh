#!/usr/bin/env bash
# obstore 0.12.1 (Rust's object_store 0.14): `allow_http` holds for the bucket and not for the token service. A pod's
# ServiceAccount token is exchanged (AssumeRoleWithWebIdentity) over https alone; where AWS_ENDPOINT_URL_STS names an http
# address, as MinIO's within a cluster, the exchange fails in microseconds, before any connection, with an error that names
# neither the scheme nor the address: "HTTP error: builder error".
# Expected: the client's options hold for all its requests, or the error says which of them needs https.
# Seen: the lines below; the server gets no request. With keys, the same option signs for an http address at once.
# Fails (exit 1) once it changes.
set -euo pipefail
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
python3 -m venv "$directory/venv"
"$directory/venv/bin/pip" install --quiet obstore==0.12.1
cd "$directory" && "$directory/venv/bin/python" - <<'PYTHON'
import http.server
import os
import sys
import threading
from datetime import timedelta
from pathlib import Path

import obstore
from obstore.store import S3Store

asked = []


class TokenService(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        asked.append(self.path)
        self.send_error(403)


def sign(**config):
    """The outcome of signing an address of a bucket behind http."""
    store = S3Store(
        "bucket",
        config={"endpoint": "http://127.0.0.1:9", "region": "us-east-1", **config},
        client_options={"allow_http": True},
        retry_config={"max_retries": 0},
    )
    try:
        return obstore.sign(store, "GET", "key", timedelta(hours=1)).partition("?")[0]
    except obstore.exceptions.BaseError as error:
        return str(error).partition("\n")[0]


with_keys = sign(access_key_id="id", secret_access_key="key")
Path("token").write_text("token")
with http.server.ThreadingHTTPServer(("127.0.0.1", 0), TokenService) as server:
    threading.Thread(target=server.serve_forever, daemon=True).start()
    os.environ["AWS_ROLE_ARN"] = "arn:aws:iam::111122223333:role/reader"
    os.environ["AWS_WEB_IDENTITY_TOKEN_FILE"] = "token"
    os.environ["AWS_ENDPOINT_URL_STS"] = f"http://127.0.0.1:{server.server_port}"
    with_role = sign()
    server.shutdown()
print(f"with keys:   {with_keys}")
print(f"with a role: {with_role}")
print(f"requests that the token service got: {len(asked)}")
expected = with_keys == "http://127.0.0.1:9/bucket/key" and "builder error" in with_role and "https" not in with_role
sys.exit(not (expected and asked == []))
PYTHON
