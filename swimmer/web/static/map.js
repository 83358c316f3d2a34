// The map of a store: draws the points that are in the page, or loads them from an address.
(function () {
  "use strict";

  // Colours that people who do not see red and green can tell apart, for light and for dark pages.
  const LIGHT = ["#0072b2", "#d55e00", "#009e73", "#b8578f", "#c98a00", "#3f9fd6", "#6f7782"];
  const DARK = ["#4fa3e3", "#ff8d52", "#2cc69a", "#e59cc6", "#f0b93f", "#93d3f7", "#a9b2bc"];
  const REACH = 16;
  const dark = matchMedia("(prefers-color-scheme: dark)");

  function start(root, points, marks) {
    const data = joined(points, marks);
    const canvas = root.querySelector(".map-canvas");
    const tip = root.querySelector(".map-tip");
    const ring = root.querySelector(".map-ring");
    const chart = echarts.init(canvas, null, { renderer: "canvas" });
    const hits = new Map(data.hits.map((hit) => [hit.point, hit]));
    const paper = root.dataset.paper || "";
    const bounds = extent(data);
    const state = { found: null, current: -1, view: null };

    function palette() {
      const style = getComputedStyle(root);
      return {
        points: dark.matches ? DARK : LIGHT,
        ink: style.getPropertyValue("--ink").trim(),
        ground: style.getPropertyValue("--ground").trim(),
        accent: style.getPropertyValue("--accent").trim(),
      };
    }

    // The same scale on both axes, whatever the shape of the window.
    function axes() {
      const width = Math.max(canvas.clientWidth, 1);
      const height = Math.max(canvas.clientHeight, 1);
      const unit = Math.max(bounds.width / width, bounds.height / height) * 1.08;
      state.unit = unit;
      return {
        x: [bounds.x - (unit * width) / 2, bounds.x + (unit * width) / 2],
        y: [bounds.y - (unit * height) / 2, bounds.y + (unit * height) / 2],
      };
    }

    function span() {
      const zoom = chart.getOption().dataZoom[0];
      return (zoom.end - zoom.start) / 100;
    }

    function size() {
      const count = data.x.length;
      const base = count < 300 ? 9 : count < 2000 ? 6.5 : count < 8000 ? 4.6 : 3;
      return base * Math.min(2.6, Math.pow(1 / span(), 0.45));
    }

    // The other papers are dimmed, so that hits and found titles stand out.
    function strength(point) {
      if (state.found) return state.found.has(point);
      return data.hits.length === 0 && !data.query;
    }

    function series() {
      const colours = palette();
      const clear = colours.points.map(() => []);
      const pale = colours.points.map(() => []);
      for (let i = 0; i < data.x.length; i++) {
        const group = strength(i) ? clear : pale;
        group[data.topics[data.topic[i]].colour % colours.points.length].push([data.x[i], data.y[i]]);
      }
      const dots = (groups, name, opacity) => groups.map((points, number) => ({
        id: name + number, type: "scatter", silent: true, large: true, largeThreshold: 1500,
        data: points, symbolSize: size(), z: opacity < 0.5 ? 2 : 3,
        itemStyle: { color: colours.points[number], opacity: opacity },
      }));
      return [
        ...dots(pale, "pale", 0.28),
        ...dots(clear, "clear", 0.78),
        names(colours),
        ranked(colours),
        queryMark(colours),
      ];
    }

    function names(colours) {
      return {
        id: "names", type: "scatter", silent: true, z: 6, cursor: "default",
        data: data.topics.map((topic) => ({
          name: topic.name, value: [topic.x, topic.y],
          // Of two names that overlap, the one of the larger topic is shown.
          symbolSize: 1 + Math.sqrt(topic.papers) / 10,
        })),
        itemStyle: { color: "transparent", opacity: 1 },
        label: {
          show: true, position: "inside", formatter: (item) => wrapped(item.name),
          color: colours.ink, fontSize: 12, fontWeight: 600, lineHeight: 14,
          fontFamily: getComputedStyle(root).fontFamily,
          textBorderColor: colours.ground, textBorderWidth: 3,
        },
        // A name that the side would cut off moves in, while its topic is in view. Its box may
        // have been moved before: where it belongs is said by its point.
        labelLayout: ({ labelRect: box, rect: point }) => {
          const width = chart.getWidth(), middle = point.x + point.width / 2;
          if (middle < 0 || middle > width) return { hideOverlap: true };
          const most = Math.max(width - box.width - 4, 4), left = middle - box.width / 2;
          return { hideOverlap: true, dx: Math.min(Math.max(left, 4), most) - left };
        },
      };
    }

    function ranked(colours) {
      return {
        id: "hits", type: "scatter", silent: true, z: 8, symbol: "circle",
        data: data.hits.slice().reverse().map((hit) => ({
          value: [data.x[hit.point], data.y[hit.point]], name: String(hit.rank),
          symbolSize: data.hits.length > 30 ? 10 : 20,
        })),
        itemStyle: { color: colours.accent, borderColor: colours.ground, borderWidth: 1.5, opacity: 1 },
        label: {
          show: data.hits.length <= 30, position: "inside", formatter: (item) => item.name,
          color: colours.ground, fontSize: 11, fontWeight: 700,
        },
      };
    }

    function queryMark(colours) {
      return {
        id: "query", type: "scatter", silent: true, z: 9, symbol: "circle", symbolSize: 34,
        data: data.query ? [[data.query.x, data.query.y]] : [],
        itemStyle: { color: "transparent", borderColor: colours.ink, borderWidth: 3, opacity: 1 },
        label: {
          show: true, position: "top", formatter: "your query", color: colours.ink, fontWeight: 700,
          textBorderColor: colours.ground, textBorderWidth: 4,
        },
      };
    }

    // When the whole map is visible, a finger scrolls the page.
    function leaveToThePage() {
      canvas.style.touchAction = span() < 0.999 ? "none" : "pan-y";
    }

    function draw(view) {
      const range = axes();
      const zoom = view || state.view || { x: [0, 100], y: [0, 100] };
      const hidden = { show: false, type: "value", scale: true };
      // The canvas' touch-action decides about touches: it works only without preventDefault.
      const inside = {
        type: "inside", filterMode: "none", minSpan: 1.5, throttle: 20, preventDefaultMouseMove: false,
      };
      chart.setOption({
        animation: false, grid: { left: 0, right: 0, top: 0, bottom: 0 },
        xAxis: { ...hidden, min: range.x[0], max: range.x[1] },
        yAxis: { ...hidden, min: range.y[0], max: range.y[1] },
        dataZoom: [
          { ...inside, xAxisIndex: 0, start: zoom.x[0], end: zoom.x[1] },
          { ...inside, yAxisIndex: 0, start: zoom.y[0], end: zoom.y[1] },
        ],
      });
      leaveToThePage();
      chart.setOption({ series: series() });
    }

    function toPixel(x, y) {
      return chart.convertToPixel({ xAxisIndex: 0, yAxisIndex: 0 }, [x, y]);
    }

    function nearest(px, py) {
      const at = chart.convertFromPixel({ xAxisIndex: 0, yAxisIndex: 0 }, [px, py]);
      if (!at) return -1;
      const reach = REACH * state.unit * span();
      let best = -1, least = reach * reach;
      for (let i = 0; i < data.x.length; i++) {
        const dx = data.x[i] - at[0], dy = data.y[i] - at[1];
        let apart = dx * dx + dy * dy;
        // The mark of a hit is larger than a point and covers the points around it.
        if (apart < reach * reach && hits.has(i)) apart *= 0.3;
        if (apart < least) { least = apart; best = i; }
      }
      return best;
    }

    function show(point) {
      state.current = point;
      tip.hidden = ring.hidden = point < 0;
      canvas.style.cursor = point >= 0 && address(point) ? "pointer" : "grab";
      if (point < 0) return;
      const [px, py] = toPixel(data.x[point], data.y[point]);
      ring.style.left = px + "px";
      ring.style.top = py + "px";
      const topic = data.topics[data.topic[point]].name;
      const hit = hits.get(point);
      const lines = [data.title[point], data.authors[point], hit ? `${hit.rank}. hit · ${topic}` : topic];
      tip.replaceChildren(...lines.filter(Boolean).map((text, number) => {
        const line = document.createElement(number ? "span" : "b");
        line.textContent = text;
        line.dir = "auto";
        return line;
      }));
      const left = Math.min(Math.max(px + 14, 4), Math.max(4, canvas.clientWidth - tip.offsetWidth - 4));
      const above = py + 16 + tip.offsetHeight > canvas.clientHeight;
      tip.style.left = left + "px";
      tip.style.top = (above ? Math.max(4, py - 12 - tip.offsetHeight) : py + 14) + "px";
    }

    function address(point) {
      if (paper) return paper + encodeURIComponent(data.id[point]);
      return /^https?:\/\//.test(data.url[point]) ? data.url[point] : "";
    }

    function open(point) {
      const given = address(point);
      if (!given) return;
      if (paper) window.location.assign(given);
      else window.open(given, "_blank", "noopener,noreferrer");
    }

    function look(x, y, part) {
      const range = axes();
      const centre = (value, [low, high]) => {
        const middle = (100 * (value - low)) / (high - low);
        const half = Math.min(50, part * 50);
        const start = Math.min(Math.max(middle - half, 0), 100 - 2 * half);
        return [start, start + 2 * half];
      };
      draw({ x: centre(x, range.x), y: centre(y, range.y) });
      remember();
    }

    function remember() {
      const [a, b] = chart.getOption().dataZoom;
      state.view = { x: [a.start, a.end], y: [b.start, b.end] };
    }

    function zoom(by) {
      const at = chart.convertFromPixel(
        { xAxisIndex: 0, yAxisIndex: 0 }, [canvas.clientWidth / 2, canvas.clientHeight / 2]);
      look(at[0], at[1], Math.min(1, Math.max(0.015, span() * by)));
    }

    let resized = 0;
    chart.on("datazoom", () => {
      remember();
      leaveToThePage();
      show(-1);
      cancelAnimationFrame(resized);
      resized = requestAnimationFrame(() => {
        const each = size();
        const kinds = ["pale", "clear"];
        chart.setOption({
          series: kinds.flatMap((kind) => LIGHT.map((_, i) => ({ id: kind + i, symbolSize: each }))),
        });
      });
    });
    const surface = chart.getZr();
    surface.on("mousemove", (event) => show(nearest(event.offsetX, event.offsetY)));
    surface.on("globalout", () => show(-1));
    surface.on("click", (event) => {
      const point = nearest(event.offsetX, event.offsetY);
      // Touch has no hover: the first tap shows the paper, the second opens it.
      const touched = event.event && (event.event.zrByTouch || event.event.pointerType === "touch");
      if (point >= 0 && (!touched || point === state.current)) open(point);
      else show(point);
    });
    new ResizeObserver(() => { chart.resize(); draw(); show(-1); }).observe(canvas);
    dark.addEventListener("change", () => draw());

    root.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (!button) return;
      if (button.dataset.zoom === "in") zoom(0.6);
      if (button.dataset.zoom === "out") zoom(1 / 0.6);
      if (button.dataset.zoom === "all") { state.view = null; draw(); }
      if (button.dataset.topic) {
        const topic = data.topics[Number(button.dataset.topic)];
        look(topic.x, topic.y, Math.max(0.08, Math.min(0.35, 2.5 * Math.sqrt(topic.papers / data.x.length) / 2)));
      }
    });
    for (const kind of ["mouseover", "focusin"]) {
      root.addEventListener(kind, (event) => {
        const item = event.target.closest("[data-point]");
        if (item) show(Number(item.dataset.point));
      });
    }
    const find = root.querySelector(".map-find");
    if (find) find.addEventListener("input", () => search(find));

    function search(field) {
      const wanted = field.value.trim().toLocaleLowerCase();
      state.found = null;
      if (wanted) {
        state.found = new Set();
        data.title.forEach((title, i) => {
          if (title.toLocaleLowerCase().includes(wanted)) state.found.add(i);
        });
      }
      // A hit is drawn twice: as a mark, and as the point under it.
      const count = new Set(Array.from(state.found || [], (point) => data.id[point])).size;
      root.querySelector(".map-count").textContent =
        wanted ? `${count.toLocaleString("en")} ${count === 1 ? "title" : "titles"}` : "";
      draw();
    }

    // Zoom in so far that the hits can be told apart.
    if (data.query) {
      const seen = [data.query, ...data.hits.map((hit) => ({ x: data.x[hit.point], y: data.y[hit.point] }))];
      const box = extent({ x: seen.map((one) => one.x), y: seen.map((one) => one.y) });
      const part = 1.6 * Math.max(box.width / bounds.width, box.height / bounds.height);
      draw();
      look(box.x, box.y, Math.min(1, Math.max(0.15, part)));
    } else {
      draw();
    }
    // Text may have been typed before the points were loaded.
    if (find && find.value) search(find);
    root.dataset.ready = "yes";
    performance.mark("map-drawn");
  }

  // The hits come after the papers that are drawn, even if they are among them.
  function joined(points, marks) {
    const data = { topics: points.topics, query: marks.query };
    for (const name of ["x", "y", "topic", "title", "authors", "url", "id"]) {
      data[name] = points[name].concat(marks[name]);
    }
    data.hits = marks.x.map((_, i) => ({ point: points.x.length + i, rank: i + 1 }));
    return data;
  }

  function extent(data) {
    let left = Infinity, right = -Infinity, low = Infinity, high = -Infinity;
    for (let i = 0; i < data.x.length; i++) {
      left = Math.min(left, data.x[i]);
      right = Math.max(right, data.x[i]);
      low = Math.min(low, data.y[i]);
      high = Math.max(high, data.y[i]);
    }
    return {
      x: (left + right) / 2, y: (low + high) / 2,
      width: Math.max(right - left, 1e-6), height: Math.max(high - low, 1e-6),
    };
  }

  // A long name takes two lines, so that it covers fewer points.
  function wrapped(name) {
    if (name.length < 17) return name;
    let best = -1;
    for (let i = 0; i < name.length; i++) {
      if (name[i] === " " && Math.abs(i - name.length / 2) < Math.abs(best - name.length / 2)) best = i;
    }
    return best < 0 ? name : name.slice(0, best) + "\n" + name.slice(best + 1);
  }

  const root = document.querySelector(".map");
  const carried = (id) => JSON.parse(document.getElementById(id).textContent);
  if (root && root.dataset.points) {
    fetch(root.dataset.points)
      .then((answer) => (answer.ok ? answer.json() : Promise.reject(new Error(answer.statusText))))
      .then((points) => start(root, points, carried("map-marks")))
      .catch((error) => {
        root.querySelector(".map-count").textContent = `The points could not be loaded: ${error.message}`;
      });
  } else if (root) {
    start(root, carried("map-points"), carried("map-marks"));
  }
})();
