"""The containers that fetch: that of a model; test_source.py has that of an encoder beside it."""

from __future__ import annotations

from tests.operator.samples import observed, resolved, service
from whisper_operator.api.v1alpha1 import Manifest, WhisperService
from whisper_operator.build.fetch_container import containers

SHA = "a" * 64
MINE = service(
    model={"name": "mine", "source": {"url": "https://m/a.pt", "sha256": SHA, "secretRef": {"name": "token"}}},
    server={"env": [{"name": "HTTPS_PROXY", "value": "http://proxy"}, {"name": "OTHER", "value": "1"}]},
)


def made(of: WhisperService) -> Manifest:
    (one,) = containers(resolved(of, observed()))
    return one


def variables(of: WhisperService) -> dict[str, str]:
    return {one["name"]: one["value"] for one in made(of)["env"]}


def test_it_is_told_the_source_and_the_digest() -> None:
    found = variables(MINE)
    assert (found["WHISPER_MODEL_URL"], found["WHISPER_MODEL_SHA256"]) == ("https://m/a.pt", SHA)
    assert found["WHISPER_MODEL_CREDENTIALS_DIR"] == "/etc/whisper/source"


def test_a_model_of_openais_needs_its_name_alone() -> None:
    assert variables(service()) == {"WHISPER_MODEL": "base"}


def test_it_uses_proxies_and_no_other_variable_of_the_servers() -> None:
    assert {"HTTPS_PROXY", "OTHER"} & variables(MINE).keys() == {"HTTPS_PROXY"}


def test_it_writes_to_the_cache_alone() -> None:
    mounts = {one["name"]: one.get("readOnly", False) for one in made(MINE)["volumeMounts"]}
    assert mounts == {"scratch": False, "models": False, "source": True}
    assert made(MINE)["securityContext"]["readOnlyRootFilesystem"] is True
