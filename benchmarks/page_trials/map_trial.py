"""Which library draws the points of the map: time to interactive, frames a second, bytes.

    mkdir /tmp/packages && cd /tmp/packages
    npm pack echarts@6.1.0 regl-scatterplot@1.16.0 regl@2.1.1 pub-sub-es@3.0.0 deck.gl@9.4.0
    cd - && python -m benchmarks.page_trials.map_trial STORE --packages /tmp/packages

Each page is served on this machine with the policy of swimmer's page, and opened in a fresh
Chromium. It fetches the points and colours of STORE's map as one JSON file and draws them in a
window of 1440 × 900. `interactive` is the time from the start of the visit until two frames after
the points are drawn; `frames` are those drawn in a second while the map moves by some pixels each
frame. A library that needs `eval` does not start under the policy; it is measured without. Bytes
are those of the scripts, compressed by gzip. The name of WebGL's renderer is printed: SwiftShader
is the processor, not a graphics card.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import statistics
import tarfile
import threading
import time
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from playwright.sync_api import Error, sync_playwright

from benchmarks.chromium import ARGUMENTS, chromium

STATIC = Path(__file__).parent.parent.parent / "swimmer" / "web" / "static"
COLOURS = ["#0072b2", "#d55e00", "#009e73", "#b8578f", "#c98a00", "#3f9fd6", "#6f7782"]
POLICY = "default-src 'self'; img-src 'self' data:; base-uri 'none'; object-src 'none'"
WIDTH, HEIGHT, SECONDS, MOST_SECONDS = 1440, 900, 3, 15

_COMMON = f"""
window.WIDTH = {WIDTH};
window.HEIGHT = {HEIGHT};
window.points = fetch("points.json").then((answer) => answer.json());
window.drawn = () => requestAnimationFrame(() => requestAnimationFrame(() => {{
  window.interactive = performance.now();
}}));
"""

_OWN = """
points.then(({ x, y, colour, palette }) => {
  const canvas = document.querySelector("canvas");
  canvas.width = WIDTH;
  canvas.height = HEIGHT;
  const painter = swimmerMap.MAKER(canvas), colours = new Uint8Array(4 * x.length);
  colour.forEach((each, i) => colours.set([...palette[each], 200], 4 * i));
  painter.set(x, y, colours);
  const view = { unit: HEIGHT / 2, left: WIDTH / 2, top: HEIGHT / 2 };
  window.move = (pixels) => { view.left += pixels; painter.draw(view, 3); };
  move(0);
  drawn();
});
"""

_ECHARTS = """
points.then(({ x, y, colour, palette }) => {
  const chart = echarts.init(document.querySelector("div"), null, { renderer: "canvas" });
  const groups = palette.map(() => []);
  colour.forEach((each, i) => groups[each].push([x[i], y[i]]));
  const half = WIDTH / HEIGHT, axis = { show: false, type: "value" };
  chart.on("finished", () => { if (!window.interactive) drawn(); });
  chart.setOption({
    animation: false, grid: { left: 0, right: 0, top: 0, bottom: 0 },
    xAxis: { ...axis, min: -2 * half, max: 2 * half }, yAxis: { ...axis, min: -1, max: 1 },
    dataZoom: [{ type: "inside", xAxisIndex: 0, filterMode: "none", start: 25, end: 75 }],
    series: groups.map((data, i) => ({
      type: "scatter", silent: true, large: true, largeThreshold: 1500, data, symbolSize: 3,
      itemStyle: { color: `rgb(${palette[i]})`, opacity: 0.78 },
    })),
  });
  let start = 25;
  window.move = (pixels) => {
    start -= (50 * pixels) / WIDTH;
    chart.dispatchAction({ type: "dataZoom", start, end: start + 50 });
  };
});
"""

_REGL = """
import createPubSub from "/pub-sub-es/dist/index.js";
window.createPubSub = createPubSub;
const script = document.createElement("script");
script.src = "/regl-scatterplot/dist/regl-scatterplot.min.js";
script.onload = async () => {
  const { x, y, colour, palette } = await points;
  const plot = createScatterplot.default({
    canvas: document.querySelector("canvas"), width: WIDTH, height: HEIGHT,
    pointSize: 3, opacity: 0.78, colorBy: "valueA",
    pointColor: palette.map((one) => [...one.map((part) => part / 255), 1]),
  });
  await plot.draw({ x, y, valueA: colour });
  let at = 0;
  window.move = (pixels) => {
    at -= (2 * pixels) / HEIGHT;
    plot.set({ cameraTarget: [at, 0] });
    plot.redraw ? plot.redraw() : plot.refresh();
  };
  drawn();
};
document.head.append(script);
"""

_DECK = """
points.then(({ x, y, colour, palette }) => {
  const places = new Float32Array(2 * x.length), colours = new Uint8Array(4 * x.length);
  x.forEach((each, i) => { places[2 * i] = each; places[2 * i + 1] = y[i]; });
  colour.forEach((each, i) => colours.set([...palette[each], 200], 4 * i));
  const view = { target: [0, 0, 0], zoom: Math.log2(HEIGHT / 2) };
  const chart = new deck.Deck({
    parent: document.querySelector("div"), width: WIDTH, height: HEIGHT,
    views: new deck.OrthographicView({ flipY: false }), viewState: view,
    layers: [new deck.ScatterplotLayer({
      id: "points", radiusUnits: "pixels", getRadius: 1.5,
      data: { length: x.length, attributes: {
        getPosition: { value: places, size: 2 }, getFillColor: { value: colours, size: 4 },
      } },
    })],
    onAfterRender: () => { if (!window.interactive) drawn(); },
  });
  window.move = (pixels) => {
    view.target = [view.target[0] - (2 * pixels) / HEIGHT, 0, 0];
    chart.setProps({ viewState: { ...view } });
  };
});
"""

_REGL_FILES = [
    "regl/dist/regl.min.js",
    "regl-scatterplot/dist/regl-scatterplot.min.js",
    "pub-sub-es/dist/index.js",
]
TRIALS: dict[str, tuple[str, str, list[str]]] = {
    "WebGL of our own": ("canvas", _OWN.replace("MAKER", "webgl"), ["map_points.js"]),
    "2D canvas of our own": ("canvas", _OWN.replace("MAKER", "plain"), ["map_points.js"]),
    "ECharts": ("div", _ECHARTS, ["echarts/dist/echarts.min.js"]),
    "regl-scatterplot": ("canvas", _REGL, _REGL_FILES),
    "deck.gl": ("div", _DECK, ["deck.gl/dist.min.js"]),
}


def written(folder: Path, points: dict[str, Any]) -> dict[str, int]:
    """Write the pages into a folder that holds the packages; return the bytes of each."""
    (folder / "points.json").write_text(json.dumps(points, separators=(",", ":")))
    for path in STATIC.glob("map_points.js"):
        (folder / path.name).write_bytes(path.read_bytes())
    sizes = {}
    for number, (name, (element, program, files)) in enumerate(TRIALS.items()):
        own = folder / f"trial{number}.js"
        if element == "canvas" and "import" in program:
            # An import must stand first.
            own.write_text(program + _COMMON)
        else:
            own.write_text(_COMMON + program)
        scripts = [f'<script src="/{file}" defer></script>' for file in files[:1]]
        kind = ' type="module"' if name == "regl-scatterplot" else " defer"
        (folder / f"trial{number}.html").write_text(
            f'<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,">'
            f'<link rel="stylesheet" href="/trial.css">{"".join(scripts)}'
            f'<script src="/{own.name}"{kind}></script><{element}></{element}>'
        )
        sizes[name] = sum(len(gzip.compress((folder / file).read_bytes())) for file in files)
    size = f"width: {WIDTH}px; height: {HEIGHT}px; display: block"
    (folder / "trial.css").write_text(f"body {{ margin: 0 }} canvas, div {{ {size} }}")
    return sizes


class _Pages(SimpleHTTPRequestHandler):
    """Serves a folder, with the policy where the address does not say ?free."""

    def end_headers(self) -> None:
        if "free" not in self.path:
            self.send_header("Content-Security-Policy", POLICY)
        super().end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Print nothing."""


