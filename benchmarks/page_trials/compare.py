"""Measure the trial pages: `python -m benchmarks.page_trials.compare --venvs FOLDER`.

FOLDER holds one environment a trial and one named `base` (README.md makes them). Prints one table
in Markdown, and leaves pictures in --shots. Times are medians; the server and Chromium share the
machine.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import socket
import statistics
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Error, Page, Route, sync_playwright

from benchmarks.chromium import ARGUMENTS, chromium
from swimmer import PaperStore, open_store
from swimmer.retrieval.completion import complete_titles

HERE = Path(__file__).parent
RESULT = "text=/more like this/i"

# Where each shows its completions, and how it is started.
TRIALS: dict[str, tuple[str, list[str]]] = {
    "starlette": ("datalist option", ["python", "starlette_page.py", "{store}", "{port}"]),
    "nicegui": ("[role=option]", ["python", "nicegui_page.py", "{store}", "{port}"]),
    "gradio": ("[role=option]", ["python", "gradio_page.py", "{store}", "{port}"]),
    "streamlit": (
        "[role=option]",
        [
            "streamlit",
            "run",
            "--server.headless=true",
            "--server.address=127.0.0.1",
            "--server.port={port}",
            "streamlit_page.py",
            "{store}",
        ],
    ),
}

# Writes every host that the server itself asks for to a file.
AUDIT = """
import os, sys
def note(event, args):
    if event in ("socket.getaddrinfo", "socket.connect"):
        where = args[0] if event == "socket.getaddrinfo" else args[1]
        host = where[0] if isinstance(where, tuple) else where
        with open(os.environ["TRIAL_HOSTS"], "a") as out:
            print(host, file=out)
