"""How the page bears many visitors: a constant rate of requests, latency from the scheduled time.

    python -m benchmarks.serving LIST [--rate 200] [--seconds 60] [--connections 20]

LIST is any paper list that `swimmer build` reads. The server is `swimmer serve` as a process; a
second process sends the requests, each due at its place in the schedule whether or not those before
it were answered, and counts from then: a stall is charged to every request it delays. Of four, two
complete a title, one asks for a known title as the form does (with reasons), one opens a paper.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import psutil

import swimmer

WARM = 5.0


@contextlib.contextmanager
def served(store: Path, home: str) -> Iterator[tuple[str, psutil.Process]]:
    """Run `swimmer serve` over a store; yields its address and its process."""
    process = subprocess.Popen(
        [sys.executable, "-m", "swimmer", "serve", str(store), "--no-browser", "--port", "0"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "SWIMMER_HOME": home},
    )
    assert process.stdout is not None
    try:
        found = re.search(r"http://[^ ]+", process.stdout.readline())
        if found is None:
            raise SystemExit("swimmer serve did not start")
        yield found[0], psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(30)


def requests(store: swimmer.PaperStore, count: int, seed: int) -> list[tuple[str, str]]:
    """Return paths by kind, in an order of chance that is the same every time."""
    chance = random.Random(seed)
    papers = list(store)
    found = []
    for _ in range(count):
        paper = chance.choice(papers)
        kind = chance.choice(("complete", "complete", "search", "paper"))
        fields = {
            "complete": {"q": paper.display_title[: chance.randint(2, 12)]},
            "search": {"q": paper.display_title, "why": "1"},
            "paper": {"id": paper.id},
        }[kind]
        found.append((kind, f"/{kind}?{urlencode({'store': store.name, **fields})}"))
    return found


async def read_body(reader: asyncio.StreamReader, head: str) -> None:
    """Read the body that follows the head of an answer, whole or in chunks."""
    if length := re.search(r"content-length: (\d+)", head):
        await reader.readexactly(int(length[1]))
        return
    assert "transfer-encoding: chunked" in head, head
    size = 1
    while size:
        size = int((await reader.readline()).split(b";")[0], 16)
        await reader.readexactly(size + 2)


async def visitor(
    address: str, due: asyncio.Queue[tuple[float, str, str]], done: list[tuple[str, int, float]]
) -> None:
    """One kept connection: sends what is due next, notes kind, status (0: none) and seconds."""
    host = urlsplit(address).netloc
    name, _, port = host.rpartition(":")
    reader, writer = await asyncio.open_connection(name, int(port))
    try:
        while True:
            at, kind, path = await due.get()
            writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
            try:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
                await read_body(reader, head)
                status = int(head.split()[1])
            except (OSError, EOFError):
                status = 0
            done.append((kind, status, time.perf_counter() - at))
            if not status:
                reader, writer = await asyncio.open_connection(name, int(port))
    finally:
        writer.close()


async def load(address: str, paths: list[tuple[str, str]], rate: float, connections: int) -> None:
    """Send requests on schedule; prints every latency as JSON."""
    due: asyncio.Queue[tuple[float, str, str]] = asyncio.Queue()
    done: list[tuple[str, int, float]] = []
    visitors = [asyncio.create_task(visitor(address, due, done)) for _ in range(connections)]
    started = time.perf_counter() + 0.5
    for number, (kind, path) in enumerate(paths):
        at = started + number / rate
        await asyncio.sleep(max(0.0, at - time.perf_counter()))
        due.put_nowait((at, kind, path))
    limit = time.perf_counter() + 30
    while len(done) < len(paths) and time.perf_counter() < limit:
        await asyncio.sleep(0.05)
    for one in visitors:
        one.cancel()
    json.dump({"seconds": time.perf_counter() - started, "done": done}, sys.stdout)


def sent(
    address: str, server: psutil.Process, options: argparse.Namespace, seed: int, seconds: float
) -> tuple[list[tuple[str, int, float]], float, list[float]]:
    """Run the load in its own process; latencies, its seconds, the server's MB each second."""
    sender = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "benchmarks.serving",
            "--load",
            address,
            "--store",
            options.store,
            "--rate",
            str(options.rate),
            "--seconds",
            str(seconds),
            "--seed",
            str(seed),
            "--connections",
            str(options.connections),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    memory: list[float] = []
    # The pipe is read at the end only: what the sender prints, it prints when it is done.
    while len(memory) < seconds + 1:
        time.sleep(1)
        memory.append(server.memory_info().rss / 2**20)
    out, _ = sender.communicate(timeout=seconds + 60)
    raw = json.loads(out)
    return [(kind, status, took) for kind, status, took in raw["done"]], raw["seconds"], memory


def report(done: list[tuple[str, int, float]]) -> None:
    """Print latencies in milliseconds by kind, and every status."""
    print(f"{'ms from schedule':<18} {'n':>6} {'median':>7} {'p95':>7} {'p99':>7} {'worst':>7}")
    for kind in ("complete", "search", "paper", "all"):
        times = sorted(1000 * took for name, _, took in done if kind in (name, "all"))
        at = [times[int(share * (len(times) - 1))] for share in (0.5, 0.95, 0.99, 1)]
        print(f"{kind:<18} {len(times):>6} " + " ".join(f"{one:>7.1f}" for one in at))
    print("statuses:", dict(Counter(status for _, status, _ in done)))


def main() -> None:
    """Build a store, serve it, load it, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("list", type=Path, nargs="?")
    parser.add_argument("--rate", type=float, default=200)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--connections", type=int, default=20)
    for name in ("--load", "--store"):
        parser.add_argument(name, help=argparse.SUPPRESS)
    parser.add_argument("--seed", type=int, default=0, help=argparse.SUPPRESS)
    options = parser.parse_args()
    count = int(options.rate * options.seconds)
    if options.load:
        with swimmer.open_store(options.store) as store:
            paths = requests(store, count, options.seed)
        asyncio.run(load(options.load, paths, options.rate, options.connections))
        return
    if options.list is None:
        parser.error("a paper list is needed")
    with tempfile.TemporaryDirectory() as home:
        options.store = str(Path(home) / "bench")
        with swimmer.build_store(options.list, options.store) as store:
            papers = len(store)
        with served(Path(options.store), home) as (address, server):
            sent(address, server, options, 1, WARM)
            before = sum(server.cpu_times()[:2])
            done, seconds, memory = sent(address, server, options, 0, options.seconds)
            busy = sum(server.cpu_times()[:2]) - before
    expected = int(options.rate * options.seconds)
    print(f"{papers:,} papers, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    print(
        f"{options.rate:g} a second for {options.seconds:g} s from {options.connections} "
        f"connections: {len(done):,} of {expected:,} answered in {seconds:.1f} s"
    )
    report(done)
    early = memory[min(10, len(memory) - 1)]
    print(
        f"server: {busy / seconds:.2f} cores, {early:.0f} MB after 10 s, {memory[-1]:.0f} MB at "
        "the end"
    )


if __name__ == "__main__":
    main()
