"""How long an MCP client waits: process start to initialised, and to the first answers.

    python benchmarks/mcp_start.py [--rounds 10]

Each round starts `swimmer mcp` in a process of its own and speaks JSON-RPC to its pipes by hand,
so that no client's own start-up is counted. The naive server beside it, in the same round, is the
one that everyone writes first: the SDK, numpy, faiss and the store loaded before it answers.
Figures: median and worst of the rounds, seconds from the process's start; peak memory in MB.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import swimmer

NAIVE = """
from mcp.server.mcpserver import MCPServer
import swimmer
store = swimmer.open_store("bench")
store.model()
server = MCPServer("naive")

@server.tool()
def find_similar_papers(title: str, k: int = 5) -> list[str]:
    return [hit.paper.title for hit in swimmer.search(store, title, k)]

@server.tool()
def search_papers(query: str, k: int = 5) -> list[str]:
    return [hit.paper.title for hit in swimmer.search(store, query, k, lookup=False)]

server.run("stdio")
"""

SERVERS = {
    "swimmer mcp": [sys.executable, "-m", "swimmer", "mcp", "--store", "bench"],
    "naive": [sys.executable, "-c", NAIVE],
}
TITLE = "Bi-Factorial Preference Optimization: Balancing Safety-Helpfulness in Language Models"
HELLO = {
    "protocolVersion": "2025-06-18",
    "capabilities": {},
    "clientInfo": {"name": "benchmark", "version": "0"},
}
STEPS = {
    "initialised": ("initialize", HELLO),
    "known title": ("tools/call", {"name": "find_similar_papers", "arguments": {"title": TITLE}}),
    "free text": (
        "tools/call",
        {"name": "search_papers", "arguments": {"query": "safe language models"}},
    ),
}


def one_round(command: list[str]) -> tuple[dict[str, float], float]:
    """Return the seconds from process start to each answer, and the peak memory in MB."""
    started = time.perf_counter()
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert process.stdin is not None and process.stdout is not None
    taken = {}
    for number, (step, (method, params)) in enumerate(STEPS.items()):
        request = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
        process.stdin.write(json.dumps(request).encode() + b"\n")
        process.stdin.flush()
        reply = json.loads(process.stdout.readline())
        taken[step] = time.perf_counter() - started
        if "error" in reply or reply["result"].get("isError"):
            raise SystemExit(f"{command}: {reply}")
        if not number:
            process.stdin.write(b'{"jsonrpc": "2.0", "method": "notifications/initialized"}\n')
    process.stdin.close()
    _, _, usage = os.wait4(process.pid, 0)
    process.returncode = 0
    process.stdout.close()
    return taken, usage.ru_maxrss / 1024


def main() -> None:
    """Measure and print one table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=10)
    rounds = parser.parse_args().rounds
    results: dict[str, list[tuple[dict[str, float], float]]] = {name: [] for name in SERVERS}
    with tempfile.TemporaryDirectory() as home:
        os.environ["SWIMMER_HOME"] = home
        source = Path(swimmer.__file__).parent / "data" / "sample.jsonl"
        swimmer.build_store(source, "bench").close()
        for command in SERVERS.values():
            one_round(command)
        for _ in range(rounds):
            for name, command in SERVERS.items():
                results[name].append(one_round(command))
    print(f"{rounds} rounds, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    print(
        f"{'server':<12} {'step':<12} {'median s':>9} {'best s':>7} {'worst s':>8} {'peak MB':>8}"
    )
    for name, measured in results.items():
        peak = max(memory for _, memory in measured)
        for step in STEPS:
            times = [taken[step] for taken, _ in measured]
            print(
                f"{name:<12} {step:<12} {statistics.median(times):>9.2f} {min(times):>7.2f} "
                f"{max(times):>8.2f}  {peak:>6.0f}"
            )


if __name__ == "__main__":
    main()
