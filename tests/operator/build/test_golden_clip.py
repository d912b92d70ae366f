"""The golden clip that pods are verified with: the image's, or the user's own."""

from __future__ import annotations

import pytest

from tests.operator.samples import container, jobs, rolled_out, service
from whisper_operator.build import golden_clip

OWN = service(
    verification={
        "audio": {"configMapKeyRef": {"name": "clips", "key": "hello.wav"}},
        "expect": {"text": "Hello there.", "maxWordErrorRate": 0.2},
    }
)


def test_the_images_clip_needs_no_volume() -> None:
    assert golden_clip.parts(service(verification={})) == []
    assert golden_clip.pod_annotations(service(verification={})) == {}
    assert golden_clip.max_word_error_rate(service()) == golden_clip.max_word_error_rate(service(verification={}))


def test_the_users_clip_is_audio_of_a_config_map_and_text_of_the_pod() -> None:
    ((mount, volume),) = golden_clip.parts(OWN)
    assert mount["mountPath"] == golden_clip.directory(OWN) != golden_clip.directory(service())
    audio, text = volume["projected"]["sources"]
    assert audio["configMap"]["items"] == [{"key": "hello.wav", "path": "clip.wav"}]
    assert "golden-text" in text["downwardAPI"]["items"][0]["fieldRef"]["fieldPath"]
    assert list(golden_clip.pod_annotations(OWN).values()) == ["Hello there."]
    assert golden_clip.max_word_error_rate(OWN) == 0.2
    assert golden_clip.language(OWN) is None


@pytest.mark.parametrize(("default", "clip"), [("de", "fr"), ("Deutsch", "fra"), ("de-AT", "Français")])
def test_the_languages_reach_the_servers_and_their_verification_as_codes(default: str, clip: str) -> None:
    of = service(
        language=default,
        verification={
            "audio": {"configMapKeyRef": {"name": "clips", "key": "hello.wav"}},
            "expect": {"text": "Bonjour.", "language": clip},
        },
        cache={"type": "Image"},
    )
    wanted = {"WHISPER_LANGUAGE": "de", "WHISPER_GOLDEN_LANGUAGE": "fr"}
    deployed = rolled_out(of)
    (job,) = jobs(of, deployed)
    for spec, name in ((deployed["spec"], "server"), (job["spec"], "verify")):
        env = {one["name"]: one.get("value") for one in container(spec["template"]["spec"], name)["env"]}
        assert {variable: env[variable] for variable in wanted} == wanted
