"""A spec that only its user can mend is refused by its fields; one that was parsed is kept."""

from __future__ import annotations

import re
from typing import Any

import orjson
import pytest

from whisper_operator.observe.policy import Policy
from whisper_operator.reconcile.parse import KEPT, LONGEST, Parsed, Parser, RefusedSpec


def body(version: int = 1, uid: str = "1", **spec: Any) -> dict[str, Any]:
    metadata = {"name": "speech", "namespace": "team", "uid": uid, "resourceVersion": str(version), "generation": 2}
    return {"metadata": metadata, "spec": {"model": {"name": "base"}, **spec}}


def accepting(earlier: str, generation: int = 1) -> dict[str, Any]:
    """The status of a service whose last accepted spec is that."""
    return {"accepted": {"generation": generation, "spec": earlier}}


@pytest.mark.parametrize(
    ("spec", "reason", "says"),
    [
        ({"replicas": -1}, "InvalidSpec", "spec.replicas"),
        ({"jobs": {}}, "NotImplemented", "spec.jobs is not implemented in this version: remove it to continue"),
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
    found = Parser().parse({**body(jobs={}, paused=now), "status": status})
    assert (found.service.spec.model.name, found.service.spec.paused) == ("small", now)


@pytest.mark.parametrize("refused", [{"jobs": {}}, {"replicas": -1}, {"future": True}], ids=str)
def test_while_a_spec_is_refused_the_last_accepted_one_is_followed(refused: dict[str, Any]) -> None:
    status = accepting('{"language":"en","model":{"name":"small"}}')
    found = Parser().parse({**body(**refused), "status": status})
    assert (found.service.spec.language, found.service.spec.model.name) == ("en", "small")
    assert found.service.metadata.generation == 1, "by which its conditions are told"
    assert found.accepted is not None
    assert found.accepted.model_dump() == status["accepted"], "which stays the one that was accepted last"
    assert found.refusal is not None


@pytest.mark.parametrize(
    "status",
    [{}, accepting('{"model":{"name":"base"},"future":1}'), accepting('{"redis":{}}'), accepting("{"), accepting("[]")],
    ids=["none", "of a later version", "not implemented", "damaged", "no spec"],
)
def test_nothing_is_followed_where_no_accepted_spec_is_known(status: dict[str, Any]) -> None:
    with pytest.raises(RefusedSpec, match=r"spec\.jobs is not implemented"):
        Parser().parse({**body(jobs={}), "status": status})


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
    with pytest.raises(RefusedSpec, match=r"spec\.jobs is not implemented"):
        Parser(Policy()).parse({**body(jobs={}), "status": status})
    assert Parser(None).parse({**body(jobs={}), "status": status}).refusal is not None
