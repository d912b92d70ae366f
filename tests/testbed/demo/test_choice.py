"""The demo touches no cluster but its own, unless somebody has told it to."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from testbed.cluster import binaries
from testbed.demo.choice import NoSuchCluster, UserContext, chosen, current_context

WORK = UserContext("work", "https://work.example.com", "/bin/kubectl")


def never(question: str) -> str:
    pytest.fail(f"asked: {question}")


def test_told_it_uses_the_kubeconfigs() -> None:
    assert chosen("kubeconfig", WORK, None, None) is WORK
    assert chosen("kubeconfig", WORK, None, never) is WORK


def test_told_it_makes_its_own() -> None:
    assert chosen("own", WORK, None, never) is None


@pytest.mark.parametrize("answer", ["y", "Yes", " yes "])
def test_on_a_terminal_it_asks(answer: str) -> None:
    asked: list[str] = []
    assert chosen("", WORK, None, lambda question: asked.append(question) or answer) is WORK
    assert "work (https://work.example.com)" in asked[0]


@pytest.mark.parametrize("answer", ["", "n", "no", "yesterday"])
def test_any_other_answer_is_no(answer: str) -> None:
    assert chosen("", WORK, None, lambda _: answer) is None


def test_elsewhere_than_on_a_terminal_nobody_has_told_it() -> None:
    assert chosen("", WORK, None, None) is None


def test_its_own_cluster_is_no_other() -> None:
    assert chosen("", WORK, WORK.server, never) is None


def test_without_a_kubeconfig_it_asks_nothing() -> None:
    assert chosen("", None, None, never) is None


def test_what_cannot_be_is_told() -> None:
    with pytest.raises(NoSuchCluster, match="kubectl config use-context NAME"):
        chosen("kubeconfig", None, None, None)
    with pytest.raises(NoSuchCluster, match=r"^CLUSTER=mine: it is kubeconfig"):
        chosen("mine", WORK, None, None)


def test_each_command_names_the_context() -> None:
    assert WORK.command("get", "pods") == ("/bin/kubectl", "--context", "work", "get", "pods")


def test_the_context_that_kubectl_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kubectl = str(binaries.ensure("kubectl") / "kubectl")
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))
    assert current_context(kubectl) is None
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "work",
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}} for name in ("other", "work")],
        "users": [{"name": name, "user": {}} for name in ("other", "work")],
        "clusters": [
            {"name": name, "cluster": {"server": f"https://{name}.example.com"}} for name in ("other", "work")
        ],
    }
    (tmp_path / "config").write_text(json.dumps(config))
    assert current_context(kubectl) == UserContext("work", "https://work.example.com", kubectl)
    assert current_context(str(tmp_path / "none")) is None
