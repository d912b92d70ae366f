"""Real weights and real speech for every test that wants them."""

from __future__ import annotations

import gc
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.internal.conjecture.providers import AVAILABLE_PROVIDERS, HypothesisProvider
from hypothesis.internal.constants_ast import Constants

from testbed.inputs import recordings as speech
from testbed.inputs import weights as checkpoints


class WithoutLocalConstants(HypothesisProvider):
    """Draws no constants of the modules that happen to be imported: those are others when a module runs alone.

    hypothesis 6.131 and later: internal/conjecture/providers.py, _get_local_constants
    """

    _local_constants = Constants()


AVAILABLE_PROVIDERS["hypothesis"] = WithoutLocalConstants

# The same examples each time: a build that fails can be run again, and one that does not is no matter of luck.
settings.register_profile(
    "suite",
    max_examples=200,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],
)
settings.register_profile("campaign", settings.get_profile("suite"), max_examples=10_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "suite"))


def pytest_collection_finish() -> None:
    """What is imported and collected stays: to look through it for garbage again and again is a sixth of the work."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 100)


@pytest.fixture(scope="session")
def weights() -> dict[str, Path]:
    """Checkpoints by model name: `base`, `tiny.en`."""
    return checkpoints.ensure()


@pytest.fixture(scope="session")
def recordings() -> Path:
    """Directory of `jfk.wav` and `librivox/`."""
    return speech.ensure()
