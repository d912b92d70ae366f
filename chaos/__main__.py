"""`python -m chaos faults [--short] [--seed N]`: exits with 1 when the operator did not survive a fault."""

from __future__ import annotations

import argparse
import asyncio
import sys

from chaos import campaign


def main() -> None:
    parser = argparse.ArgumentParser(prog="chaos", description=__doc__)
    parser.add_argument("campaign", choices=["faults"])
    parser.add_argument("--short", action="store_true", help="a sample of each kind of fault, within minutes")
    parser.add_argument("--seed", type=int, default=1)
    parsed = parser.parse_args()
    command = f"python -m chaos faults{' --short' if parsed.short else ''} --seed {parsed.seed}"
    plan = campaign.SHORT if parsed.short else campaign.LONG
    sys.exit(0 if asyncio.run(campaign.run(plan, parsed.seed, command)) else 1)


if __name__ == "__main__":
    main()
