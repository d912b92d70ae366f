"""Which services a change concerns, and the facts that a service sees."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

from tests.operator.samples import service
from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.objects.kinds import NODE
from whisper_operator.observe.cache import DELETED, ObjectCache
from whisper_operator.observe.facts import Facts
from whisper_operator.observe.hosts import HostPath
from whisper_operator.observe.policy import Policy

KEY = ("team", "speech")
READY = {"conditions": [{"type": "Ready", "status": "True"}], "allocatable": {"cpu": "2", "memory": "16393244Ki"}}
_versions = itertools.count(1)


def metadata(name: str, namespace: str | None = None, **more: Any) -> dict[str, Any]:
    """Newer than all before."""
    there = {} if namespace is None else {"namespace": namespace}
    return {"name": name, "uid": f"{namespace}/{name}", "resourceVersion": str(next(_versions)), **there, **more}


def ingress(name: str, host: str, created: str, namespace: str = "team", class_name: str | None = None) -> Manifest:
    spec: dict[str, Any] = {"rules": [{"host": host, "http": {"paths": [{"path": "/"}]}}]}
    return {
        "kind": "Ingress",
        "metadata": metadata(name, namespace, creationTimestamp=created),
        "spec": spec | ({"ingressClassName": class_name} if class_name else {}),
    }


def node(name: str, **status: Any) -> Manifest:
    return {"kind": "Node", "metadata": metadata(name), "status": READY | status}


def whisper_service(
    name: str = "speech", namespace: str = "team", status: Manifest | None = None, **spec: Any
) -> Manifest:
    return {"kind": "WhisperService", "metadata": metadata(name, namespace), "spec": spec, "status": status or {}}


def cached(whole_cluster: bool = True, **spec: Any) -> ObjectCache:
    """A cache of one service, which is not Ready."""
    cache = ObjectCache(whole_cluster=whole_cluster)
    cache.observe(whisper_service(**spec))
    return cache


def facts(cache: ObjectCache, **spec: Any) -> Facts:
    return cache.facts(service(**spec), 0.0)


def test_a_heartbeat_is_no_change_and_a_cordon_is() -> None:
    cache = cached()
    assert cache.observe(node("a")) == {KEY}
    assert cache.observe(node("a", images=[1, 2])) == set()
    assert cache.observe({**node("a"), "spec": {"unschedulable": True}}) == {KEY}
    assert [one.takes_pods for one in facts(cache).nodes or ()] == [False]


def test_a_node_that_went_unseen_is_forgotten_by_the_next_list() -> None:
    cache = cached()
    cache.observe(node("a"))
    cache.observe(node("b"))
    assert cache.delete_absent(NODE, None, ["None/b"], next(_versions)) == {KEY}
    assert [one.name for one in facts(cache).nodes or ()] == ["b"]


def test_a_fact_wakes_no_service_that_is_ready_and_none_of_another_namespace() -> None:
    cache = cached()
    cache.observe(whisper_service("ready", status={"conditions": [{"type": "Ready", "status": "True"}]}))
    cache.observe(whisper_service("other", namespace="another"))
    assert cache.observe(node("a")) == {KEY, ("another", "other")}
    quota = {"kind": "ResourceQuota", "metadata": metadata("team", "team"), "spec": {"hard": {"pods": "1"}}}
    assert cache.observe(quota) == {KEY}
    assert [one["spec"] for one in facts(cache).quotas or ()] == [{"hard": {"pods": "1"}}]


def test_a_service_that_is_reconciling_or_stalled_waits_for_facts() -> None:
    ready = {"type": "Ready", "status": "True"}
    for other in ("Reconciling", "Stalled"):
        cache = cached()
        cache.observe(whisper_service(status={"conditions": [ready, {"type": other, "status": "True"}]}))
        assert cache.observe(node("a")) == {KEY}


def test_a_host_belongs_to_the_ingress_that_had_it_first() -> None:
    spec = {"ingress": {"host": "a.example.com"}}
    cache = cached(**spec)
    cache.observe(ingress("web", "a.example.com", "2026-01-01"))
    cache.observe(ingress("speech", "a.example.com", "2026-01-02"))
    assert facts(cache, **spec).taken == {("a.example.com", "/"): "team/web"}
    assert cache.observe(ingress("web", "a.example.com", "2026-01-01"), DELETED) == {KEY}
    assert facts(cache, **spec).taken == {}


def test_an_ingress_wakes_nobody_but_who_waited_for_its_host() -> None:
    cache = cached(ingress={"host": "a.example.com"})
    assert cache.observe(ingress("web", "a.example.com", "2026-01-01")) == set()
    assert facts(cache, ingress={"host": "a.example.com"}).taken
    assert cache.observe(ingress("web", "b.example.com", "2026-01-01")) == {KEY}
    assert cache.observe(ingress("web", "c.example.com", "2026-01-01")) == set()


def test_one_host_behind_two_classes_is_two_ways_in() -> None:
    cache = cached()
    cache.observe(ingress("web", "a.example.com", "2026-01-01", class_name="public"))
    assert facts(cache, ingress={"host": "a.example.com", "className": "public"}).taken
    assert not facts(cache, ingress={"host": "a.example.com", "className": "internal"}).taken
    assert facts(cache, ingress={"host": "a.example.com"}).taken  # it may be any controller's


def test_an_ingress_that_moves_to_another_class_wakes_who_waited_for_its_host() -> None:
    mine = {"host": "a.example.com", "className": "public"}
    cache = cached(ingress=mine)
    cache.observe(ingress("web", "a.example.com", "2026-01-01", class_name="public"))
    assert facts(cache, ingress=mine).taken
    assert cache.observe(ingress("web", "a.example.com", "2026-01-01", class_name="internal")) == {KEY}
    assert not facts(cache, ingress=mine).taken


def test_what_a_service_waits_for_is_what_it_claims_by_its_spec_alone() -> None:
    """The index reads the spec as JSON, and facts read it as a model: both have to find the same host and path."""
    for spec in ({}, {"host": "a.example.com"}, {"host": "a.example.com", "path": "/speech"}, {"host": None}):
        cache = cached(ingress=spec)
        rule = {"host": spec.get("host") or "", "http": {"paths": [{"path": spec.get("path", "/")}]}}
        web = ingress("web", "", "2026-01-01")
        cache.observe({**web, "spec": {"rules": [rule]}})
        assert facts(cache, ingress=spec).taken, spec
        assert cache.observe({**web, "metadata": metadata("web", "team")}, DELETED) == {KEY}, spec


def bound(*others: Manifest, policy: Policy | None = None, **spec: Any) -> Mapping[HostPath, str]:
    """The hosts that are taken from a service under a policy, where those Ingresses are."""
    cache = ObjectCache(whole_cluster=True, policy=policy or Policy())
    for body in (whisper_service(**spec), *others):
        cache.observe(body)
    return facts(cache, **spec).taken


def at(path: str, body: Manifest) -> Manifest:
    rule = body["spec"]["rules"][0]
    return {**body, "spec": {**body["spec"], "rules": [{**rule, "http": {"paths": [{"path": path}]}}]}}


def test_of_another_namespace_the_overlapping_hosts_and_paths_are_taken_too() -> None:
    theirs = ingress("login", "login.example.com", "2026-01-01", namespace="other")
    for mine in ({"path": "/api"}, {"path": "/"}):
        assert bound(theirs, ingress={"host": "login.example.com", **mine}), mine
        assert bound(at("/api/v1", theirs), ingress={"host": "login.example.com", **mine}), mine
    assert not bound(at("/web", theirs), ingress={"host": "login.example.com", "path": "/api"})
    wildcard = ingress("all", "*.example.com", "2026-01-01", namespace="other")
    assert bound(wildcard, ingress={"host": "a.example.com"}) == {("a.example.com", "/"): "other/all"}
    assert bound(theirs, ingress={"host": "*.example.com"})
    assert not bound(ingress("fallback", "", "2026-01-01", namespace="other"), ingress={"host": "a.example.com"})


def test_of_another_namespace_a_host_is_taken_behind_another_class_too() -> None:
    """Two classes may be one controller's, and the author chooses among them."""
    theirs = ingress("login", "login.example.com", "2026-01-01", namespace="other", class_name="public")
    mine = {"host": "login.example.com", "className": "internal"}
    assert bound(theirs, ingress=mine)
    assert not bound(theirs, policy=Policy(shared_hosts=("login.example.com",)), ingress=mine)
    assert not bound(ingress("login", "login.example.com", "2026-01-01", class_name="public"), ingress=mine)


