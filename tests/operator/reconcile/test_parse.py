"""A spec that only its user can mend is refused by its fields; one that was parsed is kept."""

from __future__ import annotations

import re
from typing import Any

import orjson
import pytest

from tests.operator.conftest import NOT_IMPLEMENTED
from whisper_operator.observe.defaults import Defaults
from whisper_operator.observe.policy import Policy
from whisper_operator.reconcile.parse import KEPT, LONGEST, Parsed, Parser, RefusedSpec


def body(version: int = 1, uid: str = "1", **spec: Any) -> dict[str, Any]:
    metadata = {"name": "speech", "namespace": "team", "uid": uid, "resourceVersion": str(version), "generation": 2}
    return {"metadata": metadata, "spec": {"model": {"name": "base"}, **spec}}


pytestmark = pytest.mark.usefixtures("redis_not_implemented")


def accepting(earlier: str, generation: int = 1) -> dict[str, Any]:
    """The status of a service whose last accepted spec is that."""
    return {"accepted": {"generation": generation, "spec": earlier}}


@pytest.mark.parametrize(
    ("spec", "reason", "says"),
    [
        ({"replicas": -1}, "InvalidSpec", "spec.replicas"),
        (
            NOT_IMPLEMENTED,
            "NotImplemented",
            "spec.redis is not implemented in this version: remove it to continue",
        ),
    ],
)
def test_a_refused_spec_names_its_field(spec: dict[str, Any], reason: str, says: str) -> None:
    with pytest.raises(RefusedSpec, match=says) as refused:
        Parser().parse(body(**spec))
    assert refused.value.reason == reason


def test_the_same_version_is_parsed_once_and_another_one_again() -> None:
    parser = Parser()
    first = parser.parse(body())
    assert parser.parse(body()) is first
    assert parser.parse(body(version=2)) is not first
    assert parser.parse(body(uid="2")) is not first


def test_the_one_that_was_asked_for_longest_ago_is_forgotten() -> None:
    parser = Parser()
    first, second = parser.parse(body(version=0)), parser.parse(body(version=1))
    parser.parse(body(version=0))
    others: list[Parsed] = [parser.parse(body(version=2 + number)) for number in range(KEPT - 1)]
    assert len(others) == KEPT - 1
    assert parser.parse(body(version=0)) is first
    assert parser.parse(body(version=1)) is not second


def test_a_version_with_the_same_spec_takes_the_one_that_was_parsed_and_its_own_status() -> None:
    """Each status that is written makes a version: to judge its spec again would double the cost of a pass."""
    parser = Parser()
    first = parser.parse(body(language="en"))
    second = parser.parse(body(version=2, language="en") | {"status": {"replicas": 3}})
    assert second.service.spec is first.service.spec
    assert (first.service.status.replicas, second.service.status.replicas) == (None, 3)
    assert second.service.metadata.resource_version == "2"


def test_another_spec_of_the_same_service_is_judged_and_so_is_that_of_another() -> None:
    parser = Parser(Policy())
    parser.parse(body())
    with pytest.raises(RefusedSpec, match=r"spec\.serviceAccount\.name"):
        parser.parse(body(version=2, serviceAccount={"name": "admin"}))
    assert parser.parse(body(version=3, language="en")).service.spec.language == "en"
    assert parser.parse(body(version=4)).service.spec.language == "auto"
    with pytest.raises(RefusedSpec, match=r"spec\.replicas"):
        parser.parse(body(version=5, uid="2", replicas=-1))


def test_an_accepted_spec_is_kept_as_it_is_stored() -> None:
    found = Parser().parse(body(language="en"))
    assert (found.service.spec.language, found.refusal) == ("en", None)
    assert found.accepted is not None
    assert found.accepted.generation == 2
    assert found.accepted.spec == '{"language":"en","model":{"name":"base"}}'


def test_a_spec_that_is_too_long_is_followed_and_not_kept() -> None:
    long = {"metadata": {"annotations": {"a": "x" * LONGEST}}}
    assert Parser().parse(body(podTemplate=long)).accepted is None


@pytest.mark.parametrize(("then", "now"), [(False, True), (True, False)], ids=["paused", "unpaused"])
def test_a_pause_is_heeded_beside_a_spec_that_is_refused(then: bool, now: bool) -> None:
    """Who pauses a service in trouble may have made another change that is wrong."""
    status = accepting(orjson.dumps({"model": {"name": "small"}, "paused": then}).decode())
    found = Parser().parse({**body(**NOT_IMPLEMENTED, paused=now), "status": status})
    assert (found.service.spec.model.name, found.service.spec.paused) == ("small", now)


@pytest.mark.parametrize("refused", [NOT_IMPLEMENTED, {"replicas": -1}, {"future": True}], ids=str)
def test_while_a_spec_is_refused_the_last_accepted_one_is_followed(refused: dict[str, Any]) -> None:
    status = accepting('{"language":"en","model":{"name":"small"}}')
    found = Parser().parse({**body(**refused), "status": status})
    assert (found.service.spec.language, found.service.spec.model.name) == ("en", "small")
    assert found.service.metadata.generation == 1, "by which its conditions are told"
    assert found.accepted is not None
    assert found.accepted.model_dump(exclude_none=True) == status["accepted"], (
        "which stays the one that was accepted last"
    )
    assert found.refusal is not None


