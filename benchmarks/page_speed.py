"""What a visitor of the page waits for, in Chromium, over `swimmer serve` as a process.

    python -m benchmarks.page_speed LIST [--titles 40] [--letters 8]

LIST is any paper list that `swimmer build` reads. First the first page of a server that has just
started, in a browser that has nothing of it: from the navigation to the first paint, and to the box
with its script; and what the first page and an answer weigh, each file compressed with gzip. Then
three waits, each from the key press to the frame that shows it: completions after every letter of a
title, typed at 5 letters a second; the answer to a known title; the answer to words that are no
title. Milliseconds; server and browser share the machine. Needs the extras `test` and `web`, and
Chromium.
"""

from __future__ import annotations

import argparse
import gzip
import os
import random
import statistics
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

import swimmer
from benchmarks.chromium import ARGUMENTS, chromium
from benchmarks.serving import served

PAUSE = 200
GOALS = {
    "first paint, cold server": 600,
    "box usable, cold server": 800,
    "completions": 50,
    "answer, known title": 150,
    "answer, free words": 150,
}
WEIGHT = 350
"""KB that a page may weigh, compressed, without the map."""

STARTED = """() => {
  const [loaded] = performance.getEntriesByType("navigation");
  const [paint] = performance.getEntriesByName("first-contentful-paint");
  return paint && loaded.domContentLoadedEventEnd
    ? [paint.startTime, Math.max(paint.startTime, loaded.domContentLoadedEventEnd)] : null;
}"""

# The list is filled by one swap for each key; the frame after the one it is drawn in is on screen.
WATCH = """() => {
  const list = document.getElementById("completions");
  window.waits = []; let pressed = null;
  document.addEventListener("keydown", e => { pressed = e.timeStamp; }, {capture: true});
  new MutationObserver(() => {
    if (pressed === null || !list.querySelector("[role=option]")) return;
    const from = pressed; pressed = null;
    requestAnimationFrame(() => setTimeout(() => {
      if (!list.hidden) window.waits.push(performance.now() - from);
    }));
  }).observe(list, {childList: true});
}"""

# Enter leaves the document: its time is kept by the clock that the next document shares. The top of
# a page is painted before its hits: the last large paint, that of the hits, is what counts.
KEEP = """window.largest = 0;
new PerformanceObserver(list => {
  for (const one of list.getEntries()) window.largest = Math.max(window.largest, one.startTime);
}).observe({type: "largest-contentful-paint", buffered: true});
document.addEventListener("keydown", e => {
  if (e.key === "Enter") sessionStorage.pressed = performance.timeOrigin + e.timeStamp;
}, {capture: true});"""
SHOWN = """() => {
  const painted = performance.getEntriesByType("paint").map(one => one.startTime);
  const [loaded] = performance.getEntriesByType("navigation");
  const there = document.querySelector("ol.hits > li") && loaded.loadEventEnd && window.largest;
  if (!painted.length || !there) return null;
  const shown = Math.max(loaded.domInteractive, window.largest, ...painted);
  return performance.timeOrigin + shown - Number(sessionStorage.pressed);
}"""


def first_page(browser: Browser, store: Path, home: str) -> tuple[float, float]:
    """Start a server and open its page at once; milliseconds to the paint and to the box."""
    with served(store, home) as (address, _):
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        page = context.new_page()
        page.goto(address, wait_until="commit")
        paint, box = page.wait_for_function(STARTED).json_value()
        context.close()
    return float(paint), float(box)


def weight(browser: Browser, address: str) -> float:
    """Return what a page loads, in KB of 1,000 bytes, each file compressed with gzip."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page, bodies = context.new_page(), []
    page.on("response", lambda response: bodies.append(response))
    page.goto(address, wait_until="networkidle")
    total = sum(len(gzip.compress(response.body())) for response in bodies)
    context.close()
    return total / 1_000


def completions(page: Page, address: str, titles: list[str], letters: int) -> list[float]:
    """Type the beginnings of titles; the wait after each letter that completes to something."""
    found: list[float] = []
    for title in titles:
        page.goto(address)
        page.evaluate(WATCH)
        page.locator("#q").focus()
        for letter in title[:letters]:
            page.keyboard.type(letter)
            page.wait_for_timeout(PAUSE)
        found += page.evaluate("window.waits")
    return found


def answers(page: Page, address: str, queries: list[str]) -> list[float]:
    """Ask by the form; the wait from Enter to the painted answer."""
    found = []
    for query in queries:
        page.goto(address)
        page.locator("#q").fill(query)
        page.wait_for_timeout(PAUSE)
        page.keyboard.press("Enter")
        page.wait_for_url("**/search?*")
        handle = page.wait_for_function(SHOWN)
        found.append(float(handle.json_value()))
    return found


def main() -> None:
    """Measure and print one table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("list", type=Path)
    parser.add_argument("--titles", type=int, default=40)
    parser.add_argument("--letters", type=int, default=8)
    parser.add_argument("--starts", type=int, default=7, help="of a cold server")
    options = parser.parse_args()
    waits: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright:
        store = swimmer.build_store(options.list, Path(home) / "bench")
        chosen = random.Random(0).sample([p for p in store if p.abstract], options.titles + 3)
        titles = [paper.display_title for paper in chosen]
        words = [" ".join(paper.abstract.split()[:9]) for paper in chosen]
        browser = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        starts = [first_page(browser, Path(home) / "bench", home) for _ in range(options.starts)]
        waits["first paint, cold server"] = [paint for paint, _ in starts]
        waits["box usable, cold server"] = [box for _, box in starts]
        with served(Path(home) / "bench", home) as (address, _):
            weights = {
                "first page": weight(browser, address),
                "answer": weight(browser, f"{address}search?q=learning&why=1&k=50"),
            }
            page = browser.new_page(viewport={"width": 1200, "height": 900})
            page.add_init_script(KEEP)
            # The first three of each warm the server, its caches and the browser's.
            completions(page, address, titles[:3], options.letters)
            waits["completions"] = completions(page, address, titles[3:], options.letters)
            waits["answer, known title"] = answers(page, address, titles)[3:]
            waits["answer, free words"] = answers(page, address, words)[3:]
        browser.close()
        papers = len(store)
        store.close()
    print(f"{papers:,} papers, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores\n")
    print(f"{'ms':<26} {'n':>5} {'median':>7} {'p95':>7} {'worst':>7} {'goal':>6}")
    for name, each in waits.items():
        ordered = sorted(each)
        print(
            f"{name:<26} {len(each):>5} {statistics.median(each):>7.0f} "
            f"{ordered[int(0.95 * (len(each) - 1))]:>7.0f} {ordered[-1]:>7.0f} {GOALS[name]:>6}"
        )
    print(f"\n{'KB, compressed':<26} {'':>29} {'goal':>6}")
    for name, kilobytes in weights.items():
        print(f"{name:<26} {kilobytes:>29.0f} {WEIGHT:>6}")


if __name__ == "__main__":
    main()
