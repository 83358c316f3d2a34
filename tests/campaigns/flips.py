"""Every file of a store with bytes flipped, cut off or added: nothing of it is silent."""

from __future__ import annotations

import contextlib
import random
import shutil
from pathlib import Path

from swimmer import open_store
from swimmer.errors import StoreError, SwimmerError
from swimmer.retrieval import ask
from swimmer.store import MANIFEST, Manifest

from ..models import HashEmbeddings
from . import stores
from .runner import Campaign, Failure


class Flips(Campaign):
    """One file changed somewhere; `verify` must see it, the manifest's digest at opening."""

    name = "flips"
    about = "flips and truncations of every file: none missed by verify, none silent at opening"

    def prepare(self) -> None:
        stores.flat(self.work / "flat")
        stores.inverted(self.work / "inverted")

    def trial(self, chance: random.Random, folder: Path) -> None:
        store = folder / "store"
        shutil.copytree(self.work / chance.choice(["flat", "inverted"]), store)
        manifest = Manifest.read(store)
        name = chance.choice([MANIFEST, manifest.database.name, manifest.index.name])
        path = store / name
        whole = path.read_bytes()
        torn = damaged(chance, whole)
        path.write_bytes(torn)
        if torn == whole:
            return
        try:
            opened = open_store(store)
        except StoreError:
            return
        if name == MANIFEST:
            raise Failure(f"{name}: opened as if nothing had changed")
        with opened:
            opened.model(HashEmbeddings(8))
            if not opened.verify():
                raise Failure(f"{name}: verify finds nothing")
            for options in ({}, {"mode": "keyword"}, {"filter": {"year": {"$gte": 2020}}}):
                with contextlib.suppress(SwimmerError):
                    ask(opened, [stores.papers(1)[0].title], 5, **options)


def damaged(chance: random.Random, whole: bytes) -> bytes:
    """Return a file's content after one accident."""
    torn = bytearray(whole)
    at = chance.randrange(len(torn))
    kind = chance.choice(["bit", "byte", "byte", "run", "cut", "added", "zeros", "moved"])
    if kind == "bit":
        torn[at] ^= 1 << chance.randrange(8)
    elif kind == "byte":
        torn[at] = chance.randrange(256)
    elif kind == "run":
        length = chance.randrange(1, 600)
        torn[at : at + length] = chance.randbytes(len(torn[at : at + length]))
    elif kind == "cut":
        del torn[at:]
    elif kind == "added":
        torn += chance.randbytes(chance.randrange(1, 100))
    elif kind == "zeros":
        torn[at:] = bytes(len(torn) - at)
    else:
        del torn[at : at + chance.randrange(1, 50)]
    return bytes(torn)
