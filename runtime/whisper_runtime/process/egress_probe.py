"""Finds out whether the pod has egress: by one connection to the cluster's API, which every cluster has.

A NetworkPolicy is only a request: a network plugin without support for it accepts it and does nothing. Only the pod
itself can find out.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final

TARGET: Final = "kubernetes-api"
TIMEOUT_SECONDS: Final = 3.0
"""A policy drops packets, so that nothing comes back; an address within the cluster answers in milliseconds."""
PAUSES_SECONDS: Final = (1.0, 2.0, 4.0, 8.0)
"""Between the tries. Network plugins that do not hold a pod back until its policies are in force take about so long."""

EgressReport = Callable[[str, bool], None]
"""Takes the target of a try, and whether a connection came about; called in the probe's thread."""


def probe_egress(
    environment: Mapping[str, str],
    report: EgressReport,
    pauses: Sequence[float] = PAUSES_SECONDS,
    timeout: float = TIMEOUT_SECONDS,
) -> threading.Thread | None:
    """Starts a thread that reports the outcome of each try: until one fails, or the `pauses` (seconds) are over.

    None, and no try, outside of a pod. The kubelet gives each container the two variables:
    https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
    """
    host, port = environment.get("KUBERNETES_SERVICE_HOST"), environment.get("KUBERNETES_SERVICE_PORT")
    if not host or not port:
        return None
    arguments = ((host, int(port)), report, pauses, timeout)
    thread = threading.Thread(target=_probe, args=arguments, name="egress", daemon=True)
    thread.start()
    return thread


def _probe(address: tuple[str, int], report: EgressReport, pauses: Sequence[float], timeout: float) -> None:
    for pause in (*pauses, 0.0):
        is_open = _connects(address, timeout)
        report(TARGET, is_open)
        if not is_open:
            return
        time.sleep(pause)


def _connects(address: tuple[str, int], timeout: float) -> bool:
    """Whether a connection comes about; it is closed at once, and nothing is sent."""
    try:
        socket.create_connection(address, timeout).close()
    except OSError:
        return False
    return True
