"""The checkpoint: its model, its source, and the volume that keeps it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.operator.api.specs import accepted, assert_choices, assert_longest, letters, manifest, refused
from whisper_operator.api.spec.model import CacheSpec, ModelSourceSpec, ModelSpec
from whisper_runtime.contract.models import OFFICIAL_MODELS

SHA = "a" * 64


def source(url: str, **more: Any) -> dict[str, Any]:
    """A model from that URL, with a digest where it needs one."""
    digest = {} if url.startswith("pvc://") else {"sha256": SHA}
    return {"name": "mine", "source": {"url": url, **digest, **more}}


def test_a_model_comes_from_openai_unless_the_spec_names_a_source() -> None:
    assert manifest(ModelSpec(name="base")) == {"name": "base", "source": None}


def test_a_source_needs_its_url_alone() -> None:
    assert manifest(ModelSourceSpec(url="pvc://weights/a.pt")) == {
        "url": "pvc://weights/a.pt",
        "sha256": None,
        "secretRef": None,
        "caConfigMapKeyRef": None,
    }


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
        ("cache.type", ("PersistentVolumeClaim", "EmptyDir", "Image")),
        ("cache.accessMode", ("ReadWriteOnce", "ReadWriteMany")),
        ("cache.retention", ("Retain", "Delete")),
    ],
)
def test_a_field_has_these_choices(field: str, choices: tuple[str, ...]) -> None:
    assert_choices(field, *choices)


def address(length: int) -> str:
    return "https://m/" + letters(length - len("https://m/"))


@pytest.mark.parametrize(
    ("field", "longest", "of", "beside"),
    [
        ("model.name", 63, letters, {"source": {"url": "pvc://weights/a.pt"}}),
        ("model.source.url", 2048, address, {"sha256": SHA}),
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
    accepted(model=source("https://models.example.com/mine.pt"))
    assert refused(model={"name": "large-v9"}) == (
        f"spec.model.name is not one of openai-whisper's models: use one of {', '.join(OFFICIAL_MODELS)}; "
        "or add spec.model.source with the URL of your checkpoint"
    )


@pytest.mark.parametrize("name", ["", "Mine", "-mine", "mine-", "mine.", "my model"])
def test_a_name_that_no_label_could_have_is_refused(name: str) -> None:
    assert refused(model=source("pvc://weights/a.pt") | {"name": name}) == (
        f"spec.model.name: {name!r} is not a valid model name; use lower-case letters, digits, hyphens and dots"
    )


@pytest.mark.parametrize(
    "url",
    [
        "https://models.example.com/mine.pt",
        "http://127.0.0.1:8080/a.pt?token=x",
        "https://models.example.com",
        "s3://bucket/deep/key.pt",
        "pvc://weights/models/a.pt",
        "pvc://weights.of.team/a.pt",
    ],
)
def test_a_checkpoint_is_at_one_of_four_kinds_of_url(url: str) -> None:
    accepted(model=source(url))


@pytest.mark.parametrize(
    "url",
    [
        "",
        "mine.pt",
        "ftp://models.example.com/mine.pt",
        "https://",
        "https:///mine.pt",
        "https://models.example.com:port/a.pt",
        "https://models.example.com/a b.pt",
        "s3://bucket",
        "s3://bucket/",
        "pvc://weights",
        "pvc://Weights/a.pt",
    ],
)
def test_a_url_of_no_checkpoint_is_refused(url: str) -> None:
    assert refused(model=source(url)) == (
        f"spec.model.source.url: {url!r} is not a valid URL of a checkpoint; "
        "use https://, http://, s3://bucket/key or pvc://claim/path"
    )


@pytest.mark.parametrize("url", ["https://me:secret@models.example.com/mine.pt", "http://me@models.example.com/a.pt"])
def test_a_url_with_credentials_is_refused_without_repeating_them(url: str) -> None:
    assert refused(model=source(url)) == (
        "spec.model.source.url must not contain credentials: put them into a Secret and name it in "
        "spec.model.source.secretRef"
    )


def test_an_at_sign_in_the_path_is_no_credential() -> None:
    accepted(model=source("https://models.example.com/team@home/mine.pt"))


@pytest.mark.parametrize("url", ["https://m/a.pt", "http://m/a.pt", "s3://b/a.pt"])
def test_a_checkpoint_from_the_network_needs_its_digest(url: str) -> None:
    assert refused(model={"name": "mine", "source": {"url": url}}) == (
        "spec.model.source.sha256 is missing: add the digest that `sha256sum` prints for the checkpoint"
    )


@pytest.mark.parametrize("digest", [SHA, "0123456789abcdef" * 4])
def test_a_digest_is_accepted_at_every_source(digest: str) -> None:
    for url in ("https://m/a.pt", "pvc://weights/a.pt"):
        accepted(model=source(url, sha256=digest))


@pytest.mark.parametrize("digest", ["", "a" * 63, "a" * 65, "A" * 64, "g" * 64, f"sha256:{SHA}"])
def test_a_digest_of_another_form_is_refused(digest: str) -> None:
    assert refused(model=source("https://m/a.pt", sha256=digest)) == (
        f"spec.model.source.sha256: {digest!r} is not a SHA-256 digest; "
        "write the 64 hexadecimal digits that `sha256sum` prints"
    )


@pytest.mark.parametrize(
    ("url", "claim"),
    [
        ("pvc://weights/models/a.pt", "weights"),
        ("https://weights/a.pt", None),
        ("http://weights/a.pt", None),
        ("s3://weights/a.pt", None),
    ],
)
def test_only_a_pvc_url_names_a_claim(url: str, claim: str | None) -> None:
    assert ModelSourceSpec(url=url, sha256=SHA).claim == claim


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
