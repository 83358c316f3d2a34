"""A Ray cluster to build on: its address, the connection, and the places that workers get."""

from __future__ import annotations

import contextlib
import importlib
import logging
import os
import re
import shutil
import socket
import tempfile
import time
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from swimmer.embeddings import WORKERS, usable_cores
from swimmer.errors import ClusterError, InputError, MissingExtraError

LOCAL = "local"
"""The address of a cluster that is started on this machine for one build."""

ATTEMPTS = 3
"""Attempts to be let in by a cluster that answers."""

TIMEOUT = 60.0
"""Seconds that a node may take to say which swimmer it has."""

_ADDRESS = re.compile(
    r"ray://(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9](?:[A-Za-z0-9._-]{0,252})):(\d{1,5})", re.ASCII
)
_STORE = 256 << 20  # bytes for what is on its way; by default Ray takes a third of the memory
_LONGEST = 30  # characters of a folder for Ray's sockets, whose path may have 107 with their names
_STATISTICS = "RAY_USAGE_STATS_ENABLED"
_log = logging.getLogger(__name__)


def checked_address(on: str) -> str:
    """Return the address of a cluster, if it is one and Ray is installed.

    Raises:
        InputError: it is neither `local` nor ray://HOST:PORT.
        MissingExtraError: Ray is not installed.
    """
    found = _ADDRESS.fullmatch(on)
    if on != LOCAL and (found is None or not 0 < int(found[2]) < 65536):
        raise InputError(
            f"{on[:120]!r} is no address of a Ray cluster",
            hint="give ray://HOST:10001 (the port of the cluster's Ray Client server), or local",
        )
    try:
        for package in ("ray", "grpc"):
            importlib.import_module(package)
    except ImportError:
        raise MissingExtraError("a build on Ray", "ray") from None
    return on


@dataclass(frozen=True)
class Place:
    """Where one worker may run: a node, with its cores and GPUs."""

    node: str
    host: str
    cores: int
    gpus: int


