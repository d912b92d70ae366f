"""The report of a run: what each stage measured, and how those ended that failed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from benchmarks.gpu.stages import MeasuredRow, StageResult


def markdown(results: Sequence[StageResult], title: str) -> str:
    """`title` names the device and the size."""
    lines = [f"# {title}", "", *_outcomes(results)]
    for result in results:
        lines += ["", f"## {result.stage.name}", "", *_section(result)]
    return "\n".join(lines) + "\n"


def _outcomes(results: Sequence[StageResult]) -> Iterator[str]:
    yield from _table([{"stage": one.stage.name, "s": round(one.seconds, 1), "end": one.outcome} for one in results])


def _section(result: StageResult) -> Iterator[str]:
    for rows in _alike(result.rows):
        yield from _table(rows)
        yield ""
    if not result.is_ok:
        yield f"{result.outcome}."
        if result.log:
            yield from ("", "```", result.log, "```")


def _alike(rows: Iterable[MeasuredRow]) -> list[list[MeasuredRow]]:
    """Neighbours with the same columns, which share a table."""
    found: list[list[MeasuredRow]] = []
    for row in rows:
        if found and found[-1][0].keys() == row.keys():
            found[-1].append(row)
        else:
            found.append([row])
    return found


def _table(rows: Sequence[MeasuredRow]) -> Iterator[str]:
    yield f"| {' | '.join(rows[0])} |"
    yield "|" + "---|" * len(rows[0])
    for row in rows:
        yield f"| {' | '.join(str(value).replace('|', chr(92) + '|') for value in row.values())} |"
