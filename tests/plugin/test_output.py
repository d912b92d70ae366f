"""The same rows for people and for programs."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import pytest
import yaml
from kubectl_whisper.output import Output, print_rows
from kubectl_whisper.status import Row

WELL = Row("team", "speech", "True", "base", "1/1", "", "12.0x", "")
ILL = replace(WELL, name="other", ready="False", pods="0/1", speed="", why="Pending: " + "a long sentence, " * 40)


def test_a_program_that_reads_lines_gets_whole_ones(capsys: pytest.CaptureFixture[str]) -> None:
    print_rows([WELL, ILL], Output.table)
    head, well, ill = capsys.readouterr().out.splitlines()
    assert head.split() == ["NAME", "READY", "MODEL", "PODS", "QUEUED", "SPEED", "WHY"]
    assert well.split() == ["speech", "True", "base", "1/1", "12.0x", "-"]
    assert ill.rstrip().endswith(ILL.why.rstrip())
    assert "\x1b" not in head + well + ill, "colours are for terminals"


def test_namespaces_are_shown_where_all_were_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    print_rows([WELL], Output.table, everywhere=True)
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["NAMESPACE", "team"]


def test_brackets_are_no_markup(capsys: pytest.CaptureFixture[str]) -> None:
    print_rows([replace(ILL, why="spec.jobs[0] [red]")], Output.table)
    assert "spec.jobs[0] [red]" in capsys.readouterr().out


@pytest.mark.parametrize("output", [Output.json, Output.yaml])
def test_programs_read_all_fields(output: Output, capsys: pytest.CaptureFixture[str]) -> None:
    print_rows([WELL, ILL], output)
    text = capsys.readouterr().out
    assert (json.loads(text) if output is Output.json else yaml.safe_load(text)) == [asdict(WELL), asdict(ILL)]
