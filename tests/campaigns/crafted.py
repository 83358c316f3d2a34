"""Stores as an attacker would craft them: manifest, tables, index, links, names of models."""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import sqlite3
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

from swimmer import Paper, PaperStore, build_store, open_store
from swimmer.errors import SwimmerError
from swimmer.export import WRITERS
from swimmer.retrieval import ask
from swimmer.store import MANIFEST, Manifest, inspect_folder, lookups, spelling

from .. import test_crafted_database as databases
from ..manifests import edit_manifest, seal
from ..models import HashEmbeddings
from . import stores
from .runner import Campaign, Failure

_ODD: list[Any] = [
    None,
    True,
    0,
    -1,
    5,
    2.5,
    1 << 40,
    10**400,
    "",
    "x",
    "../../etc/passwd",
    "/etc/passwd",
    "a\0b",
    "\x1b[2J",
    "\ud800",
    "x" * 100_000,
    [],
    [[]],
    {},
    {"a": {}},
    float("nan"),
    float("inf"),
    "refs/pr/1",
    "attacker/model",
    "static",
    "bge-m3",
    "python:os.system",
    "2025-01-01T00:00:00+00:00",
]
_FIELDS = [
    "papers",
    "model",
    "model__name",
    "model__revision",
    "model__dimension",
    "model__text",
    "model__query_prompt",
    "model__document_prompt",
    "model__normalized",
    "model__languages",
    "model__fingerprint",
    "database",
    "database__name",
    "database__size",
    "database__sha256",
    "index",
    "index__name",
    "index__size",
    "index__sha256",
    "generation",
    "created",
    "source",
    "probes",
    "exact",
    "recall",
    "thresholds",
    "schema",
    "more",
]


class Crafted(Campaign):
    """A store with one to three things in it that no honest one has; then everything is asked."""

    name = "crafted"
    about = "crafted stores: no traceback, signal, hang, connection, code, or byte outside"

    def prepare(self) -> None:
        stores.flat(self.work / "flat")
        stores.inverted(self.work / "inverted")

    def trial(self, chance: random.Random, folder: Path) -> None:
        gift = folder / "gift"
        shutil.copytree(self.work / chance.choice(["flat", "flat", "inverted"]), gift)
        crafts = [self.manifest, self.tables, self.values, self.index, self.pages, self.links]
        for _ in range(chance.choice([1, 1, 1, 2, 3])):
            with contextlib.suppress(SwimmerError, sqlite3.Error, OSError, ValueError):
                chance.choice(crafts)(chance, gift)
        use(chance, gift)

    def manifest(self, chance: random.Random, gift: Path) -> None:
        name, value = chance.choice(_FIELDS), chance.choice(_ODD)
        fields = edit_manifest(gift)
        with contextlib.suppress(UnicodeEncodeError, ValueError):
            edit_manifest(gift, **{name: value})
            return
        # What has no UTF-8 goes in as an escape, without the digest.
        *parts, last = name.split("__")
        place = fields
        for part in parts:
            place = place[part]
        place[last] = value if value != 10**400 else 1
        fields["schema"] = 1
        (gift / MANIFEST).write_text(json.dumps(fields))

    def _connected(self, gift: Path, statements: list[str]) -> None:
        connection = sqlite3.connect(still_a_file(gift / Manifest.read(gift).database.name))
        connection.execute("PRAGMA writable_schema=ON")
        for statement in statements:
            with contextlib.suppress(sqlite3.Error):
                connection.execute(statement)
        connection.commit()
        connection.close()
        seal(gift)

    def tables(self, chance: random.Random, gift: Path) -> None:
        self._connected(gift, databases.SCHEMAS[chance.choice(sorted(databases.SCHEMAS))])

    def values(self, chance: random.Random, gift: Path) -> None:
        count = chance.choice([1, 2, 5])
        self._connected(gift, [chance.choice(databases.WRONG_VALUES) for _ in range(count)])

    def index(self, chance: random.Random, gift: Path) -> None:
        path = still_a_file(gift / Manifest.read(gift).index.name)
        content = bytearray(path.read_bytes())
        for _ in range(chance.choice([1, 2, 4])):
            # The structure lies at the beginning, and at the direct map and the sizes.
            at = chance.randrange(min(len(content), chance.choice([60, 400, 4000, len(content)])))
            value = chance.choice([0, 1, -1, 1 << 31, 1 << 40, chance.getrandbits(62)])
            content[at : at + 8] = struct.pack("<q", value)[: len(content[at : at + 8])]
        if chance.random() < 0.2:
            content = content[: chance.randrange(len(content))]
        if chance.random() < 0.1:
            content += bytes(chance.randrange(100))
        path.write_bytes(content)
        seal(gift)

    def pages(self, chance: random.Random, gift: Path) -> None:
        path = still_a_file(gift / Manifest.read(gift).database.name)
        content = bytearray(path.read_bytes())
        for _ in range(chance.choice([1, 3, 30])):
            content[chance.randrange(100, len(content))] = chance.randrange(256)
        if chance.random() < 0.2:
            # One page in the place of another: trees that lead to one another.
            pages = len(content) // 4096
            a, b = (4096 * chance.randrange(1, pages) for _ in range(2))
            content[a : a + 4096] = content[b : b + 4096]
        path.write_bytes(content)
        seal(gift)

    def links(self, chance: random.Random, gift: Path) -> None:
        manifest = Manifest.read(gift)
        name = chance.choice(
            [
                MANIFEST,
                manifest.database.name,
                manifest.index.name,
                ".lock",
                ".build",
                "map.safetensors",
                ".build/vectors.sqlite",
                ".build/papers.sqlite",
                f".manifest.json.{os.getpid()}.tmp",
                f".index.{os.getpid()}.tmp",
            ]
        )
        path = gift / name
        path.parent.mkdir(exist_ok=True)
        target = chance.choice([self.work / "canary", path.with_name("kept"), Path("/dev/zero")])
        if path.exists():
            path.rename(path.with_name("kept"))
        kind = chance.choice(["link", "hard", "fifo", "folder", "up"])
        if kind == "link":
            path.symlink_to(target)
        elif kind == "hard":
            os.link(self.work / "canary", path)
        elif kind == "fifo":
            os.mkfifo(path)
        elif kind == "up":
            path.symlink_to("../../home")
        else:
            path.mkdir()


