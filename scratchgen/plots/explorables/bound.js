// The bound: q(z) is dragged over the posterior, and log p(x) falls into reconstruction, KL and gap.
"use strict";

globalThis.explorables.bound = (() => {
  const kit = globalThis.explorables.kit;
  const HALF_LOG_2PI = 0.5 * Math.log(2 * Math.PI), SEEN = 3.2; // the plane shows z from -SEEN to SEEN
  const WIDTHS = [0.08, 1.5], ROOMS = [4, 8, 16, 32, 64, 128, 256, 512]; // of q; nats that the bars have room for
  const [PRIOR, POSTERIOR, Q] = [kit.CATEGORIES[8], kit.CATEGORIES[1], kit.CATEGORIES[0]];
  const BARS = [kit.CATEGORIES[3], kit.CATEGORIES[4], kit.CATEGORIES[1]]; // reconstruction, KL, gap
  const REPEATS = 20;

  /** log N(z; mean, sigma^2). */
  function logNormal(z, mean, sigma) {
    return -0.5 * ((z - mean) / sigma) ** 2 - Math.log(sigma) - HALF_LOG_2PI;
  }

  /** log of the sum of exponentials. */
  function logSum(values) {
    const most = values.reduce((a, b) => Math.max(a, b), -Infinity);
    return most + Math.log(values.reduce((sum, value) => sum + Math.exp(value - most), 0));
  }

  /** A decoder as Python packed it: f at the places z, which are `step` apart, and the noise around f. */
  function prepare(data) {
    const count = 2 * data.half + 1;
    const z = Array.from({ length: count }, (_, i) => (i - data.half) * data.step);
    const decoders = data.decoders.map((one) => ({ ...one, f: kit.unpack(one.f).numbers }));
    return { z, step: data.step, decoders, x: data.x };
  }

  /** log p(z) + log p(x|z) at each place, log p(x) by quadrature, and the posterior p(z|x). */
  function posterior({ z, step }, decoder, x) {
    const likelihood = z.map((_, i) => logNormal(x, decoder.f[i], decoder.noise));
    const joint = z.map((place, i) => likelihood[i] + logNormal(place, 0, 1));
    const evidence = logSum(joint) + Math.log(step);
    return { likelihood, joint, evidence, density: joint.map((value) => Math.exp(value - evidence)) };
  }

  /** The terms of log p(x) = reconstruction - kl + gap, in nats; kl in closed form, the others by quadrature. */
  function terms({ z, step }, { likelihood, joint, evidence }, mean, sigma) {
    let reconstruction = 0, gap = 0;
    z.forEach((place, i) => {
      const log = logNormal(place, mean, sigma), weight = Math.exp(log) * step;
      if (weight < 1e-300) return;
      reconstruction += weight * likelihood[i];
      gap += weight * (log - joint[i] + evidence);
    });
    const kl = 0.5 * (mean ** 2 + sigma ** 2 - 1) - Math.log(sigma);
    return { reconstruction, kl, gap, elbo: reconstruction - kl, evidence };
  }

  /** The Monte Carlo estimate of KL(q || prior) from standard normal numbers, with its standard error. */
  function monteCarlo(noise, mean, sigma) {
    const values = noise.map((eps) => {
      const z = mean + sigma * eps;
      return logNormal(z, mean, sigma) - logNormal(z, 0, 1);
    });
    const average = values.reduce((a, b) => a + b, 0) / values.length;
    const square = values.reduce((sum, value) => sum + (value - average) ** 2, 0);
    return { estimate: average, error: Math.sqrt(square / (values.length - 1) / values.length) };
  }

  /** How many hills a density has. */
  function hills(density) {
    return density.filter((p, i) => p > 1e-3 && p > density[i - 1] && p >= density[i + 1]).length;
  }

  /** A step uphill on the ELBO, by mean and log sigma, that never goes down: the rate halves until it climbs. */
  function climb(shown, seen, { mean, sigma }) {
    const value = (m, s) => terms(shown, seen, m, s).elbo;
    const here = value(mean, sigma), h = 1e-4;
    const byMean = (value(mean + h, sigma) - value(mean - h, sigma)) / (2 * h);
    const byLog = (value(mean, sigma * Math.exp(h)) - value(mean, sigma * Math.exp(-h))) / (2 * h);
    for (let rate = 0.1 / Math.max(1, Math.hypot(byMean, byLog)); rate > 1e-6; rate /= 2) {
      const next = { mean: mean + rate * byMean, sigma: sigma * Math.exp(rate * byLog) };
      next.sigma = Math.min(WIDTHS[1], Math.max(WIDTHS[0], next.sigma));
      if (value(next.mean, next.sigma) > here + 1e-7) return next;
    }
    return null;
  }

  function mount(root, data) {
    const shown = prepare(data);
    let decoder = shown.decoders[0], x = shown.x, q = { mean: -0.4, sigma: 0.5 }, held = "mean", seed = 1, count = 100;
    let seen = posterior(shown, decoder, x), now = terms(shown, seen, q.mean, q.sigma), draws = [], top = 1;
    const left = kit.add(root, "div", { class: "panel" }), right = kit.add(root, "div", { class: "panel" });
    const kinds = kit.add(left, "div", { class: "controls" });
    kit.choice(kinds, {
      name: "decoder", options: shown.decoders.map((one) => one.name), value: 0,
      change: (i) => ((decoder = shown.decoders[i]), go()),
    });
    const guess = kit.stage(left, {
      ratio: 0.7, label: "Densities over z: drag q's top to move it, its side to widen it; or use the arrow keys",
      draw: drawGuess,
    });
    const curve = kit.stage(left, {
      ratio: 0.5, label: "What the decoder makes of z: drag the line to another x", draw: drawDecoder,
    });
    const ascent = kit.clock(() => {
      const next = climb(shown, seen, q);
      if (next === null) return false;
      q = next;
      return go();
    }, (on) => (uphill.textContent = on ? "stop" : "let q climb"));
    const buttons = kit.add(left, "div", { class: "controls" });
    const uphill = kit.button(buttons, "let q climb", () => ascent.toggle());
    uphill.className = "first";
    kit.add(right, "p", { class: "title" }, "log p(x) = reconstruction \u2212 KL + gap");
    const bars = kit.stage(right, { ratio: 0.62, label: "The parts of log p(x), in nats", draw: drawBars });
    const says = kit.add(right, "p", { class: "says", "aria-live": "polite" });
    kit.add(right, "p", {}, "Twenty Monte Carlo estimates of the KL \u00b1 standard error; the line is the closed form");
    const estimates = kit.stage(right, { ratio: 0.24, label: "Twenty estimates of the KL", draw: drawEstimates });
    const controls = kit.add(right, "div", { class: "controls" });
    const SIZES = [10, 30, 100, 300, 1000];
    kit.slider(controls, {
      name: "samples for each", count: SIZES.length, value: 2, words: (i) => String(SIZES[i]),
      change: (i) => ((count = SIZES[i]), go()),
    });
    kit.button(controls, "draw others", () => ((seed += 1), go()));
    const place = (at) => (2 * at - 1) * SEEN;
    const set = (mean, sigma) => {
      q.mean = Math.min(3, Math.max(-3, mean));
      q.sigma = Math.min(WIDTHS[1], Math.max(WIDTHS[0], sigma));
      go();
    };
    kit.drag(guess.canvas, {
      touch: "pan-y",
      begin: (at, down) => {
        ascent.stop();
        const side = Math.abs(Math.abs(place(at) - q.mean) - q.sigma), peak = Math.abs(place(at) - q.mean);
        held = side < peak && side < 0.35 && down > 0.3 ? "sigma" : "mean";
      },
      move: (at) => (held === "mean" ? set(place(at), q.sigma) : set(q.mean, Math.abs(place(at) - q.mean))),
      step: (dx, dy) => (ascent.stop(), set(q.mean + 0.05 * dx, q.sigma * 1.05 ** -dy)),
    });
    const setX = (value) => ((x = Math.min(range()[1], Math.max(range()[0], value))), go());
    kit.drag(curve.canvas, {
      move: (_, down) => setX(range()[1] - down * (range()[1] - range()[0])),
      step: (dx, dy) => setX(x - 0.05 * dy),
    });
    go();

    function range() {
      return decoder.range;
    }
    function go() {
      seen = posterior(shown, decoder, x);
      now = terms(shown, seen, q.mean, q.sigma);
      top = 1.3 * Math.max(0.75, ...seen.density);
      const rng = kit.random(seed);
      draws = Array.from({ length: REPEATS }, () => {
        return monteCarlo(Array.from({ length: count }, rng.normal), q.mean, q.sigma);
      });
      says.textContent = verdict();
      for (const one of [guess, curve, bars, estimates]) one.paint();
    }
    function verdict() {
      const parts = `${kit.shown(now.evidence)} = ${kit.shown(now.reconstruction)} \u2212 ${kit.shown(now.kl)}`;
      const sum = `${parts} + ${kit.shown(now.gap)} nats. `;
      if (now.gap < 0.005) return `${sum}q is the posterior, and the bound is tight.`;
      if (climb(shown, seen, q)) return `${sum}The gap is KL(q || p(z|x)): how far q is from the posterior.`;
      const why = hills(seen.density) > 1 ? "the posterior has two hills" : "the posterior is no Gaussian";
      return `${sum}No small step of q closes more of the gap: ${why}.`;
    }
    function density(context, at, values, colour, filled, height) {
      const points = shown.z.flatMap((z, i) => (Math.abs(z) <= SEEN ? [[at.x(z), at.y(values(z, i))]] : []));
      if (filled) kit.line(context, points, { colour, base: height, alpha: 0.3 });
      kit.line(context, points, { colour, width: filled ? 2 : 1.5, dash: filled ? [] : [4, 4] });
    }
    function drawGuess(context, width, height, colour) {
      context.clearRect(0, 0, width, height);
      const floor = height - 18, at = kit.chart(width, floor, [-SEEN, SEEN], [0, top]);
      const ofQ = (z) => Math.exp(logNormal(z, q.mean, q.sigma));
      density(context, at, (z) => Math.exp(logNormal(z, 0, 1)), PRIOR, false, floor);
      density(context, at, (_, i) => seen.density[i], POSTERIOR, true, floor);
      density(context, at, ofQ, Q, true, floor);
      for (const z of [-3, -2, -1, 0, 1, 2, 3]) {
        kit.text(context, kit.shown(z, 0), at.x(z), height - 4, { colour: colour.soft, align: "center", size: 11 });
      }
      const high = (z) => Math.max(at.y(ofQ(z)), 30);
      for (const side of [-1, 1]) {
        const z = q.mean + side * q.sigma;
        kit.arrow(context, [at.x(q.mean) + 12 * side, high(z)], [at.x(z), high(z)], Q);
        kit.disc(context, [at.x(z), high(z)], 8, colour.card, Q);
      }
      kit.disc(context, [at.x(q.mean), high(q.mean)], 11, Q, colour.card);
      const names = [["q(z)", Q], ["posterior p(z|x)", POSTERIOR], ["prior p(z)", PRIOR]];
      names.forEach(([words, tone], i) => {
        context.fillStyle = tone;
        context.fillRect([0, 52, 168][i], 4, 10, 10);
        kit.text(context, words, [0, 52, 168][i] + 14, 13, { colour: colour.ink, halo: colour.card });
      });
    }
    function drawDecoder(context, width, height, colour) {
      context.clearRect(0, 0, width, height);
      const at = kit.chart(width, height, [-SEEN, SEEN], range());
      const inside = shown.z.map((z, i) => [z, decoder.f[i]]).filter(([z]) => Math.abs(z) <= SEEN);
      const band = [...inside.map(([z, f]) => [at.x(z), at.y(f + decoder.noise)]),
        ...inside.map(([z, f]) => [at.x(z), at.y(f - decoder.noise)]).reverse()];
      context.beginPath();
      band.forEach(([a, b]) => context.lineTo(a, b));
      context.globalAlpha = 0.18;
      context.fillStyle = colour.soft;
      context.fill();
      context.globalAlpha = 1;
      kit.line(context, inside.map(([z, f]) => [at.x(z), at.y(f)]), { colour: colour.ink });
      kit.line(context, [[0, at.y(x)], [width, at.y(x)]], { colour: POSTERIOR, dash: [5, 4] });
      kit.disc(context, [width - 16, at.y(x)], 11, POSTERIOR, colour.card);
      const halo = colour.card, above = at.y(x) > 40 ? -9 : 20;
      kit.text(context, `x = ${kit.shown(x)}`, width - 32, at.y(x) + above, { colour: colour.ink, align: "right", halo });
      kit.text(context, "decoder f(z) \u00b1 noise", 0, 13, { colour: colour.ink, halo });
    }
    function drawBars(context, width, height, colour) {
      context.clearRect(0, 0, width, height);
      const highest = Math.max(now.evidence, now.reconstruction, 0), lowest = Math.min(now.elbo, now.reconstruction);
      const room = ROOMS.find((one) => one >= highest - lowest) ?? ROOMS[ROOMS.length - 1];
      const floor = height - 22, at = kit.chart(width, floor, [0, 3], [highest - room, highest + room / 9], 2);
      const names = ["reconstruction", "\u2212 KL(q || prior)", "+ gap"], halo = colour.card;
      const spans = [[0, now.reconstruction], [now.reconstruction, now.elbo], [now.elbo, now.evidence]];
      for (let nats = 0; nats > highest - room; nats -= room / 4) {
        kit.line(context, [[0, at.y(nats)], [width, at.y(nats)]], { colour: colour.line, width: 1 });
        if (Math.abs(at.y(nats) - at.y(now.evidence)) < 16) continue;
        kit.text(context, kit.shown(nats, 0), 0, at.y(nats) - 3, { colour: colour.soft, size: 11 });
      }
      kit.line(context, [[0, at.y(now.evidence)], [width, at.y(now.evidence)]], { colour: colour.ink, width: 2 });
      kit.line(context, [[at.x(1.12), at.y(now.elbo)], [width, at.y(now.elbo)]], { colour: colour.soft, width: 1, dash: [3, 3] });
      spans.forEach(([from, to], i) => {
        const ends = [from, to].map((nats) => Math.min(at.y(nats), floor));
        context.fillStyle = BARS[i];
        context.fillRect(at.x(i + 0.2), Math.min(...ends), width * 0.2, Math.max(2, Math.abs(ends[1] - ends[0])));
        const amount = [now.reconstruction, -now.kl, now.gap][i], thin = Math.abs(ends[1] - ends[0]) < 26;
        const middle = thin ? Math.min(...ends) - 7 : (ends[0] + ends[1]) / 2 + 5;
        const style = { colour: colour.ink, halo, align: "center", size: 15, weight: 600 };
        kit.text(context, `${i === 2 ? "+" : ""}${kit.shown(amount)}`, at.x(i + 0.5), Math.min(middle, floor - 8), style);
        kit.text(context, names[i], at.x(i + 0.5), height - 5, { colour: colour.ink, align: "center" });
      });
      const words = { colour: colour.ink, halo, weight: 600, align: "right" };
      kit.text(context, `log p(x) = ${kit.shown(now.evidence)}`, width, at.y(now.evidence) - 7, words);
      const low = Math.min(at.y(now.elbo) + 15, floor - 3);
      if (at.y(now.elbo) - at.y(now.evidence) > 40) kit.text(context, `ELBO ${kit.shown(now.elbo)}`, width, low, words);
    }
    function drawEstimates(context, width, height, colour) {
      context.clearRect(0, 0, width, height);
      const far = Math.max(...draws.map((one) => Math.abs(one.estimate - now.kl) + one.error), 0.02);
      const at = kit.chart(width, height - 18, [-0.5, REPEATS - 0.5], [now.kl - far, now.kl + far], 6);
      kit.line(context, [[0, at.y(now.kl)], [width, at.y(now.kl)]], { colour: BARS[1], width: 2 });
      draws.forEach(({ estimate, error }, i) => {
        const tone = Math.abs(estimate - now.kl) <= error ? colour.soft : colour.ink;
        kit.line(context, [[at.x(i), at.y(estimate - error)], [at.x(i), at.y(estimate + error)]], { colour: tone, width: 1.5 });
        context.fillStyle = tone;
        context.fillRect(at.x(i) - 2.5, at.y(estimate) - 2.5, 5, 5);
      });
      const { estimate, error } = draws[0];
      const words = `KL ${kit.shown(now.kl, 3)}; first estimate ${kit.shown(estimate, 3)} \u00b1 ${kit.shown(error, 3)}`;
      kit.text(context, words, 0, height - 4, { colour: colour.soft });
    }
  }

  return { prepare, posterior, terms, monteCarlo, hills, climb, mount };
})();
