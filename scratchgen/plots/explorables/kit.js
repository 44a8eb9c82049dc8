// What all explorables share: arrays, a canvas as sharp as the screen, pointers and keys, sliders. No library.
"use strict";

globalThis.explorables ??= {};

globalThis.explorables.kit = (() => {
  /** Numbers that Python packed: {"type": "f4" | "u1", "shape": [...], "data": base64}. */
  function unpack(packed) {
    const bytes = Uint8Array.from(atob(packed.data), (letter) => letter.charCodeAt(0));
    const numbers = packed.type === "f4" ? new Float32Array(bytes.buffer) : bytes;
    return { numbers, shape: packed.shape };
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

  /** A canvas that is drawn anew whenever its size, the screen or the page's colours change. */
  function stage(parent, { ratio, label, draw }) {
    const canvas = add(parent, "canvas", { tabindex: "0", role: "img", "aria-label": label });
    const context = canvas.getContext("2d");
    function paint() {
      const width = canvas.clientWidth, height = Math.round(width * ratio), dots = window.devicePixelRatio || 1;
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

  /** Call move(x, y) with places from 0 to 1, while a finger or a mouse is down; arrows call step(dx, dy). */
  function drag(canvas, { begin = () => {}, move, step }) {
    const place = (event) => {
      const box = canvas.getBoundingClientRect();
      return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
    };
    canvas.style.touchAction = "none"; // a finger drags the point, not the page
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

  return { unpack, add, stage, drag, slider, picture };
})();
