"""Whether the pod has a way out: by one connection to the cluster's API, which is there in every cluster.

A NetworkPolicy is a wish: a network plugin that knows none takes it and does nothing. Only the pod itself can tell.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Mapping
from typing import Final

TARGET: Final = "kubernetes-api"
TIMEOUT_SECONDS: Final = 3.0
"""A policy drops packets, so that nothing comes back; an address within the cluster answers in milliseconds."""
PAUSES_SECONDS: Final = (1.0, 2.0, 4.0, 8.0)
"""Network plugins that do not hold a pod back until its policies are in force take about so long."""


def look_for_a_way_out(environment: Mapping[str, str], told: Callable[[str, bool], None]) -> threading.Thread | None:
    """Tries in the background, for nobody is to wait for what does not come, and tells each outcome; None: no pod.

    The kubelet gives each container these variables:
    https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
    """
    host, port = environment.get("KUBERNETES_SERVICE_HOST"), environment.get("KUBERNETES_SERVICE_PORT")
    if not host or not port:
        return None
    address = (host, int(port))
    thread = threading.Thread(target=lambda: _look(address, told), name="egress", daemon=True)
    thread.start()
    return thread


def _look(address: tuple[str, int], told: Callable[[str, bool], None]) -> None:
    """Until there is no way out, or until it is clear that there will always be one."""
    for pause in (*PAUSES_SECONDS, 0.0):
        is_open = _connects(address)
        told(TARGET, is_open)
        if not is_open:
            return
        time.sleep(pause)


def _connects(address: tuple[str, int]) -> bool:
    """Says hello and goodbye, and sends nothing."""
    try:
        socket.create_connection(address, TIMEOUT_SECONDS).close()
    except OSError:
        return False
    return True
