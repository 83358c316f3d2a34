// Where the names, the titles and the numbers of hits stand on the map, so that none overlap.
(function () {
  "use strict";

  const ROUNDS = 80;
  const pen = document.createElement("canvas").getContext("2d");
  const measured = new Map();

  // Lines of about this many characters, at most `most` of them.
  function wrapped(text, length, most) {
    const lines = [];
    for (const word of text.split(/\s+/)) {
      const last = lines[lines.length - 1];
      if (last !== undefined && (last + " " + word).length <= length) lines[lines.length - 1] = last + " " + word;
      else lines.push(word);
    }
    if (lines.length > most) lines[most - 1] += " …";
    return lines.slice(0, most).map((line) => (line.length > 2 * length ? line.slice(0, 2 * length) + "…" : line));
  }

  // A name that is longer than this is broken in two, nearest to its middle.
  function inTwo(name) {
    if (name.length < 17 || !name.includes(" ")) return [name];
    let best = -1;
    for (let i = 0; i < name.length; i++) {
      if (name[i] === " " && (best < 0 || Math.abs(i - name.length / 2) < Math.abs(best - name.length / 2))) best = i;
    }
    return [name.slice(0, best), name.slice(best + 1)];
  }

  function sizeOf(lines, font, line) {
    const key = font + lines.join("\n");
    if (!measured.has(key)) {
      pen.font = font;
      const width = Math.max(...lines.map((text) => pen.measureText(text).width));
      measured.set(key, { width: Math.ceil(width) + 6, height: lines.length * line + 2 });
    }
    return measured.get(key);
  }

  const overlap = (a, b) => a.left < b.left + b.width && b.left < a.left + a.width
    && a.top < b.top + b.height && b.top < a.top + a.height;

  // Labels in turns: each takes the first of its places that is free, or is left out. A label has
  // `lines`, `font`, `line` (its height), the point `x`, `y`, and how far `away` it may stand from
  // it, nearest first; without, it stands over the point, or the `shifts` above and below it. A name that the side would cut off moves in.
  function placed(labels, taken, width, height) {
    const boxes = taken.slice(), found = [];
    for (const label of labels) {
      if (label.x < 0 || label.y < 0 || label.x > width || label.y > height) continue;
      const size = sizeOf(label.lines, label.font, label.line), { away } = label;
      const middle = { left: label.x - size.width / 2, top: label.y - size.height / 2 };
      const beside = (by) => [
        { left: label.x + by, top: middle.top }, { left: label.x - by - size.width, top: middle.top },
        { left: middle.left, top: label.y - by - size.height }, { left: middle.left, top: label.y + by },
      ];
      const places = away
        ? away.flatMap(beside) : (label.shifts || [0, 14, -14]).map((by) => ({ left: middle.left, top: middle.top + by }));
      for (const place of places) {
        const box = {
          left: Math.min(Math.max(place.left, 2), Math.max(2, width - size.width - 2)),
          top: Math.min(Math.max(place.top, 2), Math.max(2, height - size.height - 2)),
          ...size,
        };
        // A title that would be moved over its own point is better left out.
        if (away && Math.abs(box.left - place.left) + Math.abs(box.top - place.top) > 4) continue;
        if (boxes.some((other) => overlap(box, other))) continue;
        boxes.push(box);
        found.push({ ...label, box });
        break;
      }
    }
    return found;
  }

  // Moves marks apart until each can be read. `marks` and `fixed` have x, y and a radius.
  function spread(marks, fixed) {
    const moved = marks.map((mark) => ({ ...mark }));
    for (let round = 0; round < ROUNDS; round++) {
      let still = true;
      moved.forEach((one, i) => {
        for (const other of [...moved.slice(0, i), ...fixed]) {
          const least = one.radius + other.radius;
          let dx = one.x - other.x, dy = one.y - other.y;
          const apart = Math.hypot(dx, dy);
          if (apart >= least) continue;
          still = false;
          // Marks on one point part in directions of their own.
          if (apart < 0.01) { dx = Math.cos(2.4 * i); dy = Math.sin(2.4 * i); }
          const by = (least - apart) / (apart < 0.01 ? 1 : apart), free = fixed.includes(other) ? 1 : 0.5;
          one.x += dx * by * free;
          one.y += dy * by * free;
          if (free < 1) { other.x -= dx * by * free; other.y -= dy * by * free; }
        }
      });
      if (still) break;
    }
    return moved;
  }

  Object.assign(window.swimmerMap, { wrapped, inTwo, placed, spread });
})();
