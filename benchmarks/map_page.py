"""The page of the map: bytes, seconds until it can be used, frames a second while it is moved.

    pip install -c constraints.txt ".[map,web,test]"
    python -m benchmarks.map_page STORE... [--rounds 3]

Each store's map is made before. `swimmer serve` runs on this machine; each round is a fresh
Chromium with an empty cache and a window of 1440 × 900. `usable` is the time from the start of the
visit until two frames after the points are drawn; `frames` are those that are drawn in a second
while the mouse drags the map by some pixels each frame, names and numbers included. Bytes are those
of all answers, compressed by gzip. A file is what `swimmer map -o map.html` writes, opened from the
disk.
"""

from __future__ import annotations

import argparse
import gzip
import os
import statistics
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.chromium import ARGUMENTS, chromium

WIDTH, HEIGHT, SECONDS = 1440, 900, 3
DRAGGED = """async (seconds) => {
  const surface = document.querySelector(".map-canvas"), box = surface.getBoundingClientRect();
  const sent = (kind, x) => surface.dispatchEvent(new PointerEvent(kind, {
    bubbles: true, pointerId: 1, pointerType: "mouse", button: 0,
    clientX: box.left + x, clientY: box.top + 300,
  }));
  surface.setPointerCapture = () => {};
  let x = 400, way = 4, frames = 0;
  sent("pointerdown", x);
  const start = performance.now();
  while (performance.now() - start < 1000 * seconds) {
    await new Promise(requestAnimationFrame);
    if (++frames % 40 === 0) way = -way;
    sent("pointermove", x += way);
  }
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  const each = frames / ((performance.now() - start) / 1000);
  sent("pointerup", x);
  return each;
}"""
ZOOMED = "document.querySelector('[data-zoom=in]').click()"


def visited(address: str) -> dict[str, Any]:
    """Return the figures of one visit."""
    from playwright.sync_api import sync_playwright

    sizes: list[int] = []
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        page.on("response", lambda answer: sizes.append(_compressed(answer)))
        page.goto(address, wait_until="commit")
        page.locator(".map[data-ready=yes]").wait_for(timeout=60_000)
        usable = page.evaluate("performance.getEntriesByName('map-drawn')[0].startTime") / 1000
        by = page.evaluate(
            "[document.querySelector('.map').dataset.drawnBy, swimmerMap.renderer()]"
        )
        frames = page.evaluate(DRAGGED, SECONDS)
        page.evaluate(ZOOMED)
        near = page.evaluate(DRAGGED, SECONDS)
        browser.close()
    return {"usable": usable, "frames": frames, "near": near, "bytes": sum(sizes), "by": by}


def _compressed(answer: Any) -> int:
    from playwright.sync_api import Error

    try:
        body = answer.body()
    except Error:
        # A redirection has no body.
        return 0
    return len(gzip.compress(body))


def main() -> None:
    """Measure the page of each store's map, and the file of the first."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("stores", nargs="+", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    from swimmer import open_store, paper_map
    from swimmer.analysis import write_map
    from tests.browser import serving

    pages: dict[str, tuple[int, str]] = {}
    with TemporaryDirectory() as work, serving(*arguments.stores) as address:
        for folder in arguments.stores:
            with open_store(folder) as store:
                paper_map(store)
                name = folder.name
                pages[name] = len(store), f"{address}map?store={name}"
                if folder == arguments.stores[0]:
                    file = write_map(store, Path(work) / "map.html")
                    pages["its file"] = len(store), file.as_uri()
        head = "| page | papers | KB | usable | frames a second | zoomed in |"
        rows = []
        for name, (papers, url) in pages.items():
            found = [visited(url) for _ in range(arguments.rounds)]
            middle = {
                one: statistics.median(each[one] for each in found)
                for one in ("usable", "frames", "near", "bytes")
            }
            rows.append(
                f"| {name} | {papers:,} | {middle['bytes'] / 1e3:.0f} | {middle['usable']:.2f} s "
                f"| {middle['frames']:.0f} | {middle['near']:.0f} |"
            )
    by, renderer = found[0]["by"]
    print(f"drawn by: {by}; WebGL: {renderer}; load {os.getloadavg()[0]:.1f}\n")
    print(head, "|---|---|---|---|---|---|", *rows, sep="\n")


if __name__ == "__main__":
    main()