@pytest.mark.parametrize(
    "status",
    [{}, accepting('{"model":{"name":"base"},"future":1}'), accepting('{"redis":{}}'), accepting("{"), accepting("[]")],
    ids=["none", "of a later version", "not implemented", "damaged", "no spec"],
)
def test_nothing_is_followed_where_no_accepted_spec_is_known(status: dict[str, Any]) -> None:
    with pytest.raises(RefusedSpec, match=r"spec\.redis is not implemented"):
        Parser().parse({**body(**NOT_IMPLEMENTED), "status": status})


def test_a_spec_that_the_installation_does_not_allow_is_refused() -> None:
    says = re.escape("spec.service.type 'NodePort': not allowed by policy.serviceTypes")
    with pytest.raises(RefusedSpec, match=says) as refused:
        Parser(Policy()).parse(body(service={"type": "NodePort"}))
    assert refused.value.reason == "PolicyViolated"
    assert Parser(None).parse(body(service={"type": "NodePort"})).service.spec.service.type == "NodePort"


def test_while_a_spec_violates_the_policy_the_last_accepted_one_is_followed() -> None:
    status = accepting('{"language":"en","model":{"name":"small"}}')
    found = Parser(Policy()).parse({**body(service={"type": "NodePort"}), "status": status})
    assert found.service.spec.language == "en"
    assert found.refusal is not None
    assert found.refusal.reason == "PolicyViolated"


def test_a_last_accepted_spec_is_not_followed_that_is_older_than_the_policy_and_violates_it() -> None:
    status = accepting('{"model":{"name":"small"},"service":{"type":"NodePort"}}')
    with pytest.raises(RefusedSpec, match=r"spec\.redis is not implemented"):
        Parser(Policy()).parse({**body(**NOT_IMPLEMENTED), "status": status})
    assert Parser(None).parse({**body(**NOT_IMPLEMENTED), "status": status}).refusal is not None


BEFORE, NOW = Defaults(storage_class_name="before"), Defaults(storage_class_name="now")


def completed_by(status: dict[str, Any], now: Defaults = NOW, **spec: Any) -> str | None:
    """The StorageClass of the spec that is followed, which `status` and the installation's defaults of today decide."""
    found = Parser(defaults=now).parse({**body(**spec), "status": status})
    assert found.accepted is not None
    recorded = Defaults.model_validate_json(found.accepted.defaults or "{}")
    assert recorded.storage_class_name == found.service.spec.cache.storage_class_name
    return recorded.storage_class_name


def recorded(defaults: str | None, **spec: Any) -> dict[str, Any]:
    """The status of a service whose spec was accepted with those defaults."""
    text = orjson.dumps({"model": {"name": "base"}, **spec}, option=orjson.OPT_SORT_KEYS).decode()
    return {"accepted": {"generation": 1, "spec": text, "defaults": defaults}, "model": {"name": "base"}}


@pytest.mark.parametrize(
    ("status", "spec", "storage_class"),
    [
        ({}, {}, "now"),
        (recorded(BEFORE.as_json()), {}, "before"),
        (recorded(BEFORE.as_json()), {"replicas": 3, "suspend": True, "paused": True}, "before"),
        (recorded(BEFORE.as_json()), {"language": "en"}, "now"),
        (recorded(None), {}, None),
        (recorded(None), {"language": "en"}, "now"),
        (recorded('{"future": 1}'), {}, None),
        ({"model": {"name": "base"}}, {}, None),
        ({"conditions": []}, {}, "now"),
        ({"accepted": {"generation": 1, "spec": "[]"}}, {}, "now"),
    ],
    ids=["a new service", "unchanged", "scaled", "changed", "of an earlier version", "of an earlier version, changed",
         "of a later version", "of a release without records", "never accepted before", "damaged"],
)  # fmt: skip
def test_changed_defaults_come_with_the_next_change_of_a_spec(
    status: dict[str, Any], spec: dict[str, Any], storage_class: str | None
) -> None:
    assert completed_by(status, **spec) == storage_class


def test_defaults_are_not_judged_by_the_policy_and_not_recorded_as_the_spec() -> None:
    """They are the administrators' own; and the spec that they complete stays the user's."""
    found = Parser(Policy(ingress_classes=()), Defaults(ingress_class_name="public")).parse(
        body(ingress={"host": "a.example.com"})
    )
    assert found.service.spec.ingress is not None
    assert found.service.spec.ingress.class_name == "public"
    assert found.accepted is not None
    assert "public" not in found.accepted.spec


def test_the_last_accepted_spec_keeps_its_defaults() -> None:
    found = Parser(defaults=NOW).parse({**body(**NOT_IMPLEMENTED), "status": recorded(BEFORE.as_json())})
    assert found.service.spec.cache.storage_class_name == "before"


def test_without_defaults_nothing_is_recorded() -> None:
    accepted = Parser().parse(body()).accepted
    assert accepted is not None
    assert accepted.defaults is None