MOVED = """async (seconds) => {
  const start = performance.now();
  let frames = 0, way = 3;
  while (performance.now() - start < 1000 * seconds) {
    await new Promise(requestAnimationFrame);
    if (++frames % 40 === 0) way = -way;
    move(way);
  }
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  return frames / ((performance.now() - start) / 1000);
}"""
RENDERER = """() => {
  const gl = document.createElement("canvas").getContext("webgl");
  const facts = gl && gl.getExtension("WEBGL_debug_renderer_info");
  return facts ? gl.getParameter(facts.UNMASKED_RENDERER_WEBGL) : "no WebGL";
}"""


def visited(browser: Any, url: str, shot: Path | None) -> tuple[float, float]:
    """Return the seconds until a page is interactive, and its frames a second."""
    page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
    try:
        page.goto(url, wait_until="commit")
        # Waiting by a function needs eval in the page, which the policy refuses.
        end = time.monotonic() + MOST_SECONDS
        while not (seconds := page.evaluate("(window.interactive || 0) / 1000")):
            if time.monotonic() > end:
                raise Error("it does not start")
            page.wait_for_timeout(20)
        frames = page.evaluate(MOVED, SECONDS)
        if shot is not None:
            page.screenshot(path=shot)
        return seconds, frames
    finally:
        page.close()


