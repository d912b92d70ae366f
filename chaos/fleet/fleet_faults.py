"""What is done to a service of several pods while clients use it; each returns once the fault is over."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
import uuid
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final

from chaos.fleet.clients import JOB, STREAM, WHOLE, FleetClients
from chaos.fleet.fleet_service import ASLEEP, AWAKE, NAME, FleetService, main_process
from chaos.jobs.pod_faults import MODELS
from chaos.jobs.pod_service import SECONDS
from testbed.cluster.network import NODE_ADDRESS, POD_NETWORK
from testbed.demo import platform
from tests.support.services import mirrored_model, patch, reason
from tests.support.waiting import awaited, eventually
from whisper_operator.api.v1alpha1 import Manifest

NOTHING: Final = frozenset[str]()
STREAMS: Final = frozenset({STREAM})
"""A stream whose server dies within its answer breaks off: what was sent can't be taken back."""
ANY: Final = frozenset({WHOLE, STREAM, JOB})
CUT_SECONDS: Final = (3.0, 12.0)
SERVERS, STORE, BUCKET = PARTS = ("servers", "store", "bucket")
"""What faults are of: one at a time of each, for of two failures of a store at once no store promises anything."""


@dataclass(frozen=True)
class Disturbed:
    service: FleetService
    clients: FleetClients
    chooser: random.Random

    def seconds(self) -> float:
        return self.chooser.uniform(*CUT_SECONDS)


def server_killed(disturbed: Disturbed) -> None:
    _kill(disturbed, disturbed.service.pods)


def front_killed(disturbed: Disturbed) -> None:
    _kill(disturbed, lambda: disturbed.service.pods("front"))


def operator_killed(disturbed: Disturbed) -> None:
    """The replica that leads."""
    operator = disturbed.service.kubectl.within(platform.NAMESPACE)

    def leading() -> list[Manifest]:
        (lease,) = operator.list("leases")
        leader = lease["spec"]["holderIdentity"]
        return [pod for pod in operator.list("pods") if pod["metadata"]["name"] == leader]

    _kill(disturbed, leading)


def server_deleted(disturbed: Disturbed) -> None:
    _delete(disturbed, disturbed.service.pods)


def front_deleted(disturbed: Disturbed) -> None:
    _delete(disturbed, lambda: disturbed.service.pods("front"))


def primary_killed(disturbed: Disturbed) -> None:
    """Until its replica has taken over, and it has come back as the other's."""
    store = disturbed.service.store
    killed = store.kill_primary()
    eventually("the replica is the primary", lambda: store.primary() is not killed, SECONDS)
    store.rejoin(killed)
    eventually("the store is whole", store.is_whole, SECONDS)


def primary_paused(disturbed: Disturbed) -> None:
    """For less time than a sentinel waits, or for more, after which there is another primary."""
    store = disturbed.service.store
    paused = store.primary()
    paused.pause()
    time.sleep(disturbed.chooser.choice((0.3, 5.0)))
    paused.resume()
    eventually("the store is whole", store.is_whole, SECONDS)


def bucket_killed(disturbed: Disturbed) -> None:
    bucket = disturbed.service.bucket
    bucket.kill()
    time.sleep(disturbed.seconds())
    bucket.start()


def bucket_paused(disturbed: Disturbed) -> None:
    bucket = disturbed.service.bucket
    bucket.pause()
    time.sleep(disturbed.seconds())
    bucket.resume()


def store_cut_off(disturbed: Disturbed) -> None:
    """No packet goes from a pod to a server of the store, and none is answered."""
    _cut_off(disturbed, disturbed.service.store.primary().port)


def bucket_cut_off(disturbed: Disturbed) -> None:
    _cut_off(disturbed, disturbed.service.bucket.port)


def server_cut_off(disturbed: Disturbed) -> None:
    """No packet comes from a front to a server; the kubelet reaches it."""
    servers = awaited("a pod runs", disturbed.service.pods, SECONDS)
    address = disturbed.chooser.choice(servers)["status"]["podIP"]
    numbers = awaited("a front runs", lambda: _processes(disturbed.service.pods("front")), SECONDS)
    inside = ("nsenter", "-t", str(disturbed.chooser.choice(numbers)), "-n")
    with _dropped("OUTPUT", "-d", address, inside=inside):
        time.sleep(disturbed.seconds())


def rolled_out(disturbed: Disturbed) -> None:
    annotations = {"example.com/restarted": uuid.uuid4().hex}
    patch(disturbed.service.kubectl, NAME, {"podMetadata": {"annotations": annotations}})


def model_changed(disturbed: Disturbed) -> None:
    """To the other one of two."""
    (other,) = {*MODELS} - {disturbed.service.model}
    patch(disturbed.service.kubectl, NAME, {"model": mirrored_model(other)})


