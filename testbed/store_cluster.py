"""A cluster of three primaries, one with a replica: a real failover and a real move of keys, on this machine."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from redis.crc import REDIS_CLUSTER_HASH_SLOTS, key_slot
from redis.exceptions import RedisError

from testbed.cluster.controlplane import free_ports
from testbed.killable_server import LOOPBACK, made, until
from testbed.sentinels import SETTINGS
from testbed.store_server import StoreProgram, StoreServer

PRIMARIES: Final = 3
"""Two of them are a majority, which a failover needs."""
NODE_MILLISECONDS: Final = 2_000
"""Without an answer, after which a node is taken for lost."""


class StoreCluster:
    """`servers` are the primary of a key's slot, and its replica; `others` the primaries of the other slots."""

    def __init__(self, program: StoreProgram, directory: Path, key: str) -> None:
        """`key`: of the service; the one primary that has a replica has its slot."""
        self.slot = key_slot(key.encode())
        nodes = [StoreServer(program, made(directory / f"node-{n}")) for n in range(PRIMARIES + 1)]
        self._bus_ports = dict(zip(nodes, free_ports(len(nodes)), strict=True))
        first, *self.others, replica = nodes
        self.servers = [first, replica]

    @property
    def nodes(self) -> list[StoreServer]:
        return [*self.servers, *self.others]

    @property
    def url(self) -> str:
        """Names a node that has none of the service's keys, and is not killed."""
        return self.others[0].url

    def start(self) -> None:
        """Starts all of it; returns once each slot is served, and the replica follows."""
        for node in self.nodes:
            node.start(extra=self._settings(node))
        first, replica = self.servers
        for node in self.nodes[1:]:
            first.ask("CLUSTER", "MEET", LOOPBACK, str(node.port), str(self._bus_ports[node]))
        until("the nodes know each other", lambda: all(self._says(node, "known_nodes", 4) for node in self.nodes))
        primaries = [first, *self.others]
        share = -(-REDIS_CLUSTER_HASH_SLOTS // PRIMARIES)
        for turn in range(PRIMARIES):
            slots = range(turn * share, min((turn + 1) * share, REDIS_CLUSTER_HASH_SLOTS))
            owner = primaries[(turn - self.slot // share) % PRIMARIES]
            owner.ask("CLUSTER", "ADDSLOTSRANGE", str(slots[0]), str(slots[-1]))
        replica.ask("CLUSTER", "REPLICATE", _id(first))
        until("each slot is served, and the replica follows", self.is_whole)

    def primary(self) -> StoreServer:
        """That of the service's slot, as the node of the URL knows it."""
        for low, high, owner, *_ in self.others[0].ask("CLUSTER", "SLOTS"):
            if low <= self.slot <= high:
                return next(node for node in self.nodes if node.port == owner[1])
        raise LookupError(f"no node has slot {self.slot}")

    def kill_primary(self) -> StoreServer:
        """Returns the one that was killed; its replica takes its place by itself."""
        killed = self.primary()
        killed.kill()
        return killed

    def rejoin(self, server: StoreServer) -> None:
        """Starts the one that was killed: by its own file of nodes it knows the others, and becomes a replica."""
        server.start(extra=self._settings(server))

    def move_slot(self) -> None:
        """Gives the service's slot, with its keys, to another primary.

        Source: https://valkey.io/commands/cluster-setslot/
        """
        source, target = self.primary(), self.others[1]
        source_id, target_id, slot = _id(source), _id(target), str(self.slot)
        target.ask("CLUSTER", "SETSLOT", slot, "IMPORTING", source_id)
        source.ask("CLUSTER", "SETSLOT", slot, "MIGRATING", target_id)
        if keys := source.ask("CLUSTER", "GETKEYSINSLOT", slot, "1000"):
            source.ask("MIGRATE", LOOPBACK, str(target.port), "", "0", "5000", "KEYS", *keys)
        for node in (target, source, *self.others):
            node.ask("CLUSTER", "SETSLOT", slot, "NODE", target_id)

    def is_whole(self) -> bool:
        try:
            follows = self.primary().ask("INFO", "replication").get("slave0", {}).get("state") == "online"
            return follows and all(self._says(node, "state", "ok") for node in self.nodes)
        except (RedisError, LookupError):
            return False

    def close(self) -> None:
        for node in self.nodes:
            node.kill()

    def _settings(self, node: StoreServer) -> tuple[str, ...]:
        cluster = ("--cluster-enabled", "yes", "--cluster-port", str(self._bus_ports[node]))
        return (*SETTINGS, *cluster, "--cluster-node-timeout", str(NODE_MILLISECONDS))

    @staticmethod
    def _says(node: StoreServer, fact: str, value: Any) -> bool:
        return f"cluster_{fact}:{value}" in node.ask("CLUSTER", "INFO").decode().splitlines()


def _id(node: StoreServer) -> str:
    return node.ask("CLUSTER", "MYID").decode()


@contextmanager
def clustered(program: StoreProgram, directory: Path, key: str) -> Generator[StoreCluster]:
    """All of it, until the block ends."""
    cluster = StoreCluster(program, made(directory), key)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.close()