def test_of_its_own_namespace_and_of_a_shared_host_a_service_may_have_another_path() -> None:
    shared = Policy(shared_hosts=("www.example.com",))
    mine = {"host": "www.example.com", "path": "/speech"}
    assert not bound(ingress("web", "www.example.com", "2026-01-01"), ingress=mine)
    theirs = ingress("web", "www.example.com", "2026-01-01", namespace="other")
    assert not bound(theirs, policy=shared, ingress=mine)
    assert bound(at("/speech", theirs), policy=shared, ingress=mine)


def test_an_overlapping_host_that_is_free_again_wakes_who_waited_for_it() -> None:
    cache = ObjectCache(whole_cluster=True, policy=Policy())
    cache.observe(whisper_service(ingress={"host": "a.example.com", "path": "/api"}))
    cache.observe(ingress("all", "*.example.com", "2026-01-01", namespace="other"))
    gone = ingress("all", "*.example.com", "2026-01-01", namespace="other")
    assert cache.observe(gone, DELETED) == {KEY}


def test_in_namespaced_mode_the_cluster_is_unknown() -> None:
    assert facts(cached(whole_cluster=False)).nodes is None
    assert facts(cached(whole_cluster=False)).storage_classes is None


WAY = {"host": "a.example.com", "path": "/"}


