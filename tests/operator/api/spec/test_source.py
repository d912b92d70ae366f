"""The source of a checkpoint: the scheme of its URL decides what else it may say."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic.alias_generators import to_snake

from tests.operator.api.specs import accepted, assert_longest, letters, manifest, refused
from whisper_operator.api.spec.source import FIELDS, ModelSourceSpec

SHA = "a" * 64
COMMIT = "0123456789abcdef0123456789abcdef01234567"
HELD = {"urlSecretKeyRef": {"name": "presigned", "key": "url"}, "sha256": SHA}


def source(url: str, **more: Any) -> dict[str, Any]:
    """A model from that URL, with a digest where it needs one."""
    digest = {} if url.startswith("pvc://") else {"sha256": SHA}
    return {"name": "mine", "source": {"url": url, **digest, **more}}


def test_a_source_needs_its_url_alone() -> None:
    assert manifest(ModelSourceSpec(url="pvc://weights/a.pt")) == {
        "url": "pvc://weights/a.pt",
        "urlSecretKeyRef": None,
        "sha256": None,
        "secretRef": None,
        "caConfigMapKeyRef": None,
        "region": None,
        "endpoint": None,
    }


@pytest.mark.parametrize(
    "url",
    [
        "https://models.example.com/mine.pt",
        "http://127.0.0.1:8080/a.pt?download=true",
        "https://models.example.com",
        "s3://bucket/deep/key.pt",
        "pvc://weights/models/a.pt",
        "pvc://weights.of.team/a.pt",
        "pvc://weights/fine-tune",
        "hf://openai/whisper-base@main",
        f"hf://distil-whisper/distil-large-v3.5@{COMMIT}",
        "oci://registry.example.com/team/model:v1.0_a",
        f"oci://registry.example.com:5000/team/model@sha256:{SHA}",
        f"oci://localhost/a__b/c.d-e:v1@sha256:{SHA}",
    ],
)
def test_a_checkpoint_is_at_one_of_six_kinds_of_url(url: str) -> None:
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
        "hf://openai/whisper-base",
        "hf://openai/whisper-base@",
        "hf://whisper-base@main",
        "hf://openai/whisper-base@refs/pr/1",
        "hf://openai/../x@main",
        "hf://openai/whisper-base@main?x=1",
        "oci://registry.example.com/team/model",
        "oci://model:v1",
        "oci://registry.example.com/Team/model:v1",
        "oci://registry.example.com/team/../model:v1",
        "oci://registry.example.com/team/model:",
        "oci://registry.example.com/team/model@sha256:abc",
    ],
)
def test_a_url_of_no_checkpoint_is_refused(url: str) -> None:
    shown = "hf://…@main" if url == "hf://whisper-base@main" else url
    assert refused(model=source(url)) == (
        f"spec.model.source.url: {shown!r} is not a valid URL of a checkpoint; "
        "use https://, http://, s3://bucket/key, hf://owner/name@commit, "
        "oci://registry/repository@sha256:digest or pvc://claim/path"
    )


@pytest.mark.parametrize("end", [f":{'v' * 129}", f"@sha512:{SHA * 2}", f"@sha256:{SHA}:v1", f"@sha256:{'A' * 64}"])
def test_a_tag_has_128_characters_and_a_digest_is_sha256(end: str) -> None:
    assert "is not a valid URL of a checkpoint" in refused(model=source(f"oci://registry.example.com/team/model{end}"))


@pytest.mark.parametrize("url", ["https://me:secret@models.example.com/mine.pt", "http://me@models.example.com/a.pt"])
def test_a_url_with_credentials_is_refused_without_repeating_them(url: str) -> None:
    assert refused(model=source(url)) == (
        "spec.model.source.url must not contain credentials: put them into a Secret and name it in "
        "spec.model.source.secretRef"
    )


def test_an_at_sign_in_the_path_is_no_credential() -> None:
    accepted(model=source("https://models.example.com/team@home/mine.pt"))


@pytest.mark.parametrize(
    "url",
    [
        "https://m/a.pt",
        "http://m/a.pt",
        "s3://b/a.pt",
        "hf://o/n@main",
        f"hf://o/n@{COMMIT[:39]}",
        f"hf://o/{COMMIT}@v1",
        "oci://r/m:v1",
        f"oci://r/m:{SHA}",
    ],
)
def test_a_checkpoint_from_the_network_needs_its_digest(url: str) -> None:
    assert refused(model={"name": "mine", "source": {"url": url}}) == (
        "spec.model.source.sha256 is missing: add the digest that `sha256sum` prints for the checkpoint; behind hf:// "
        "the 40 hexadecimal digits of a commit after the @ do as well, behind oci:// sha256: and the 64 of a "
        "manifest's digest"
    )


def test_a_commit_is_a_pin_and_needs_a_name_whose_digest_is_not_known() -> None:
    pinned = {"url": f"hf://openai/whisper-base@{COMMIT}"}
    accepted(model={"name": "whisper-base-hf", "source": pinned})
    accepted(model={"name": "base", "source": {**pinned, "sha256": SHA}})
    assert refused(model={"name": "base", "source": pinned}).startswith(
        "spec.model.name is one of openai-whisper's models, whose file has another digest than Hugging Face's"
    )


@pytest.mark.parametrize("name", ["mine", "base"])
def test_a_manifests_digest_is_a_pin_for_a_model_of_any_name(name: str) -> None:
    accepted(model={"name": name, "source": {"url": f"oci://r/team/model:v1@sha256:{SHA}"}})


@pytest.mark.parametrize(
    "model", [{"name": "base"}, {"name": "mine", "source": HELD}, source("pvc://weights/a.pt", sha256=SHA)]
)
def test_only_an_image_is_mounted_as_one(model: dict[str, Any]) -> None:
    accepted(model=source(f"oci://r/m@sha256:{SHA}"), cache={"type": "ImageVolume"})
    assert refused(model=model, cache={"type": "ImageVolume"}) == (
        "spec.cache.type ImageVolume mounts the image that spec.model.source.url names: write an oci:// URL there, or "
        "choose another type"
    )


@pytest.mark.parametrize("field", ["secretRef", "caConfigMapKeyRef", "endpoint"])
def test_a_node_pulls_an_image_by_its_own_means(field: str) -> None:
    assert refused(model=source("oci://r/m:v1", **{field: VALUES[field]}), cache={"type": "ImageVolume"}) == (
        "spec.model.source has secretRef, endpoint or caConfigMapKeyRef, which have no use with spec.cache.type "
        "ImageVolume, for the node pulls the image: remove them, and name Secrets in spec.image.pullSecrets"
    )


def test_the_digest_of_a_mounted_model_has_to_be_given() -> None:
    pinned = {"url": f"oci://r/m@sha256:{SHA}"}
    assert refused(model={"name": "mine", "source": pinned}, cache={"type": "ImageVolume"}).startswith(
        "spec.model.source.sha256 is missing, and only a fetch into a claim finds it out"
    )
    accepted(model={"name": "base", "source": pinned}, cache={"type": "ImageVolume"})


@pytest.mark.parametrize("url", ["pvc://weights/a.pt", f"hf://openai/whisper-base@{COMMIT}", f"oci://r/m@sha256:{SHA}"])
@pytest.mark.parametrize("kind", ["EmptyDir", "Image"])
def test_a_digest_that_no_job_finds_out_has_to_be_given(url: str, kind: str) -> None:
    assert refused(model={"name": "mine", "source": {"url": url}}, cache={"type": kind}) == (
        "spec.model.source.sha256 is missing, and only a fetch into a claim finds it out: add the digest, or write "
        "spec.cache.type PersistentVolumeClaim"
    )
    accepted(model={"name": "mine", "source": {"url": url, "sha256": SHA}}, cache={"type": kind})


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


def address(length: int) -> str:
    return "https://m/" + letters(length - len("https://m/"))


@pytest.mark.parametrize(
    ("field", "longest", "of", "beside"),
    [
        ("model.source.url", 2048, address, {"sha256": SHA}),
        ("model.source.region", 63, letters, {"url": "s3://b/a.pt", "sha256": SHA}),
        ("model.source.endpoint", 512, lambda length: "https://m/" + letters(length - 10),
         {"url": "s3://b/a.pt", "sha256": SHA}),
    ],
)  # fmt: skip
def test_a_field_has_a_greatest_length(field: str, longest: int, of: Any, beside: dict[str, Any]) -> None:
    assert_longest(field, longest, of, **beside)


def test_a_url_may_be_held_by_a_secret_in_its_place() -> None:
    accepted(model={"name": "mine", "source": HELD})
    for given in ({"sha256": SHA}, {**HELD, "url": "https://m/a.pt"}):
        assert refused(model={"name": "mine", "source": given}) == (
            "spec.model.source needs exactly one of url and urlSecretKeyRef: write the checkpoint's URL into url, or "
            "name the Secret and key that hold it"
        )


def test_a_url_in_a_secret_needs_a_digest() -> None:
    assert "spec.model.source.sha256 is missing" in (
        refused(model={"name": "mine", "source": {"urlSecretKeyRef": {"name": "presigned", "key": "url"}}})
    )


@pytest.mark.parametrize(
    "query",
    [
        "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=abc",
        "x-amz-security-token=abc",
        "X-Goog-Signature=abc",
        "sv=2024&sig=abc",
        "AWSAccessKeyId=a&Expires=1",
        "Expires=1&Signature=abc&Key-Pair-Id=K",
        "token=abc",
        "private_token=abc",
        "access_token=abc",
        "api_key=abc",
    ],
)
def test_a_signed_url_is_refused_without_repeating_it(query: str) -> None:
    assert refused(model=source(f"https://m/a.pt?{query}")) == (
        "spec.model.source.url has a signature or token in its query, which lets in whoever reads it: put the URL "
        "into a Secret and name it and its key in spec.model.source.urlSecretKeyRef"
    )


@pytest.mark.parametrize("query", ["download=true", "ref=main&inline=false", "design=1", "tokens=1", "v=sig"])
def test_another_query_is_accepted(query: str) -> None:
    accepted(model=source(f"https://m/a.pt?{query}"))


@pytest.mark.parametrize(
    "url",
    ["s3://b/a.pt?versionId=1", "s3://b/a.pt#1", "s3://b/models/", "pvc://c/../a.pt", "pvc://c/a/..", "pvc://c/a.pt?x"],
)
def test_a_path_that_names_no_file_is_refused(url: str) -> None:
    assert refused(model=source(url)) == (
        "spec.model.source.url does not name a file: behind s3:// and pvc:// write the path of one, which has no "
        "?, no # and no /../, and does not end in /"
    )


VALUES: dict[str, Any] = {
    "secretRef": {"name": "keys"},
    "caConfigMapKeyRef": {"name": "ca", "key": "ca.crt"},
    "region": "eu-central-1",
    "endpoint": "https://minio.example.com:9000",
}
URLS = {
    "https": "https://m/a.pt",
    "http": "http://m/a.pt",
    "s3": "s3://b/a.pt",
    "hf": "hf://o/n@main",
    "oci": "oci://r/m:v1",
    "pvc": "pvc://c/a.pt",
    "": None,
}


@pytest.mark.parametrize("field", VALUES)
@pytest.mark.parametrize("scheme", FIELDS)
def test_a_source_has_the_fields_of_its_scheme_alone(scheme: str, field: str) -> None:
    url = URLS[scheme]
    wanted = source(url) if url else {"name": "mine", "source": dict(HELD)}
    wanted["source"][field] = VALUES[field]
    if to_snake(field) in FIELDS[scheme]:
        accepted(model=wanted)
    else:
        assert refused(model=wanted).startswith(f"spec.model.source.{field} has no use with this source: ")


@pytest.mark.parametrize(
    "endpoint", ["minio:9000", "s3://minio", "https://me:x@minio", "https://minio/?x=1", "https://"]
)
def test_an_endpoint_that_is_no_address_is_refused(endpoint: str) -> None:
    assert "is not a valid address of an S3 server" in refused(model=source("s3://b/a.pt", endpoint=endpoint))


@pytest.mark.parametrize("region", ["", "-a", "eu central"])
def test_a_region_that_is_no_name_is_refused(region: str) -> None:
    assert "is not a valid region; for example eu-central-1" in refused(model=source("s3://b/a.pt", region=region))


def test_sources_are_told_apart_without_what_secrets_hold() -> None:
    assert ModelSourceSpec(url="https://m/a.pt", sha256=SHA).place == "https://m/a.pt"
    assert ModelSourceSpec.model_validate(HELD).place == "presigned/url"
    bucket = {"url": "s3://b/a.pt", "sha256": SHA, "region": "eu", "endpoint": "https://minio"}
    assert ModelSourceSpec.model_validate(bucket).place == "s3://b/a.pt\neu\nhttps://minio"
