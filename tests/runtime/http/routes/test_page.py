"""The page at `/`: its files are served to anybody, load nothing from elsewhere, and are small."""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path

import pytest

from tests.runtime.conftest import Start
from whisper_runtime.http import page
from whisper_runtime.http.routes.page import PAGE_PATHS, routes

FILES = {path: "index.html" if path == "/" else path.removeprefix("/ui/") for path in PAGE_PATHS}


def content(path: str) -> bytes:
    return resources.files(page).joinpath(FILES[path]).read_bytes()


@pytest.mark.parametrize("path", sorted(FILES))
async def test_each_file_needs_no_key_and_runs_nothing_from_elsewhere(start: Start, tmp_path: Path, path: str) -> None:
    (tmp_path / "alice").write_text("key-of-alice")
    client = start(api_keys_dir=str(tmp_path))
    answer = await client.get(path)
    assert (answer.status_code, answer.content) == (200, content(path))
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'")
    assert not re.search("unsafe|http|[*]", policy)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert (await client.head(path)).content == b""


def test_what_the_page_loads_is_served_and_nothing_else_is() -> None:
    html = content("/").decode()
    named = set(re.findall(r'(?:src|href)="([^"]+)"', html))
    for path in FILES:
        named |= {f"ui/{one}" for one in re.findall(r'from "\./([^"]+)"', content(path).decode())}
    assert {f"/{one}" for one in named} | {"/"} == PAGE_PATHS


@pytest.mark.parametrize("path", sorted(FILES))
def test_no_file_names_an_address_of_another_host(path: str) -> None:
    found = re.findall(r"(?:https?:)?//[a-z][^\s\"'`)]*", re.sub(r"^\s*//.*$", "", content(path).decode(), flags=re.M))
    assert [one for one in found if not one.startswith("http://www.w3.org/2000/svg")] == []


def test_all_files_together_are_below_200_kb() -> None:
    assert sum(len(content(path)) for path in FILES) < 200_000


async def test_a_file_that_the_browser_has_is_not_sent_again(start: Start) -> None:
    client = start()
    tag = (await client.get("/ui/main.js")).headers["etag"]
    again = await client.get("/ui/main.js", headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")
    assert (await client.get("/ui/main.js", headers={"If-None-Match": '"other"'})).status_code == 200


@pytest.mark.parametrize("base", ["", "/speech", "/a/b"])
async def test_addresses_are_relative_to_a_path_that_ends_with_a_slash(start: Start, base: str) -> None:
    client = start(base_path=base)
    answer = await client.get(base or "/", follow_redirects=True)
    assert (answer.status_code, answer.url.path) == (200, f"{base}/")
    assert (await client.get(answer.url.join("ui/main.js"))).status_code == 200


async def test_a_service_may_have_no_page(start: Start, tmp_path: Path) -> None:
    (tmp_path / "alice").write_text("key-of-alice")
    assert (await start(ui=False).get("/")).status_code == 404
    client = start(ui=False, api_keys_dir=str(tmp_path))
    assert [(await client.get(path)).status_code for path in ("/", "/ui/main.js")] == [401, 401]


async def test_the_page_is_in_no_document(start: Start) -> None:
    assert not PAGE_PATHS & (await start().get("/openapi.json")).json()["paths"].keys()


def test_each_path_has_its_route() -> None:
    assert {route.path for route in routes()} == PAGE_PATHS
