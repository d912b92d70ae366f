"""python3 -m testbed.cluster binaries | up | begin | finish | down | kubeconfig | load ARCHIVE...

`up` is `begin`, from which on the API server takes objects, and `finish`, after which all that it needs answers.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from testbed import debian
from testbed.cluster import addons, binaries, cleanup, controlplane, images, network, node, process
from testbed.cluster.controlplane import ControlPlane
from testbed.locks import locked
from testbed.paths import CACHE, CLUSTER, KUBECONFIG

PLANE = CLUSTER / "plane.json"
COMPLETE = CLUSTER / "complete"
"""There once everything has come up."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python3 -m testbed.cluster", description=__doc__)
    parser.add_argument("action", choices=("binaries", "up", "begin", "finish", "down", "kubeconfig", "load"))
    parser.add_argument("archives", nargs="*", type=Path)
    parsed = parser.parse_args()
    try:
        match parsed.action:
            case "binaries":
                debian.ensure(debian.NODE)
                print(binaries.ensure())
            case "up":
                begin()
                finish()
            case "begin":
                begin()
            case "finish":
                finish()
            case "down":
                with locked(CACHE / "cluster.lock"):
                    cleanup.remove()
            case "kubeconfig":
                print(running_kubeconfig())
            case _:
                for archive in parsed.archives:
                    images.load(archive)
    except process.ComponentFailed as error:
        sys.exit(f"{error}\nwhat to do: `make cluster-down`, then again")


def begin() -> None:
    """A cluster that starts; one that runs already is left as it is, one that half runs is removed first."""
    debian.ensure(debian.NODE)
    with locked(CACHE / "cluster.lock"):
        if is_up():
            node.load_own_images()  # a checkout that pins other versions has other images
            return
        cleanup.remove()
        CLUSTER.mkdir(parents=True)
        network.add_interface()
        plane = ControlPlane(CLUSTER, network.NODE_ADDRESS, *controlplane.free_ports(3))
        PLANE.write_text(json.dumps([plane.etcd_port, plane.etcd_peer_port, plane.port]))
        controlplane.start(plane)
        controlplane.start_controller_manager(plane)
        node.start(plane)
        addons.install()


def finish() -> None:
    """Waits for the node and for the add-ons of the cluster that `begin` started."""
    with locked(CACHE / "cluster.lock"):
        if not COMPLETE.exists():
            addons.wait()
            COMPLETE.touch()


def is_up() -> bool:
    """Whether every component runs and the API is ready."""
    if not COMPLETE.exists():
        return False
    plane = ControlPlane(CLUSTER, network.NODE_ADDRESS, *json.loads(PLANE.read_text()))
    components = (*cleanup.CONTROL_PLANE, *node.COMPONENTS)
    return all(process.is_running(CLUSTER, name) for name in components) and controlplane.is_ready(plane)


def running_kubeconfig() -> Path:
    if not KUBECONFIG.exists():
        sys.exit("no cluster is up: run `make cluster`")
    return KUBECONFIG


if __name__ == "__main__":
    main()
