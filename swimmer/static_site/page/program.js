/* Search over a store's vectors, its papers and its map. Titles and abstracts are data of others:
   they reach the page as text nodes only, and only http and https addresses become links. */
"use strict";

(() => {
  const STEP = 20;
  const MOST = 200;
  const LIMIT = 20000;
  const WEB = /^https?:\/\//i;
  const element = (id) => document.getElementById(id);
  const arrived = {};
  const waiting = {};
  let papers = null;
  let vectors = null;
  let model = null;
  let shown = { rows: [], scores: null, count: 0, own: -1 };
  let hovered = -1;

  // ------------------------------------------------------------------ data

  /** Keep the part of the data that a file of the site brings. */
  window.swimmerData = (name, values) => {
    arrived[name] = values;
    if (waiting[name]) waiting[name]();
  };

  const part = (name) => new Promise((done) => {
    if (arrived[name]) done(arrived[name]);
    else waiting[name] = () => done(arrived[name]);
  });

  /** Return the bytes that a text holds: base64, zlib. */
  async function unpacked(text) {
    const letters = atob(text);
    const bytes = new Uint8Array(letters.length);
    for (let i = 0; i < letters.length; i += 1) bytes[i] = letters.charCodeAt(i);
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    return new Response(stream).arrayBuffer();
  }

  const unpackedText = async (text) => new TextDecoder().decode(await unpacked(text));

  async function readVectors() {
    const values = new Int8Array(await unpacked((await part("vectors")).vectors));
    const dimension = values.length / papers.title.length;
    const lengths = new Float32Array(papers.title.length);
    for (let row = 0; row < lengths.length; row += 1) {
      let sum = 0;
      for (let i = row * dimension; i < (row + 1) * dimension; i += 1) sum += values[i] * values[i];
      lengths[row] = Math.sqrt(sum) || 1;
    }
    vectors = { values, dimension, lengths };
  }

  async function readModel() {
    const parts = await part("model");
    const kept = new Uint32Array(await unpacked(parts.kept));
    const vocabulary = new Map();
    (await unpackedText(parts.tokens)).split("\n").forEach((text, number) => vocabulary.set(text, number));
    const places = new Map();
    kept.forEach((token, place) => places.set(token, place));
    model = {
      dimension: parts.dimension,
      longest: parts.longest,
      vocabulary,
      places,
      weights: new Float32Array(await unpacked(parts.weights)),
      rows: new Int8Array(await unpacked(parts.rows)),
    };
  }

  // ------------------------------------------------------------------ the model

  const CHINESE = /[\u4e00-\u9fff\u3400-\u4dbf\u{20000}-\u{2a6df}\u{2a700}-\u{2b73f}\u{2b740}-\u{2b81f}\u{2b920}-\u{2ceaf}\uf900-\ufaff\u{2f800}-\u{2fa1f}]/gu;
  const MARK = /\p{Mn}/gu;
  const UNSEEN = /(?![\t\n\r])\p{C}|\ufffd/gu;
  const PIECES = /[\p{P}$+<=>^`|~]|[^\s\p{P}$+<=>^`|~]+/gu;

  /** Return the words of a text as the model's tokenizer splits it. */
  function words(text) {
    const found = [];
    for (const run of Array.from(text).slice(0, LIMIT).join("").split(/[ \t\n\r]+/)) {
      if (/^[\x00-\x7f]*$/.test(run)) {
        const plain = run.replace(/[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/g, "").toLowerCase();
        found.push(...(plain.match(/[a-z0-9]+/g) || []));
      } else {
        const clean = run.normalize("NFKC").replace(UNSEEN, "").replace(CHINESE, " $& ");
        // Letter by letter: a sigma at the end of a word is a sigma.
        const small = Array.from(clean.normalize("NFD").replace(MARK, ""), (one) => one.toLowerCase());
        found.push(...(small.join("").match(PIECES) || []));
      }
    }
    return found;
  }

  /** Return the numbers of a word's pieces, the longest first from the left; [] if it is unknown. */
  function pieces(word) {
    const letters = Array.from(word);
    if (letters.length > model.longest) return [];
    const found = [];
    let start = 0;
    while (start < letters.length) {
      let end = letters.length;
      let number;
      for (; end > start; end -= 1) {
        number = model.vocabulary.get((start ? "##" : "") + letters.slice(start, end).join(""));
        if (number !== undefined) break;
      }
      if (number === undefined) return [];
      found.push(number);
      start = end;
    }
    return found;
  }

  /** Return the unit vector of a text, null where the model knows no word of it. */
  function embed(text) {
    const vector = new Float64Array(model.dimension);
    let known = 0;
    for (const word of words(text)) {
      for (const token of pieces(word)) {
        const place = model.places.get(token);
        if (place !== undefined) {
          known += 1;
          const weight = model.weights[place];
          const start = place * model.dimension;
          for (let i = 0; i < vector.length; i += 1) vector[i] += weight * model.rows[start + i];
        }
      }
    }
    const length = Math.hypot(...vector);
    return known && length ? vector.map((value) => value / length) : null;
  }

  // ------------------------------------------------------------------ search

  /** Return the rows nearest to a vector, best first, and their cosines. */
  function nearest(vector, count, without = -1) {
    const { values, dimension, lengths } = vectors;
    const scores = new Float32Array(lengths.length);
    for (let row = 0; row < scores.length; row += 1) {
      let sum = 0;
      const start = row * dimension;
      for (let i = 0; i < dimension; i += 1) sum += vector[i] * values[start + i];
      scores[row] = sum / lengths[row];
    }
    const rows = Array.from(scores.keys()).filter((row) => row !== without);
    rows.sort((a, b) => scores[b] - scores[a] || a - b);
    return { rows: rows.slice(0, count), scores };
  }

  function vectorOf(row) {
    const { values, dimension, lengths } = vectors;
    return Float64Array.from(values.subarray(row * dimension, (row + 1) * dimension), (v) => v / lengths[row]);
  }

  const key = (text) => text.normalize("NFKD").replace(/[^\p{L}\p{N}]/gu, "").toLowerCase();

  /** Return what a text asks for: a paper of the store, an author, or the papers nearest to it. */
  function found(text) {
    const wanted = key(text);
    const own = wanted ? papers.title.findIndex((title) => key(title) === wanted) : -1;
    if (own >= 0) return { own, ...nearest(vectorOf(own), MOST, own) };
    const by = wanted ? papers.authors.flatMap((names, row) => (names.some((one) => key(one) === wanted) ? [row] : [])) : [];
    if (by.length) return { own: -1, rows: by, scores: null, author: true };
    const vector = embed(text);
    return vector && { own: -1, ...nearest(vector, MOST) };
  }

  // ------------------------------------------------------------------ results

  function made(tag, text, attributes = {}) {
    const one = document.createElement(tag);
    if (text !== undefined) one.textContent = text;
    for (const [name, value] of Object.entries(attributes)) one.setAttribute(name, value);
    return one;
  }

  /** Return a title as a link where its address is one of the web. */
  function titled(row) {
    const heading = made("h3");
    const url = papers.url[row];
    if (WEB.test(url)) {
      const link = made("a", papers.title[row], { target: "_blank", rel: "noopener noreferrer", dir: "auto" });
      link.href = url;
      heading.append(link);
    } else heading.append(made("bdi", papers.title[row]));
    return heading;
  }

  function item(row, place) {
    const one = made("li");
    const heading = titled(row);
    heading.prepend(made("span", `${place + 1}`, { class: "number", "aria-hidden": "true" }));
    one.append(heading);
    const names = papers.authors[row];
    const by = names.length > 4 ? `${names.slice(0, 3).join(", ")} and ${names.length - 3} more` : names.join(", ");
    const about = [by, papers.venue[row], papers.status[row]].filter(Boolean).join(" · ");
    if (about) one.append(made("p", about, { class: "quiet", dir: "auto" }));
    if (papers.abstract[row]) {
      const details = made("details");
      details.append(made("summary", "Abstract"), made("p", papers.abstract[row], { dir: "auto" }));
      one.append(details);
    }
    const row_of = made("div", undefined, { class: "of" });
    if (shown.scores) {
      const score = Math.max(0, shown.scores[row]);
      row_of.append(made("meter", undefined, {
        min: 0, max: 1, value: score.toFixed(3), title: score.toFixed(2), "aria-label": `Score ${score.toFixed(2)}`,
      }));
    }
    if (vectors) {
      const more = made("button", "Similar papers", { type: "button", "aria-label": `Similar papers: ${papers.title[row]}` });
      more.addEventListener("click", () => go(`paper=${row}`));
      row_of.append(more);
    }
    if (papers.topics) {
      const topic = made("button", papers.topics[papers.topic[row]][0], { type: "button" });
      topic.addEventListener("click", () => go(`topic=${papers.topic[row]}`));
      row_of.append(topic);
    }
    one.append(row_of);
    one.addEventListener("pointerenter", () => hover(row));
    one.addEventListener("pointerleave", () => hover(-1));
    return one;
  }

  function extend() {
    const list = element("results");
    const end = Math.min(shown.count + STEP, shown.rows.length);
    for (; shown.count < end; shown.count += 1) list.append(item(shown.rows[shown.count], shown.count));
    element("more").hidden = shown.count >= shown.rows.length;
  }

  function show(heading, state, result) {
    element("heading").textContent = heading;
    element("state").textContent = state;
    element("results").replaceChildren();
    shown = { own: -1, scores: null, ...result, count: 0 };
    extend();
    draw();
  }

  const go = (hash) => { window.location.hash = hash; };
  const said = (count) => `${count.toLocaleString("en")} ${count === 1 ? "paper" : "papers"}`;

  /** Show what the address asks for. */
  function route() {
    const asked = new URLSearchParams(window.location.hash.slice(1));
    const row = Number(asked.get("paper") ?? NaN);
    const topic = Number(asked.get("topic") ?? NaN);
    const text = (asked.get("q") || "").trim();
    element("query").value = text;
    if (!papers) return;
    const all = Array.from(papers.title.keys());
    if (papers.title[row] !== undefined && vectors) {
      show(`Similar to “${papers.title[row]}”`, "", { own: row, ...nearest(vectorOf(row), MOST, row) });
    } else if (papers.topics && papers.topics[topic]) {
      const rows = all.filter((one) => papers.topic[one] === topic);
      show(papers.topics[topic][0], `${said(rows.length)} of this topic`, { rows });
    } else if (text && vectors && model) {
      const result = found(text);
      if (!result) show("Papers", "The model knows no word of this. It reads English.", { rows: [] });
      else if (result.own >= 0) show(`Similar to “${papers.title[result.own]}”`, "", result);
      else if (result.author) show(text, said(result.rows.length), result);
      else show(`Papers near “${text}”`, "", result);
    } else {
      const state = vectors && model ? said(all.length) : "Loading the model …";
      show("Papers", state, { rows: all });
      return;
    }
    element("heading").focus({ preventScroll: true });
    element("heading").scrollIntoView({ block: "nearest" });
  }

  // ------------------------------------------------------------------ the map

  const COLOURS = ["#2f74c0", "#b65c00", "#2a8a4a", "#c23b60", "#7a53b5", "#00808a", "#8a6d00"];
  const view = { x: 5000, y: 5000, scale: 1 };
  let planned = false;

  function place(row) {
    const canvas = element("points");
    const unit = (Math.min(canvas.width, canvas.height) / 10600) * view.scale;
    return [canvas.width / 2 + (papers.x[row] - view.x) * unit, canvas.height / 2 - (papers.y[row] - view.y) * unit, unit];
  }

  function draw() {
    if (planned || !papers || !papers.topics) return;
    planned = true;
    window.requestAnimationFrame(() => { planned = false; paint(); });
  }

  function paint() {
    const canvas = element("points");
    const ratio = window.devicePixelRatio || 1;
    const [width, height] = [canvas.clientWidth * ratio, canvas.clientHeight * ratio].map(Math.round);
    if (canvas.width !== width) canvas.width = width;
    if (canvas.height !== height) canvas.height = height;
    const style = window.getComputedStyle(document.documentElement);
    const [ink, ground] = ["--ink", "--raised"].map((name) => style.getPropertyValue(name).trim());
    const pen = canvas.getContext("2d");
    pen.clearRect(0, 0, width, height);
    const marked = shown.rows.length < papers.title.length ? new Set(shown.rows.slice(0, Math.max(STEP, shown.count))) : null;
    const size = Math.max(1, 1.3 * ratio * Math.sqrt(view.scale));
    for (let row = 0; row < papers.title.length; row += 1) {
      const [x, y] = place(row);
      pen.globalAlpha = marked && !marked.has(row) ? 0.35 : 0.85;
      pen.fillStyle = COLOURS[papers.topic[row] % COLOURS.length];
      pen.fillRect(x - size, y - size, 2 * size, 2 * size);
    }
    pen.globalAlpha = 1;
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    pen.lineJoin = "round";
    const taken = [];
    const write = (text, x, y, points, bold) => {
      pen.font = `${bold ? "bold " : ""}${points * ratio}px system-ui, sans-serif`;
      const half = pen.measureText(text).width / 2 + 3 * ratio;
      const box = [x - half, y - points * ratio * 0.7, x + half, y + points * ratio * 0.7];
      const free = taken.every((other) => box[2] < other[0] || box[0] > other[2] || box[3] < other[1] || box[1] > other[3]);
      if (!free || box[0] < 0 || box[2] > width) return;
      taken.push(box);
      pen.strokeStyle = ground;
      pen.lineWidth = 3.5 * ratio;
      pen.strokeText(text, x, y);
      pen.fillStyle = ink;
      pen.fillText(text, x, y);
    };
    const spot = (row, radius) => {
      const [x, y] = place(row);
      pen.beginPath();
      pen.arc(x, y, radius * ratio, 0, 7);
      pen.fillStyle = COLOURS[papers.topic[row] % COLOURS.length];
      pen.fill();
      pen.strokeStyle = ink;
      pen.lineWidth = 1.5 * ratio;
      pen.stroke();
      return [x, y];
    };
    if (marked && shown.scores) {
      shown.rows.slice(0, 10).forEach((row, number) => {
        const [x, y] = spot(row, 5);
        write(`${number + 1}`, x + 10 * ratio, y - 8 * ratio, 12, true);
      });
    }
    if (shown.own >= 0) spot(shown.own, 8);
    if (hovered >= 0) spot(hovered, 7);
    papers.topics.forEach(([name, x, y]) => {
      const unit = (Math.min(width, height) / 10600) * view.scale;
      write(name, width / 2 + (x - view.x) * unit, height / 2 - (y - view.y) * unit, 12.5, true);
    });
  }

  function hover(row) {
    if (hovered === row) return;
    hovered = row;
    const tip = element("tip");
    tip.hidden = row < 0;
    if (row >= 0) tip.textContent = papers.title[row];
    draw();
  }

  function rowAt(event) {
    const canvas = element("points");
    const box = canvas.getBoundingClientRect();
    const ratio = window.devicePixelRatio || 1;
    const [x, y] = [(event.clientX - box.left) * ratio, (event.clientY - box.top) * ratio];
    let best = -1;
    let least = (12 * ratio) ** 2;
    for (let row = 0; row < papers.title.length; row += 1) {
      const [px, py] = place(row);
      const apart = (px - x) ** 2 + (py - y) ** 2;
      if (apart < least) [best, least] = [row, apart];
    }
    return best;
  }

  function zoom(times) {
    view.scale = Math.min(60, Math.max(1, view.scale * times));
    if (view.scale === 1) Object.assign(view, { x: 5000, y: 5000 });
    draw();
  }

  function startMap() {
    if (!papers.topics) return;
    const canvas = element("points");
    element("map").hidden = false;
    element("to-map").hidden = false;
    element("to-map").addEventListener("click", () => {
      element("map").focus({ preventScroll: true });
      element("map").scrollIntoView();
    });
    element("main").classList.add("with-map");
    // A phone has no room for both lists.
    element("topics-box").open = window.innerWidth > 700;
    const sizes = papers.topics.map((_, number) => papers.topic.filter((one) => one === number).length);
    Array.from(sizes.keys()).sort((a, b) => sizes[b] - sizes[a]).forEach((number) => {
      const one = made("li");
      const button = made("button", `${papers.topics[number][0]} ${sizes[number]}`, { type: "button" });
      button.addEventListener("click", () => go(`topic=${number}`));
      one.append(button);
      element("topics").append(one);
    });
    let held = null;
    canvas.addEventListener("pointerdown", (event) => { held = { x: event.clientX, y: event.clientY, moved: false }; });
    canvas.addEventListener("pointermove", (event) => {
      if (!held || !event.buttons) { hover(rowAt(event)); return; }
      const [dx, dy] = [event.clientX - held.x, event.clientY - held.y];
      if (!held.moved && Math.hypot(dx, dy) < 4) return;
      const unit = place(0)[2] / (window.devicePixelRatio || 1);
      Object.assign(view, { x: view.x - dx / unit, y: view.y + dy / unit });
      held = { x: event.clientX, y: event.clientY, moved: true };
      draw();
    });
    canvas.addEventListener("pointerup", (event) => {
      const row = held && !held.moved ? rowAt(event) : -1;
      held = null;
      if (row >= 0) go(`paper=${row}`);
    });
    canvas.addEventListener("pointerleave", () => { held = null; hover(-1); });
    canvas.addEventListener("wheel", (event) => { event.preventDefault(); zoom(event.deltaY < 0 ? 1.2 : 1 / 1.2); }, { passive: false });
    element("nearer").addEventListener("click", () => zoom(1.5));
    element("farther").addEventListener("click", () => zoom(1 / 1.5));
    element("whole").addEventListener("click", () => zoom(0));
    window.addEventListener("resize", draw);
    window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
    draw();
  }

  // ------------------------------------------------------------------ start

  element("search").addEventListener("submit", (event) => {
    event.preventDefault();
    const text = element("query").value.trim();
    const hash = text ? new URLSearchParams({ q: text }).toString() : "";
    if (window.location.hash.slice(1) === hash) route();
    else go(hash);
  });
  element("more").addEventListener("click", extend);
  window.addEventListener("hashchange", route);
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && !/^(INPUT|TEXTAREA)$/.test(document.activeElement.tagName)) {
      event.preventDefault();
      element("query").focus();
    }
  });

  const ready = (async () => {
    papers = JSON.parse(await unpackedText((await part("papers")).papers));
    papers.abstract = papers.abstract || [];
    startMap();
    route();
    await readVectors();
    await readModel();
    route();
  })();
  ready.catch((error) => { element("state").textContent = `The site cannot be shown: ${error.message}`; });

  /** For programs and tests: the vector of a text, and the rows nearest to it. */
  window.swimmerSite = {
    ready,
    embed: (text) => { const vector = embed(text); return vector && Array.from(vector); },
    search: (text, count = 10) => { const result = found(text); return result ? result.rows.slice(0, count) : []; },
  };
})();
