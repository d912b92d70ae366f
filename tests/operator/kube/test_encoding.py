"""A body that is read as JSON and as YAML says the same, whatever characters are in it."""

from __future__ import annotations

import json

import yaml
from hypothesis import given
from hypothesis import strategies as st

from tests.support.hostile.schema import SEEDS
from tests.support.hostile.texts import anything
from whisper_operator.kube.encoding import encoded


@given(SEEDS.map(lambda seed: anything(seed, 0, 50)) | st.sampled_from(["🎙", "\u0085", "\u2028", "\x7f", "\ufeff"]))
def test_yaml_reads_what_json_says(text: str) -> None:
    body = encoded({"text": text})
    assert json.loads(body) == {"text": text}
    assert yaml.safe_load(body) == {"text": text}
