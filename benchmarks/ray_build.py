"""Building on a Ray cluster: two workers of one core each, one worker, and the ordinary build.

    pip install -c constraints.txt ".[bench,ray]"
    python -m benchmarks.ray_build PAPERS.json [--papers 5000] [--rounds 1]

The cluster runs on this machine: a head that embeds nothing, and nodes of one core each, all there
before a build begins. The model is all-MiniLM-L6-v2. Each build is a process of its own, as with
`swimmer build --on ray://HOST:PORT`. Its seconds are those of `run_build`, in which it loads the
model, and the workers start and load it too; embedding is what lies between the end of the reading
and the last vector, the start of the workers included.

The ordinary build uses all cores: on a machine of more than two, start this with
`taskset -c 0,1`. Of several rounds the fastest counts. The load of the machine is printed first; on
a busy one the figures say nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

WAYS = ("here", "one worker", "two workers")
ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AUTH_MODE": "disabled",
    "GRPC_ENABLE_FORK_SUPPORT": "0",  # with it, the server that Ray forks for a client may crash
    "HF_HUB_OFFLINE": "1",
}


def build(source: str, count: int, folder: str, on: str) -> None:
    """Build a store and print what it took, as JSON."""
    from benchmarks import naive
    from swimmer import open_source, run_build
    from swimmer.sources import SourceReport

    everything = open_source(source).papers(SourceReport())
    papers = list({paper.id: paper for paper in everything}.values())[:count]
    start = time.perf_counter()
    read = embedded = 0.0

    def progress(stage: str, done: int, total: int | None) -> None:
        nonlocal read, embedded
        if stage == "reading" and done == total:
            read = time.perf_counter()
        if stage == "embedding" and done == total:
            embedded = time.perf_counter()

    store, report = run_build(
        papers, folder, model=str(naive.model_folder()), on=on or None, progress=progress
    )
    seconds = time.perf_counter() - start
    np.save(f"{folder}.npy", store.index.vectors(np.arange(len(store))))
    print(json.dumps({"whole": seconds, "embedding": embedded - read, "papers": report.embedded}))


def measured(options: argparse.Namespace, folder: Path, port: int | None) -> dict[str, Any]:
    """Return what a build in a process of its own took."""
    on = "" if port is None else f"ray://127.0.0.1:{port}"
    command = [sys.executable, "-m", "benchmarks.ray_build", str(options.source)]
    command += ["--papers", str(options.papers), "--build", str(folder), "--on", on]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def on_nodes(options: argparse.Namespace, folder: Path, nodes: int) -> dict[str, Any]:
    """Return what a build on a new cluster with some nodes took."""
    from ray.cluster_utils import Cluster

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    memory = 128 << 20
    cluster = Cluster(
        initialize_head=True,
        head_node_args={
            "num_cpus": 0,
            "include_dashboard": False,
            "object_store_memory": memory,
            "ray_client_server_port": port,
        },
    )
    try:
        for _ in range(nodes):
            cluster.add_node(num_cpus=1, object_store_memory=memory)
        return measured(options, folder, port)
    finally:
        cluster.shutdown()


def main() -> None:
    """Build in all three ways and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("source", type=Path)
    parser.add_argument("--papers", type=int, default=5_000)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--build", help=argparse.SUPPRESS)
    parser.add_argument("--on", default="", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.build:
        build(str(options.source), options.papers, options.build, options.on)
        return
    os.environ.update(ENVIRONMENT)
    # Not in $TMPDIR: the path of a socket has at most 107 characters.
    work = Path(tempfile.mkdtemp(prefix="sw", dir="/tmp"))
    os.environ["RAY_TMPDIR"] = str(work)
    load = ", ".join(f"{part:.1f}" for part in os.getloadavg())
    print(f"{os.cpu_count()} cores, load {load}")
    best: dict[str, dict[str, float]] = {}
    try:
        for number in range(options.rounds):
            for nodes, way in enumerate(WAYS):
                folder = work / f"{way.split()[0]}-{number}"
                found = (
                    on_nodes(options, folder, nodes) if nodes else measured(options, folder, None)
                )
                kept = best.setdefault(way, found)
                for name in ("whole", "embedding"):
                    kept[name] = min(kept[name], found[name])
                print(
                    f"{way:12} {found['papers']:,} papers: whole build {found['whole']:6.1f} s, "
                    f"embedding {found['embedding']:6.1f} s",
                    flush=True,
                )
        here, *others = (np.load(work / f"{way.split()[0]}-0.npy") for way in WAYS)
        apart = max(float(np.abs(here - other).max()) for other in others)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    for name in ("whole", "embedding"):
        one, two = (best[way][name] for way in WAYS[1:])
        print(
            f"{name}: two workers {one / two:.2f} x as fast as one, "
            f"{two / best['here'][name] - 1:+.0%} seconds against the ordinary build"
        )
    print(f"largest difference of a component of a vector: {apart:.1e}")


if __name__ == "__main__":
    main()
