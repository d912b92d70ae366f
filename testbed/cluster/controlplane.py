"""etcd, kube-apiserver and kube-controller-manager in a directory: all that the operator's own tests need."""

from __future__ import annotations

import json
import random
import secrets
import shutil
import socket
import ssl
import subprocess
import urllib.error
import urllib.request
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from testbed.cluster import binaries, process

SERVICE_NETWORK = "10.96.0.0/16"
SERVICE_NETWORK_IPV6 = "fd00:96::/112"
API_CLUSTER_IP = "10.96.0.1"
GARBAGE_PERCENT = "300"
"""Garbage by what lives, in kube-apiserver's memory: collecting at Go's 100 takes a seventh of its processor time."""
FIRST_PORT, EPHEMERAL_PORT = 10000, 32768
"""Linux gives outgoing connections ports from 32768 on (net.ipv4.ip_local_port_range)."""


@dataclass(frozen=True)
class ControlPlane:
    directory: Path
    address: str
    """Address that the API server listens on, and that pods reach it by."""
    etcd_port: int
    etcd_peer_port: int
    port: int

    @property
    def server(self) -> str:
        return f"https://{f'[{self.address}]' if self.is_ipv6 else self.address}:{self.port}"

    @property
    def is_ipv6(self) -> bool:
        """Whether nothing in it has an address of IPv4."""
        return ":" in self.address

    @property
    def kubeconfig(self) -> Path:
        return self.directory / "kubeconfig"

    @property
    def audit_log(self) -> Path:
        return self.directory / "audit.log"

    @property
    def certificate(self) -> Path:
        return self.directory / "pki/apiserver.crt"

    @property
    def token(self) -> str:
        return token(self.directory, "admin")


@contextmanager
def running(
    directory: Path, *, controllers: str, api_flags: Sequence[str] = (), address: str = "127.0.0.1"
) -> Generator[ControlPlane]:
    """A control plane on free ports of the loopback, gone with everything it stored when the block ends.

    `controllers`: what kube-controller-manager runs, as its flag of that name takes it; `api_flags`: more flags of
    kube-apiserver; `address`: of the loopback, `::1` for a cluster of IPv6 alone.
    """
    plane = ControlPlane(directory, address, *free_ports(3))
    try:
        start(plane, extra=["--endpoint-reconciler-type=none", *api_flags])
        start_controller_manager(plane, extra=[f"--controllers={controllers}"])
        yield plane
    finally:
        for component in ("kube-controller-manager", "kube-apiserver", "etcd"):
            process.stop(directory, component)
        shutil.rmtree(directory / "etcd", ignore_errors=True)


def free_ports(count: int) -> list[int]:
    """Ports that nothing listens on now, on any of the machine's addresses, and that no outgoing connection is given.

    The kubelet has its port on the node's address alone: a server that is to listen on all addresses would not start. A
    client that asks while its server is down can otherwise get the server's port, and connect to itself.
    """
    sockets: list[socket.socket] = []
    candidates = random.sample(range(FIRST_PORT, EPHEMERAL_PORT), 50 * count)
    for port in candidates:
        with suppress(OSError):
            sockets.append(socket.create_server(("", port)))
        if len(sockets) == count:
            break
    found = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return found


def start(plane: ControlPlane, extra: Sequence[str] = ()) -> None:
    """Gives the control plane its keys, starts etcd and kube-apiserver, and returns once the API is ready."""
    _identities(plane)
    launch(plane, extra)


def launch(plane: ControlPlane, extra: Sequence[str] = ()) -> None:
    """Starts both programs, for the first time or again, and returns once the API is ready."""
    directory, programs = plane.directory, binaries.ensure("etcd", "kube-apiserver")
    client, peer = (f"http://127.0.0.1:{port}" for port in (plane.etcd_port, plane.etcd_peer_port))
    process.start(
        directory,
        "etcd",
        (
            str(programs / "etcd"),
            "--data-dir",
            str(directory / "etcd"),
            "--unsafe-no-fsync",
            "--log-level",
            "warn",
            "--listen-client-urls",
            client,
            "--advertise-client-urls",
            client,
            "--listen-peer-urls",
            peer,
            "--initial-advertise-peer-urls",
            peer,
            "--initial-cluster",
            f"default={peer}",
        ),
    )
    command = (str(programs / "kube-apiserver"), *_flags(plane), *extra)
    process.start(directory, "kube-apiserver", command, {"GOGC": GARBAGE_PERCENT})
    process.wait(directory, "kube-apiserver", "the API is ready", lambda: is_ready(plane))


def start_controller_manager(plane: ControlPlane, extra: Sequence[str] = ()) -> None:
    program = binaries.ensure("kube-controller-manager") / "kube-controller-manager"
    process.start(
        plane.directory,
        "kube-controller-manager",
        (
            str(program),
            f"--kubeconfig={plane.kubeconfig}",
            "--leader-elect=false",
            "--use-service-account-credentials",
            f"--service-account-private-key-file={plane.directory / 'pki/sa.key'}",
            f"--root-ca-file={plane.certificate}",
            f"--secure-port={free_ports(1)[0]}",
            f"--authentication-kubeconfig={plane.kubeconfig}",
            f"--authorization-kubeconfig={plane.kubeconfig}",
            *extra,
        ),
    )


