"""Campaigns: thousands of random trials against what a store and its readers promise.

`python -m tests.campaigns NAME --minutes N` prints how many trials there were, how many failed, and
the seed of each failure; `--seed S --trials 1` runs one of them again. The test suite runs a few
seconds of each. They fork, so they need POSIX.
"""

from .crafted import Crafted
from .disk import Disk
from .flips import Flips
from .kills import Kills
from .lists import Lists
from .packs import Packs
from .page import Page
from .pickles import Pickles
from .publisher import Publisher
from .runner import Campaign

CAMPAIGNS: dict[str, type[Campaign]] = {
    kind.name: kind
    for kind in (Kills, Flips, Crafted, Packs, Pickles, Disk, Lists, Publisher, Page)
}
"""The campaigns by name."""
