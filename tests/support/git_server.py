"""A git repository that is cloned by HTTP: git's own http-backend, behind Python's server."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final

from testbed import debian

BRANCH: Final = "main"
AUTHOR: Final = ("-c", "user.name=team", "-c", "user.email=team@example.com")


@dataclass(frozen=True)
class GitServer:
    url: str
    """Of the one repository."""
    bare: Path
    work: Path

    def push(self, files: Mapping[str, str]) -> str:
        """Makes the branch hold exactly these files, by their paths, and returns the commit's hash."""
        git("init", "--quiet", f"--initial-branch={BRANCH}", str(self.work))
        for old in self.work.iterdir():
            if old.name != ".git":
                shutil.rmtree(old) if old.is_dir() else old.unlink()
        for path, content in files.items():
            (self.work / path).parent.mkdir(parents=True, exist_ok=True)
            (self.work / path).write_text(content)
        git("add", "--all", within=self.work)
        git(*AUTHOR, "commit", "--quiet", "--allow-empty", "--message=change", within=self.work)
        git("push", "--quiet", str(self.bare), BRANCH, within=self.work)
        return git("rev-parse", "HEAD", within=self.work).strip()


@contextmanager
def serving(directory: Path) -> Iterator[GitServer]:
    """An empty repository in `directory`."""
    debian.ensure({"git": "git"})
    bare = directory / "served/repository.git"
    git("init", "--quiet", "--bare", f"--initial-branch={BRANCH}", str(bare))

    class BackendOfRepository(HttpBackend):
        root = bare.parent

    with ThreadingHTTPServer(("127.0.0.1", 0), BackendOfRepository) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield GitServer(f"http://127.0.0.1:{server.server_port}/{bare.name}", bare, directory / "work")
        server.shutdown()


class HttpBackend(BaseHTTPRequestHandler):
    """Each request is one run of git's CGI program: https://git-scm.com/docs/git-http-backend"""

    root: Path
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers["Content-Length"])))

    def _answer(self, body: bytes) -> None:
        path, _, query = self.path.partition("?")
        of_request = {
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
        }
        env = {**os.environ, "GIT_PROJECT_ROOT": str(self.root), "GIT_HTTP_EXPORT_ALL": "1", **of_request}
        done = subprocess.run(("git", "http-backend"), input=body, capture_output=True, env=env, check=True)
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        self.send_response(int(fields.pop("Status", "200").split()[0]))
        for name, value in {**fields, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the output of a test is pytest's."""


def git(*arguments: str, within: Path | None = None) -> str:
    """Standard output of git, to which no settings of this machine apply."""
    env = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    command = ("git", *arguments)
    return subprocess.run(command, cwd=within, env=env, capture_output=True, text=True, check=True).stdout
