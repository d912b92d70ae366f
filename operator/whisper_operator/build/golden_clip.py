"""The user's own golden clip, mounted as the same files as the runtime's: audio from a ConfigMap, text from the pod."""

from __future__ import annotations

from typing import Final

from whisper_operator.api.v1alpha1 import Manifest, WhisperService
from whisper_operator.objects import names
from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.contract.files import OWN_GOLDEN_DIR

DEFAULTS: Final = RuntimeConfig()


def directory(service: WhisperService) -> str | None:
    """The directory in which pods find the user's own clip; None: the runtime's serves."""
    wanted = service.spec.verification
    return OWN_GOLDEN_DIR if wanted and wanted.audio else None


def max_word_error_rate(service: WhisperService) -> float:
    wanted = service.spec.verification
    return wanted.expect.max_word_error_rate if wanted and wanted.expect else DEFAULTS.golden_max_word_error_rate


def language(service: WhisperService) -> str | None:
    """The language that the spec states for a clip of the user's own; None: the runtime derives it."""
    wanted = service.spec.verification
    return wanted.expect.language if wanted and wanted.expect else None


def pod_annotations(service: WhisperService) -> dict[str, str]:
    """The pod's annotation with the clip's text, of which a mounted file is made."""
    wanted = service.spec.verification
    return {names.ANNOTATION_GOLDEN_TEXT: wanted.expect.text} if wanted and wanted.expect else {}


def parts(service: WhisperService) -> list[tuple[Manifest, Manifest]]:
    """Mount and volume of the clip; none where the runtime's own serves."""
    wanted = service.spec.verification
    if wanted is None or wanted.audio is None:
        return []
    audio = wanted.audio.config_map_key_ref
    text = {"path": "clip.txt", "fieldRef": {"fieldPath": f"metadata.annotations['{names.ANNOTATION_GOLDEN_TEXT}']"}}
    sources = [
        {"configMap": {"name": audio.name, "items": [{"key": audio.key, "path": "clip.wav"}]}},
        {"downwardAPI": {"items": [text]}},
    ]
    volume = {"name": "golden", "projected": {"defaultMode": 0o440, "sources": sources}}
    return [({"name": "golden", "mountPath": OWN_GOLDEN_DIR, "readOnly": True}, volume)]