def still_a_file(path: Path) -> Path:
    """Return the path of a file that no earlier change has replaced by a link or a FIFO."""
    if path.is_symlink() or not path.is_file():
        raise FileNotFoundError(path)
    return path


def use(chance: random.Random, gift: Path) -> None:
    """Do with a store all that a user does; only errors of our own tree may come."""
    from swimmer.cli import main

    model = HashEmbeddings(8)
    title = stores.papers(1, 3)[0].title

    def command(*arguments: object) -> None:
        try:
            main([str(argument) for argument in arguments])
        except SystemExit as stop:
            if stop.code not in (0, 1, 2, None):
                raise Failure(f"{arguments}: exit code {stop.code}") from None

    def with_store(do: Callable[[PaperStore], object]) -> Callable[[], None]:
        def inner() -> None:
            with open_store(gift) as store:
                do(store)

        return inner

    def written(store: PaperStore) -> None:
        answers = ask(store, [title, "graph models"], 5, embeddings=model)
        for name, write in WRITERS.items():
            text = write(answers)
            if "\x1b" in text or "javascript:" in text:
                raise Failure(f"an escape in the export {name}")

    def looked_up(store: PaperStore) -> None:
        database = store.database
        store.papers(lookups.rows_of_identifier(database, "https://x.org/3"))
        store.papers(lookups.rows_of_name(database, "graph"))
        store.papers(lookups.rows_of_people(database, lookups.people_named(database, "B. Other")))
        spelling.correction(database, "difusion")

    steps: list[Callable[[], object]] = [
        with_store(lambda store: ask(store, [title], 8)),
        with_store(lambda store: ask(store, ["graph models"], 8)),
        with_store(lambda store: ask(store, [title], 8, mode="keyword", explain=True)),
        with_store(lambda store: ask(store, [title], 8, filter={"area": "graph"})),
        with_store(lambda store: ask(store, [title], 8, filter={"year": {"$gte": 2020}})),
        with_store(written),
        with_store(looked_up),
        with_store(lambda store: list(store)),
        with_store(lambda store: store.vectors()),
        with_store(lambda store: store.verify()),
        lambda: inspect_folder(gift),
        lambda: command("inspect", gift),
        lambda: command("show", gift),
        lambda: command("search", "-s", gift, title, "--json"),
        lambda: command("search", "-s", gift, "graph models", "--mode", "keyword"),
        lambda: build_store([*stores.papers(9), Paper("A new paper")], gift, model=model),
        lambda: build_store(gift, gift.parent / "again", model=model),
    ]
    # The last two change the folder, so that the others see what was crafted.
    for step in (*chance.sample(steps[:-2], 8), *steps[-2:]):
        with contextlib.suppress(SwimmerError):
            step()
