"""`python -m hack.campaign faults [--short] [--seed N]`: exits with 1 where anything was not survived."""

from __future__ import annotations

import argparse
import asyncio
import sys

from hack.campaign import faults


def main() -> None:
    parser = argparse.ArgumentParser(prog="hack.campaign", description=__doc__)
    parser.add_argument("campaign", choices=["faults"])
    parser.add_argument("--short", action="store_true", help="a sample of everything, within some minutes")
    parser.add_argument("--seed", type=int, default=1)
    parsed = parser.parse_args()
    command = f"python -m hack.campaign faults{' --short' if parsed.short else ''} --seed {parsed.seed}"
    plan = faults.SHORT if parsed.short else faults.LONG
    sys.exit(0 if asyncio.run(faults.campaign(plan, parsed.seed, command)) else 1)


if __name__ == "__main__":
    main()
