// The duel: a GAN in one dimension, trained in the page; and in the plane, a training that was recorded.
"use strict";

globalThis.explorables.duel = (() => {
  const kit = globalThis.explorables.kit;
  const SEEN = 4.5, BINS = 180, BATCH = 128, RATE = 0.01, BETAS = [0, 0.9];
  const RATIOS = [0.1, 0.3, 1, 3, 10], LOG4 = Math.log(4), KEPT = 600;
  const [REAL, FAKE] = [kit.CATEGORIES[0], kit.CATEGORIES[1]];
  const width = (2 * SEEN) / BINS, places = Array.from({ length: BINS }, (_, i) => -SEEN + (i + 0.5) * width);
  const sigmoid = (l) => 1 / (1 + Math.exp(-l));
  const sum = (values) => values.reduce((a, b) => a + b, 0);

  /** Layers as Python packed them: rows of weights, biases, and what Adam remembers of each. */
  function network(layers) {
    return layers.map(([weight, bias]) => {
      const [w, b] = [weight, bias].map((packed) => Float64Array.from(kit.unpack(packed).numbers));
      return { w, b, moments: [w, b].map((x) => [new Float64Array(x.length), new Float64Array(x.length)]) };
    });
  }

  /** What each layer makes of a number x; tanh between them. The last entry is the network's answer. */
  function forward(net, x) {
    return net.reduce((seen, { w, b }, k) => {
      const input = seen[k];
      seen.push(Array.from(b, (bias, row) => {
        let a = bias;
        for (let i = 0; i < input.length; i++) a += w[row * input.length + i] * input[i];
        return k < net.length - 1 ? Math.tanh(a) : a;
      }));
      return seen;
    }, [[x]]);
  }

  /** Back through the network from the cotangent g of its answer, into `grads`; the cotangent of x. */
  function backward(net, seen, g, grads) {
    let cotangent = [g];
    for (let k = net.length - 1; k >= 0; k--) {
      const input = seen[k], pulled = new Array(input.length).fill(0);
      cotangent.forEach((c, row) => {
        if (grads) grads[k].b[row] += c;
        for (let i = 0; i < input.length; i++) {
          if (grads) grads[k].w[row * input.length + i] += c * input[i];
          pulled[i] += c * net[k].w[row * input.length + i];
        }
      });
      cotangent = k > 0 ? pulled.map((c, i) => c * (1 - input[i] ** 2)) : pulled;
    }
    return cotangent[0];
  }

  const zeros = (net) => net.map(({ w, b }) => ({ w: new Float64Array(w.length), b: new Float64Array(b.length) }));

  /** One step of Adam, the step-th. */
  function adam(net, grads, rate, step) {
    net.forEach((layer, k) => ["w", "b"].forEach((name, j) => {
      const [m, v] = layer.moments[j], x = layer[name], g = grads[k][name];
      for (let i = 0; i < x.length; i++) {
        m[i] = BETAS[0] * m[i] + (1 - BETAS[0]) * g[i];
        v[i] = BETAS[1] * v[i] + (1 - BETAS[1]) * g[i] ** 2;
        const [first, second] = [m[i] / (1 - BETAS[0] ** step), v[i] / (1 - BETAS[1] ** step)];
        x[i] -= (rate * first) / (Math.sqrt(second) + 1e-8);
      }
    }));
  }

  /** The gradients of -V by the discriminator's weights, for real and for generated numbers. */
  function discriminatorGradients(D, real, fake) {
    const grads = zeros(D);
    for (const [xs, sign] of [[real, -1], [fake, 1]]) {
      for (const x of xs) {
        const seen = forward(D, x), logit = seen[D.length][0];
        backward(D, seen, (sign * sigmoid(sign * logit)) / xs.length, grads);
      }
    }
    return grads;
  }

  /** The slope of the generator's loss by one number x that it made: which way D would have it go. */
  function slope(D, x, objective) {
    const seen = forward(D, x), logit = seen[D.length][0];
    return backward(D, seen, objective === "minimax" ? -sigmoid(logit) : -sigmoid(-logit), null);
  }

  /** The gradients of the generator's loss by its weights, for some noise. */
  function generatorGradients(G, D, noise, objective) {
    const grads = zeros(G);
    for (const z of noise) {
      const seen = forward(G, z);
      backward(G, seen, slope(D, seen[G.length][0], objective) / noise.length, grads);
    }
    return grads;
  }

  /** The data's density at x, a mixture of normal ones. */
  function density({ means, sigma }, x) {
    const hills = means.map((mean) => Math.exp(-0.5 * ((x - mean) / sigma) ** 2));
    return sum(hills) / (means.length * sigma * Math.sqrt(2 * Math.PI));
  }

  /** The generator's density in each bin: pieces of noise are carried where G puts their ends. */
  function pushed(G, pieces = 400) {
    const ends = Array.from({ length: pieces + 1 }, (_, i) => -4 + (8 * i) / pieces);
    const xs = ends.map((z) => forward(G, z)[G.length][0]), q = new Array(BINS).fill(0);
    const masses = ends.slice(1).map((z) => Math.exp(-0.5 * (z - 4 / pieces) ** 2)), total = sum(masses);
    masses.forEach((mass, i) => {
      const low = Math.min(xs[i], xs[i + 1]), high = Math.max(xs[i], xs[i + 1], low + 1e-6);
      const bin = (x) => Math.floor((x + SEEN) / width);
      for (let k = Math.max(0, bin(low)); k <= Math.min(BINS - 1, bin(high)); k++) {
        const left = -SEEN + k * width, overlap = Math.min(high, left + width) - Math.max(low, left);
        q[k] += (mass / total) * (Math.max(0, overlap) / (high - low) / width);
      }
    });
    return q;
  }

  /** V for D as it is and for the best one, D* = p / (p + q), by quadrature. */
  function values(p, q, d) {
    const part = (share, answer) => (share > 0 ? share * Math.log(Math.max(answer, 1e-300)) : 0);
    const best = p.map((one, i) => one / (one + q[i] || 1));
    const value = (D) => width * sum(p.map((one, i) => part(one, D[i]) + part(q[i], 1 - D[i])));
    return { value: value(d), most: value(best), best };
  }

  /** How many bumps have at least one point in fifty within three sigmas. */
  function reached(points, { centres, sigma }) {
    return centres.filter(([x, y]) => {
      const near = points.filter(([a, b]) => Math.hypot(a - x, b - y) < 3 * sigma);
      return near.length >= points.length / 50;
    }).length;
  }

  /** Recorded frames: bytes, which go from -span to span, as points. */
  function prepare({ span, points, ...game }) {
    const { numbers, shape: [frames, count] } = kit.unpack(points);
    const at = (byte) => (2 * span * byte) / 255 - span;
    const clouds = Array.from({ length: frames }, (_, f) => Array.from({ length: count }, (_, i) => {
      return [0, 1].map((axis) => at(numbers[2 * (f * count + i) + axis]));
    }));
    return { ...game, span, clouds, fields: kit.unpack(game.fields) };
  }

  function mount(root, data) {
    line(root, data);
    if (data.games.length) plane(root, data.games.map(prepare), data.world);
  }

  function line(root, data) {
    let target = data.targets[0], objective = "non-saturating", ratio = 1, G, D, rng, steps, history, now;
    const left = kit.add(root, "div", { class: "panel" });
    kit.add(left, "p", { class: "title" }, "One number, trained in this page");
    kit.choice(kit.add(left, "div", { class: "controls" }), {
      name: "data", options: data.targets.map((one) => one.name), value: 0,
      change: (i) => ((target = data.targets[i]), restart()),
    });
    const duel = kit.stage(left, { ratio: 0.88, label: "Densities of data and generator, D, the noise", draw: drawDuel });
    const curve = kit.stage(left, { ratio: 0.3, label: "The objective V in the course of training", draw: drawHistory });
    const says = kit.add(left, "p", { class: "says", "aria-live": "polite" });
    const buttons = kit.add(left, "div", { class: "controls" });
    const playing = kit.clock(() => (stepD(), stepG(), look()), (on) => (play.textContent = on ? "pause" : "train"));
    const play = kit.button(buttons, "train", () => playing.toggle());
    play.className = "first";
    kit.button(buttons, "step of D", () => (playing.stop(), stepD(), look()));
    kit.button(buttons, "step of G", () => (playing.stop(), stepG(), look()));
    kit.button(buttons, "again", () => (playing.stop(), restart()));
    kit.choice(kit.add(left, "div", { class: "controls" }), {
      name: "G's loss", options: ["\u2212log D", "log(1 \u2212 D)"], value: 0,
      change: (i) => ((objective = ["non-saturating", "minimax"][i]), look()),
    });
    kit.slider(left, {
      name: "G's rate / D's rate", count: RATIOS.length, value: ratio, words: (i) => String(RATIOS[i]),
      change: (i) => (ratio = i),
    });
    restart();

    function restart() {
      [G, D] = [network(data.generator), network(data.discriminator)];
      [rng, steps, history] = [kit.random(1), { D: 0, G: 0 }, []];
      look();
    }
    function stepD() {
      const noise = () => Array.from({ length: BATCH }, rng.normal), bumps = target.means.length;
      const real = noise().map((z) => target.means[Math.floor(rng.uniform() * bumps)] + target.sigma * z);
      const fake = noise().map((z) => forward(G, z)[G.length][0]);
      adam(D, discriminatorGradients(D, real, fake), RATE / Math.sqrt(RATIOS[ratio]), ++steps.D);
    }
    function stepG() {
      const grads = generatorGradients(G, D, Array.from({ length: BATCH }, rng.normal), objective);
      adam(G, grads, RATE * Math.sqrt(RATIOS[ratio]), ++steps.G);
    }
    function look() {
      const p = places.map((x) => density(target, x)), q = pushed(G);
      const d = places.map((x) => sigmoid(forward(D, x)[D.length][0]));
      now = { p, q, d, ...values(p, q, d) };
      history.push([now.value, now.most]);
      if (history.length > KEPT) history.shift();
      const apart = (now.most + LOG4) / 2;
      const words = apart < 0.02 ? "Data and samples are hard to tell apart." : now.most - now.value > 0.15
        ? "D lags behind: more steps of D would bring it to D*." : "D is nearly the best there is, and G follows its slope.";
      says.textContent = `Steps: ${steps.D} of D, ${steps.G} of G. V = ${kit.shown(now.value)}, at D* ${kit.shown(now.most)}: ` +
        `Jensen-Shannon divergence ${kit.shown(apart, 3)} nats. ${words}`;
      duel.paint();
      curve.paint();
    }
    function drawDuel(context, across, height, colour) {
      context.clearRect(0, 0, across, height);
      const floor = height * 0.66, noiseAt = height - 16, ink = colour.ink, halo = colour.card;
      const at = kit.chart(across, floor, [-SEEN, SEEN], [0, 1.18]), tall = Math.max(0.8, 1.1 * Math.max(...now.p));
      const bins = (values, scale) => values.map((value, i) => [at.x(places[i]), at.y(Math.min(1.03, value * scale))]);
      for (const [values, tone] of [[now.p, REAL], [now.q, FAKE]]) {
        kit.line(context, bins(values, 1 / tall), { colour: tone, base: floor, alpha: 0.35 });
        kit.line(context, bins(values, 1 / tall), { colour: tone });
      }
      kit.line(context, bins(now.best, 1), { colour: ink, width: 1.5, dash: [4, 4] });
      kit.line(context, bins(now.d, 1), { colour: ink, width: 2.5 });
      for (const y of [floor, noiseAt]) kit.line(context, [[0, y], [across, y]], { colour: colour.soft, width: 1 });
      for (let i = 0; i < 41; i++) {
        const z = -2.5 + i / 8, x = forward(G, z)[G.length][0];
        kit.line(context, [[at.x(z * 1.6), noiseAt], [at.x(x), floor + 22]], { colour: FAKE, width: 1, alpha: 0.8 });
        if (i % 2) continue;
        const push = Math.max(-44, Math.min(44, -40 * slope(D, x, objective)));
        kit.arrow(context, [at.x(x), floor + 7 + (i % 3) * 5], [at.x(x) + push, floor + 7 + (i % 3) * 5], ink);
      }
      [["data p", REAL], ["generator q", FAKE], ["D", ink], ["D* (dashed)", ink]].forEach(([words, tone], i) => {
        const x = [0, 62, 156, 192][i];
        context.fillStyle = tone;
        context.fillRect(x, 4, 10, i < 2 ? 10 : 3);
        kit.text(context, words, x + 14, 13, { colour: ink, halo });
      });
      kit.text(context, "noise z", 0, height - 2, { colour: colour.soft });
      kit.text(context, "arrows: where D sends G's samples", across, height - 2, { colour: colour.soft, align: "right" });
    }
    function drawHistory(context, across, height, colour) {
      context.clearRect(0, 0, across, height);
      const at = kit.chart(across, height, [0, Math.max(100, history.length)], [-2.2, 0.05], 4);
      kit.line(context, [[0, at.y(-LOG4)], [across, at.y(-LOG4)]], { colour: colour.soft, width: 1 });
      kit.line(context, history.map(([, most], i) => [at.x(i), at.y(most)]), { colour: colour.ink, width: 1.5, dash: [4, 4] });
      kit.line(context, history.map(([value], i) => [at.x(i), at.y(value)]), { colour: colour.accent });
      kit.text(context, "V, and at D* (dashed)", 0, height - 4, { colour: colour.ink, halo: colour.card });
      kit.text(context, "\u2212log 4: D can only guess", across, at.y(-LOG4) + 15, { colour: colour.soft, align: "right" });
    }
  }

  function plane(root, games, world) {
    let game = games[0], frame = 0, ticks = 0;
    const panel = kit.add(root, "div", { class: "panel" });
    kit.add(panel, "p", { class: "title" }, "The plane, recorded");
    kit.choice(kit.add(panel, "div", { class: "controls" }), {
      name: "G learns", options: games.map((one) => one.name), value: 0, change: (i) => ((game = games[i]), show(frame)),
    });
    const field = kit.stage(panel, { ratio: 1, label: "Points of the generator on what D says of the plane", draw });
    const says = kit.add(panel, "p", { "aria-live": "polite" });
    const scrub = kit.slider(panel, {
      name: "step", count: game.clouds.length, value: 0, words: (i) => String(i * game.every),
      change: (i) => (film.stop(), show(i)),
    });
    const film = kit.clock(() => ++ticks % 6 || (show(frame + 1), frame < game.clouds.length - 1), (on) => {
      play.textContent = on ? "pause" : "play";
    });
    const play = kit.button(kit.add(panel, "div", { class: "controls" }), "play", () => {
      if (frame === game.clouds.length - 1) show(0);
      film.toggle();
    });
    play.className = "first";
    show(0);

    function show(i) {
      frame = Math.min(i, game.clouds.length - 1);
      scrub.set(frame);
      says.textContent = `${reached(game.clouds[frame], world)} of ${world.centres.length} bumps reached.`;
      field.paint();
    }
    function draw(context, across, height, colour) {
      context.clearRect(0, 0, across, height);
      const [, side] = game.fields.shape, ground = new OffscreenCanvas(side, side), brush = ground.getContext("2d");
      for (let i = 0; i < side * side; i++) {
        const d = game.fields.numbers[frame * side * side + i] / 255;
        brush.globalAlpha = 0.55 * Math.abs(2 * d - 1);
        brush.fillStyle = d > 0.5 ? REAL : FAKE;
        brush.fillRect(i % side, Math.floor(i / side), 1, 1);
      }
      const cell = across / (side - 1);
      context.drawImage(ground, -cell / 2, -cell / 2, across + cell, height + cell);
      const at = kit.chart(across, height, [-game.span, game.span], [-game.span, game.span]);
      for (const [x, y] of world.centres) {
        context.beginPath();
        context.arc(at.x(x), at.y(y), (3 * world.sigma * across) / (2 * game.span), 0, 2 * Math.PI);
        context.strokeStyle = colour.ink;
        context.stroke();
      }
      context.fillStyle = colour.ink;
      for (const [x, y] of game.clouds[frame]) context.fillRect(at.x(x) - 1.2, at.y(y) - 1.2, 2.4, 2.4);
      kit.text(context, "blue: D says data; orange: D says generated", 4, height - 6, { colour: colour.ink, halo: colour.card });
    }
  }

  return {
    network, forward, backward, zeros, adam, discriminatorGradients, generatorGradients, slope, density, pushed, values,
    reached, prepare, places, mount, BETAS,
  };
})();
