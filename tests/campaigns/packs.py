"""Packed stores as an attacker would change them: bytes, members, names, sizes."""

from __future__ import annotations

import contextlib
import random
import stat
import zipfile
from pathlib import Path

from swimmer import open_store
from swimmer.errors import SwimmerError
from swimmer.store import pack_store, unpack_store

from ..packs import COMMENT, Entry, entries_of, resealed, write_pack
from . import stores
from .flips import damaged
from .runner import Campaign, Failure

_NAMES = [
    "../../canary",
    "/etc/passwd",
    "gift/../manifest.json",
    "gift\\manifest.json",
    "gift/MANIFEST.JSON",
    "gift/.lock",
    "gift/.build/vectors.sqlite",
    "gift/index.pkl",
    "other/manifest.json",
    "gift/manifest.json\0.txt",
    "gift/manifest.json\n\x1b[2J",
    "C:/gift/manifest.json",
    "gift/",
    " ",
]


class Packs(Campaign):
    """A packed store with one to three things changed: refused, or the very store that it was."""

    name = "packs"
    about = "packed stores: no traceback, signal, hang, or byte outside; nothing half unpacked"

    def prepare(self) -> None:
        pack_store(stores.flat(self.work / "gift"), self.work / "honest.zip")

    def trial(self, chance: random.Random, folder: Path) -> None:
        path = folder / "gift.zip"
        if chance.random() < 0.5:
            self.members(chance, path)
        else:
            content = damaged(chance, (self.work / "honest.zip").read_bytes())
            # The central directory at the end says what there is: most changes go there.
            if chance.random() < 0.5:
                mutable = bytearray((self.work / "honest.zip").read_bytes())
                for _ in range(chance.choice([1, 2, 8])):
                    at = len(mutable) - COMMENT - 1 - chance.randrange(300)
                    mutable[at] = chance.choice([0, 1, 255, chance.randrange(256)])
                content = bytes(mutable)
            path.write_bytes(resealed(content) if chance.random() < 0.8 else content)
        target = folder / "stores" / "gift"
        with contextlib.suppress(SwimmerError):
            unpack_store(path, target)
            with open_store(target) as store:
                if problems := store.verify():
                    raise Failure(f"a damaged store was unpacked: {problems}")
        left = {one.relative_to(folder).parts[:2] for one in folder.rglob("*") if one.is_file()}
        if left - {("gift.zip",), ("stores", "gift")}:
            raise Failure(f"files were left: {left}")
        if target.exists() and not (target / "manifest.json").is_file():
            raise Failure("half a store was left")

    def members(self, chance: random.Random, path: Path) -> None:
        entries: list[Entry] = entries_of(self.work / "honest.zip")
        for _ in range(chance.choice([1, 1, 2, 3])):
            at = chance.randrange(len(entries))
            name, content = entries[at]
            change = chance.randrange(6)
            if change == 0:
                entries[at] = chance.choice(_NAMES), content
            elif change == 1:
                entries.insert(at, (chance.choice([name, *_NAMES]), content))
            elif change == 2 and len(entries) > 1:
                del entries[at]
            elif change == 3:
                entries[at] = name, damaged(chance, content)
            elif change == 4:
                info = zipfile.ZipInfo(name if isinstance(name, str) else name.filename)
                kind = chance.choice([stat.S_IFLNK, stat.S_IFDIR, stat.S_IFIFO, stat.S_IFCHR])
                info.create_system, info.external_attr = 3, (kind | 0o777) << 16
                entries[at] = info, b"../../canary"
            else:
                entries[at] = name, content + bytes(chance.choice([1, 100, 1 << 22]))
        method = chance.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
        write_pack(path, entries, method)