sys.addaudithook(note)
"""

# Milliseconds from a key press to the moment an option with the text stands in the document.
WATCH = """([selector, text]) => {
  window.trialDelay = null; let pressed = null; window.trialWatch?.disconnect();
  const look = () => {
    if (pressed === null || window.trialDelay !== null) return;
    for (const one of document.querySelectorAll(selector))
      if (one.textContent.includes(text)) {
        window.trialDelay = performance.now() - pressed; return;
      }
  };
  document.addEventListener("keydown", e => { pressed = e.timeStamp; }, {capture: true});
  window.trialWatch = new MutationObserver(look);
  window.trialWatch.observe(document, {subtree: true, childList: true});
}"""


# No inline script and no eval: what keeps a hostile title from ever running.
POLICY = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def served(
    name: str, venvs: Path, store: Path, hosts: Path
) -> Iterator[tuple[str, float, psutil.Process]]:
    """Start a trial; yields its address, seconds to its first answer, and its process."""
    port = free_port()
    command = [part.format(store=store, port=port) for part in TRIALS[name][1]]
    command[0] = str(venvs / name / "bin" / command[0])
    with tempfile.TemporaryDirectory() as audit:
        Path(audit, "sitecustomize.py").write_text(AUDIT)
        environment = {**os.environ, "PYTHONPATH": audit, "TRIAL_HOSTS": str(hosts)}
        address = f"http://127.0.0.1:{port}/"
        started = time.perf_counter()
        server = subprocess.Popen(
            command, cwd=HERE, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            while True:
                try:
                    urllib.request.urlopen(address, timeout=10).read()
                    break
                except (urllib.error.URLError, ConnectionError):
                    if server.poll() is not None:
                        raise SystemExit(f"{name} did not start: {command}") from None
                    time.sleep(0.01)
            yield address, time.perf_counter() - started, psutil.Process(server.pid)
        finally:
            server.terminate()
            server.wait(20)


def own_lines(name: str) -> int:
    """Lines of a trial that are neither blank nor a comment."""
    lines = (HERE / f"{name}_page.py").read_text().splitlines()
    return sum(bool(line.strip()) and not line.strip().startswith("#") for line in lines)


def megabytes(folder: Path) -> float:
    return sum(f.lstat().st_blocks * 512 for f in folder.rglob("*")) / 2**20


def press_to_options(page: Page, name: str, prefix: str, title: str) -> float | None:
    """Type a prefix whose last letter brings up a title; milliseconds from that key to it.

    None where the title does not come, or stood there before the key.
    """
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.press("Delete")
    page.wait_for_timeout(400)
    page.keyboard.type(prefix[:-1], delay=30)
    page.wait_for_timeout(600)
    selector, text = TRIALS[name][0], title[:40]
    if any(text in one for one in page.locator(selector).all_text_contents()):
        return None
    page.evaluate(WATCH, [selector, text])
    page.keyboard.press(prefix[-1])
    with contextlib.suppress(Error):
        page.wait_for_function("window.trialDelay !== null", timeout=2000)
    return page.evaluate("window.trialDelay")


def prefixes(store: PaperStore) -> dict[str, str]:
    """Two letters, at which completion begins, and the first title that they complete to."""
    firsts = {p.title[:2] for p in store if p.title[:2].isascii() and p.title[:2].isalpha()}
    return {two: complete_titles(store, two, 10)[0] for two in sorted(firsts)}


def keyboard_alone(page: Page) -> str:
    """Reach the first "more like this" by Tab and press it; what became of it."""
    before = page.inner_text("body")
    for presses in range(1, 40):
        page.keyboard.press("Tab")
        text = page.evaluate("document.activeElement?.innerText ?? ''")
        if "more like this" in text.lower() and len(text) < 40:
            page.keyboard.press("Enter")
            with contextlib.suppress(Error):
                page.wait_for_function("b => document.body.innerText !== b", arg=before)
                return f"yes, {presses} Tabs"
            return "pressed, no answer"
    return "not reached"


def under_policy(browser: Any, address: str) -> str:
    """Whether the page still comes up where only scripts from its own files may run."""
    page = browser.new_page()

    def guarded(route: Route) -> None:
        if route.request.resource_type != "document":
            route.continue_()
            return
        response = route.fetch()
        headers = {**response.headers, "content-security-policy": POLICY}
        route.fulfill(response=response, headers=headers)

    page.route("**/*", guarded)
    page.goto(address)
    try:
        page.get_by_label("Title of a paper").first.wait_for(timeout=15_000)
        return "yes"
    except Error:
        return "no"
    finally:
        page.close()


def tried(
    browser: Any, name: str, address: str, completions: dict[str, str], shots: Path
) -> dict[str, Any]:
    """Load, search, and look a trial over; its figures."""
    found: dict[str, Any] = {}
    asked: list[str] = []
    sizes: list[int] = []
    page = browser.new_context(viewport={"width": 1200, "height": 900}).new_page()
    page.on("request", lambda request: asked.append(request.url))
    page.on("response", lambda response: sizes.append(_length(response)))
    started = time.perf_counter()
    page.goto(address)
    box = page.get_by_label("Title of a paper").first
    box.wait_for(timeout=60_000)
    found["page shows its box, s"] = round(time.perf_counter() - started, 2)
    page.wait_for_timeout(3000)
    found["requests / KB to load"] = f"{len(asked)} / {sum(sizes) // 1024}"
    box.click()
    delays = [press_to_options(page, name, *pair) for pair in completions.items()]
    shown = [delay for delay in delays if delay is not None]
    found["key press to completion, ms"] = (
        f"{statistics.median(shown):.0f} ({len(shown)} of {len(delays)})" if shown else "none"
    )
    box.fill("")
    page.keyboard.type(next(iter(completions.values())), delay=5)
    page.wait_for_timeout(1000)
    if name != "starlette":
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_selector(RESULT, timeout=20_000)
    page.wait_for_timeout(1000)
    found["results"] = page.locator(RESULT).count()
    axe = Axe().run(page).response["violations"]
    grave = [v["id"] for v in axe if v["impact"] in ("serious", "critical")]
    found["axe: serious or critical"] = ", ".join(grave) or "none"
    page.screenshot(path=f"{shots}/{name}.png")
    found["keyboard alone"] = keyboard_alone(page)
    page.set_viewport_size({"width": 360, "height": 740})
    page.wait_for_timeout(800)
    wide = page.evaluate("document.documentElement.scrollWidth")
    found["360 px"] = "fits" if wide <= 360 else f"{wide} px wide"
    page.screenshot(path=f"{shots}/{name}-360.png")
    outside = {url.split("/")[2] for url in asked if url.startswith(("http", "ws"))}
    found["other hosts, page"] = ", ".join(sorted(h for h in outside if "127.0.0.1" not in h))
    page.context.close()
    return found


def _length(response: Any) -> int:
    with contextlib.suppress(Error):
        return len(response.body())
    return 0


def main() -> None:
    """Run every trial and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--venvs", type=Path, required=True)
    parser.add_argument("--store", default="sample")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--shots", type=Path, default=Path(tempfile.gettempdir()))
    parser.add_argument("--only", nargs="*", default=list(TRIALS), choices=list(TRIALS))
    options = parser.parse_args()
    store = open_store(options.store)
    assert store.folder is not None
    folder = store.folder.resolve()
    completions = dict(list(prefixes(store).items())[:20])
    base = megabytes(options.venvs / "base")
    columns: dict[str, dict[str, Any]] = {}
    for name in options.only:
        with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
            hosts = Path(scratch, "hosts")
            starts = []
            for _ in range(options.rounds):
                with served(name, options.venvs, folder, hosts) as (_, seconds, _process):
                    starts.append(seconds)
            browser = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
            with served(name, options.venvs, folder, hosts) as (address, _, process):
                measured = tried(browser, name, address, completions, options.shots)
                measured["runs under a strict policy (CSP)"] = under_policy(browser, address)
                family = [process, *process.children(recursive=True)]
                memory = sum(one.memory_full_info().pss for one in family) / 2**20
            browser.close()
            called = set(hosts.read_text().split()) if hosts.exists() else set()
        local = ("127.", "0.0.0.0", "::", "localhost", "None", "/", socket.gethostname())
        columns[name] = {
            "installed beyond swimmer's base, MB": round(megabytes(options.venvs / name) - base),
            "own lines": own_lines(name),
            "process start to HTTP answer, s": round(statistics.median(starts), 2),
            **measured,
            "other hosts, server": ", ".join(sorted(h for h in called if not h.startswith(local))),
            "server memory (PSS), one tab, MB": round(memory),
        }
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores, {options.rounds} starts\n")
    print("| | " + " | ".join(columns) + " |")
    print("|---" * (len(columns) + 1) + "|")
    for row in next(iter(columns.values())):
        print(f"| {row} | " + " | ".join(str(c[row] or "none") for c in columns.values()) + " |")


if __name__ == "__main__":
    main()
