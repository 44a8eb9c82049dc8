// The shop: naive Bayes from counts that can be edited, beside a truth that is known.
"use strict";

globalThis.explorables.shop = (() => {
  const kit = globalThis.explorables.kit;
  const ALPHAS = [0, 0.1, 0.3, 1, 3, 10, 30], MOST = 30, LOOKS = 10; // MOST: the largest count
  const SLOTS = 8; // bars in a row
  const MODEL = [3, 4, 0, 2, 1]; // who wears a level, to show it: long red hair, no glasses, a blue shirt
  const FLAGS = { seen: kit.CATEGORIES[3], new: kit.CATEGORIES[0], impossible: kit.CATEGORIES[2] };

  /** theta_k = (n_k + alpha) / (n + alpha K), for each attribute. */
  function smooth(counts, alpha) {
    return counts.map((row) => {
      const total = row.reduce((sum, count) => sum + count + alpha, 0);
      return row.map((count) => (count + alpha) / total);
    });
  }

  /** The levels of the look of a number, the last attribute changing fastest; and its number. */
  function levelsOf(number, sizes) {
    const levels = Array(sizes.length);
    for (let k = sizes.length - 1; k >= 0; k--) {
      levels[k] = number % sizes[k];
      number = Math.floor(number / sizes[k]);
    }
    return levels;
  }
  const numberOf = (levels, sizes) => levels.reduce((number, level, k) => number * sizes[k] + level, 0);

  /** p log(p / q), which is 0 where p is. */
  const term = (p, q) => (p > 0 ? p * Math.log(p / q) : 0);

  /** How far the model is from the truth, in nats: in all, by attribute, and what no marginal can mend;
   * and how much of what it draws is seen, new, and impossible. */
  function compare({ truth, sizes, marginals, seen }, theta) {
    const mass = { seen: 0, new: 0, impossible: 0 };
    let kl = 0, correlation = 0;
    truth.forEach((p, number) => {
      const levels = levelsOf(number, sizes);
      const q = levels.reduce((product, level, k) => product * theta[k][level], 1);
      kl += term(p, q);
      correlation += term(p, levels.reduce((product, level, k) => product * marginals[k][level], 1));
      mass[seen.has(number) ? "seen" : p > 0 ? "new" : "impossible"] += q;
    });
    const parts = marginals.map((row, k) => row.reduce((sum, p, level) => sum + term(p, theta[k][level]), 0));
    return { kl, correlation, parts, mass };
  }

  /** Looks drawn from the model by uniform numbers, five for each. */
  function draw(theta, uniform) {
    return Array.from({ length: LOOKS }, () => theta.map((row) => {
      let left = uniform();
      const level = row.findIndex((share) => (left -= share) < 0);
      return level < 0 ? row.findLastIndex((share) => share > 0) : level;
    }));
  }

  /** Numbers as Python packed them, made ready. */
  function prepare(data) {
    const sizes = data.names.map((row) => row.length), rounded = Array.from(kit.unpack(data.truth).numbers);
    const total = rounded.reduce((a, b) => a + b, 0), truth = rounded.map((p) => p / total);
    const marginals = sizes.map((size) => Array(size).fill(0));
    truth.forEach((p, number) => levelsOf(number, sizes).forEach((level, k) => (marginals[k][level] += p)));
    return { ...data, truth, sizes, marginals, seen: new Set(data.seen) };
  }

  function mount(root, data) {
    const shown = prepare(data), sheets = new Image();
    let counts = data.counts.map((row) => [...row]), alpha = 0, seed = 3, chosen = [0, 3];
    let theta, found, looks;
    const left = kit.add(root, "div", { class: "panel" }), right = kit.add(root, "div", { class: "panel" });
    kit.add(left, "p", { class: "title" }, "What the shop has counted: drag a bar");
    const shelf = kit.stage(left, {
      ratio: 1.5, label: "Counts of five attributes: drag a bar, or choose by left and right, change by up and down",
      draw: drawShelf,
    });
    const named = kit.add(left, "p", { "aria-live": "polite" });
    const buttons = kit.add(left, "div", { class: "controls" });
    kit.button(buttons, "\u2212", () => change(-1)).setAttribute("aria-label", "one fewer");
    kit.button(buttons, "+", () => change(1)).setAttribute("aria-label", "one more");
    kit.button(buttons, "as observed", () => ((counts = data.counts.map((row) => [...row])), go()));
    kit.slider(left, {
      name: "alpha", count: ALPHAS.length, value: 0, words: (i) => String(ALPHAS[i]),
      change: (i) => ((alpha = ALPHAS[i]), go()),
    });
    const title = kit.add(right, "p", { class: "title" });
    const bar = kit.stage(right, { ratio: 0.24, label: "How far the model is from the truth, in nats", draw: drawBar });
    const says = kit.add(right, "p", { class: "says", "aria-live": "polite" });
    const wall = kit.stage(right, { ratio: 0.56, label: "Ten looks that the model expects", draw: drawWall });
    const masses = kit.stage(right, { ratio: 0.17, label: "How much of what it draws exists", draw: drawMasses });
    const controls = kit.add(right, "div", { class: "controls" });
    kit.button(controls, "ten others", () => ((seed += 1), go())).className = "first";
    kit.drag(shelf.canvas, {
      begin: (x, y) => {
        const k = Math.min(shown.sizes.length - 1, Math.floor(y * shown.sizes.length));
        chosen = [k, Math.min(shown.sizes[k] - 1, Math.floor(x * SLOTS))];
      },
      move: (_, y) => {
        const place = bars(shelf.canvas.clientHeight, chosen[0]);
        set(Math.round((MOST * (place.floor - y * shelf.canvas.clientHeight)) / place.tall));
      },
      step: (dx, dy) => {
        const flat = shown.sizes.flatMap((size, k) => Array.from({ length: size }, (_, level) => [k, level]));
        const at = flat.findIndex(([k, level]) => k === chosen[0] && level === chosen[1]);
        chosen = flat[Math.min(flat.length - 1, Math.max(0, at + Math.sign(dx)))];
        change(-dy);
      },
    });
    sheets.addEventListener("load", () => [shelf, wall].forEach((one) => one.paint()));
    sheets.src = data.sheets;
    go();

    function set(count) {
      counts[chosen[0]][chosen[1]] = Math.min(MOST, Math.max(0, count));
      if (counts[chosen[0]].every((one) => one === 0)) counts[chosen[0]][chosen[1]] = 1; // somebody was there
      go();
    }
    function change(by) {
      set(counts[chosen[0]][chosen[1]] + by);
    }
    function go() {
      theta = smooth(counts, alpha);
      found = compare(shown, theta);
      looks = draw(theta, kit.random(seed).uniform);
      const [k, level] = chosen;
      named.textContent =
        `${shown.titles[k]}, ${shown.names[k][level]}: counted ${counts[k][level]} times, ` +
        `probability ${kit.shown(100 * theta[k][level], 1)} % (truly ${kit.shown(100 * shown.marginals[k][level], 1)} %)`;
      title.textContent = `From the truth: ${Number.isFinite(found.kl) ? kit.shown(found.kl) : "infinitely many"} nats`;
      says.textContent = verdict();
      for (const one of [shelf, bar, wall, masses]) one.paint();
    }
    function verdict() {
      const rest = found.parts.reduce((a, b) => a + b, 0), least = kit.shown(found.correlation);
      if (!Number.isFinite(found.kl)) return "It rules out looks that do exist: one count of 0 is enough. Add alpha.";
      if (rest < 0.005) return `No naive Bayes model comes nearer: ${least} nats are the total correlation of the truth.`;
      return `${least} nats are the total correlation, which no count can mend; ${kit.shown(rest)} are wrong counts.`;
    }
    function portrait(context, levels, x, y, size) {
      context.imageSmoothingEnabled = false;
      context.fillStyle = shown.ground;
      context.fillRect(x, y, size, size);
      if (!sheets.complete) return;
      for (const { first, by } of shown.layers) {
        const i = first + by.reduce((number, k) => number * shown.sizes[k] + levels[k], 0), side = shown.size;
        const from = [(i % shown.columns) * side, Math.floor(i / shown.columns) * side];
        context.drawImage(sheets, ...from, side, side, x, y, size, size);
      }
    }
    function bars(height, k) {
      const row = height / shown.sizes.length, face = 0.32 * row;
      return { top: k * row, floor: (k + 1) * row - face - 5, tall: row - face - 34, face };
    }
    function drawShelf(context, width, height, colour) {
      context.clearRect(0, 0, width, height);
      const slot = width / SLOTS;
      shown.sizes.forEach((size, k) => {
        const { top, floor, tall, face } = bars(height, k);
        const total = counts[k].reduce((a, b) => a + b, 0);
        kit.text(context, shown.titles[k], 3, top + 13, { colour: colour.soft, weight: 600 });
        for (let level = 0; level < size; level++) {
          const x = level * slot, high = (Math.min(counts[k][level], MOST) / MOST) * tall;
          const held = k === chosen[0] && level === chosen[1], truly = shown.marginals[k][level] * total;
          context.fillStyle = kit.CATEGORIES[k];
          context.globalAlpha = held ? 1 : 0.75;
          context.fillRect(x + 3, floor - high, slot - 6, high + 1);
          context.globalAlpha = 1;
          const mark = floor - Math.min(1, truly / MOST) * tall;
          kit.line(context, [[x + 1, mark], [x + slot - 1, mark]], { colour: colour.ink, width: 1.5 });
          const style = { colour: colour.ink, size: 12, align: "center", weight: held ? 700 : 400, halo: colour.card };
          kit.text(context, String(counts[k][level]), x + slot / 2, Math.min(floor - high, mark) - 4, style);
          portrait(context, MODEL.map((one, j) => (j === k ? level : one)), x + (slot - face) / 2, floor + 4, face);
          if (held) kit.line(context, [[x + 3, floor + 1], [x + slot - 3, floor + 1]], { colour: colour.accent, width: 3 });
        }
      });
    }
    function drawBar(context, width, height, colour) {
      context.clearRect(0, 0, width, height);
      const finite = Number.isFinite(found.kl), room = [1, 2, 4, 8, 16, 64].find((one) => one >= found.kl) ?? 64;
      const at = (nats) => (Math.min(nats, room) / room) * width, top = 4, tall = height - 42;
      let from = 0;
      [found.correlation, ...found.parts].forEach((nats, i) => {
        context.fillStyle = i === 0 ? colour.soft : kit.CATEGORIES[i - 1];
        context.fillRect(at(from), top, (Number.isFinite(nats) ? at(from + nats) : width) - at(from), tall);
        if (Number.isFinite(nats)) from += nats;
      });
      const x = at(found.correlation);
      kit.line(context, [[x, 0], [x, top + tall + 5]], { colour: colour.ink, width: 2 });
      kit.text(context, `total correlation ${kit.shown(found.correlation)}`, Math.max(x, 130), top + tall + 18, {
        colour: colour.ink, align: "right",
      });
      const scale = finite ? `${room} nat${room > 1 ? "s" : ""}` : "";
      kit.text(context, scale, width, top + tall + 18, { colour: colour.soft, align: "right" });
      if (!finite) {
        kit.text(context, "\u221e", (x + width) / 2, top + tall / 2 + 9, { colour: colour.card, size: 26, align: "center" });
      }
      const wrong = found.parts.map((nats, k) => (nats > 0.005 ? shown.titles[k] : "")).filter(Boolean);
      if (wrong.length) kit.text(context, `wrong: ${wrong.join(", ")}`, 0, height - 5, { colour: colour.soft });
    }
    function drawWall(context, width, height, colour) {
      context.clearRect(0, 0, width, height);
      const slot = width / 5, size = Math.min(slot - 12, height / 2 - 26);
      looks.forEach((levels, i) => {
        const number = numberOf(levels, shown.sizes);
        const flag = shown.seen.has(number) ? "seen" : shown.truth[number] > 0 ? "new" : "impossible";
        const x = (i % 5) * slot + (slot - size) / 2, y = Math.floor(i / 5) * (height / 2) + 4;
        context.fillStyle = FLAGS[flag];
        context.fillRect(x - 3, y - 3, size + 6, size + 6);
        portrait(context, levels, x, y, size);
        kit.text(context, flag, x + size / 2, y + size + 16, { colour: colour.ink, size: 12, align: "center" });
      });
    }
    function drawMasses(context, width, height, colour) {
      context.clearRect(0, 0, width, height);
      kit.text(context, "Of all that it draws:", 0, 12, { colour: colour.soft });
      let from = 0;
      Object.entries(found.mass).forEach(([flag, share], i) => {
        context.fillStyle = FLAGS[flag];
        context.fillRect(from * width, 18, share * width, 12);
        from += share;
        const words = `${flag} ${kit.shown(100 * share, share > 0 && share < 0.1 ? 1 : 0)} %`;
        const align = ["left", "center", "right"][i];
        kit.text(context, words, (i * width) / 2, 45, { colour: colour.ink, align });
      });
    }
  }

  return { smooth, levelsOf, numberOf, compare, draw, prepare, mount };
})();
