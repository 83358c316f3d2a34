// The map of a store: the points that are in the page, or that are loaded from an address.
(function () {
  "use strict";

  const {
    painter: makePainter, wrapped, inTwo, placed, spread, shadesOf, extent, byHeight, unpacked, remote, carried,
  } = window.swimmerMap;

  const REACH = 16, NEAREST_ZOOM = 60, NUMBERED = 30, MARK = 11, TITLES = 40, LISTED = 50, SAVED = 500;
  const GROUPS_UNTIL = 1.9, MARGIN = 70;
  const NAME_LINE = 15, GROUP_LINE = 19, TITLE_LINE = 14;
  const dark = matchMedia("(prefers-color-scheme: dark)");

  function start(root, data, marks, papers) {
    const part = (name) => root.querySelector(name);
    const view = part(".map-view"), surface = part(".map-canvas"), points = part(".map-points");
    const lines = part(".map-lines"), labels = part(".map-labels"), tip = part(".map-tip"), ring = part(".map-ring");
    const painter = makePainter(points);
    const count = data.x.length;
    const hits = marks.point.map((point, i) => ({ point, rank: i + 1 }));
    const ranks = new Map(hits.map((hit) => [hit.point, hit.rank]));
    const bounds = extent(data.x, data.y);
    const downwards = byHeight(data.y, bounds);
    const eye = { x: bounds.x, y: bounds.y, zoom: 1 };
    const state = { found: null, only: -1, chosen: null, current: -1, drawing: false, path: null };
    let size = { width: 1, height: 1, ratio: 1 };
    let spreadFor = -1, moved = [], covered = null;
    let colours = byTopic();

    root.dataset.drawnBy = painter.kind;

    // ------------------------------------------------------------------ places on the screen

    const fit = () => Math.min(size.width / bounds.width, size.height / bounds.height) / 1.08;
    const unit = () => fit() * eye.zoom;
    const toPixel = (x, y) => [size.width / 2 + (x - eye.x) * unit(), size.height / 2 - (y - eye.y) * unit()];
    const fromPixel = (px, py) => [eye.x + (px - size.width / 2) / unit(), eye.y - (py - size.height / 2) / unit()];
    const inView = ([px, py]) => px >= 0 && py >= 0 && px <= size.width && py <= size.height;

    function bounded() {
      eye.zoom = Math.min(Math.max(eye.zoom, 1), NEAREST_ZOOM);
      for (const [axis, side] of [["x", "width"], ["y", "height"]]) {
        // Numbers and names at the edge need some room around it.
        const room = eye.zoom > 1 ? MARGIN / unit() : 0;
        const free = Math.max(0, (bounds[side] * 1.08 - size[side] / unit()) / 2 + room);
        eye[axis] = Math.min(Math.max(eye[axis], bounds[axis] - free), bounds[axis] + free);
      }
    }

    function look(x, y, zoom) {
      Object.assign(eye, { x, y, zoom });
      bounded();
      // When the whole map is visible, a finger scrolls the page.
      surface.style.touchAction = eye.zoom > 1.001 ? "none" : "pan-y";
      redraw();
    }

    // What is under a place on the screen stays there.
    function zoomAt(px, py, by) {
      const [x, y] = fromPixel(px, py);
      const zoom = Math.min(Math.max(eye.zoom * by, 1), NEAREST_ZOOM), part = eye.zoom / zoom;
      look(x + (eye.x - x) * part, y + (eye.y - y) * part, zoom);
    }

    const zoomBy = (by) => zoomAt(size.width / 2, size.height / 2, by);
    const pan = (dx, dy) => look(eye.x - dx / unit(), eye.y + dy / unit(), eye.zoom);

    // ------------------------------------------------------------------ colours

    const theme = () => (dark.matches ? "dark" : "light");

    function byTopic() {
      return { codes: Array.from(data.topic, (topic) => data.topics[topic].colour), legend: [], scale: false };
    }

    const shades = () => shadesOf(colours, theme());

    // The other points are dimmed, so that hits and found titles stand out.
    function strong(point) {
      if (state.chosen) return state.chosen.has(point);
      if (state.found && !state.found.has(point)) return false;
      if (state.only >= 0) return colours.codes[point] === state.only;
      return Boolean(state.found) || colours.scale || !marks.query;
    }

    function restyle() {
      const order = new Uint32Array(count), shown = shades(), many = count > 50000;
      let front = 0, back = count;
      for (const point of downwards) {
        if (strong(point)) order[--back] = point; else order[front++] = point;
      }
      const x = new Float32Array(count), y = new Float32Array(count), rgba = new Uint8Array(4 * count);
      const clear = many ? 150 : 205, pale = many ? 45 : 85;
      for (let at = 0; at < count; at++) {
        const point = order[at], shade = shown[colours.codes[point] % shown.length];
        x[at] = data.x[point];
        y[at] = data.y[point];
        rgba[4 * at] = shade[0];
        rgba[4 * at + 1] = shade[1];
        rgba[4 * at + 2] = shade[2];
        rgba[4 * at + 3] = at < front ? pale : clear;
      }
      painter.set(x, y, rgba);
      redraw();
    }

    // ------------------------------------------------------------------ drawing

    let asked = 0;
    function redraw() {
      if (!asked) asked = requestAnimationFrame(() => { asked = 0; draw(); });
    }

    function pointSize() {
      const base = count < 300 ? 9 : count < 2000 ? 6.5 : count < 8000 ? 4.6 : count < 50000 ? 3 : 2;
      return base * Math.min(2.6, Math.pow(eye.zoom, 0.45));
    }

    function draw() {
      const { ratio } = size, [left, top] = toPixel(0, 0);
      painter.draw({ unit: unit() * ratio, left: left * ratio, top: top * ratio }, pointSize() * ratio);
      const marked = drawMarks();
      drawLabels(marked);
      if (state.current >= 0) show(state.current);
    }

    // The numbers of hits, moved apart, each with a line to its point; and the place of the query.
    function drawMarks() {
      const pen = lines.getContext("2d"), style = getComputedStyle(root);
      const ink = style.getPropertyValue("--ink"), accent = style.getPropertyValue("--accent");
      pen.setTransform(size.ratio, 0, 0, size.ratio, 0, 0);
      pen.clearRect(0, 0, size.width, size.height);
      const boxes = [covered];
      const query = marks.query ? toPixel(marks.query.x, marks.query.y) : null;
      const numbered = hits.length <= NUMBERED;
      const places = hits.map((hit) => toPixel(data.x[hit.point], data.y[hit.point]));
      if (spreadFor !== unit()) {
        spreadFor = unit();
        const from = places.map(([x, y]) => ({ x, y, radius: numbered ? MARK + 1 : 0 }));
        const fixed = query ? [{ x: query[0], y: query[1], radius: 17 }] : [];
        moved = (numbered ? spread(from, fixed) : from).map((one, i) => [one.x - places[i][0], one.y - places[i][1]]);
      }
      pen.lineWidth = 1.5;
      hits.forEach((hit, i) => {
        const [x, y] = places[i];
        hit.at = [x + moved[i][0], y + moved[i][1]];
        pen.strokeStyle = pen.fillStyle = accent;
        pen.beginPath();
        pen.moveTo(x, y);
        pen.lineTo(...hit.at);
        pen.stroke();
        pen.beginPath();
        pen.arc(x, y, numbered ? 3 : 5, 0, 7);
        pen.fill();
        if (numbered) boxes.push({ left: hit.at[0] - MARK, top: hit.at[1] - MARK, width: 2 * MARK, height: 2 * MARK });
      });
      if (query) {
        pen.strokeStyle = ink;
        pen.lineWidth = 2.5;
        pen.beginPath();
        pen.arc(query[0], query[1], 14, 0, 7);
        pen.stroke();
        pen.beginPath();
        for (const [dx, dy] of [[0, 1], [1, 0]]) {
          pen.moveTo(query[0] - 5 * dx, query[1] - 5 * dy);
          pen.lineTo(query[0] + 5 * dx, query[1] + 5 * dy);
        }
        pen.stroke();
        boxes.push({ left: query[0] - 15, top: query[1] - 15, width: 30, height: 30 });
      }
      if (state.path && state.path.length > 1) {
        pen.strokeStyle = ink;
        pen.lineWidth = 1.5;
        pen.setLineDash([5, 4]);
        pen.beginPath();
        state.path.forEach(([x, y], i) => (i ? pen.lineTo(x, y) : pen.moveTo(x, y)));
        pen.closePath();
        pen.stroke();
        pen.setLineDash([]);
      }
      return { boxes, query };
    }

    function drawLabels({ boxes, query }) {
      const font = getComputedStyle(root).fontFamily;
      const wanted = [];
      const near = eye.zoom >= GROUPS_UNTIL;
      // Near by, a name may stand beside the hits that cover its middle.
      const shifts = near ? [0, 14, -14, 34, -34, 60, -60] : [0, 14, -14];
      const label = (kind, text, words, [x, y], weight, pixels, line, away) => wanted.push({
        kind, key: kind + text, lines: words, x, y, line, away, shifts, font: `${weight} ${pixels}px ${font}`,
      });
      if (query) label("query", "query", ["your query"], query, 700, 13, 16, [17, 42, 68]);
      const grouped = data.groups.length < data.topics.length && !near;
      const named = new Set();
      if (grouped) {
        for (const group of data.groups) {
          named.add(group.name);
          label("group", group.name, inTwo(group.name), toPixel(group.x, group.y), 700, 15.5, GROUP_LINE);
        }
      }
      for (const topic of data.topics) {
        if (!named.has(topic.name)) {
          label("name", topic.name, inTwo(topic.name), toPixel(topic.x, topic.y), 600, 12, NAME_LINE);
        }
      }
      const few = eye.zoom > 1.5 || count <= TITLES ? pointsInView(TITLES) : null;
      const missing = [];
      for (const point of few || []) {
        const facts = papers.known(point);
        if (facts) {
          const at = toPixel(data.x[point], data.y[point]);
          label("title", point + "", wrapped(facts.title, 30, 2), at, 400, 11, TITLE_LINE, [pointSize() / 2 + 3]);
        } else {
          missing.push(point);
        }
      }
      if (missing.length) papers.load(missing).then(redraw, () => {});
      const shown = placed(wanted, boxes, size.width, size.height);
      if (hits.length <= NUMBERED) {
        for (const hit of hits) {
          shown.push({
            kind: ranks.get(state.current) === hit.rank ? "hit is-lit" : "hit", key: "hit" + hit.rank,
            lines: [String(hit.rank)], box: { left: hit.at[0] - MARK, top: hit.at[1] - MARK },
          });
        }
      }
      arrange(shown);
    }

    // Elements are kept from frame to frame; those without a place are removed.
    const elements = new Map();
    function arrange(shown) {
      const left = new Set(elements.keys());
      for (const { kind, key, lines: words, box } of shown) {
        let element = elements.get(key);
        if (!element) {
          element = document.createElement("span");
          element.textContent = words.join("\n");
          element.dir = "auto";
          labels.append(element);
          elements.set(key, element);
        }
        element.className = `map-label map-${kind}`;
        element.style.transform = `translate(${Math.round(box.left)}px, ${Math.round(box.top)}px)`;
        if (box.width) element.style.width = box.width + "px";
        left.delete(key);
      }
      for (const key of left) {
        elements.get(key).remove();
        elements.delete(key);
      }
    }

    // The points in view, null when there are more than `most`.
    function pointsInView(most) {
      const [left, top] = fromPixel(0, 0), [right, low] = fromPixel(size.width, size.height);
      const found = [];
      for (let i = 0; i < count; i++) {
        if (data.x[i] >= left && data.x[i] <= right && data.y[i] <= top && data.y[i] >= low) {
          if (found.length >= most) return null;
          found.push(i);
        }
      }
      return found;
    }

    function resize() {
      const ratio = painter.kind === "webgl" ? Math.min(window.devicePixelRatio || 1, 2) : 1;
      size = { width: Math.max(view.clientWidth, 1), height: Math.max(view.clientHeight, 1), ratio };
      for (const canvas of [points, lines]) {
        canvas.width = Math.round(size.width * ratio);
        canvas.height = Math.round(size.height * ratio);
      }
      spreadFor = -1;
      const buttons = part(".map-buttons");
      covered = {
        left: buttons.offsetLeft, top: buttons.offsetTop, width: buttons.offsetWidth, height: buttons.offsetHeight,
      };
      look(eye.x, eye.y, eye.zoom);
    }

    // ------------------------------------------------------------------ one paper

    function nearest(px, py) {
      for (const hit of hits) {
        if (hit.at && Math.hypot(hit.at[0] - px, hit.at[1] - py) <= MARK + 1) return hit.point;
      }
      const [x, y] = fromPixel(px, py), reach = REACH / unit();
      let best = -1, least = reach * reach;
      for (let i = 0; i < count; i++) {
        const dx = data.x[i] - x, dy = data.y[i] - y, apart = dx * dx + dy * dy;
        if (apart < least) { least = apart; best = i; }
      }
      return best;
    }

    // Shows which paper is meant: at its point, and in the lists beside the map.
    function show(point) {
      const changed = state.current !== point;
      state.current = point;
      if (changed) light(point);
      const at = point < 0 ? [-1, -1] : toPixel(data.x[point], data.y[point]);
      const seen = point >= 0 && inView(at);
      ring.hidden = !seen;
      tip.hidden = !seen;
      surface.style.cursor = state.drawing ? "crosshair" : point >= 0 ? "pointer" : "grab";
      if (!seen) return;
      ring.style.left = at[0] + "px";
      ring.style.top = at[1] + "px";
      const facts = papers.known(point);
      if (!facts) {
        papers.load([point]).then(() => { if (state.current === point) show(point); }, () => {});
      } else if (changed || tip.dataset.point !== String(point)) {
        tip.dataset.point = point;
        tell(point, facts);
      }
      const room = Math.max(4, size.width - tip.offsetWidth - 4);
      const above = at[1] + 16 + tip.offsetHeight > size.height;
      tip.style.left = Math.min(Math.max(at[0] + 14, 4), room) + "px";
      tip.style.top = (above ? Math.max(4, at[1] - 12 - tip.offsetHeight) : at[1] + 14) + "px";
    }

    function tell(point, facts) {
      const topic = data.topics[data.topic[point]].name, rank = ranks.get(point);
      const texts = [facts.title, facts.authors, rank ? `${rank}. hit · ${topic}` : topic];
      tip.replaceChildren(...texts.filter(Boolean).map((text, number) => {
        const line = document.createElement(number ? "span" : "b");
        line.textContent = text;
        line.dir = "auto";
        return line;
      }));
    }

    function light(point) {
      for (const item of root.querySelectorAll(".map-side [data-point]")) {
        const lit = Number(item.dataset.point) === point;
        item.classList.toggle("is-lit", lit);
        if (lit && !item.matches(":hover, :focus-within")) item.scrollIntoView({ block: "nearest" });
      }
      for (const element of labels.querySelectorAll(".map-hit")) {
        element.classList.toggle("is-lit", element.textContent === String(ranks.get(point)));
      }
    }

    async function open(point) {
      if (!papers.known(point)) await papers.load([point]);
      const { page, url } = papers.known(point);
      if (page) window.location.assign(page);
      else if (/^https?:\/\//.test(url)) window.open(url, "_blank", "noopener,noreferrer");
    }

    // ------------------------------------------------------------------ mouse, fingers, keys

    const down = new Map();
    let travelled = 0, touched = false;
    const at = (event) => {
      const box = surface.getBoundingClientRect();
      return [event.clientX - box.left, event.clientY - box.top];
    };

    surface.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      touched = event.pointerType === "touch";
      down.set(event.pointerId, at(event));
      travelled = down.size > 1 ? Infinity : 0;
      surface.setPointerCapture(event.pointerId);
      if (state.drawing || event.shiftKey) state.path = [at(event)];
    });
    surface.addEventListener("pointermove", (event) => {
      const now = at(event), before = down.get(event.pointerId);
      if (!before) {
        if (event.pointerType !== "touch") show(nearest(...now));
        return;
      }
      travelled += Math.hypot(now[0] - before[0], now[1] - before[1]);
      const other = [...down].find(([id]) => id !== event.pointerId);
      down.set(event.pointerId, now);
      if (other) {
        const apart = ([x, y]) => Math.hypot(x - other[1][0], y - other[1][1]);
        zoomAt((now[0] + other[1][0]) / 2, (now[1] + other[1][1]) / 2, apart(now) / Math.max(apart(before), 1));
        pan((now[0] - before[0]) / 2, (now[1] - before[1]) / 2);
        show(-1);
      } else if (state.path) {
        state.path.push(now);
        redraw();
      } else if (travelled > 4) {
        show(-1);
        pan(now[0] - before[0], now[1] - before[1]);
      }
    });
    surface.addEventListener("pointerup", (event) => {
      const pressed = down.delete(event.pointerId);
      const path = state.path;
      state.path = null;
      if (path && path.length > 3) {
        choose(inside(path));
      } else if (pressed && travelled <= 4) {
        const point = nearest(...at(event));
        // Touch has no hover: the first tap shows the paper, the second opens it.
        if (point >= 0 && (!touched || point === state.current)) open(point);
        else show(point);
      }
    });
    surface.addEventListener("pointercancel", (event) => {
      down.delete(event.pointerId);
      state.path = null;
      redraw();
    });
    surface.addEventListener("pointerleave", (event) => { if (event.pointerType !== "touch") show(-1); });
    surface.addEventListener("wheel", (event) => {
      event.preventDefault();
      show(-1);
      const lines = event.deltaMode === 1 ? 30 : 1;
      zoomAt(...at(event), Math.exp(-event.deltaY * lines * (event.ctrlKey ? 0.01 : 0.0016)));
    }, { passive: false });

    view.addEventListener("keydown", (event) => {
      if (event.target !== view || event.ctrlKey || event.metaKey || event.altKey) return;
      const step = Math.min(size.width, size.height) / 5;
      const moves = { ArrowLeft: [step, 0], ArrowRight: [-step, 0], ArrowUp: [0, step], ArrowDown: [0, -step] };
      if (moves[event.key]) pan(...moves[event.key]);
      else if (event.key === "+" || event.key === "=") zoomBy(1.5);
      else if (event.key === "-") zoomBy(1 / 1.5);
      else if (event.key === "0") look(bounds.x, bounds.y, 1);
      else if (event.key === "Escape") { state.path = null; draws(false); show(-1); redraw(); }
      else return;
      event.preventDefault();
    });

    root.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (!button) return;
      const { zoom, topic, action, code } = button.dataset;
      if (zoom === "in") zoomBy(1.6);
      if (zoom === "out") zoomBy(1 / 1.6);
      if (zoom === "all") look(bounds.x, bounds.y, 1);
      if (topic) {
        const { x, y, papers: held } = data.topics[Number(topic)];
        look(x, y, Math.min(12, Math.max(3, 0.8 / Math.sqrt(held / data.papers))));
        view.scrollIntoView({ block: "nearest" });
      }
      if (code) {
        state.only = state.only === Number(code) ? -1 : Number(code);
        for (const one of root.querySelectorAll("[data-code]")) {
          one.setAttribute("aria-pressed", String(Number(one.dataset.code) === state.only));
        }
        restyle();
      }
      if (action === "draw") draws(!state.drawing);
      if (action === "view") choose(pointsInView(Infinity));
      if (action === "clear") choose(null);
      if (action === "more") list(LISTED);
      if (action === "save") save().catch(failed);
    });
    for (const kind of ["mouseover", "focusin"]) {
      root.addEventListener(kind, (event) => {
        const item = event.target.closest("[data-point]");
        if (!item || !item.closest(".map-side")) return;
        const point = Number(item.dataset.point);
        // What has the focus must be seen; a mouse that only passes does not move the map.
        if (kind === "focusin" && !inView(toPixel(data.x[point], data.y[point]))) {
          look(data.x[point], data.y[point], eye.zoom);
        }
        show(point);
      });
    }
    part(".map-side").addEventListener("mouseleave", () => show(-1));

    // ------------------------------------------------------------------ titles that hold a text

    const find = part(".map-find");
    let searched = 0;
    async function search() {
      const wanted = find.value.trim(), turn = ++searched;
      const found = wanted ? await papers.find(wanted) : null;
      if (turn !== searched) return;
      state.found = found && new Set(found);
      part(".map-count").textContent = found
        ? `${found.length.toLocaleString("en")} ${found.length === 1 ? "title" : "titles"}` : "";
      restyle();
    }
    let waiting = 0;
    find.addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = setTimeout(() => search().catch(failed), 80);
    });

    function failed(error) {
      part(".map-count").textContent = `The papers could not be loaded: ${error.message}`;
    }

    // ------------------------------------------------------------------ papers that are selected

    function draws(on) {
      state.drawing = on;
      surface.style.cursor = on ? "crosshair" : "grab";
      // A finger then draws, and scrolls nothing.
      surface.style.touchAction = on || eye.zoom > 1.001 ? "none" : "pan-y";
      part("[data-action=draw]").setAttribute("aria-pressed", String(on));
    }

    function inside(path) {
      const found = [];
      for (let i = 0; i < count; i++) {
        const [px, py] = toPixel(data.x[i], data.y[i]);
        let odd = false;
        for (let a = 0, b = path.length - 1; a < path.length; b = a++) {
          const [ax, ay] = path[a], [bx, by] = path[b];
          if (ay > py !== by > py && px < ((bx - ax) * (py - ay)) / (by - ay) + ax) odd = !odd;
        }
        if (odd) found.push(i);
      }
      return found;
    }

    const chosen = part(".map-chosen");
    function choose(found) {
      draws(false);
      const some = found && found.length > 0;
      state.chosen = some ? new Set(found) : null;
      chosen.hidden = !some;
      part(".map-chosen ol").replaceChildren();
      if (found) {
        const said = some ? `${found.length.toLocaleString("en")} ${found.length === 1 ? "paper" : "papers"} selected` : "No paper is there.";
        part(".map-said").textContent = said;
      } else {
        part(".map-said").textContent = "";
      }
      restyle();
      if (some) list(LISTED);
    }

    async function list(more) {
      const items = part(".map-chosen ol"), from = items.children.length;
      const next = [...state.chosen].slice(from, from + more);
      await papers.load(next.filter((point) => !papers.known(point))).catch(failed);
      for (const point of next) {
        const facts = papers.known(point);
        if (!facts) return;
        const item = document.createElement("li"), link = document.createElement("a");
        item.dataset.point = point;
        link.textContent = facts.title;
        link.dir = "auto";
        const address = facts.page || (/^https?:\/\//.test(facts.url) ? facts.url : "");
        if (address) link.href = address;
        if (!facts.page) { link.target = "_blank"; link.rel = "noopener noreferrer"; }
        item.append(link);
        items.append(item);
      }
      part("[data-action=more]").hidden = items.children.length >= state.chosen.size;
    }

    async function save() {
      const said = part(".map-said");
      const body = new URLSearchParams({ points: [...state.chosen].slice(0, SAVED).join(",") });
      const answer = await fetch(root.dataset.keep, { method: "POST", body }).catch(() => null);
      said.textContent = answer ? (await answer.text()).trim() : "The server does not answer.";
      if (choice.value === "list") await recolour();
    }

    // ------------------------------------------------------------------ the choice of colours

    const choice = part(".map-colour");
    let chosenLast = 0;
    async function recolour() {
      const by = choice.value, turn = ++chosenLast;
      const found = by === "topic" ? byTopic() : await papers.colours(by);
      if (turn !== chosenLast) return;
      colours = found;
      state.only = -1;
      const shown = shades();
      part(".map-legend").replaceChildren(...colours.legend.map(({ label, papers: held }, code) => {
        const item = document.createElement("li"), button = document.createElement("button");
        const swatch = document.createElement("i"), text = document.createElement("bdi"), number = document.createElement("span");
        swatch.style.background = `rgb(${shown[code % shown.length]})`;
        text.textContent = label;
        number.textContent = held.toLocaleString("en");
        button.type = "button";
        button.dataset.code = code;
        button.setAttribute("aria-pressed", "false");
        button.append(swatch, text, number);
        item.append(button);
        return item;
      }));
      root.dataset.colour = by;
      restyle();
    }
    choice.addEventListener("change", () => {
      if (root.dataset.points) {
        const address = new URL(window.location);
        address.searchParams.set("colour", choice.value);
        window.history.replaceState(null, "", address);
      }
      recolour().catch(failed);
    });

    // ------------------------------------------------------------------ start

    new ResizeObserver(() => { show(-1); resize(); }).observe(view);
    dark.addEventListener("change", () => recolour().catch(failed));
    points.addEventListener("webglcontextlost", (event) => event.preventDefault());
    points.addEventListener("webglcontextrestored", () => window.location.reload());
    resize();
    // Zoom in so far that the hits can be told apart.
    if (marks.query) {
      const seen = [marks.query, ...hits.map(({ point }) => ({ x: data.x[point], y: data.y[point] }))];
      const box = extent(seen.map((one) => one.x), seen.map((one) => one.y));
      const part = 1.6 * Math.max(box.width / bounds.width, box.height / bounds.height);
      look(box.x, box.y, Math.min(4.5, 1 / Math.min(1, Math.max(part, 0.01))));
    }
    restyle();
    // Text may have been typed, and a colour chosen, before the points were loaded.
    if (find.value) search().catch(failed);
    if (choice.value !== "topic") recolour().catch(failed);
    requestAnimationFrame(() => requestAnimationFrame(() => {
      root.dataset.ready = "yes";
      performance.mark("map-drawn");
    }));
  }

  async function fetched(address) {
    const answer = await fetch(address);
    if (!answer.ok) throw new Error(answer.statusText);
    return answer.json();
  }

  const root = document.querySelector(".map");
  const inPage = (id) => JSON.parse(document.getElementById(id).textContent);
  if (root && root.dataset.points) {
    fetched(root.dataset.points)
      .then((data) => start(root, unpacked(data), inPage("map-marks"), remote(root, fetched)))
      .catch((error) => {
        root.querySelector(".map-count").textContent = `The points could not be loaded: ${error.message}`;
        console.error(error);
      });
  } else if (root) {
    const data = inPage("map-points");
    start(root, data, inPage("map-marks"), carried(data));
  }
})();
