// Latent planes: where a model puts images, and what it makes of every place. Drag the point.
"use strict";

globalThis.explorables.planes = (() => {
  const kit = globalThis.explorables.kit;
  const WALK = 9; // pictures on the way from A to B

  /** y = W x + b, of a matrix whose rows lie one after another. */
  function linear(x, weight, bias) {
    return Array.from(bias.numbers, (b, row) => {
      let sum = b;
      for (let i = 0; i < x.length; i++) sum += weight.numbers[row * x.length + i] * x[i];
      return sum;
    });
  }

  /** What a decoder of fully connected layers makes of a code: grey numbers, row by row. */
  function decode(decoder, z) {
    let x = z;
    decoder.layers.forEach(([weight, bias], i) => {
      x = linear(x, weight, bias);
      if (i < decoder.layers.length - 1) x = x.map((a) => Math.max(a, 0));
    });
    return decoder.output === "sigmoid" ? x.map((a) => 1 / (1 + Math.exp(-a))) : x;
  }

  /** The image nearest to x, its number and Euclidean distance. */
  function nearest(x, images) {
    let best = { index: -1, distance: Infinity };
    for (let n = 0; n < images.shape[0]; n++) {
      let sum = 0;
      for (let i = 0; i < x.length && sum < best.distance; i++) {
        sum += (x[i] - images.numbers[n * x.length + i] / images.scale) ** 2;
      }
      if (sum < best.distance) best = { index: n, distance: sum };
    }
    return { index: best.index, distance: Math.sqrt(best.distance) };
  }

  /** The code a share s of the way from a to b. */
  const between = (a, b, s) => a.map((start, i) => start + s * (b[i] - start));

  /** Numbers as Python packed them, made ready. */
  function prepare(data) {
    const images = { ...kit.unpack(data.images), scale: data.scale };
    const models = data.models.map((model) => ({
      ...model,
      codes: kit.unpack(model.codes),
      decoder: { ...model.decoder, layers: model.decoder.layers.map((pair) => pair.map(kit.unpack)) },
    }));
    const shown = { images, models, labels: kit.unpack(data.labels).numbers, side: data.side };
    shown.typical = data.typical;
    return shown;
  }

  /** The mean code of a class; the origin if there is none of it. */
  function middle(codes, labels, label) {
    let count = 0, sum = [0, 0];
    labels.forEach((one, n) => {
      if (one !== label) return;
      count += 1;
      sum = sum.map((total, i) => total + codes[2 * n + i]);
    });
    return sum.map((total) => total / Math.max(count, 1));
  }

  /** The number of the code nearest to z. */
  function closest(codes, z) {
    let best = 0, least = Infinity;
    for (let n = 0; 2 * n < codes.length; n++) {
      const distance = Math.hypot(codes[2 * n] - z[0], codes[2 * n + 1] - z[1]);
      if (distance < least) [best, least] = [n, distance];
    }
    return best;
  }

  /** How far the plane is seen: as far as the outermost codes but for a hundredth, and as N(0, I) reaches. */
  function reach(codes) {
    const far = Array.from(codes.numbers, Math.abs).sort((a, b) => a - b);
    return Math.max(1.1 * far[Math.floor(0.99 * (far.length - 1))], 2.5);
  }

  function mount(root, data) {
    const shown = prepare(data);
    const kinds = [...new Set(shown.models.map((model) => model.kind))];
    for (const kind of kinds) view(root, shown, shown.models.filter((model) => model.kind === kind));
  }

  /** One plane with its pictures: of one model, or of several that a slider chooses from. */
  function view(root, shown, models) {
    const panel = kit.add(root, "div", { class: "panel" });
    let model = models[models.length === 1 ? 0 : models.findIndex((one) => one.first) >>> 0] ?? models[0];
    let span = reach(model.codes), picked = firstEnds(), ends = picked.map(codeOf), held = "point", point;
    const title = kit.add(panel, "p", { class: "title" });
    const plane = kit.stage(panel, {
      ratio: 1, label: "Latent plane: drag the point, or use the arrow keys", draw: drawPlane,
    });
    const strip = kit.stage(panel, {
      ratio: 0.62, label: "What the point decodes to, and the way from A to B", draw: drawPictures,
    });
    const says = kit.add(panel, "p", { class: "says", "aria-live": "polite" });
    const controls = kit.add(panel, "div", { class: "controls" });
    if (models.length > 1) {
      kit.slider(controls, {
        name: "beta", count: models.length, value: models.indexOf(model),
        words: (i) => String(models[i].beta), change: choose,
      });
    }
    const walk = kit.slider(controls, {
      name: "walk from A to B", count: 101, value: 50, words: (i) => `${i} %`,
      change: (i) => go(between(ends[0], ends[1], i / 100)),
    });
    kit.drag(plane.canvas, {
      begin: (x, y) => (held = grabbed(code(x, y))),
      move: (x, y) => (held === "point" ? go(code(x, y)) : moveEnd(held, code(x, y))),
      step: (dx, dy) => go([point[0] + (dx * span) / 50, point[1] - (dy * span) / 50]),
    });
    go(between(ends[0], ends[1], 0.5));

    function firstEnds() { // numbers of test images: a zero and a one
      return [0, 1].map((label) => closest(model.codes.numbers, middle(model.codes.numbers, shown.labels, label)));
    }
    function codeOf(n) {
      return [model.codes.numbers[2 * n], model.codes.numbers[2 * n + 1]];
    }
    function choose(i) {
      model = models[i];
      span = reach(model.codes);
      ends = picked.map(codeOf);
      go(between(ends[0], ends[1], Number(walk.input.value) / 100));
    }
    function grabbed(z) {
      const near = (end) => Math.hypot(z[0] - end[0], z[1] - end[1]) < span / 12;
      const onPoint = Math.hypot(z[0] - point[0], z[1] - point[1]) < span / 20;
      if (onPoint) return "point";
      return near(ends[0]) ? 0 : near(ends[1]) ? 1 : "point";
    }
    function moveEnd(which, z) {
      picked[which] = closest(model.codes.numbers, z); // a letter goes from digit to digit
      ends = picked.map(codeOf);
      go(between(ends[0], ends[1], Number(walk.input.value) / 100));
    }
    function go(z) {
      point = z.map((number) => Math.min(span, Math.max(-span, number)));
      title.textContent = model.name;
      const found = nearest(decode(model.decoder, point), shown.images);
      says.textContent =
        `z = (${point.map((number) => kit.shown(number)).join(", ")}). The nearest training image is ` +
        `${kit.shown(found.distance)} away; two test images of one class lie about ${shown.typical.toFixed(2)} apart.`;
      plane.paint();
      strip.paint();
    }
    function code(x, y) {
      return [(2 * x - 1) * span, (1 - 2 * y) * span];
    }
    function drawPlane(context, width, height, colour) {
      const at = (z) => [((z[0] / span + 1) / 2) * width, ((1 - z[1] / span) / 2) * height];
      context.clearRect(0, 0, width, height);
      context.strokeStyle = colour.line;
      context.lineWidth = 1;
      for (const z of [[0, 1], [1, 0]]) {
        context.beginPath();
        context.moveTo(...at(z.map((n) => -n * span)));
        context.lineTo(...at(z.map((n) => n * span)));
        context.stroke();
      }
      shown.labels.forEach((label, n) => {
        const [x, y] = at([model.codes.numbers[2 * n], model.codes.numbers[2 * n + 1]]);
        context.fillStyle = kit.CATEGORIES[label % 10];
        context.font = `600 ${Math.max(9, width / 42)}px system-ui, sans-serif`;
        context.fillText(String(label), x - 3, y + 4);
      });
      context.strokeStyle = colour.ink;
      context.lineWidth = 1.5;
      context.setLineDash([4, 4]);
      context.beginPath();
      context.moveTo(...at(ends[0]));
      context.lineTo(...at(ends[1]));
      context.stroke();
      context.setLineDash([]);
      ends.forEach((end, i) => kit.disc(context, at(end), 9, colour.card, colour.ink, "AB"[i]));
      kit.disc(context, at(point), 11, colour.accent, colour.card, "");
    }
    function drawPictures(context, width, height, colour) {
      context.clearRect(0, 0, width, height);
      const gap = width / 60, small = (width - gap * (WALK - 1)) / WALK, large = height - small - 3.2 * gap - 14;
      const x = decode(model.decoder, point), found = nearest(x, shown.images), size = shown.side ** 2;
      const from = found.index * size;
      const real = Array.from(shown.images.numbers.slice(from, from + size), (level) => level / shown.images.scale);
      kit.picture(context, x, shown.side, 0, 0, large);
      kit.picture(context, real, shown.side, large + 2 * gap, 0, large);
      context.fillStyle = colour.soft;
      context.font = "12px system-ui, sans-serif";
      context.fillText("decoded", 0, large + 15);
      context.fillText("nearest training image", large + 2 * gap, large + 15);
      for (let i = 0; i < WALK; i++) {
        const way = decode(model.decoder, between(ends[0], ends[1], i / (WALK - 1)));
        kit.picture(context, way, shown.side, i * (small + gap), height - small, small);
      }
    }
  }

  return { decode, nearest, between, middle, closest, reach, prepare, mount };
})();
