// Draws many points: with WebGL where there is a graphics card, else on a 2D canvas.
(function () {
  "use strict";

  // WebGL that the processor computes.
  const SOFTWARE = /swiftshader|llvmpipe|softpipe|software|basic render/i;
  const VERTEX = `
    attribute vec2 place;
    attribute vec4 colour;
    uniform vec4 view;
    uniform float size;
    varying vec4 shade;
    void main() {
      gl_Position = vec4(place * view.xy + view.zw, 0.0, 1.0);
      gl_PointSize = size;
      shade = colour;
    }`;
  const FRAGMENT = `
    precision highp float;
    uniform float size;
    varying vec4 shade;
    void main() {
      float edge = size * (0.5 - length(gl_PointCoord - 0.5));
      float opacity = shade.a * clamp(edge + 0.5, 0.0, 1.0);
      gl_FragColor = vec4(shade.rgb * opacity, opacity);
    }`;

  // Both have `set(x, y, colours)` and `draw(view, size)`. `colours` holds red, green, blue and
  // opacity, a byte each. A view has the pixels of a unit and where the origin is on the canvas.
  function webgl(canvas) {
    const gl = canvas.getContext("webgl", { antialias: false, depth: false, stencil: false });
    if (!gl) return null;
    const program = gl.createProgram();
    for (const [kind, text] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
      const shader = gl.createShader(kind);
      gl.shaderSource(shader, text);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS)) return null;
    gl.useProgram(program);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    const where = { view: gl.getUniformLocation(program, "view"), size: gl.getUniformLocation(program, "size") };
    const buffers = { place: gl.createBuffer(), colour: gl.createBuffer() };
    let count = 0;

    function fill(name, values, each, type, whole) {
      const at = gl.getAttribLocation(program, name);
      gl.bindBuffer(gl.ARRAY_BUFFER, buffers[name]);
      gl.bufferData(gl.ARRAY_BUFFER, values, gl.STATIC_DRAW);
      gl.enableVertexAttribArray(at);
      gl.vertexAttribPointer(at, each, type, whole, 0, 0);
    }

    return {
      kind: "webgl",
      set(x, y, colours) {
        count = x.length;
        const places = new Float32Array(2 * count);
        for (let i = 0; i < count; i++) { places[2 * i] = x[i]; places[2 * i + 1] = y[i]; }
        fill("place", places, 2, gl.FLOAT, false);
        fill("colour", colours, 4, gl.UNSIGNED_BYTE, true);
      },
      draw(view, size) {
        const { width, height } = canvas;
        gl.viewport(0, 0, width, height);
        gl.clearColor(0, 0, 0, 0);
        gl.clear(gl.COLOR_BUFFER_BIT);
        gl.uniform4f(where.view, (2 * view.unit) / width, (2 * view.unit) / height,
          (2 * view.left) / width - 1, 1 - (2 * view.top) / height);
        gl.uniform1f(where.size, size);
        if (count) gl.drawArrays(gl.POINTS, 0, count);
      },
    };
  }

  // Writes the pixels itself: with many points faster than the canvas' own circles, and than a
  // WebGL that the processor computes. Of points on one pixel the one that covers more of it wins.
  function plain(canvas) {
    const context = canvas.getContext("2d");
    let points = { x: [], y: [], colours: new Uint32Array(0) };
    let image = null, pixels = null, disc = null;

    // The pixels around the middle of a point, and how much of each it covers, out of 256.
    function discOf(size, width) {
      const reach = Math.ceil(size / 2), moves = [], covers = [];
      for (let dy = -reach; dy <= reach; dy++) {
        for (let dx = -reach; dx <= reach; dx++) {
          const cover = Math.min(1, Math.max(0, size / 2 - Math.hypot(dx, dy) + 0.5));
          if (cover < 0.1) continue;
          moves.push(dy * width + dx);
          covers.push(Math.round(256 * cover));
        }
      }
      return { size, width, reach, moves: Int32Array.from(moves), covers: Int32Array.from(covers) };
    }

    return {
      kind: "canvas",
      set(x, y, colours) { points = { x, y, colours: new Uint32Array(colours.buffer) }; },
      draw(view, size) {
        const { width, height } = canvas;
        if (!image || image.width !== width || image.height !== height) {
          image = context.createImageData(width, height);
          pixels = new Uint32Array(image.data.buffer);
        }
        if (!disc || disc.size !== size || disc.width !== width) disc = discOf(size, width);
        const { x, y, colours } = points, { reach, moves, covers } = disc, { unit, left, top } = view;
        const right = width - reach - 1, low = height - reach - 1, parts = moves.length;
        pixels.fill(0);
        for (let i = 0; i < colours.length; i++) {
          const px = (x[i] * unit + left + 0.5) | 0, py = (top - y[i] * unit + 0.5) | 0;
          if (px < reach || py < reach || px > right || py > low) continue;
          const middle = py * width + px, shade = colours[i] & 0xffffff, opacity = colours[i] >>> 24;
          for (let part = 0; part < parts; part++) {
            const at = middle + moves[part], covered = (opacity * covers[part]) >> 8;
            if (covered >= pixels[at] >>> 24) pixels[at] = (covered << 24) | shade;
          }
        }
        context.putImageData(image, 0, 0);
      },
    };
  }

  // Who draws WebGL in this browser, "" where there is none.
  function renderer() {
    const gl = document.createElement("canvas").getContext("webgl");
    const facts = gl && gl.getExtension("WEBGL_debug_renderer_info");
    return gl ? String(gl.getParameter(facts ? facts.UNMASKED_RENDERER_WEBGL : gl.RENDERER)) : "";
  }

  function painter(canvas) {
    const by = renderer();
    return by && !SOFTWARE.test(by) ? webgl(canvas) || plain(canvas) : plain(canvas);
  }

  window.swimmerMap = { painter, renderer, webgl, plain };
})();