def two_services() -> ObjectCache:
    """A cache of two services that want one host, and of no Ingress."""
    cache = ObjectCache(whole_cluster=False)
    for name in ("stable", "canary"):
        cache.observe(whisper_service(name, ingress=WAY))
    return cache


def taken(cache: ObjectCache, name: str) -> list[str]:
    of = service(ingress=WAY)
    named = of.model_copy(update={"metadata": of.metadata.model_copy(update={"name": name})})
    return list(cache.facts(named, 0.0).taken.values())


def test_of_two_services_that_come_together_the_first_to_ask_has_the_host() -> None:
    """Both are judged before the Ingress of either is there; the alphabet is no reason."""
    cache = two_services()
    assert taken(cache, "stable") == []
    assert taken(cache, "canary") == ["team/stable"]
    cache.observe(ingress("stable", "a.example.com", "2026-01-01T00:00:00Z"))
    assert (taken(cache, "stable"), taken(cache, "canary")) == ([], ["team/stable"])


def test_an_ingress_keeps_its_host_beside_one_that_was_created_in_the_same_second() -> None:
    cache = two_services()
    for name in ("stable", "canary"):
        cache.observe(ingress(name, "a.example.com", "2026-01-01T00:00:00Z"))
    assert (taken(cache, "stable"), taken(cache, "canary")) == ([], [])
    cache.observe(ingress("web", "a.example.com", "2025-01-01T00:00:00Z"))
    assert (taken(cache, "stable"), taken(cache, "canary")) == (["team/web"], ["team/web"])


def test_a_service_that_gives_a_host_up_wakes_the_one_that_waits_for_it() -> None:
    cache = two_services()
    assert (taken(cache, "stable"), taken(cache, "canary")) == ([], ["team/stable"])
    moved = whisper_service("stable", ingress={"host": "b.example.com", "path": "/"})
    assert cache.observe(moved) == {("team", "stable"), ("team", "canary")}
    assert taken(cache, "canary") == []
    assert cache.observe(whisper_service("stable", ingress=WAY)) == {("team", "stable")}
    assert taken(cache, "stable") == ["team/canary"]


def test_a_service_that_is_deleted_before_its_ingress_was_made_frees_the_host() -> None:
    cache = two_services()
    assert (taken(cache, "stable"), taken(cache, "canary")) == ([], ["team/stable"])
    assert ("team", "canary") in cache.observe(whisper_service("stable", ingress=WAY), DELETED)
    assert taken(cache, "canary") == []


