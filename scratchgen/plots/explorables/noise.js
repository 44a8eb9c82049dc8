// Noise and back: points of known density on their way to noise, the best possible guess of where they came from,
// and the way back in few or many steps; and the same for digits, recorded.
"use strict";

globalThis.explorables.noise = (() => {
  const kit = globalThis.explorables.kit;
  const SPAN = 3.1, POINTS = 500, STEPS = [5, 10, 20, 50, 100, 1000], WEIGHTS = [0, 0.5, 1, 2, 4, 8], FRAMES = 50;
  const sum = (values) => values.reduce((a, b) => a + b, 0);

  /** alpha_bar_t, where alpha_bar_0 = 1. */
  const at = (alphaBar, t) => (t === 0 ? 1 : alphaBar[t - 1]);

  /** Where x_t came from, if the data are equal Gaussians: the shares of their centres, E[x_0|x_t] and E[eps|x_t].
   * Of one of them alone with its number, `label`. */
  function expected({ centres, sigma }, alphaBar, x, t, label = null) {
    const signal = Math.sqrt(at(alphaBar, t)), left = 1 - at(alphaBar, t), variance = signal ** 2 * sigma ** 2 + left;
    const far = centres.map((centre) => (x[0] - signal * centre[0]) ** 2 + (x[1] - signal * centre[1]) ** 2);
    const least = Math.min(...far);
    const weights = far.map((square, k) => {
      return label === null ? Math.exp((least - square) / (2 * variance)) : Number(k === label);
    });
    const total = sum(weights), shares = weights.map((weight) => weight / total);
    const middle = [0, 1].map((axis) => sum(shares.map((share, k) => share * centres[k][axis])));
    const minusScore = [0, 1].map((axis) => (x[axis] - signal * middle[axis]) / variance);
    const eps = minusScore.map((one) => Math.sqrt(left) * one);
    const x0 = middle.map((one, axis) => one + signal * sigma ** 2 * minusScore[axis]);
    return { shares, eps, x0, score: minusScore.map((one) => -one) };
  }

  /** The noise that guidance of weight w towards a label sees: (1 + w) with it - w without. */
  function guided(world, alphaBar, x, t, label, weight) {
    const known = expected(world, alphaBar, x, t, label);
    if (label === null || weight === 0) return known.eps;
    const without = expected(world, alphaBar, x, t);
    return known.eps.map((one, axis) => (1 + weight) * one - weight * without.eps[axis]);
  }

  /** From x_t to x_s: what is seen of x_0 and of the noise, and fresh noise z (eta = 1: DDPM; 0: DDIM). */
  function step(alphaBar, x, eps, z, t, s, eta) {
    const [now, then] = [at(alphaBar, t), at(alphaBar, s)];
    const sigma = eta * Math.sqrt(((1 - then) / (1 - now)) * (1 - now / then));
    const direction = Math.sqrt(Math.max(1 - then - sigma ** 2, 0));
    return x.map((one, axis) => {
      const x0 = (one - Math.sqrt(1 - now) * eps[axis]) / Math.sqrt(now);
      return Math.sqrt(then) * x0 + direction * eps[axis] + sigma * z[axis];
    });
  }

  /** So many times evenly from T down to 0. */
  const times = (T, steps) => Array.from({ length: steps + 1 }, (_, i) => Math.round(T - (T * i) / steps));

  /** The way back of all points, as frames [t, points]; `fresh` draws noise for the steps of DDPM. */
  function back(world, alphaBar, start, { steps, eta, label, weight }, fresh) {
    const way = times(alphaBar.length, steps), every = Math.max(1, Math.round(steps / FRAMES)), frames = [[way[0], start]];
    let points = start;
    for (let i = 1; i < way.length; i++) {
      const [t, s] = [way[i - 1], way[i]];
      points = points.map((x) => {
        const z = eta && s ? [fresh(), fresh()] : [0, 0];
        return step(alphaBar, x, guided(world, alphaBar, x, t, label, weight), z, t, s, eta);
      });
      if (i % every === 0 || s === 0) frames.push([s, points]);
    }
    return frames;
  }

  /** The number of the centre nearest to x, and how far it is. */
  function nearest({ centres }, x) {
    const far = centres.map((centre) => Math.hypot(x[0] - centre[0], x[1] - centre[1]));
    const distance = Math.min(...far);
    return { bump: far.indexOf(distance), distance };
  }

  function mount(root, data) {
    const film = data.digits && Object.fromEntries(Object.entries(data.digits).map(([name, one]) => {
      return [name, one.data ? kit.unpack(one) : one];
    }));
    there(root, data);
    andBack(root, data);
    if (film) digits(root, film);
  }

  /** A square of the plane: a stage with the chart in which to draw. */
  function square(panel, label, draw) {
    return kit.stage(panel, { ratio: 1, label, draw: (context, width, height, colour) => {
      context.clearRect(0, 0, width, height);
      draw(context, kit.chart(width, height, [-SPAN, SPAN], [-SPAN, SPAN]), colour, height);
    } });
  }

  function dots(context, chart, points, colours) {
    points.forEach(([x, y], i) => {
      context.fillStyle = colours[i];
      context.fillRect(chart.x(x) - 1.3, chart.y(y) - 1.3, 2.6, 2.6);
    });
  }

  function there(root, { world, alphaBar }) {
    const rng = kit.random(1), T = alphaBar.length, every = T / 50;
    const kinds = Array.from({ length: POINTS }, () => Math.floor(rng.uniform() * world.centres.length));
    const x0 = kinds.map((k) => world.centres[k].map((c) => c + world.sigma * rng.normal()));
    const eps = kinds.map(() => [rng.normal(), rng.normal()]), tones = kinds.map((k) => kit.CATEGORIES[k]);
    let t = 8 * every, held = [0.9, 0.4];
    const panel = kit.add(root, "div", { class: "panel" });
    kit.add(panel, "p", { class: "title" }, "There: drag the ring, or turn t");
    const plane = square(panel, "Points at time t, the score as arrows: drag the ring, or use the arrow keys", draw);
    const says = kit.add(panel, "p", { class: "says", "aria-live": "polite" });
    kit.slider(panel, {
      name: "t", count: 51, value: 8, words: (i) => String(i * every), change: (i) => ((t = i * every), go()),
    });
    const hold = (x, y) => ((held = [x, y].map((one) => Math.min(SPAN, Math.max(-SPAN, one)))), go());
    kit.drag(plane.canvas, {
      move: (x, y) => hold((2 * x - 1) * SPAN, (1 - 2 * y) * SPAN),
      step: (dx, dy) => hold(held[0] + dx / 15, held[1] - dy / 15),
    });
    go();

    function go() {
      const { shares, x0: guess } = expected(world, alphaBar, held, t), most = Math.max(...shares);
      const pair = (x) => `(${kit.shown(x[0])}, ${kit.shown(x[1])})`;
      says.textContent = `From x = ${pair(held)} at t = ${t} the best guess of x\u2080 is ${pair(guess)}: ` +
        (most > 0.9 ? `nearly surely one bump (${kit.shown(100 * most, 0)} %).`
          : `a mean over bumps, the likeliest of which has ${kit.shown(100 * most, 0)} %. No single point need lie there.`);
      plane.paint();
    }
    function draw(context, chart, colour, height) {
      const [signal, noise] = [Math.sqrt(at(alphaBar, t)), Math.sqrt(1 - at(alphaBar, t))];
      for (let i = -6; i <= 6; i++) {
        for (let j = -6; j <= 6; j++) {
          const from = [i / 2.1, j / 2.1], { score } = expected(world, alphaBar, from, t);
          const long = Math.hypot(...score), shown = 0.42 * Math.tanh(long / 4) / (long || 1);
          const to = from.map((one, axis) => one + shown * score[axis]);
          kit.arrow(context, [chart.x(from[0]), chart.y(from[1])], [chart.x(to[0]), chart.y(to[1])], colour.soft, 1, 4);
        }
      }
      dots(context, chart, x0.map((x, i) => x.map((one, axis) => signal * one + noise * eps[i][axis])), tones);
      const { shares, x0: guess } = expected(world, alphaBar, held, t), place = (x) => [chart.x(x[0]), chart.y(x[1])];
      world.centres.forEach((centre, k) => {
        const style = { colour: colour.ink, width: 6 * shares[k], alpha: 0.45 };
        if (shares[k] > 0.01) kit.line(context, [place(held), place(centre)], style);
      });
      kit.disc(context, place(guess), 7, colour.ink, colour.card);
      kit.disc(context, place(held), 11, colour.card, colour.accent);
      const words = { colour: colour.ink, halo: colour.card, weight: 600 }, right = guess[0] > 1.6;
      kit.text(context, "E[x\u2080 | x]", chart.x(guess[0]) + (right ? -11 : 11), chart.y(guess[1]) - 9, {
        ...words, align: right ? "right" : "left",
      });
      kit.text(context, "arrows: the score", 4, height - 6, { colour: colour.soft, halo: colour.card });
    }
  }

  function andBack(root, { world, alphaBar }) {
    const rng = kit.random(2), start = Array.from({ length: POINTS }, () => [rng.normal(), rng.normal()]);
    const how = { steps: 20, eta: 0, label: null, weight: 1 };
    let frames, tones, shown = 0, ticks = 0;
    const panel = kit.add(root, "div", { class: "panel" });
    kit.add(panel, "p", { class: "title" }, "And back: from the same noise each time");
    const plane = square(panel, "Noise on its way back to points", (context, chart, colour, height) => {
      for (const [x, y] of world.centres) {
        context.beginPath();
        context.arc(chart.x(x), chart.y(y), chart.x(3 * world.sigma) - chart.x(0), 0, 2 * Math.PI);
        context.strokeStyle = colour.soft;
        context.stroke();
      }
      dots(context, chart, frames[shown][1], tones);
      kit.text(context, `t = ${frames[shown][0]}`, 4, height - 6, { colour: colour.ink, halo: colour.card });
    });
    const says = kit.add(panel, "p", { class: "says", "aria-live": "polite" });
    const play = kit.clock(() => ++ticks % 2 || (look(shown + 1), shown < frames.length - 1), (on) => {
      button.textContent = on ? "pause" : "play";
    });
    const button = kit.button(kit.add(panel, "div", { class: "controls" }), "play", () => {
      if (shown === frames.length - 1) look(0);
      play.toggle();
    });
    button.className = "first";
    kit.choice(button.parentElement, {
      name: "", options: ["DDIM", "DDPM"], value: 0, change: (i) => ((how.eta = i), go()),
    });
    const way = kit.slider(panel, {
      name: "way back", count: 101, value: 100, words: (i) => `${i} %`,
      change: (i) => (play.stop(), look(Math.round((i / 100) * (frames.length - 1)))),
    });
    kit.slider(panel, {
      name: "steps", count: STEPS.length, value: 2, words: (i) => String(STEPS[i]),
      change: (i) => ((how.steps = STEPS[i]), go()),
    });
    kit.choice(kit.add(panel, "div", { class: "controls" }), {
      name: "towards", options: ["any bump", "one of them"], value: 0, change: (i) => ((how.label = i ? 1 : null), go()),
    });
    const guide = kit.slider(panel, {
      name: "guidance w", count: WEIGHTS.length, value: 2, words: (i) => String(WEIGHTS[i]),
      change: (i) => ((how.weight = WEIGHTS[i]), go()),
    });
    go();

    function go() {
      play.stop();
      guide.input.disabled = how.label === null;
      frames = back(world, alphaBar, start, how, kit.random(3).normal);
      const ends = frames[frames.length - 1][1].map((x) => nearest(world, x));
      tones = ends.map(({ bump }) => kit.CATEGORIES[bump]);
      const on = ends.filter(({ distance }) => distance < 3 * world.sigma).length / POINTS;
      const spread = Math.sqrt(sum(ends.map(({ distance }) => distance ** 2)) / (2 * POINTS));
      says.textContent =
        `${how.steps} steps of ${how.eta ? "DDPM" : "DDIM"}: ${kit.shown(100 * on, 1)} % of the points lie on a bump ` +
        `(of data 98.9 %), spread ${kit.shown(spread, 3)} (of data ${kit.shown(world.sigma, 3)}). ` +
        (how.label === null ? "Colours show where each point ends." : `All were sent to one bump, with w = ${how.weight}.`);
      look(frames.length - 1);
    }
    function look(frame) {
      shown = Math.min(frame, frames.length - 1);
      way.set(Math.round((100 * shown) / (frames.length - 1)));
      plane.paint();
    }
  }

  /** Ten digits: noisier and noisier, what a trained network sees in them, and the way back from noise alone. */
  function digits(root, film) {
    const [count, all, pixels] = film.noisy.shape, side = Math.sqrt(pixels), weights = Object.keys(film.back);
    const backs = weights.map((weight) => kit.unpack(film.back[weight]));
    let frame = Math.round(0.4 * count), weight = 1;
    const panel = kit.add(root, "div", { class: "panel whole" });
    kit.add(panel, "p", { class: "title" }, "Digits, recorded");
    const rows = () => [
      ["noisy", film.noisy], ["what the network sees in them", film.seen], ["the way back, from noise alone", backs[weight]],
    ];
    const columns = (width) => (width < 480 ? all / 2 : all); // on a phone in two lines
    const wall = kit.stage(panel, {
      ratio: (width) => (width < 480 ? 1.5 : 0.42), label: "Ten digits at time t, what is seen in them, the way back", draw,
    });
    kit.slider(panel, {
      name: "t", count, value: frame, words: (i) => String(film.times[i]), change: (i) => ((frame = i), wall.paint()),
    });
    kit.slider(panel, {
      name: "guidance w", count: weights.length, value: weight, words: (i) => weights[i],
      change: (i) => ((weight = i), wall.paint()),
    });

    function draw(context, width, height, colour) {
      context.clearRect(0, 0, width, height);
      const across = columns(width), slot = width / across, size = Math.min(0.92 * slot, ((height / 3 - 24) * across) / all);
      rows().forEach(([words, { numbers }], row) => {
        const top = row * (height / 3);
        kit.text(context, words, 0, top + 12, { colour: colour.soft });
        for (let i = 0; i < all; i++) {
          const from = (frame * all + i) * pixels; // bytes stand for -2 to 2, and images for -1 to 1
          const grey = Array.from(numbers.slice(from, from + pixels), (byte) => byte / 127.5 - 0.5);
          kit.picture(context, grey, side, (i % across) * slot, top + 17 + Math.floor(i / across) * (size + 3), size);
        }
      });
    }
  }

  return { at, expected, guided, step, times, back, nearest, mount };
})();
