"""The layers are the same for a server and for the front, which has no model; test_app.py has their order."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from starlette.middleware import Middleware

from tests.fakes.engine import FakeEngine
from tests.fakes.parts import fake_parts
from whisper_runtime.http.layers import LayerParts, layers


def test_they_need_no_model() -> None:
    """Else the front would take seconds to start, and half a gigabyte."""
    code = (
        "import sys, whisper_runtime.http.layers;"
        "print(sorted({'torch', 'whisper', 'numpy', 'fastapi'} & set(sys.modules)))"
    )
    ran = subprocess.run((sys.executable, "-c", code), capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


def cors(*, has_jobs: bool, keeps_results: bool) -> dict[str, Any]:
    parts = fake_parts(FakeEngine(), cors_allow_origins=("*",))
    of = LayerParts(
        parts.lifecycle,
        parts.admission,
        parts.metrics.requests,
        None,
        takes_jobs=False,
        has_jobs=has_jobs,
        keeps_results=keeps_results,
    )
    found: list[Middleware] = [one for one in layers(parts.config, of) if "expose_headers" in one.kwargs]
    return dict(found[0].kwargs)


@pytest.mark.parametrize("has_jobs", [False, True])
def test_a_page_may_delete_jobs_and_read_their_headers_where_there_are_any(has_jobs: bool) -> None:
    allowed = cors(has_jobs=has_jobs, keeps_results=False)
    assert ("DELETE" in allowed["allow_methods"]) is has_jobs
    assert ("Location" in allowed["expose_headers"]) is has_jobs


@pytest.mark.parametrize("keeps_results", [False, True])
def test_a_page_may_read_what_the_cache_did_where_there_is_one(keeps_results: bool) -> None:
    assert ("Cache-Status" in cors(has_jobs=False, keeps_results=keeps_results)["expose_headers"]) is keeps_results
