"""Workers on a Ray cluster: each loads the model once and embeds the chunks it is given.

Chunks that a lost worker had are given to others; a node that joins, or comes back, gets workers of
its own while the build goes on.
"""

from __future__ import annotations

import contextlib
import logging
import os
import time
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from swimmer import __version__
from swimmer.build.ray_cluster import Place, connected, fitness_of, places_of
from swimmer.build.vectors import Chunk, Made, made_of
from swimmer.embeddings import (
    BACKEND,
    HALF,
    ModelIdentity,
    choose_backend,
    cut_cores,
    cut_for,
    load_again,
)
from swimmer.errors import ClusterError, ModelError, SwimmerError

if TYPE_CHECKING:
    from swimmer.embeddings import Model
    from swimmer.progress import Progress

AHEAD = 2
"""Chunks that a worker has at a time: the next one is there when it ends one."""

RENEWAL = 5.0
"""Seconds between two looks for nodes without workers."""

ATTEMPTS = 3
"""Workers that may be lost in one place before it is given up."""

RESUMES = "start the same build again; it resumes, with the papers embedded so far"

_log = logging.getLogger(__name__)


class Failure(NamedTuple):
    """An error of ours in a worker; an exception would lose its hint on the way."""

    message: str
    hint: str


class Worker:
    """A model in a process of the cluster; an actor of Ray."""

    def __init__(self) -> None:
        self._model: Model | None = None

    def load(
        self, identity: ModelIdentity, named_by_store: bool, cores: int, settings: Mapping[str, str]
    ) -> Failure | None:
        """Load a model and check that it is the one the build has.

        Args:
            identity: the model, as the build has it.
            named_by_store: the name comes from a manifest, not from the user.
            cores: for how many the build cuts its batches.
            settings: the environment variables of swimmer that choose how a model is computed.
        """
        os.environ.update(settings)
        cut_for(cores)
        try:
            self._model = load_again(identity, "the build", named_by_store=named_by_store)
        except SwimmerError as error:
            return Failure(str(error), error.hint)
        return None

    def embed(self, texts: Sequence[str], weighing: bool) -> Made | Failure:
        """Return what the model makes of the texts of papers."""
        assert self._model is not None
        try:
            return made_of(self._model, texts, weighing)
        except SwimmerError as error:
            return Failure(str(error), error.hint)


@dataclass(eq=False)
class _Running:
    """A worker: its place, its actor, and what it was asked for.

    `loading` is the answer to the first question, which loads the model; None once it is there.
    `chunks` are those that the worker has, by the reference of the answer.
    """

    place: Place
    actor: Any
    loading: Any
    chunks: dict[Any, Chunk] = field(default_factory=dict)

    @property
    def asked(self) -> list[Any]:
        """The references of answers that are to come."""
        return list(self.chunks) if self.loading is None else [self.loading]


