"""Runs the trials of a campaign, each in a process of its own that is watched."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import random
import select
import shutil
import signal
import sys
import tempfile
import time
import traceback
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

HANG_SECONDS = 10.0
MEMORY = 3 << 30

# Loaded before the first fork, or each trial would take half a second to load them.
_LOADED = (
    "faiss",
    "swimmer.build.builder",
    "swimmer.build.one_build",
    "swimmer.build.calibration",
    "swimmer.cli.search",
    "swimmer.cli.stores",
    "swimmer.export.bibtex",
    "swimmer.export.ris",
    "swimmer.retrieval.query",
    "swimmer.retrieval.explanations",
    "swimmer.store.inspection",
    "swimmer.store.lookups",
    "swimmer.embeddings.huggingface",
    "swimmer.embeddings.model_files",
    "swimmer.embeddings.static",
    "rapidfuzz",
    "filelock",
)

_FORBIDDEN = (
    "socket.connect",
    "socket.getaddrinfo",
    "socket.sendto",
    "subprocess.Popen",
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.spawn",
    "pty.spawn",
    "webbrowser.open",
    "urllib.Request",
)


class Failure(Exception):
    """A promise that a trial has found broken."""


@dataclass
class Result:
    """How a campaign went."""

    tried: int = 0
    failures: dict[int, str] = field(default_factory=dict)


class Campaign(ABC):
    """Trials of one kind. `prepare` is called once, `trial` in a forked process for each seed."""

    name: str
    about: str

    def __init__(self, work: Path) -> None:
        self.work = work

    @abstractmethod
    def prepare(self) -> None:
        """Make what all trials begin with, in `self.work`."""

    @abstractmethod
    def trial(self, chance: random.Random, folder: Path) -> None:
        """Run one trial in an empty folder of its own; raise anything when it fails."""


@contextlib.contextmanager
def workplace() -> Iterator[Path]:
    """A folder with a home of its own, so that no store or list of the user's is met."""
    work = Path(tempfile.mkdtemp(prefix="campaign-"))
    kept = {name: os.environ.get(name) for name in ("HOME", "XDG_DATA_HOME", "SWIMMER_HOME")}
    here = Path.cwd()
    os.environ.update(HOME=str(work / "home"), XDG_DATA_HOME=str(work / "data"))
    os.environ.pop("SWIMMER_HOME", None)
    (work / "home").mkdir()
    os.chdir(work / "home")
    try:
        yield work
    finally:
        os.chdir(here)
        for name, value in kept.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
        shutil.rmtree(work, ignore_errors=True)


def run(
    kind: Callable[[Path], Campaign],
    *,
    seconds: float,
    seed: int = 0,
    trials: int | None = None,
    say: Callable[[str], None] = print,
) -> Result:
    """Run trials until the time is over, or so many of them."""
    result = Result()
    for name in _LOADED:
        importlib.import_module(name)
    with workplace() as work:
        campaign = kind(work)
        # In a process of its own: threads that a library has started would not survive a fork.
        problem = watched(campaign.prepare, work, seconds=120)
        if problem:
            raise RuntimeError(f"{campaign.name}: cannot be prepared: {problem}")
        ends = time.monotonic() + seconds
        while time.monotonic() < ends and (trials is None or result.tried < trials):
            number = seed + result.tried
            folder = work / "trial"
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            canary = work / "canary"
            canary.write_bytes(b"precious")
            chance = random.Random(f"{campaign.name} {number}")
            problem = watched(lambda c=chance, f=folder: campaign.trial(c, f), work)  # type: ignore[misc]
            if not problem and canary.read_bytes() != b"precious":
                problem = "bytes were written outside"
            result.tried += 1
            if problem:
                result.failures[number] = problem
                say(f"{campaign.name}: seed {number} failed: {problem}")
    say(f"{campaign.name}: {result.tried:,} tried, {len(result.failures):,} failed")
    return result


def watched(work: Callable[[], None], writable: Path, seconds: float = HANG_SECONDS) -> str:
    """Run something in a forked process; return what went wrong, or "".

    A traceback, a signal, a hang, a connection, a program started, or a file opened for writing
    outside of `writable` is wrong.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        _in_child(work, writable, writing)
    os.close(writing)
    said = b""
    ends = time.monotonic() + seconds
    try:
        while (left := ends - time.monotonic()) > 0:
            if select.select([reading], [], [], left)[0]:
                chunk = os.read(reading, 65536)
                if not chunk:
                    break
                said += chunk
        else:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return f"it did not end in {seconds:.0f} seconds"
    finally:
        os.close(reading)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return f"ended by signal {os.WTERMSIG(status)}"
    return str(json.loads(said)) if said else f"ended with {os.WEXITSTATUS(status)}"


def _in_child(work: Callable[[], None], writable: Path, pipe: int) -> None:
    """Do the work and leave the process: nothing of the parent's may run on here."""
    met: list[str] = []
    allowed = (str(writable), os.path.realpath(writable), "/dev/null", "/proc/self/")

    def audit(event: str, arguments: tuple[object, ...]) -> None:
        if event in _FORBIDDEN:
            met.append(f"{event} {arguments!r:.200}")
        elif event == "open" and isinstance(arguments[0], (str, bytes)):
            path, flags = os.fsdecode(arguments[0]), arguments[2]
            writes = isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
            if writes and not os.path.abspath(path).startswith(allowed):
                met.append(f"opened for writing: {path[:200]}")

    problem = ""
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        nothing = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(nothing, stream)
        sys.stdin = os.fdopen(0, "r")
        sys.stdout, sys.stderr = os.fdopen(1, "w"), os.fdopen(2, "w")
        sys.addaudithook(audit)
        work()
    except Failure as error:
        problem = str(error)
    except BaseException:  # noqa: BLE001  whatever it is, it is what the campaign looks for
        problem = " | ".join(traceback.format_exc().strip().splitlines()[-7:])
    if met:
        problem = f"{problem} {met[:3]}"
    with contextlib.suppress(OSError):
        os.write(pipe, json.dumps(problem[:4000]).encode())
    os._exit(0)
