// What all explorables share: arrays, random numbers, a canvas as sharp as the screen and marks on it, pointers
// and keys, sliders, buttons, a clock. No library.
"use strict";

globalThis.explorables ??= {};

globalThis.explorables.kit = (() => {
  // As plots/style.py has them.
  const CATEGORIES = [
    "#3f90da", "#ffa90e", "#bd1f01", "#94a4a2", "#832db6", "#a96b59", "#e76300", "#b9ac70", "#717581", "#92dadd",
  ];

  /** Numbers that Python packed: {"type": "f4" | "u1", "shape": [...], "data": base64}. */
  function unpack(packed) {
    const bytes = Uint8Array.from(atob(packed.data), (letter) => letter.charCodeAt(0));
    const numbers = packed.type === "f4" ? new Float32Array(bytes.buffer) : bytes;
    return { numbers, shape: packed.shape };
  }

  /** Random numbers that are the same at each visit: mulberry32, and Box and Muller's normal ones. */
  function random(seed) {
    let state = seed >>> 0;
    const uniform = () => {
      state = (state + 0x6d2b79f5) >>> 0;
      let mixed = Math.imul(state ^ (state >>> 15), state | 1);
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
    };
    const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
    return { uniform, normal };
  }

  /** An element with attributes and children, put at the end of its parent. */
  function add(parent, tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    parent.append(element);
    return element;
  }

  /** The page's colours, which differ between light and dark. */
  function colours() {
    const style = getComputedStyle(document.body);
    const named = (...names) => names.map((name) => style.getPropertyValue(name).trim()).find((value) => value);
    return {
      ink: named("--ink", "--color-foreground-primary") || "#1c1e21",
      soft: named("--soft", "--color-foreground-secondary") || "#62676e",
      line: named("--line", "--color-background-border") || "#e4e1dc",
      card: named("--card", "--color-background-primary") || "#ffffff",
      accent: named("--accent", "--color-brand-primary") || "#1f5fa8",
    };
  }

  /** A canvas that is drawn anew whenever its size, the screen or the page's colours change; `ratio`, its height
   * in widths, may be a function of the width. */
  function stage(parent, { ratio, label, draw }) {
    const canvas = add(parent, "canvas", { role: "img", "aria-label": label });
    const context = canvas.getContext("2d");
    function paint() {
      const width = canvas.clientWidth, dots = window.devicePixelRatio || 1;
      const height = Math.round(width * (typeof ratio === "function" ? ratio(width) : ratio));
      canvas.style.height = `${height}px`;
      canvas.width = Math.round(width * dots);
      canvas.height = Math.round(height * dots);
      context.setTransform(dots, 0, 0, dots, 0, 0);
      draw(context, width, height, colours());
    }
    new ResizeObserver(paint).observe(parent);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", paint);
    new MutationObserver(paint).observe(document.body, { attributes: true, attributeFilter: ["data-theme"] });
    return { canvas, paint };
  }

  /** Call move(x, y) with places from 0 to 1, while a finger or a mouse is down; arrows call step(dx, dy).
   * `touch` says what a finger still does to the page: "pan-y" scrolls it where only left and right count. */
  function drag(canvas, { begin = () => {}, move, step, touch = "none" }) {
    const place = (event) => {
      const box = canvas.getBoundingClientRect();
      return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
    };
    canvas.style.touchAction = touch;
    canvas.tabIndex = 0;
    canvas.addEventListener("pointerdown", (event) => {
      if (canvas.setPointerCapture && event.isTrusted) canvas.setPointerCapture(event.pointerId);
      canvas.held = true;
      begin(...place(event));
      move(...place(event));
    });
    canvas.addEventListener("pointermove", (event) => canvas.held && move(...place(event)));
    for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => (canvas.held = false));
    const keys = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    canvas.addEventListener("keydown", (event) => {
      if (!(event.key in keys)) return;
      event.preventDefault();
      step(...keys[event.key].map((way) => way * (event.shiftKey ? 5 : 1)));
    });
  }

  /** A slider over whole numbers 0 .. count - 1, with words that say where it stands. */
  function slider(parent, { name, count, value, words, change }) {
    const label = add(parent, "label", {}, `${name} `);
    const input = add(label, "input", { type: "range", min: 0, max: count - 1, step: 1, value });
    const output = add(label, "output", {}, words(value));
    input.addEventListener("input", () => {
      output.textContent = words(Number(input.value));
      input.setAttribute("aria-valuetext", output.textContent);
      change(Number(input.value));
    });
    return { input, set: (number) => ((input.value = number), (output.textContent = words(number))) };
  }

  /** A button. */
  function button(parent, words, click) {
    const made = add(parent, "button", { type: "button" }, words);
    made.addEventListener("click", click);
    return made;
  }

  /** One of a few: buttons of which one is down. */
  function choice(parent, { name, options, value, change }) {
    const group = add(parent, "div", { class: "choice", role: "group", "aria-label": name });
    add(group, "span", {}, name);
    const buttons = options.map((words, i) => button(group, words, () => (set(i), change(i))));
    const set = (chosen) => buttons.forEach((one, i) => one.setAttribute("aria-pressed", String(i === chosen)));
    set(value);
    return { buttons, set };
  }

  /** Call frame() for each picture of the screen, until it says false or is stopped; `said` has the state. */
  function clock(frame, said = () => {}) {
    let running = false;
    const tick = () => {
      if (!running) return;
      if (frame() === false) stop();
      else requestAnimationFrame(tick);
    };
    const stop = () => ((running = false), said(false));
    const start = () => running || ((running = true), said(true), requestAnimationFrame(tick));
    return { start, stop, toggle: () => (running ? stop() : start()) };
  }

  /** Places in a chart: x and y map numbers to the screen, z maps a place from 0 to 1 back to a number. */
  function chart(width, height, [left, right], [low, high], pad = 0) {
    const x = (number) => ((number - left) / (right - left)) * width;
    const y = (number) => height - pad - ((number - low) / (high - low)) * (height - 2 * pad);
    return { x, y, z: (place) => left + place * (right - left) };
  }

  /** A line through points, or the area below it down to the height `base`. */
  function line(context, points, { colour, width = 2, dash = [], base = null, alpha = 1 }) {
    context.save();
    context.globalAlpha = alpha;
    context.beginPath();
    points.forEach(([x, y], i) => (i ? context.lineTo(x, y) : context.moveTo(x, y)));
    if (base === null) {
      Object.assign(context, { strokeStyle: colour, lineWidth: width, lineJoin: "round" });
      context.setLineDash(dash);
      context.stroke();
    } else {
      context.lineTo(points[points.length - 1][0], base);
      context.lineTo(points[0][0], base);
      context.fillStyle = colour;
      context.fill();
    }
    context.restore();
  }

  /** An arrow, unless it is too short to be seen. */
  function arrow(context, [x, y], [toX, toY], colour, width = 1.5, head = 5) {
    const angle = Math.atan2(toY - y, toX - x), length = Math.hypot(toX - x, toY - y), size = Math.min(head, length);
    if (length < 1.5) return;
    const wing = (turn) => [toX - size * Math.cos(angle + turn), toY - size * Math.sin(angle + turn)];
    line(context, [[x, y], [toX, toY]], { colour, width });
    line(context, [wing(0.5), [toX, toY], wing(-0.5)], { colour, width });
  }

  /** Words; `halo` is the ground's colour, drawn around them so that they can be read on top of a drawing. */
  function text(context, words, x, y, { colour, size = 12, align = "left", weight = 400, halo = "" }) {
    context.font = `${weight} ${size}px system-ui, sans-serif`;
    context.textAlign = align;
    Object.assign(context, { fillStyle: colour, strokeStyle: halo, lineWidth: 4, lineJoin: "round" });
    if (halo) context.strokeText(words, x, y);
    context.fillText(words, x, y);
    context.textAlign = "left";
  }

  /** A disc to take hold of, perhaps with a letter. */
  function disc(context, [x, y], radius, fill, stroke, letter = "") {
    context.beginPath();
    context.arc(x, y, radius, 0, 2 * Math.PI);
    Object.assign(context, { fillStyle: fill, strokeStyle: stroke, lineWidth: 2.5 });
    context.fill();
    context.stroke();
    text(context, letter, x, y + 4, { colour: stroke, size: 11, weight: 600, align: "center" });
  }

  /** A number with a true minus sign. */
  const shown = (number, digits = 2) => number.toFixed(digits).replace(/^-(0\.?0*)$/, "$1").replace("-", "\u2212");

  /** Grey numbers from 0 to 1 as squares, white on black as everywhere here. */
  function picture(context, grey, side, x, y, size) {
    const pixel = size / side;
    grey.forEach((level, i) => {
      const shade = Math.round(255 * Math.min(1, Math.max(0, level)));
      context.fillStyle = `rgb(${shade},${shade},${shade})`;
      const left = x + (i % side) * pixel, top = y + Math.floor(i / side) * pixel;
      context.fillRect(left, top, pixel + 0.5, pixel + 0.5);
    });
  }

  /** Begin: every figure that names an explorable, with the numbers that stand beside it. */
  function start() {
    for (const root of document.querySelectorAll("[data-explorable]")) {
      const data = JSON.parse(root.querySelector("script").textContent);
      globalThis.explorables[root.dataset.explorable].mount(root, data);
    }
  }
  if (typeof document !== "undefined") document.addEventListener("DOMContentLoaded", start);

  return {
    CATEGORIES, unpack, random, add, stage, drag, slider, button, choice, clock, chart, line, arrow, text, disc, shown,
    picture,
  };
})();