def places_of(nodes: Iterable[dict[str, Any]], *, use_gpus: bool) -> list[Place]:
    """Return the places of workers on nodes: one a GPU where there are any, else of up to 16 cores.

    Args:
        nodes: as `ray.nodes` describes them.
        use_gpus: whether the model gains by a GPU.
    """
    alive = [node for node in nodes if node["Alive"]]
    count = {node["NodeID"]: int(node["Resources"].get("GPU", 0)) for node in alive}
    by_gpu = use_gpus and any(count.values())
    places = []
    for node in alive:
        name, host = node["NodeID"], str(node.get("NodeManagerAddress", ""))
        cores = int(node["Resources"].get("CPU", 0))
        if by_gpu:
            places += [Place(name, host, min(cores, 1), 1)] * count[name]
        elif cores:
            # More cores than a model has use for are shared by several workers.
            workers = -(-cores // WORKERS)
            sizes = (cores // workers + (i < cores % workers) for i in range(workers))
            places += [Place(name, host, size, 0) for size in sizes]
    return places


@contextlib.contextmanager
def connected(on: str) -> Iterator[Any]:
    """Give the module `ray`, connected to a cluster until the block ends.

    A program that is connected already stays so: then that is the cluster, whatever `on` says.

    Args:
        on: `local`, which starts a cluster on this machine, or ray://HOST:PORT.

    Raises:
        ClusterError: the cluster cannot be reached, or has another version of Ray or Python.
    """
    with _quiet():
        import ray

    if ray.is_initialized():
        yield ray
        return
    with contextlib.ExitStack() as stack:
        if on == LOCAL:
            _start(ray, stack)
        else:
            _join(ray, on)
        stack.callback(ray.shutdown)
        yield ray


def _start(ray: Any, stack: contextlib.ExitStack) -> None:
    base = tempfile.gettempdir()
    folder = Path(tempfile.mkdtemp(prefix="sw", dir=base if len(base) <= _LONGEST else "/tmp"))
    stack.callback(shutil.rmtree, folder, ignore_errors=True)
    before = os.environ.get(_STATISTICS)
    os.environ[_STATISTICS] = "0"
    try:
        with _quiet():
            ray.init(
                address=LOCAL,
                num_cpus=usable_cores(),
                object_store_memory=_STORE,
                include_dashboard=False,
                log_to_driver=False,
                logging_level=logging.ERROR,
                _temp_dir=str(folder),
            )
    except (OSError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
        raise ClusterError(
            f"no Ray cluster could be started on this machine ({_reason(error)})",
            hint="build without --on, or give the address of a cluster: ray://HOST:10001",
        ) from None
    finally:
        if before is None:
            del os.environ[_STATISTICS]
        else:
            os.environ[_STATISTICS] = before


def _join(ray: Any, on: str) -> None:
    host, _, port = on.removeprefix("ray://").rpartition(":")
    try:
        # Ray itself tries for half a minute.
        socket.create_connection((host.strip("[]"), int(port)), timeout=10).close()
    except OSError as error:
        raise ClusterError(
            f"{on}: nobody answers ({error.strerror or error})",
            hint="see that the cluster runs and that this is the port of its Ray Client server "
            "(10001 unless it was started with another)",
        ) from None
    try:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with _quiet():
                    ray.init(on, log_to_driver=False, logging_level=logging.ERROR)
                break
            except ConnectionAbortedError:
                # The process that the head starts for this client may crash in gRPC (fork).
                if attempt == ATTEMPTS:
                    raise
    except (OSError, RuntimeError, ValueError, AssertionError, ray.exceptions.RayError) as error:
        if "token" in str(error).casefold():
            raise ClusterError(
                f"{on}: asks for another token ({_reason(error)})",
                hint="put the cluster's token into RAY_AUTH_TOKEN",
            ) from None
        if "ersion" in str(error):
            raise ClusterError(
                f"{on}: has another version of Ray or Python ({_reason(error)})",
                hint="install the versions of the cluster here",
            ) from None
        raise ClusterError(
            f"{on}: is no Ray Client server, or one that does not answer ({_reason(error)})",
            hint="give the port of the cluster's Ray Client server, 10001 unless it was started "
            "with another",
        ) from None


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep back what Ray warns of: settings of its own that a build does not depend on."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _reason(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    # What a server sends may hold a traceback, which ends with what it is about.
    said = "Traceback" in str(error)
    return (lines[-1 if said else 0] if lines else type(error).__name__)[:300]


def fitness_of(ray: Any, nodes: Iterable[str], here: str) -> dict[str, str]:
    """Return why nodes cannot embed, "" for those that can; nodes that are gone are left out.

    A node cannot that does not answer, has no swimmer, or has another version of it.

    Args:
        ray: the module, connected.
        nodes: the ids of nodes.
        here: the version of swimmer here.
    """
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    # Sent as it stands, and not by its name: a node may have no swimmer to look it up in.
    def installed() -> str:
        try:
            import swimmer
        except ImportError:
            return ""
        return str(getattr(swimmer, "__version__", "unknown"))

    ask = ray.remote(installed)
    asked = {
        node: ask.options(
            num_cpus=0,
            max_retries=0,
            scheduling_strategy=NodeAffinitySchedulingStrategy(node, soft=False),
        ).remote()
        for node in dict.fromkeys(nodes)
    }
    found = {}
    until = time.monotonic() + TIMEOUT
    for node, answer in asked.items():
        try:
            version = ray.get(answer, timeout=max(1.0, until - time.monotonic()))
        except ray.exceptions.GetTimeoutError:
            found[node] = f"it does not answer within {TIMEOUT:.0f} s"
        except ray.exceptions.RayError as error:
            # A list of nodes names one for some seconds after it is gone.
            _log.warning("the node %s is passed over (%s)", node, _reason(error))
        else:
            found[node] = _misfit(version, here)
    return found


def _misfit(version: str, here: str) -> str:
    if not version:
        return f"swimmer is not installed there, here it is {here}"
    return "" if version == here else f"it has swimmer {version}, here it is {here}"
