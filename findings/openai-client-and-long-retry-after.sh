#!/usr/bin/env bash
# openai 3.54.0 (the official Python client): a 429 or 503 whose Retry-After asks for more than 120 seconds is not tried
# again at all, whatever max_retries says; up to 120 it is waited for. So a transcription server with a queue of three
# minutes that says so honestly (180) has its client fail at once, where one that understates (120) is asked again.
# Expected: a wait as long as asked, or the client's own backoff (at most eight seconds) in its place.
# Where: openai/_base_client.py, and MAX_RETRY_AFTER_DELAY in openai/_constants.py.
# Seen: three requests for 1, one for 121. Remedy, on a server: cap Retry-After at 120, or answer sooner with a job.
# Fails (exit 1) once that changes.
set -euo pipefail
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
python3 -m venv "$directory/venv"
"$directory/venv/bin/pip" install --quiet openai==3.54.0
"$directory/venv/bin/python" - <<'PYTHON'
import http.server
import sys
import threading

import openai


class Busy(http.server.BaseHTTPRequestHandler):
    retry_after, requests = "", 0

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        Busy.requests += 1
        self.send_response(429)
        self.send_header("Retry-After", Busy.retry_after)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Busy)
threading.Thread(target=server.serve_forever, daemon=True).start()
client = openai.OpenAI(api_key="unused", base_url=f"http://127.0.0.1:{server.server_port}/v1", max_retries=2)
found = {}
for Busy.retry_after in ("1", "121"):
    Busy.requests = 0
    try:
        client.audio.transcriptions.create(model="whisper-1", file=("a.wav", b"RIFF"))
    except openai.RateLimitError as error:
        found[Busy.retry_after] = Busy.requests
        start = f"openai {openai.__version__}, max_retries=2, Retry-After: {Busy.retry_after:3}"
        print(f"{start}: {Busy.requests} requests")
sys.exit(found != {"1": 3, "121": 1})
PYTHON
