"""Debian's Chromium for Playwright: where it is and how it is started without calling anywhere."""

from __future__ import annotations

import os
import shutil

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
]


def find_chromium() -> str | None:
    """Return the path of a Chromium: $SWIMMER_CHROMIUM, else one on the path, else None."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next(filter(None, (os.environ.get("SWIMMER_CHROMIUM"), *map(shutil.which, names))), None)


def chromium() -> str:
    """Return the path of a Chromium.

    Raises:
        SystemExit: there is none.
    """
    if path := find_chromium():
        return path
    raise SystemExit("no Chromium was found; install it or name it in $SWIMMER_CHROMIUM")
