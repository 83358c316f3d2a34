"""`python -m tests.campaigns NAME --minutes N`: run a campaign, and say what failed."""

from __future__ import annotations

import argparse
import os
import sys

# A process whose libraries have started threads cannot be forked.
os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

from . import CAMPAIGNS
from .runner import run


def main() -> int:
    """Run what the command line names; return 1 when a trial failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.campaigns", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(CAMPAIGNS)}; all")
    parser.add_argument("--minutes", type=float, default=1.0, help="for each campaign")
    parser.add_argument("--seed", type=int, default=0, help="of the first trial")
    parser.add_argument("--trials", type=int, help="end after so many")
    given = parser.parse_args()
    failed = 0
    for name in given.names or CAMPAIGNS:
        if name not in CAMPAIGNS:
            parser.error(f"there is no campaign {name}; there is {', '.join(CAMPAIGNS)}")
        result = run(
            CAMPAIGNS[name], seconds=60 * given.minutes, seed=given.seed, trials=given.trials
        )
        failed += len(result.failures)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
