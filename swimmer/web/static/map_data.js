// What the map draws: papers as they are needed, points as columns, and the shades of colours.
(function () {
  "use strict";

  // Colours that people who do not see red and green can tell apart, for light and for dark pages.
  const KINDS = {
    light: ["#0072b2", "#d55e00", "#009e73", "#b8578f", "#c98a00", "#3f9fd6", "#6f7782"],
    dark: ["#4fa3e3", "#ff8d52", "#2cc69a", "#e59cc6", "#f0b93f", "#93d3f7", "#a9b2bc"],
  };
  // Of a scale the strong end is the one that stands out from the page.
  const SCALES = {
    light: ["#c9d3de", "#8db4dc", "#3f7fc0", "#6a3d9a", "#4a0d3f"],
    dark: ["#39444f", "#2f62a3", "#4f9fe0", "#b9c98a", "#ffe27a"],
  };

  // What the page of a server asks for.
  function remote(root, json) {
    const held = new Map(), coming = new Set();
    const with_ = (address, name, value) => `${address}&${name}=${encodeURIComponent(value)}`;
    return {
      known: (point) => held.get(point),
      async load(points) {
        const wanted = points.filter((point) => !coming.has(point) && !held.has(point)).slice(0, 100);
        if (!wanted.length) return;
        wanted.forEach((point) => coming.add(point));
        try {
          const found = await json(with_(root.dataset.papers, "points", wanted.join(",")));
          wanted.forEach((point, i) => held.set(point, {
            title: found.title[i], authors: found.authors[i], page: found.page[i], url: found.url[i],
          }));
        } finally {
          wanted.forEach((point) => coming.delete(point));
        }
      },
      find: async (text) => (await json(with_(root.dataset.find, "text", text))).points,
      colours: (by) => json(with_(root.dataset.colours, "by", by)),
    };
  }

  // What a file carries itself.
  function carried(data) {
    return {
      known: (point) => ({ title: data.title[point], authors: data.authors[point], url: data.url[point], page: "" }),
      load: async () => {},
      async find(text) {
        const wanted = text.toLocaleLowerCase(), found = [];
        data.title.forEach((title, i) => { if (title.toLocaleLowerCase().includes(wanted)) found.push(i); });
        return found;
      },
      colours: async (by) => data.colours[by],
    };
  }

  // The numbers of the points from the top down: neighbours in memory are neighbours on the screen,
  // which halves the time that many points take.
  function byHeight(y, bounds) {
    const bands = 1024, starts = new Uint32Array(bands + 1), order = new Uint32Array(y.length);
    const band = (value) => {
      const part = (bounds.y + bounds.height / 2 - value) / bounds.height;
      return Math.min(bands - 1, Math.max(0, Math.floor(bands * part)));
    };
    for (let i = 0; i < y.length; i++) starts[band(y[i]) + 1]++;
    for (let i = 0; i < bands; i++) starts[i + 1] += starts[i];
    for (let i = 0; i < y.length; i++) order[starts[band(y[i])]++] = i;
    return order;
  }

  const rgb = (text) => [1, 3, 5].map((at) => parseInt(text.slice(at, at + 2), 16));

  function between(stops, part) {
    const at = part * (stops.length - 1), low = Math.min(Math.floor(at), stops.length - 2);
    return stops[low].map((value, i) => Math.round(value + (stops[low + 1][i] - value) * (at - low)));
  }

  function extent(x, y) {
    let left = Infinity, right = -Infinity, low = Infinity, high = -Infinity;
    for (let i = 0; i < x.length; i++) {
      left = Math.min(left, x[i]);
      right = Math.max(right, x[i]);
      low = Math.min(low, y[i]);
      high = Math.max(high, y[i]);
    }
    return {
      x: (left + right) / 2, y: (low + high) / 2,
      width: Math.max(right - left, 1e-6), height: Math.max(high - low, 1e-6),
    };
  }

  // The columns of many points are texts, a character for each digit.
  function unpacked(data) {
    if (!data.digits) return data;
    const value = new Uint8Array(128), read = (text) => Uint8Array.from(text, (one) => value[one.charCodeAt(0)]);
    Array.from(data.digits, (one, i) => { value[one.charCodeAt(0)] = i; });
    const place = ([high, low]) => {
      const first = read(high), second = read(low);
      return Int16Array.from(first, (digit, i) => digit * data.digits.length + second[i] + data.lowest);
    };
    return { ...data, x: place(data.x), y: place(data.y), topic: read(data.topic) };
  }

  // The colours of the numbers of a colouring, as red, green and blue.
  function shadesOf(colours, theme) {
    const kinds = KINDS[theme].map(rgb), stops = SCALES[theme].map(rgb);
    if (!colours.legend.length) return kinds;
    const steps = Math.max(colours.legend.filter((one) => !one.rest).length - 1, 1);
    return colours.legend.map((one, i) => {
      if (one.rest) return kinds[kinds.length - 1];
      return colours.scale ? between(stops, i / steps) : kinds[i];
    });
  }

  Object.assign(window.swimmerMap, { remote, carried, unpacked, byHeight, extent, shadesOf });
})();