def zero_and_back(disturbed: Disturbed) -> None:
    """Until nobody asks and no pod is there, and all ask again."""
    service, clients = disturbed.service, disturbed.clients
    service.wait_ready()
    clients.may_ask.clear()
    eventually("no request is under way", lambda: not clients.busy, SECONDS)
    patch(service.kubectl, NAME, ASLEEP)
    eventually("it sleeps", lambda: reason(service.kubectl, NAME, "Ready") == "ScaledToZero", SECONDS)
    eventually("no pod is there", lambda: not service.kubectl.pods_of(NAME), SECONDS)
    before = clients.ledger.answered.total()
    clients.may_ask.set()
    eventually("it answers again", lambda: clients.ledger.answered.total() > before, SECONDS)
    patch(service.kubectl, NAME, AWAKE)


@dataclass(frozen=True)
class FaultOfFleet:
    inject: Callable[[Disturbed], None]
    part: str
    """One of SERVERS, STORE and BUCKET."""
    breaks: frozenset[str]
    """Doors of which connections may break by it."""
    weight: int
    """How often it is chosen, beside the others."""


FAULTS: Final[Mapping[str, FaultOfFleet]] = {
    "a server killed": FaultOfFleet(server_killed, SERVERS, STREAMS, 5),
    "a front killed": FaultOfFleet(front_killed, SERVERS, ANY, 5),
    "the operator's leader killed": FaultOfFleet(operator_killed, SERVERS, NOTHING, 3),
    "a server deleted": FaultOfFleet(server_deleted, SERVERS, NOTHING, 3),
    "a front deleted": FaultOfFleet(front_deleted, SERVERS, NOTHING, 3),
    "the store's primary killed": FaultOfFleet(primary_killed, STORE, NOTHING, 4),
    "the store's primary paused": FaultOfFleet(primary_paused, STORE, NOTHING, 3),
    "the bucket's server killed": FaultOfFleet(bucket_killed, BUCKET, NOTHING, 3),
    "the bucket's server paused": FaultOfFleet(bucket_paused, BUCKET, NOTHING, 2),
    "the store cut off": FaultOfFleet(store_cut_off, STORE, NOTHING, 4),
    "the bucket cut off": FaultOfFleet(bucket_cut_off, BUCKET, NOTHING, 3),
    "a server cut off from a front": FaultOfFleet(server_cut_off, SERVERS, STREAMS, 4),
    "a rollout": FaultOfFleet(rolled_out, SERVERS, NOTHING, 1),
    "another model": FaultOfFleet(model_changed, SERVERS, NOTHING, 1),
    "zero and back": FaultOfFleet(zero_and_back, SERVERS, NOTHING, 1),
}


@dataclass(frozen=True)
class PlannedFault:
    due: float
    """Seconds from the first request, before which it does not begin."""
    name: str


def plan(number: int, seconds: float, chooser: random.Random) -> list[PlannedFault]:
    """So many faults, each kind among them where there are enough; those of each part in a random order, and as far
    from each other as so many seconds allow."""
    names = [*FAULTS]
    more = chooser.choices(names, [FAULTS[name].weight for name in names], k=max(0, number - len(names)))
    planned = [*names, *more][:number]
    chooser.shuffle(planned)
    parts = [[name for name in planned if FAULTS[name].part == part] for part in PARTS]
    return [PlannedFault(seconds * index / len(part), name) for part in parts for index, name in enumerate(part)]


def _kill(disturbed: Disturbed, pods: Callable[[], Sequence[Manifest]]) -> None:
    """By `kill -9` of a process that runs, which is waited for; the kubelet starts it again."""

    def killed() -> bool:
        numbers = _processes(pods())
        with suppress(ProcessLookupError):  # it has ended meanwhile
            if numbers:
                os.kill(disturbed.chooser.choice(numbers), signal.SIGKILL)
                return True
        return False

    eventually("a process is killed", killed, SECONDS)


def _processes(pods: Sequence[Manifest]) -> list[int]:
    return [number for pod in pods if (number := main_process(pod)) is not None]


def _delete(disturbed: Disturbed, pods: Callable[[], Sequence[Manifest]]) -> None:
    found = awaited("a pod runs", pods, SECONDS)
    name = disturbed.chooser.choice(found)["metadata"]["name"]
    disturbed.service.kubectl("delete", "pod", name, "--wait=false", "--ignore-not-found")


def _cut_off(disturbed: Disturbed, port: int) -> None:
    with _dropped("INPUT", "-s", POD_NETWORK, "-d", NODE_ADDRESS, "--dport", str(port)):
        time.sleep(disturbed.seconds())


@contextmanager
def _dropped(chain: str, *packets: str, inside: Sequence[str] = ()) -> Generator[None]:
    """Such TCP packets are lost, without a word, until the block ends; `inside`: the command that enters a network."""
    rule = (chain, "-p", "tcp", *packets, "-j", "DROP")
    subprocess.run((*inside, "iptables", "-w", "-I", *rule), check=True)
    try:
        yield
    finally:
        # The network of a pod that has ended meanwhile is gone, and its rules with it.
        subprocess.run((*inside, "iptables", "-w", "-D", *rule), check=not inside)
