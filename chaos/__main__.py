"""`python -m chaos CAMPAIGN`: exits with 1 when what it disturbs did not survive a fault."""

from __future__ import annotations

import argparse
import asyncio
import shlex
import signal
import sys
import tempfile
from pathlib import Path
from types import FrameType


def main() -> None:
    parser = argparse.ArgumentParser(prog="chaos", description=__doc__)
    campaigns = parser.add_subparsers(dest="campaign", required=True)
    faults = campaigns.add_parser("faults", help="of the API server, while the operator works")
    faults.add_argument("--short", action="store_true", help="a sample of each kind of fault, within minutes")
    faults.add_argument("--seed", type=int, default=1)
    jobs = campaigns.add_parser("jobs", help="kills of the server at each write of its store of jobs")
    jobs.add_argument("--rounds", type=int, default=200, help="with a kill, of each store")
    jobs.add_argument("--minutes", type=float, default=600, help="of each store, after which no further round begins")
    jobs.add_argument("--stores", nargs="+", choices=("directory", "valkey"), default=("directory", "valkey"))
    pods = campaigns.add_parser("pods", help="of a real pod with jobs under way, on the cluster of `make platform`")
    pods.add_argument("--rounds", type=int, default=200)
    pods.add_argument("--minutes", type=float, default=600, help="after which no further round begins")
    fleet = campaigns.add_parser("fleet", help="of several real pods with a shared store, while clients use them")
    fleet.add_argument("--faults", type=int, default=120)
    fleet.add_argument("--minutes", type=float, default=20, help="of use, over which the faults are spread")
    fleet.add_argument("--seed", type=int, default=1)
    parsed = parser.parse_args()
    signal.signal(signal.SIGTERM, _exit)
    run = {"faults": _faults, "jobs": _jobs, "pods": _pods, "fleet": _fleet}[parsed.campaign]
    sys.exit(0 if run(parsed) else 1)


def _exit(_number: int, _frame: FrameType | None) -> None:
    sys.exit(1)  # by an exception, for there are processes to end


def _faults(parsed: argparse.Namespace) -> bool:
    from chaos import campaign

    command = f"python -m chaos faults{' --short' if parsed.short else ''} --seed {parsed.seed}"
    plan = campaign.SHORT if parsed.short else campaign.LONG
    return asyncio.run(campaign.run(plan, parsed.seed, command))


def _command() -> str:
    """What was asked for, options included, as reports name it."""
    return shlex.join(("python", "-m", "chaos", *sys.argv[1:]))


def _jobs(parsed: argparse.Namespace) -> bool:
    from chaos.jobs import kills, report

    with tempfile.TemporaryDirectory() as name:
        for store in parsed.stores:
            Path(name, store).mkdir()
        found = [kills.run(store, Path(name, store), parsed.rounds, parsed.minutes) for store in parsed.stores]
    print(report.write(found, _command()).read_text())
    return not any(one.problem for one in found)


def _pods(parsed: argparse.Namespace) -> bool:
    from chaos.jobs import pod_report, pod_rounds

    with tempfile.TemporaryDirectory() as name:
        found = pod_rounds.run(Path(name), parsed.rounds, parsed.minutes)
    print(pod_report.write(found, _command()).read_text())
    return not found.problem


def _fleet(parsed: argparse.Namespace) -> bool:
    from chaos.fleet import fleet_report, fleet_rounds

    with tempfile.TemporaryDirectory() as name:
        found = fleet_rounds.run(Path(name), parsed.faults, parsed.minutes, parsed.seed)
    print(fleet_report.write(found, _command()).read_text())
    return not found.problems


if __name__ == "__main__":
    main()