def is_ready(plane: ControlPlane) -> bool:
    request = urllib.request.Request(f"{plane.server}/readyz", headers={"Authorization": f"Bearer {plane.token}"})
    context = ssl.create_default_context(cafile=plane.certificate)
    try:
        with urllib.request.urlopen(request, timeout=5, context=context) as response:
            return response.status == 200
    except (OSError, urllib.error.URLError):
        return False


def token(directory: Path, user: str) -> str:
    """The bearer token of one of the users in the token file."""
    lines = (directory / "pki/tokens.csv").read_text().splitlines()
    return next(line.split(",")[0] for line in lines if line.split(",")[1] == user)


def write_kubeconfig(plane: ControlPlane, path: Path, user: str) -> None:
    """A kubeconfig (JSON is YAML) for `user`, readable by its owner alone."""
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {"name": "local", "cluster": {"server": plane.server, "certificate-authority": str(plane.certificate)}}
        ],
        "users": [{"name": user, "user": {"token": token(plane.directory, user)}}],
        "contexts": [{"name": "local", "context": {"cluster": "local", "user": user}}],
        "current-context": "local",
    }
    path.touch(mode=0o600)
    path.write_text(json.dumps(config, indent=2))


def _identities(plane: ControlPlane) -> None:
    """A certificate that is its own authority, the service accounts' key, and a token for each user."""
    pki = plane.directory / "pki"
    pki.mkdir(parents=True, exist_ok=True)
    names = f"IP:{plane.address},IP:127.0.0.1,IP:{API_CLUSTER_IP},DNS:kubernetes.default.svc,DNS:localhost"
    _quiet(
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "3650",
        "-subj",
        "/O=system:masters/CN=kubernetes",
        "-addext",
        f"subjectAltName={names}",
        "-keyout",
        str(pki / "apiserver.key"),
        "-out",
        str(plane.certificate),
    )
    _quiet("openssl", "genrsa", "-out", str(pki / "sa.key"), "2048")
    users = ((user, "system:masters") for user in ("admin", "node", "operator"))
    lines = [f'{secrets.token_hex(16)},{user},{user},"{group}"' for user, group in users]
    (pki / "tokens.csv").touch(mode=0o600)
    (pki / "tokens.csv").write_text("\n".join(lines) + "\n")
    policy = {
        "apiVersion": "audit.k8s.io/v1",
        "kind": "Policy",
        "omitStages": ["RequestReceived"],
        "rules": [{"level": "Metadata"}],
    }
    (plane.directory / "audit-policy.json").write_text(json.dumps(policy))
    write_kubeconfig(plane, plane.kubeconfig, "admin")


def _quiet(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise process.ComponentFailed(f"{' '.join(command[:2])} failed:\n{done.stderr}")


def _flags(plane: ControlPlane) -> list[str]:
    pki = plane.directory / "pki"
    return [
        f"--etcd-servers=http://127.0.0.1:{plane.etcd_port}",
        f"--secure-port={plane.port}",
        f"--advertise-address={plane.address}",
        f"--bind-address={plane.address if plane.address in ('127.0.0.1', '::1') else '0.0.0.0'}",
        f"--service-cluster-ip-range={SERVICE_NETWORK_IPV6 if plane.is_ipv6 else SERVICE_NETWORK}",
        f"--tls-cert-file={plane.certificate}",
        f"--tls-private-key-file={pki / 'apiserver.key'}",
        f"--token-auth-file={pki / 'tokens.csv'}",
        f"--service-account-key-file={pki / 'sa.key'}",
        f"--service-account-signing-key-file={pki / 'sa.key'}",
        "--service-account-issuer=https://kubernetes.default.svc",
        "--authorization-mode=Node,RBAC",
        "--allow-privileged=true",
        f"--audit-log-path={plane.audit_log}",
        # In MB; a log that is moved away at 100 MB is a witness that has seen nothing.
        "--audit-log-maxsize=100000",
        f"--kubelet-client-certificate={plane.certificate}",
        f"--kubelet-client-key={pki / 'apiserver.key'}",
        "--kubelet-preferred-address-types=InternalIP",
        # The aggregation layer, by which metrics-server serves its API.
        f"--requestheader-client-ca-file={plane.certificate}",
        "--requestheader-allowed-names=kubernetes",
        "--requestheader-extra-headers-prefix=X-Remote-Extra-",
        "--requestheader-group-headers=X-Remote-Group",
        "--requestheader-username-headers=X-Remote-User",
        f"--proxy-client-cert-file={plane.certificate}",
        f"--proxy-client-key-file={pki / 'apiserver.key'}",
        f"--audit-policy-file={plane.directory / 'audit-policy.json'}",
    ]
