"""What servers say of themselves is found by who is configured as they are, and by nobody else."""

from __future__ import annotations

import pytest

from tests.fakes.engine import MULTILINGUAL
from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.contract.models import OFFICIAL_MODELS
from whisper_runtime.service.result_cache import keys
from whisper_runtime.service.serving_facts import ServingFacts, facts_key

OF_BASE = RuntimeConfig(model="base")


def test_facts_are_read_as_they_were_written() -> None:
    facts = ServingFacts(MULTILINGUAL, "float16", "f" * 64)
    assert ServingFacts.from_json(facts.to_json()) == facts
    with pytest.raises(ValueError, match="abilities"):
        ServingFacts.from_json(b'{"precision": "float16"}')


@pytest.mark.parametrize(
    "changed", [{"model": "tiny"}, {"model_sha256": "a" * 64}, {"device": "cpu"}, {"compute_type": "float32"}], ids=str
)
def test_servers_of_another_checkpoint_device_or_precision_are_others(changed: dict[str, str]) -> None:
    assert facts_key(OF_BASE.model_copy(update=changed)) not in (None, facts_key(OF_BASE))


def test_so_are_those_whose_engine_may_come_to_another_text(monkeypatch: pytest.MonkeyPatch) -> None:
    before = facts_key(OF_BASE)
    monkeypatch.setattr(keys, "ENGINE_VERSION", keys.ENGINE_VERSION + 1)
    assert facts_key(OF_BASE) != before


def test_the_name_of_a_checkpoint_does_not_matter() -> None:
    named = RuntimeConfig(model="mine", model_sha256=OFFICIAL_MODELS["base"])
    assert facts_key(named) == facts_key(OF_BASE)


def test_a_file_that_may_be_any_has_none() -> None:
    assert facts_key(RuntimeConfig(model="/models/mine.pt")) is None
