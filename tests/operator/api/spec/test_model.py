"""The checkpoint: its model, its source, and the volume that keeps it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.operator.api.specs import accepted, assert_choices, assert_longest, letters, manifest, refused
from whisper_operator.api.spec.model import CacheSpec, ModelSpec
from whisper_runtime.contract.models import OFFICIAL_MODELS


def test_a_model_comes_from_openai_unless_the_spec_names_a_source() -> None:
    assert manifest(ModelSpec(name="base")) == {"name": "base", "source": None, "aliases": []}


@pytest.mark.parametrize("alias", ["whisper-large-v3", "openai/whisper-large-v3", "Systran/Faster", "a", "a" * 128])
def test_clients_may_call_a_model_by_further_names(alias: str) -> None:
    assert accepted(model={"name": "base", "aliases": [alias, "other"]}).model.aliases == (alias, "other")


@pytest.mark.parametrize(
    ("aliases", "sentence"),
    [
        (["my model"], "spec.model.aliases[0]: 'my model' is not a valid name for clients; for example "),
        (["a", ""], "spec.model.aliases[1]: '' is not a valid name for clients"),
        (["/a"], "spec.model.aliases[0]: '/a' is not a valid name for clients"),
        (["a", "b", "a"], "spec.model.aliases has a name more than once: remove the duplicates"),
        (["a" * 129], "spec.model.aliases[0]: "),
        ([f"a{number}" for number in range(17)], "spec.model.aliases: "),
    ],
)
def test_an_alias_is_a_name_and_stands_once(aliases: list[str], sentence: str) -> None:
    assert refused(model={"name": "base", "aliases": aliases}).startswith(sentence)


def test_a_cache_is_a_claim_of_the_services_own_that_goes_with_it_unless_the_spec_says_otherwise() -> None:
    assert manifest(CacheSpec()) == {
        "type": "PersistentVolumeClaim",
        "size": "auto",
        "storageClassName": None,
        "accessMode": None,
        "existingClaim": None,
        "retention": "Delete",
        "labels": {},
        "annotations": {},
    }


@pytest.mark.parametrize("field", ["labels", "annotations"])
def test_what_the_operator_sets_on_a_claim_is_its_own(field: str) -> None:
    accepted(cache={field: {"velero.io/exclude-from-backup": "true"}})
    assert refused(cache={field: {"whisper-operator.io/asked": "a"}}).startswith(
        f"spec.cache.{field} must not set one of the operator's"
    )


@pytest.mark.parametrize(
    ("field", "choices"),
    [
        ("cache.type", ("PersistentVolumeClaim", "EmptyDir", "Image", "ImageVolume")),
        ("cache.accessMode", ("ReadWriteOnce", "ReadWriteMany")),
        ("cache.retention", ("Retain", "Delete")),
    ],
)
def test_a_field_has_these_choices(field: str, choices: tuple[str, ...]) -> None:
    model = {"name": "base", "source": {"url": "oci://r/m:v1", "sha256": "a" * 64}}
    assert_choices(field, *choices, model=model)


@pytest.mark.parametrize(
    ("field", "longest", "of", "beside"),
    [
        ("model.name", 63, letters, {"source": {"url": "pvc://weights/a.pt"}}),
        ("cache.storageClassName", 253, letters, {}),
        ("cache.existingClaim", 253, letters, {}),
    ],
)
def test_a_field_has_a_greatest_length(field: str, longest: int, of: Any, beside: dict[str, Any]) -> None:
    assert_longest(field, longest, of, **beside)


@pytest.mark.parametrize("name", OFFICIAL_MODELS)
def test_openais_models_need_no_source(name: str) -> None:
    accepted(model={"name": name})


def test_another_model_needs_a_source() -> None:
    accepted(model={"name": "mine", "source": {"url": "pvc://weights/a.pt"}})
    assert refused(model={"name": "large-v9"}) == (
        f"spec.model.name is not one of openai-whisper's models: use one of {', '.join(OFFICIAL_MODELS)}; "
        "or add spec.model.source with the URL of your checkpoint"
    )


@pytest.mark.parametrize("name", ["", "Mine", "-mine", "mine-", "mine.", "my model"])
def test_a_name_that_no_label_could_have_is_refused(name: str) -> None:
    assert refused(model={"name": name, "source": {"url": "pvc://weights/a.pt"}}) == (
        f"spec.model.name: {name!r} is not a valid model name; use lower-case letters, digits, hyphens and dots"
    )


@pytest.mark.parametrize("name", ["", "fast", "fast.example.com"], ids=["none at all", "one label", "a domain"])
def test_a_storage_class_is_named_as_kubernetes_names_objects_or_by_the_empty_string(name: str) -> None:
    assert accepted(cache={"storageClassName": name}).cache.storage_class_name == name


@pytest.mark.parametrize("name", ["Fast", "fast-", ".fast", "my fast"])
def test_a_storage_class_of_another_name_is_refused(name: str) -> None:
    assert refused(cache={"storageClassName": name}) == (
        f"spec.cache.storageClassName: {name!r} is not a valid StorageClass name; "
        "use lower-case letters, digits, hyphens, and dots between them"
    )


def test_an_existing_claim_is_used_by_a_cache_of_that_type() -> None:
    accepted(cache={"existingClaim": "models"})


@pytest.mark.parametrize("kind", ["EmptyDir", "Image"])
def test_an_existing_claim_of_another_type_of_cache_is_refused(kind: str) -> None:
    accepted(cache={"type": kind})
    assert refused(cache={"type": kind, "existingClaim": "models"}) == (
        "spec.cache.existingClaim needs spec.cache.type PersistentVolumeClaim: set that type, or remove "
        "spec.cache.existingClaim"
    )


@pytest.mark.parametrize("kind", ["EmptyDir", "Image"])
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("storageClassName", "fast"),
        ("storageClassName", ""),
        ("accessMode", "ReadWriteOnce"),
        ("retention", "Retain"),
        ("labels", {"team": "a"}),
        ("annotations", {"team": "a"}),
    ],
)
def test_what_makes_a_claim_is_refused_where_none_is_made(kind: str, field: str, value: Any) -> None:
    accepted(cache={field: value})
    name = "retention Retain" if field == "retention" else field
    assert refused(cache={"type": kind, field: value}) == (
        f"spec.cache.{name} needs spec.cache.type PersistentVolumeClaim: set that type, or remove spec.cache.{field}"
    )


def test_an_image_has_the_size_that_it_has() -> None:
    accepted(cache={"type": "EmptyDir", "size": "5Gi"})
    accepted(cache={"type": "Image", "size": "auto", "retention": "Delete"})
    for kind in ("Image", "ImageVolume"):
        assert refused(cache={"type": kind, "size": "5Gi"}).startswith(
            "spec.cache.size has no use with spec.cache.type Image or ImageVolume, whose model is in an image"
        )


@pytest.mark.parametrize(
    ("field", "value"),
    [("storageClassName", "fast"), ("accessMode", "ReadWriteMany"), ("size", "5Gi"), ("labels", {"team": "a"})],
)
def test_an_existing_claim_is_not_made_anew(field: str, value: Any) -> None:
    assert refused(cache={"existingClaim": "models", field: value}) == (
        f"spec.cache.{field} has no use beside spec.cache.existingClaim, which is as its owner made it: remove one of "
        "the two"
    )