def test_of_two_services_whose_hosts_overlap_the_first_to_ask_has_its_own_unless_they_are_of_one_namespace() -> None:
    wildcard, inner = service(ingress={"host": "*.example.com"}), service(ingress={"host": "a.example.com"})
    for theirs, has_room in (("other", False), ("team", True)):
        cache = ObjectCache(whole_cluster=True, policy=Policy())
        cache.observe(whisper_service(namespace=theirs, name="first", ingress={"host": "*.example.com"}))
        cache.observe(whisper_service(ingress={"host": "a.example.com"}))
        metadata = wildcard.metadata.model_copy(update={"namespace": theirs, "name": "first"})
        first = wildcard.model_copy(update={"metadata": metadata})
        assert cache.facts(first, 0.0).taken == {}
        assert (cache.facts(inner, 0.0).taken == {}) is has_room
        assert cache.facts(first, 0.0).taken == {}


MANY = {"host": "a.example.com", "additionalHosts": ["b.example.com"], "additionalPaths": [{"path": "/v1"}]}


def test_each_host_and_path_of_a_service_may_be_taken() -> None:
    other = ingress("web", "b.example.com", "2026-01-01")
    assert bound(other, ingress=MANY) == {("b.example.com", "/"): "team/web"}
    assert bound(at("/v1", other), ingress=MANY) == {("b.example.com", "/v1"): "team/web"}
    theirs = ingress("web", "b.example.com", "2026-01-01", namespace="other")
    assert bound(at("/v1/audio", theirs), ingress=MANY).keys() == {("b.example.com", "/"), ("b.example.com", "/v1")}


def test_any_of_its_hosts_that_is_free_again_wakes_who_waited() -> None:
    cache = cached(ingress=MANY)
    cache.observe(ingress("web", "b.example.com", "2026-01-01"))
    assert cache.observe(ingress("web", "b.example.com", "2026-01-01"), DELETED) == {KEY}


def test_who_lacks_one_host_keeps_none_from_others() -> None:
    """Else two services could wait for each other, each with a host that the other wants."""
    cache = cached(ingress=MANY)
    cache.observe(ingress("web", "b.example.com", "2026-01-01"))
    cache.observe(whisper_service("canary", ingress=WAY))
    assert facts(cache, ingress=MANY).taken
    assert taken(cache, "canary") == []


CANARY = {"nginx.ingress.kubernetes.io/canary": "true"}


def canary(body: Manifest) -> Manifest:
    return {**body, "metadata": {**body["metadata"], "annotations": CANARY}}


def test_a_canary_has_no_host_of_its_own() -> None:
    guest = canary(ingress("guest", "a.example.com", "2026-01-01"))
    assert not bound(guest, ingress=WAY)
    cache = cached(ingress=WAY)
    cache.observe(ingress("guest", "a.example.com", "2026-01-01"))
    assert cache.observe(canary(ingress("guest", "a.example.com", "2026-01-01"))) == {KEY}


def test_a_service_that_is_a_canary_shares_the_hosts_of_its_own_namespace_alone() -> None:
    mine = {**WAY, "annotations": CANARY}
    assert not bound(ingress("web", "a.example.com", "2026-01-01"), ingress=mine)
    assert bound(ingress("web", "a.example.com", "2026-01-01", namespace="other"), ingress=mine)
    cache = two_services()
    assert taken(cache, "stable") == []
    assert not facts(cache, ingress=mine).taken


def test_a_canary_that_asks_first_keeps_no_host() -> None:
    cache = cached(ingress={**WAY, "annotations": CANARY})
    cache.observe(whisper_service("stable", ingress=WAY))
    assert not facts(cache, ingress={**WAY, "annotations": CANARY}).taken
    assert taken(cache, "stable") == []


def test_a_prefix_as_gke_writes_it_overlaps_with_what_is_below_it() -> None:
    theirs = at("/*", ingress("web", "a.example.com", "2026-01-01", namespace="other"))
    assert bound(theirs, ingress={"host": "a.example.com", "path": "/api"})