def measured(
    address: str, number: int, rounds: int, shot: Path | None
) -> tuple[bool, float, float]:
    """Return whether a page starts under the policy, and the medians of its figures."""
    found, strict = [], True
    for _ in range(rounds):
        with sync_playwright() as play:
            browser = play.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
            url = f"{address}trial{number}.html"
            try:
                found.append(visited(browser, url if strict else f"{url}?free", shot))
            except Error:
                strict = False
                try:
                    found.append(visited(browser, f"{url}?free", shot))
                except Error:
                    found.append((float("nan"), 0.0))
            browser.close()
    seconds, frames = (statistics.median(column) for column in zip(*found, strict=True))
    return strict, seconds, frames


def main() -> None:
    """Measure the libraries over the map of a store."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("stores", nargs="+")
    parser.add_argument("--packages", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--shots", type=Path)
    arguments = parser.parse_args()
    from swimmer import open_store, paper_map

    with TemporaryDirectory() as work:
        folder = Path(work)
        for package in arguments.packages.glob("*.tgz"):
            with tarfile.open(package) as packed:
                packed.extractall(folder, filter="data")
            (folder / "package").rename(folder / package.name.rsplit("-", 1)[0])
        server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Pages, directory=work))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/"
        with sync_playwright() as play:
            browser = play.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
            print(f"{browser.version}; WebGL: {browser.new_page().evaluate(RENDERER)}")
            browser.close()
        for name in arguments.stores:
            with open_store(name) as store:
                drawn = paper_map(store)
            reach = float(abs(drawn.points).max())
            palette = [[int(one[at : at + 2], 16) for at in (1, 3, 5)] for one in COLOURS]
            x, y = (drawn.points[:, axis].astype(float) / reach for axis in (0, 1))
            points = {
                "x": x.round(5).tolist(),
                "y": y.round(5).tolist(),
                "colour": (drawn.labels % len(COLOURS)).tolist(),
                "palette": palette,
            }
            sizes = written(folder, points)
            print(f"\n{len(drawn):,} points, load {os.getloadavg()[0]:.1f}\n")
            print("| drawn by | KB | strict policy | interactive | frames a second |")
            print("|---|---|---|---|---|")
            for number, trial in enumerate(TRIALS):
                shot = arguments.shots and arguments.shots / f"{len(drawn)}-{number}.png"
                strict, seconds, frames = measured(address, number, arguments.rounds, shot)
                said = "yes" if strict else "no"
                size = sizes[trial] / 1e3
                print(
                    f"| {trial} | {size:.0f} | {said} | {seconds:.2f} s | {frames:.0f} |",
                    flush=True,
                )
        server.shutdown()


if __name__ == "__main__":
    main()
