"""Whether there is a front, and who takes the requests of clients while it comes, goes, or is lost."""

from __future__ import annotations

from typing import Any

import pytest

from tests.operator.samples import children, live, observed, one, resolved, rolled_out, service
from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.resolve.front import Component, FrontState, clients_reach

NONE_AVAILABLE = {"availableReplicas": 0}
BAKED = {"cache": {"type": "Image"}}


@pytest.mark.parametrize(
    ("before", "is_wanted", "front_ready", "servers_ready", "reach"),
    [
        ("server", True, False, False, "server"),
        ("server", True, False, True, "server"),
        ("server", True, True, False, "front"),
        ("server", True, True, True, "front"),
        ("front", True, True, False, "front"),
        ("front", True, False, True, "server"),
        ("front", True, False, False, "front"),
        ("front", False, True, False, "front"),
        ("front", False, True, True, "server"),
        ("server", False, True, True, "server"),
    ],
)
def test_who_took_requests_goes_on_until_the_other_is_ready(
    before: Component, is_wanted: bool, front_ready: bool, servers_ready: bool, reach: Component
) -> None:
    found = clients_reach(before, is_wanted=is_wanted, front_ready=front_ready, servers_ready=servers_ready)
    assert found == reach


def front(*there: Manifest, **spec: Any) -> FrontState | None:
    return resolved(service(**BAKED, **spec), observed(*there)).front


def fronting(reach: Component = "front", **counts: Any) -> list[Manifest]:
    """The front's Deployment with two pods, and the Service for clients that selects `reach`."""
    wanted = children(service(**BAKED, front={}))
    status = {"observedGeneration": 1, **dict.fromkeys(("replicas", "updatedReplicas", "availableReplicas"), 2)}
    client = live(one(wanted, "Service"))
    client["spec"]["selector"]["app.kubernetes.io/component"] = reach
    return [live(one(wanted, "Deployment", "speech-front"), status={**status, **counts}), client]


def test_there_is_none_where_the_spec_wants_none_and_none_was() -> None:
    assert front() is None


def test_one_that_does_not_exist_yet_lacks_all_its_pods() -> None:
    found = front(front={})
    assert found is not None
    assert (found.replicas, found.missing, found.is_ready, found.clients_reach) == (2, 2, False, "server")


def test_one_that_is_ready_gets_the_clients() -> None:
    found = front(*fronting("server"), front={})
    assert found is not None
    assert (found.missing, found.is_ready, found.clients_reach, found.is_selected) == (0, True, "front", False)


@pytest.mark.parametrize(
    ("servers", "reach"),
    [
        (rolled_out(service(**BAKED)), "server"),
        (rolled_out(service(**BAKED, front={}), updatedReplicas=0), "server"),
        (rolled_out(service(**BAKED, front={}), observedGeneration=0), "server"),
        (rolled_out(service(**BAKED, front={})), "front"),
        (rolled_out(service(**BAKED), replicas=0, updatedReplicas=0, **NONE_AVAILABLE), "front"),
    ],
    ids=["without its token", "one of before", "not counted yet", "all know it", "no server"],
)
def test_clients_are_sent_to_one_that_each_server_knows(servers: Manifest, reach: Component) -> None:
    """Else a job would belong to the front's address, and its client would not find it."""
    found = front(servers, *fronting("server"), front={})
    assert found is not None
    assert found.clients_reach == reach


def test_one_that_has_clients_keeps_them_while_servers_come_to_know_it() -> None:
    found = front(rolled_out(service(**BAKED)), *fronting(), front={})
    assert found is not None
    assert found.clients_reach == "front"


def test_where_keys_tell_clients_apart_servers_need_not_know_it() -> None:
    auth = {"auth": {"secretRef": {"name": "keys"}}}
    found = front(rolled_out(service(**BAKED, **auth)), *fronting("server"), front={}, **auth)
    assert found is not None
    assert found.clients_reach == "front"


def test_one_that_is_not_wanted_keeps_its_pods_until_no_client_is_sent_to_it() -> None:
    starting = rolled_out(service(**BAKED), **NONE_AVAILABLE)
    for servers, reach in ((starting, "front"), (rolled_out(service(**BAKED)), "server")):
        found = front(servers, *fronting())
        assert found is not None
        assert (found.is_wanted, found.replicas, found.clients_reach) == (False, 2, reach)
    found = front(rolled_out(service(**BAKED)), *fronting("server"))
    assert found is not None
    assert (found.replicas, found.clients_reach) == (0, "server")


def test_a_suspended_service_has_no_pods_of_it() -> None:
    found = front(*fronting(), front={}, suspend=True)
    assert found is not None
    assert (found.is_wanted, found.replicas) == (True, 0)