class RayWorkers:
    """The workers of one build.

    Args:
        on: where; see `checked_address`.
        progress: told how many workers are ready, before there is any.

    Raises:
        ClusterError: the cluster cannot be reached, has nothing to compute with, or a node of it
            lacks swimmer or has another version of it.
    """

    def __init__(self, on: str, progress: Progress) -> None:
        self._on, self._progress = on, progress
        self._closing = contextlib.ExitStack()
        self._workers: list[_Running] = []
        self._lost: Counter[Place | int] = Counter()
        self._fitness: dict[str, str] = {}
        self._last_reason = ""
        try:
            progress("connecting to Ray", 0, None)
            self._ray = self._closing.enter_context(connected(on))
            self._check_nodes()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End the workers and the connection."""
        for worker in self._workers:
            self._end(worker)
        self._workers.clear()
        self._closing.close()

    def _check_nodes(self) -> None:
        places = places_of(self._ray.nodes(), use_gpus=True)
        if not places:
            raise ClusterError(
                f"the cluster {self._on} has no CPU and no GPU for workers",
                hint="add a node with some: ray start --address=HEAD:6379",
            )
        self._ask(places)
        for place in places:
            if reason := self._fitness.get(place.node):
                raise ClusterError(
                    f"the node {place.host} of {self._on}: {reason}",
                    hint=f'on every node: pip install "swimmer=={__version__}", with the extra '
                    "that the model needs",
                )
        if not self._fitness:
            raise ClusterError(
                f"no node of {self._on} answers", hint="look at the cluster with: ray status"
            )

    def _ask(self, places: Sequence[Place]) -> None:
        """Ask nodes that were not there before whether they can embed."""
        new = {place.node for place in places} - self._fitness.keys()
        if new:
            self._fitness |= fitness_of(self._ray, new, __version__)

    # ------------------------------------------------------------------ embedding

    def embed(
        self, model: Model, chunks: Iterator[Chunk], *, weighing: bool, named_by_store: bool
    ) -> Iterator[tuple[Chunk, Made]]:
        """Yield chunks with what is made of their texts, each once, as it is made.

        Args:
            model: the model of the build; the workers load it by its name.
            chunks: taken as workers have time for them.
            weighing: whether the model weighs the tokens of the texts too.
            named_by_store: the name comes from a manifest, not from the user.

        Raises:
            ModelError: a worker cannot load the model, or the model fails.
            ClusterError: the connection is lost, or no worker is left.
        """
        errors = self._ray.exceptions
        # Neither the table of words nor ONNX Runtime as it is usually installed computes on one.
        use_gpus = model.pads and choose_backend(model.name, None, model.revision) == "torch"
        settings = {name: os.environ[name] for name in (BACKEND, HALF) if name in os.environ}
        load = (model.identity, named_by_store, cut_cores(), settings)
        try:
            yield from self._embedded(chunks, load, weighing, use_gpus)
        except (errors.RayError, ConnectionError) as error:
            raise ClusterError(
                f"the cluster {self._on} failed ({type(error).__name__}: {_short(error)})",
                hint=RESUMES,
            ) from None

    def _embedded(
        self, chunks: Iterator[Chunk], load: tuple[Any, ...], weighing: bool, use_gpus: bool
    ) -> Iterator[tuple[Chunk, Made]]:
        first = next(chunks, None)
        waiting = deque([] if first is None else [first])
        looked = -RENEWAL
        while True:
            if waiting and (not self._workers or time.monotonic() - looked >= RENEWAL):
                self._start_missing(load, use_gpus)
                looked = time.monotonic()
            self._give(waiting, chunks, weighing)
            if not waiting and not any(worker.chunks for worker in self._workers):
                return
            asked = {ref: worker for worker in self._workers for ref in worker.asked}
            if not asked:
                raise ClusterError(
                    f"no worker is left on {self._on} ({self._last_reason})", hint=RESUMES
                )
            done, _ = self._ray.wait(list(asked), timeout=1.0)
            for ref in done:
                if (finished := self._answer(asked[ref], ref, waiting)) is not None:
                    yield finished

    def _give(self, waiting: deque[Chunk], chunks: Iterator[Chunk], weighing: bool) -> None:
        """Give chunks to the workers that have time for one; leave one waiting, if there is one."""
        for worker in self._workers:
            while worker.loading is None and waiting and len(worker.chunks) < AHEAD:
                chunk = waiting.popleft()
                worker.chunks[worker.actor.embed.remote(chunk.texts, weighing)] = chunk
                if not waiting and (following := next(chunks, None)) is not None:
                    waiting.append(following)

    def _answer(
        self, worker: _Running, ref: Any, waiting: deque[Chunk]
    ) -> tuple[Chunk, Made] | None:
        """Take an answer: a chunk with what was made of it, or None where there is none in it."""
        errors = self._ray.exceptions
        try:
            answer = self._ray.get(ref)
        except errors.RayTaskError as error:
            reason = _short(error.cause or error)
            raise ModelError(
                f"the worker on {worker.place.host} failed ({reason})", hint=RESUMES
            ) from None
        except errors.RaySystemError:
            raise
        except errors.RayError as error:
            self._lose(worker, error, waiting)
            return None
        if isinstance(answer, Failure):
            raise ModelError(
                f"the worker on {worker.place.host}: {answer.message}", hint=answer.hint
            )
        if worker.loading is not None:
            worker.loading = None
            self._tell()
            return None
        # Only what is lost again and again counts.
        self._lost.pop(worker.place, None)
        return worker.chunks.pop(ref), answer

    def _tell(self) -> None:
        ready = sum(worker.loading is None for worker in self._workers)
        self._progress("starting workers", ready, len(self._workers))

    # ------------------------------------------------------------------ workers

    def _start_missing(self, load: tuple[Any, ...], use_gpus: bool) -> None:
        """Start workers in places that have none: at first, and where nodes join or come back."""
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        places = places_of(self._ray.nodes(), use_gpus=use_gpus)
        self._ask(places)
        missing = Counter(places) - Counter(worker.place for worker in self._workers)
        for place in missing.elements():
            if unfit := self._fitness.get(place.node, "it is gone"):
                self._last_reason = f"the node {place.host}: {unfit}"
                continue
            if self._lost[place] >= ATTEMPTS:
                continue
            actor = (
                self._ray.remote(Worker)
                .options(
                    num_cpus=place.cores,
                    num_gpus=place.gpus,
                    max_restarts=0,
                    scheduling_strategy=NodeAffinitySchedulingStrategy(place.node, soft=False),
                )
                .remote()
            )
            self._workers.append(_Running(place, actor, actor.load.remote(*load)))
        if missing:
            self._tell()

    def _lose(self, worker: _Running, error: Exception, waiting: deque[Chunk]) -> None:
        """Take a worker out that is gone; its chunks wait for others."""
        self._last_reason = f"{type(error).__name__}: {_short(error)}"
        _log.warning("a worker on %s is lost (%s)", worker.place.host, self._last_reason)
        self._workers.remove(worker)
        self._end(worker)
        self._lost[worker.place] += 1
        for chunk in worker.chunks.values():
            first = int(chunk.rows[0])
            self._lost[first] += 1
            if self._lost[first] > AHEAD * ATTEMPTS:
                raise ClusterError(
                    f"{self._lost[first]} workers were lost with the same texts "
                    f"({self._last_reason})",
                    hint=RESUMES,
                )
            waiting.append(chunk)

    def _end(self, worker: _Running) -> None:
        with contextlib.suppress(self._ray.exceptions.RayError, ConnectionError, ValueError):
            self._ray.kill(worker.actor)


def _short(error: BaseException) -> str:
    return " ".join(str(error).split())[:300]
