"""On the site, links to what is no document lead to the repository."""

from __future__ import annotations

import pytest

from hack.site.outside import REPOSITORY, led_outside


@pytest.mark.parametrize(
    ("link", "page", "leads"),
    [
        ("../README.md", "README.md", f"{REPOSITORY}/README.md"),
        ("../../SECURITY.md#releases", "how-to/verify.md", f"{REPOSITORY}/SECURITY.md#releases"),
        ("../../examples/jobs.yaml", "how-to/jobs.md", f"{REPOSITORY}/examples/jobs.yaml"),
        ("../reference/metrics.md#names", "how-to/jobs.md", "../reference/metrics.md#names"),
        ("gpu.md", "how-to/jobs.md", "gpu.md"),
        ("https://example.com/../a", "how-to/jobs.md", "https://example.com/../a"),
    ],
)
def test_where_a_link_leads(link: str, page: str, leads: str) -> None:
    assert led_outside(f"see [this]({link}), and", page) == f"see [this]({leads}), and"
