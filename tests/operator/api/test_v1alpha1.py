"""WhisperService v1alpha1: the defaults of a spec, and what a manifest must have."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from testbed.paths import REPOSITORY
from tests.operator.api.specs import accepted, assert_choices, assert_range, manifest, problem, refused
from whisper_operator.api.explain import explain
from whisper_operator.api.spec.exposure import ServiceSpec
from whisper_operator.api.spec.jobs import PrefetchSpec
from whisper_operator.api.spec.model import CacheSpec
from whisper_operator.api.spec.observability import LoggingSpec, MonitoringSpec
from whisper_operator.api.spec.pods import (
    ImageSpec,
    ObjectMetadataSpec,
    PodMetadataSpec,
    SchedulingSpec,
    ServiceAccountSpec,
)
from whisper_operator.api.spec.replicas import RolloutSpec
from whisper_operator.api.spec.server import ServerSpec
from whisper_operator.api.status import Status
from whisper_operator.api.v1alpha1 import Metadata, WhisperService
from whisper_runtime.contract.languages import LANGUAGE_CODES

ALWAYS_THERE = {
    "image": ImageSpec(),
    "server": ServerSpec(),
    "cache": CacheSpec(),
    "prefetch": PrefetchSpec(),
    "service": ServiceSpec(),
    "rollout": RolloutSpec(),
    "monitoring": MonitoringSpec(),
    "logging": LoggingSpec(),
    "scheduling": SchedulingSpec(),
    "serviceAccount": ServiceAccountSpec(),
    "podMetadata": PodMetadataSpec(),
    "objectMetadata": ObjectMetadataSpec(),
}
EXTERNAL = {"type": "External", "external": {"metricName": "backlog", "averageValue": 30}}
INVALID = sorted((REPOSITORY / "tests/controlplane/invalid").glob("*.yaml"))


def test_a_spec_that_names_only_a_model_has_these_defaults() -> None:
    assert manifest(accepted(model={"name": "base"})) == {
        "model": {"name": "base", "source": None, "aliases": []},
        "diarization": None,
        "device": "auto",
        "computeType": "auto",
        "language": "auto",
        "replicas": 1,
        "suspend": False,
        "paused": False,
        **{name: manifest(part) for name, part in ALWAYS_THERE.items()},
        **dict.fromkeys(
            ("gpu", "resources", "auth", "rateLimit", "jobs", "resultCache", "redis", "ingress", "gateway")
        ),
        **dict.fromkeys(("autoscaling", "front", "disruption", "networkPolicy", "verification", "podTemplate")),
    }


@pytest.mark.parametrize("part", ["gpu", "resources", "rateLimit", "ingress", "autoscaling", "front", "verification"])
def test_a_part_is_switched_on_by_being_there(part: str) -> None:
    assert manifest(accepted(**{part: {}}))[part]


@pytest.mark.parametrize(
    ("spec", "front"),
    [
        ({}, None),
        ({"front": {"replicas": 3}}, 3),
        ({"autoscaling": {"minReplicas": 0}}, 2),
        ({"autoscaling": {"minReplicas": 0}, "front": {"replicas": 1}}, 1),
        ({"autoscaling": {"minReplicas": 1}}, None),
        ({"autoscaling": {"minReplicas": 0, "metrics": [EXTERNAL]}}, None),
    ],
    ids=["nothing", "asked for", "from zero", "from zero, asked for", "from one", "from zero, by another"],
)
def test_there_is_a_front_where_it_is_asked_for_or_holds_requests_for_the_first_pod(
    spec: dict[str, Any], front: int | None
) -> None:
    wanted = accepted(**spec).wanted_front
    assert (wanted.replicas if wanted else None) == front


@pytest.mark.parametrize(
    ("field", "choices"),
    [("device", ("auto", "cuda", "cpu")), ("computeType", ("auto", "float16", "bfloat16", "float32"))],
)
def test_a_field_has_these_choices(field: str, choices: tuple[str, ...]) -> None:
    assert_choices(field, *choices, gpu={})


def test_the_number_of_pods_has_bounds() -> None:
    assert_range("replicas", 0, 1000)


@pytest.mark.parametrize("language", ["auto", *LANGUAGE_CODES[:-1]])
def test_a_language_is_auto_or_a_code(language: str) -> None:
    accepted(language=language)


@pytest.mark.parametrize(
    ("language", "code"), [("auto", None), ("nb", "no"), ("pt-BR", "pt"), ("Deutsch", "de"), ("日本語", "ja")]
)
def test_a_language_is_any_word_of_the_runtimes_table(language: str, code: str | None) -> None:
    assert accepted(language=language).language_code == code


@pytest.mark.parametrize("language", ["", "e", "xx", "xx-DE", "en-", "en,de"])
def test_a_word_that_is_no_language_is_refused(language: str) -> None:
    assert refused(language=language) == (
        f"spec.language: {language!r} is not a language of Whisper; "
        "write a code such as en or pt-BR, a name such as German, or auto"
    )


def test_a_misspelt_language_is_refused_with_the_nearest_spelling() -> None:
    assert refused(language="Englsh") == (
        "spec.language: 'Englsh' is not a language of Whisper; did you mean english? If not, "
        "write a code such as en or pt-BR, a name such as German, or auto"
    )


@pytest.mark.parametrize(
    ("spec", "most"),
    [({}, 1), ({"replicas": 3}, 3), ({"replicas": 3, "autoscaling": {"maxReplicas": 7}}, 7)],
    ids=["by default", "as many as replicas says", "as many as the autoscaler may start"],
)
def test_the_most_pods_that_can_run(spec: dict[str, Any], most: int) -> None:
    assert accepted(**spec).most_replicas == most


@pytest.mark.parametrize(
    ("ingress", "gateway", "prefix"),
    [("/", "/", ""), ("/speech", "/", "/speech"), ("/", "/speech/", "/speech"), ("/speech", "/speech", "/speech")],
)
def test_the_pods_answer_below_one_prefix(ingress: str, gateway: str, prefix: str) -> None:
    route = {"parentRefs": [{"name": "own"}], "path": gateway}
    assert accepted(ingress={"path": ingress}, gateway=route).base_path == prefix


def test_a_pod_template_is_kept_whatever_is_in_it() -> None:
    template = {"spec": {"containers": [{"name": "server", "args": None}]}}
    assert accepted(podTemplate=template).pod_template == template


def test_every_mistake_is_explained() -> None:
    assert refused(replicas=-1, device="tpu").split("; ") == [
        "spec.device: Input should be 'auto', 'cuda' or 'cpu'",
        "spec.replicas: Input should be greater than or equal to 0",
    ]


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({"metadata": {"name": "speech"}}, "spec: Field required"),
        ({"metadata": {"name": "speech"}, "spec": {}}, "spec.model: Field required"),
        ({"metadata": {"name": "speech"}, "spec": {"model": {}}}, "spec.model.name: Field required"),
        ({"spec": {"model": {"name": "base"}}}, "metadata: Field required"),
        ({"metadata": {}, "spec": {"model": {"name": "base"}}}, "metadata.name: Field required"),
    ],
    ids=["no spec", "no model", "no model's name", "no metadata", "no name"],
)
def test_a_manifest_that_lacks_what_it_must_have_is_refused(body: dict[str, Any], sentence: str) -> None:
    assert problem(WhisperService, body) == sentence


def test_a_manifest_without_a_status_has_an_empty_one() -> None:
    body = {"metadata": {"name": "speech"}, "spec": {"model": {"name": "base"}}}
    assert WhisperService.parse(body).status == Status()
    assert WhisperService.parse({**body, "status": {"replicas": 2}}).status == Status(replicas=2)


@pytest.mark.parametrize("name", ["a", "speech", "a-1", "a" * 40])
def test_a_name_leaves_room_for_those_of_children(name: str) -> None:
    assert Metadata.model_validate({"name": name}).name == name


@pytest.mark.parametrize("name", ["", "a" * 41, "1a", "-a", "a-", "A", "a.b", "a\n"])
def test_a_name_that_its_children_could_not_carry_on_is_refused(name: str) -> None:
    assert problem(Metadata, {"name": name}) == "name: String should match pattern '^[a-z]([-a-z0-9]{0,38}[a-z0-9])?$'"


def test_the_metadata_of_a_manifest_that_no_server_has_seen() -> None:
    assert Metadata.model_validate({"name": "speech"}).model_dump() == {
        "name": "speech",
        "namespace": "default",
        "uid": "",
        "generation": 1,
        "resource_version": "",
        "deletion_timestamp": None,
    }


def test_the_metadata_of_a_stored_object() -> None:
    body = {"name": "speech", "resourceVersion": "7", "deletionTimestamp": "2026-01-01T00:00:00Z", "managedFields": []}
    found = Metadata.model_validate(body)
    assert (found.resource_version, found.deletion_timestamp) == ("7", "2026-01-01T00:00:00Z")


def sentence(file: Path) -> str:
    return file.read_text().splitlines()[0].removeprefix("# refused: ")


@pytest.mark.parametrize(
    "file", [file for file in INVALID if file.stem != "device-unknown"], ids=lambda file: file.stem
)
def test_a_manifest_that_the_api_server_refuses_is_refused_here_too(file: Path) -> None:
    """So that `check` needs no cluster, and an object that is older than a rule is not obeyed."""
    with pytest.raises(ValidationError) as error:
        WhisperService.parse(yaml.safe_load(file.read_text()))
    field = sentence(file).split()[0] if sentence(file).startswith(("spec.", "metadata.")) else ""
    assert field in explain(error.value)
