"""Builds and updates killed at random instants, one writer or two: the old store or the new."""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from pathlib import Path

from swimmer import open_store
from swimmer.build import checkpoint, run_build, vectors
from swimmer.errors import StoreBusyError, StoreNotFoundError

from ..models import HashEmbeddings
from . import stores
from .runner import Campaign, Failure

_OLD, _NEW = 40, 80


class Kills(Campaign):
    """A build or an update is killed; then the folder is opened, verified and built to the end."""

    name = "kills"
    about = "kill -9 at random instants, two writers included: no broken store, nothing lost"

    def prepare(self) -> None:
        stores.flat(self.work / "old", _OLD)
        started = time.monotonic()
        self._built(self.work / "timed", self.work / "log")
        (self.work / "seconds").write_text(str(time.monotonic() - started))

    def _built(self, folder: Path, log: Path, salt: str = "") -> None:
        """Build with a checkpoint every few papers, and log what each has saved."""
        vectors.CHUNK, checkpoint.CHECKPOINT_SECONDS = 8, 0.01
        save = checkpoint.Checkpoint._save
        saved = 0

        def logged(self: checkpoint.Checkpoint) -> None:
            nonlocal saved
            fresh = len(self._fresh)
            save(self)
            saved += fresh
            log.write_text(str(saved))

        checkpoint.Checkpoint._save = logged  # type: ignore[method-assign]
        try:
            model = HashEmbeddings(8, salt=salt, delay=0.001)
            run_build(stores.papers(_NEW), folder, model=model, prune=True).store.close()
        finally:
            checkpoint.Checkpoint._save = save  # type: ignore[method-assign]

    def trial(self, chance: random.Random, folder: Path) -> None:
        store = folder / "store"
        update = chance.random() < 0.6
        if update:
            shutil.copytree(self.work / "old", store)
        seconds = float((self.work / "seconds").read_text())
        writers = [
            self._writer(store, folder / f"saved-{n}") for n in range(chance.choice([1, 1, 2]))
        ]
        # Often near the end, where files get their names and the manifest is replaced.
        time.sleep(seconds * chance.choice([chance.random(), chance.uniform(0.6, 1.3)]))
        chance.shuffle(writers)
        for writer in writers:
            os.kill(writer, signal.SIGKILL)
            time.sleep(chance.random() * 0.01)
        for writer in writers:
            os.waitpid(writer, 0)
        state = self._check(store, update)
        logs = [int(path.read_text() or 0) for path in folder.glob("saved-*")]
        resumed = run_build(stores.papers(_NEW), store, model=HashEmbeddings(8), prune=True)
        resumed.store.close()
        if state != "new" and resumed.report.resumed < max(logs, default=0):
            raise Failure(
                f"{max(logs)} papers were saved, {resumed.report.resumed} were found again"
            )
        if self._check(store, True) != "new":
            raise Failure("the build did not go on to its end")
        leftovers = {path.name for path in store.iterdir()} - {".lock", "manifest.json"}
        if len(leftovers) != 2:
            raise Failure(f"left over: {sorted(leftovers)}")

    def _writer(self, store: Path, log: Path) -> int:
        child = os.fork()
        if child:
            return child
        try:
            self._built(store, log)
        except StoreBusyError:
            pass
        finally:
            os._exit(0)

    def _check(self, folder: Path, there: bool) -> str:
        """Return which state the folder is in; anything between them is a failure."""
        try:
            store = open_store(folder)
        except StoreNotFoundError:
            if there:
                raise Failure("the store is gone") from None
            return "none"
        with store:
            store.model(HashEmbeddings(8))
            problems = store.verify()
            if problems:
                raise Failure(f"verify: {problems}")
            held = {paper.id for paper in store}
        for state, count in (("old", _OLD), ("new", _NEW)):
            if held == {paper.id for paper in stores.papers(count)}:
                return state
        raise Failure(f"the store holds {len(held)} papers, neither the old nor the new ones")
