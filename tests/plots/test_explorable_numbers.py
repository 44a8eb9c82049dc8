"""What the pages compute, in Node, against what the package says of the same numbers."""

from __future__ import annotations

import base64
import io
from itertools import pairwise

import numpy as np
import pytest
from explorable_pages import in_node
from PIL import Image
from scipy.integrate import quad
from scipy.special import xlogy
from scipy.stats import norm

from scratchgen.autograd import Tensor, grad, logsumexp
from scratchgen.data import avatars, toy
from scratchgen.distributions import Normal, kl_divergence
from scratchgen.models import GAN, CategoricalNaiveBayes
from scratchgen.models.diffusion import cosine_schedule, ddim_step, ddim_times, guided
from scratchgen.models.gan.objectives import discriminator_loss, generator_loss
from scratchgen.nn import Linear, Module
from scratchgen.optim import Adam
from scratchgen.plots.explorables import Decoder, bound, decoders, duel, noise, players, shop, targets

pytestmark = pytest.mark.host_only


def log_normal(z: float, mean: float, sigma: float) -> float:
    """The package's density of one number."""
    return float(Normal(np.array(float(mean)), np.array(2 * np.log(sigma))).log_prob(z))


@pytest.mark.parametrize(
    ("which", "x", "mean", "sigma"), [(0, 1.2, 0.4, 0.3), (1, 1.2, -1.1, 0.2), (2, -0.7, 0.3, 1.5)]
)
def test_the_bound_falls_into_the_same_parts(which: int, x: float, mean: float, sigma: float) -> None:
    decoder = decoders()[which]
    noise = np.random.default_rng(0).normal(size=50)
    program = """
        const shown = it.prepare(given.data), decoder = shown.decoders[given.which];
        const seen = it.posterior(shown, decoder, given.x);
        const parts = it.terms(shown, seen, given.mean, given.sigma);
        const density = [250, 600, 650].map((i) => [shown.z[i], seen.density[i]]);
        const drawn = it.monteCarlo(given.noise, given.mean, given.sigma);
        console.log(JSON.stringify({ ...parts, ...drawn, density, hills: it.hills(seen.density) }));
    """
    said = in_node(
        "bound",
        program,
        data=bound(decoders(), 1.2, "").data,
        which=which,
        x=x,
        mean=mean,
        sigma=sigma,
        noise=noise.tolist(),
    )

    def log_likelihood(z: float) -> float:
        return log_normal(x, float(decoder.f(np.array(z))), decoder.noise)

    def integral(f: object) -> float:
        return quad(f, -8, 8, points=[-1.5, 0, mean, 1.5], limit=400, epsabs=1e-10)[0]

    evidence = np.log(integral(lambda z: np.exp(log_likelihood(z) + log_normal(z, 0, 1))))
    reconstruction = integral(lambda z: np.exp(log_normal(z, mean, sigma)) * log_likelihood(z))
    q = Normal(np.array([mean]), np.array([2 * np.log(sigma)]))
    kl = float(kl_divergence(q, Normal(0.0, 0.0))[0])
    found = [said[name] for name in ("evidence", "reconstruction", "kl", "elbo")]
    np.testing.assert_allclose(found, [evidence, reconstruction, kl, reconstruction - kl], rtol=1e-5)
    assert said["gap"] == pytest.approx(evidence - reconstruction + kl, rel=1e-5)
    for z, density in said["density"]:
        right = np.exp(log_likelihood(z) + log_normal(z, 0, 1) - evidence)
        assert density == pytest.approx(right, rel=1e-5, abs=1e-12)
    assert said["hills"] == (1, 2, 1)[which]
    draws = mean + sigma * noise
    values = q.log_prob(draws[:, None]) - Normal(0.0, 0.0).log_prob(draws[:, None])
    assert said["estimate"] == pytest.approx(values.mean(), rel=1e-5)
    assert said["error"] == pytest.approx(values.std(ddof=1) / np.sqrt(50), rel=1e-5)


def test_q_climbs_to_the_posterior_of_a_line() -> None:
    program = """
        const shown = it.prepare(given.data), seen = it.posterior(shown, shown.decoders[0], 1.2);
        let q = { mean: -2, sigma: 1 }, last = -Infinity, fell = 0;
        for (let next = q; next; next = it.climb(shown, seen, q)) {
          q = next;
          const { elbo } = it.terms(shown, seen, q.mean, q.sigma);
          fell += elbo < last;
          last = elbo;
        }
        console.log(JSON.stringify([q.mean, q.sigma, fell]));
    """
    mean, sigma, fell = in_node("bound", program, data=bound(decoders(), 1.2, "").data)
    precision = 1 + 1.5**2 / 0.6**2  # of the posterior, a Gaussian
    assert mean == pytest.approx(1.5 / 0.6**2 * 1.2 / precision, abs=2e-3)
    assert sigma == pytest.approx(precision**-0.5, abs=2e-3)
    assert fell == 0


def test_a_decoder_gives_a_number_for_each_z() -> None:
    with pytest.raises(ValueError, match=r"flat: f\(z\): got shape \(\), expected \(1201,\)"):
        bound([Decoder("flat", lambda z: 1.0, 0.5, (0, 1))], 0.0, "")
    with pytest.raises(ValueError, match=r"line: noise: got 0"):
        bound([Decoder("line", lambda z: z, 0.0, (0, 1))], 0.0, "")


def test_the_shop_is_as_far_from_the_truth_as_python_says() -> None:
    rng = np.random.default_rng(1)
    rows = np.stack([rng.integers(0, levels, 40) for levels in avatars.LEVELS], axis=1)
    counts = [np.bincount(column, minlength=n) for column, n in zip(rows.T, avatars.LEVELS, strict=True)]
    program = """
        const shown = it.prepare(given.data), theta = it.smooth(given.counts, given.alpha);
        let i = 0;
        const drawn = it.draw(theta, () => given.uniform[i++]);
        const numbers = drawn.map((levels) => it.numberOf(levels, shown.sizes));
        const back = numbers.map((number) => it.levelsOf(number, shown.sizes));
        console.log(JSON.stringify({ ...it.compare(shown, theta), theta, drawn, numbers, back }));
    """
    data, uniform = shop(avatars.observations(), "").data, rng.random(50)
    given = {"counts": [count.tolist() for count in counts], "alpha": 0.3, "uniform": uniform.tolist()}
    said = in_node("shop", program, data=data, **given)
    model = CategoricalNaiveBayes(avatars.LEVELS, alpha=0.3).fit(rows)
    p, log_q = avatars.probabilities(), model.log_prob(avatars.all_looks())
    kl = p[p > 0] @ (np.log(p[p > 0]) - log_q[p > 0])
    assert said["kl"] == pytest.approx(kl, rel=1e-5)
    assert said["correlation"] == pytest.approx(avatars.total_correlation(), rel=1e-5)
    assert said["correlation"] + sum(said["parts"]) == pytest.approx(kl, rel=1e-5)
    assert min(said["parts"]) >= 0
    for found, right in zip(said["theta"], model.theta, strict=True):
        np.testing.assert_allclose(found, right, rtol=1e-5)
    known = np.isin(np.arange(len(p)), avatars.look_numbers(avatars.observations()))
    masses = {"seen": known, "new": ~known & (p > 0), "impossible": p == 0}
    for name, where in masses.items():
        assert said["mass"][name] == pytest.approx(np.exp(log_q[where]).sum(), rel=1e-5)
    drawn = [
        [int(np.searchsorted(np.cumsum(t), u)) for t, u in zip(model.theta, us, strict=True)]
        for us in uniform.reshape(10, 5)
    ]
    assert said["drawn"] == drawn == said["back"]
    assert said["numbers"] == avatars.look_numbers(np.array(drawn)).tolist()


def test_sheets_laid_on_one_another_are_the_portraits() -> None:
    data = shop(avatars.observations(), "").data
    content = base64.b64decode(data["sheets"].partition(",")[2])
    whole = np.asarray(Image.open(io.BytesIO(content)), np.float64)
    look, side = [3, 4, 1, 2, 7], data["size"]
    picture = np.broadcast_to(np.array(list(bytes.fromhex(data["ground"][1:]))), (side, side, 3))
    for layer in data["layers"]:
        choice = 0
        for k in layer["by"]:
            choice = choice * avatars.LEVELS[k] + look[k]
        row, column = divmod(layer["first"] + choice, data["columns"])
        sheet = whole[row * side : (row + 1) * side, column * side : (column + 1) * side]
        picture = sheet[..., :3] * sheet[..., 3:] / 255 + (1 - sheet[..., 3:] / 255) * picture
    right = 255 * avatars.draw([look])[0].transpose(1, 2, 0)
    assert (
        np.abs(picture - right).max() < 1.01
    )  # but for rounding to 256 levels, on each sheet and in the end


@pytest.mark.parametrize("objective", ["non-saturating", "minimax"])
def test_the_duel_trains_as_python_does(objective: str) -> None:
    rng = np.random.default_rng(2)
    real, fake_noise, noise = rng.normal(1.5, 0.6, (3, 6)), rng.normal(size=(3, 6)), rng.normal(size=(3, 5))
    program = """
        const G = it.network(given.data.generator), D = it.network(given.data.discriminator), seen = [];
        const lists = (layers) => layers.map(({ w, b }) => [Array.from(w), Array.from(b)]);
        given.real.forEach((real, i) => {
          const fake = given.fakeNoise[i].map((z) => it.forward(G, z)[G.length][0]);
          const ofD = it.discriminatorGradients(D, real, fake);
          it.adam(D, ofD, 0.01, i + 1);
          const ofG = it.generatorGradients(G, D, given.noise[i], given.objective);
          it.adam(G, ofG, 0.02, i + 1);
          const slopes = fake.map((x) => it.slope(D, x, given.objective));
          seen.push([...[ofD, ofG].map(lists), slopes]);
        });
        console.log(JSON.stringify([seen, [G, D].map(lists), it.BETAS]));
    """
    given = {
        "real": real.tolist(),
        "fakeNoise": fake_noise.tolist(),
        "noise": noise.tolist(),
        "objective": objective,
    }
    seen, weights, betas = in_node("duel", program, data=duel(targets(), "").data, **given)
    G, D = (network.to(np.float64) for network in players())
    game = GAN(G, D, 1, objective)
    optimisers = Adam(G.parameters(), 0.02, tuple(betas)), Adam(D.parameters(), 0.01, tuple(betas))

    def gradients(network: Module, loss: Tensor) -> list[list[list[float]]]:
        network.zero_grad()
        loss.backward()
        layers = [layer for _, layer in network.named_modules() if isinstance(layer, Linear)]
        return [[layer.weight.grad.ravel(), layer.bias.grad] for layer in layers]

    for i in range(3):
        x = G(fake_noise[i][:, None]).data
        loss = discriminator_loss(game.logits(real[i][:, None]), game.logits(x))
        nested_close(seen[i][0], gradients(D, loss))
        optimisers[1].step()
        loss = generator_loss(game.logits(G(noise[i][:, None])), objective)
        nested_close(seen[i][1], gradients(G, loss))
        optimisers[0].step()
        point = Tensor(x, requires_grad=True)
        (slopes,) = grad(generator_loss(game.logits(point), objective), point)
        np.testing.assert_allclose(seen[i][2], 6 * slopes[:, 0], rtol=1e-5)  # a mean over six
    for network, found in zip((G, D), weights, strict=True):
        layers = [layer for _, layer in network.named_modules() if isinstance(layer, Linear)]
        nested_close(found, [[layer.weight.data.ravel(), layer.bias.data] for layer in layers])


def nested_close(found: list[list[list[float]]], right: list[list[np.ndarray]]) -> None:
    for layer, wanted in zip(found, right, strict=True):
        for one, other in zip(layer, wanted, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-12)


def test_the_duel_measures_what_theory_says() -> None:
    program = """
        const G = it.network(given.data.generator), [, target] = given.data.targets;
        const p = it.places.map((x) => it.density(target, x));
        G[0].w.fill(0.5);
        const q = it.pushed(G), d = it.places.map((x) => 0.2 + 0.6 * Math.abs(Math.sin(x)));
        const ends = Array.from({ length: 401 }, (_, i) => it.forward(G, -4 + i / 50)[G.length][0]);
        const bumps = it.reached([[0, 0], [2, 0.1], [2, 0], [9, 9]], given.world);
        console.log(JSON.stringify({ places: it.places, p, q, d, ends, bumps, ...it.values(p, q, d) }));
    """
    world = toy.eight_gaussians()
    seen = {"centres": world.centres.tolist(), "sigma": world.sigma}
    said = in_node("duel", program, data=duel(targets(), "").data, world=seen)
    x, p, q, d = (np.array(said[name]) for name in ("places", "p", "q", "d"))
    hills = norm.pdf(x, [[-1.8], [1.8]], 0.5)
    np.testing.assert_allclose(p, hills.mean(axis=0), rtol=1e-5)
    z = np.linspace(-4, 4, 401)
    mass = norm.pdf((z[1:] + z[:-1]) / 2)
    ends = np.array(said["ends"])
    low, high = np.minimum(ends[1:], ends[:-1]), np.maximum(ends[1:], ends[:-1])
    below = (
        np.clip((np.append(x - 0.025, x[-1] + 0.025)[:, None] - low) / (high - low), 0, 1) @ mass / mass.sum()
    )
    np.testing.assert_allclose(q, np.diff(below) / 0.05, rtol=1e-5, atol=1e-9)
    best = p / (p + q)
    np.testing.assert_allclose(said["best"], best, rtol=1e-5)

    def value(answer: np.ndarray) -> float:
        return 0.05 * float((p * np.log(answer)).sum() + (xlogy(q, 1 - answer)).sum())

    assert said["value"] == pytest.approx(value(d), rel=1e-5)
    m = (p + q) / 2
    jsd = 0.05 * (xlogy(p, p / m).sum() + xlogy(q, q / m).sum()) / 2
    assert said["most"] == pytest.approx(-np.log(4) * 0.05 * (p + q).sum() / 2 + 2 * jsd, rel=1e-5)
    assert said["bumps"] == 1


WORLD, SCHEDULE = toy.eight_gaussians(1.7, 0.2), cosine_schedule(50)


def score(x: np.ndarray, t: int, label: int | None = None) -> np.ndarray:
    """grad log q(x_t), by differentiating the mixture's density."""
    signal, noise = SCHEDULE.signal[t - 1], SCHEDULE.noise[t - 1]
    centres = WORLD.centres if label is None else WORLD.centres[label : label + 1]
    point = Tensor(x, requires_grad=True)
    squares = ((point.reshape((len(x), 1, 2)) - signal * centres) ** 2).sum(axis=2)
    log_q = logsumexp(-squares / (2 * (signal**2 * WORLD.sigma**2 + noise**2)), axis=1)
    return np.asarray(grad(log_q.sum(), point)[0])


@pytest.mark.parametrize(("label", "weight", "eta"), [(None, 1.0, 0), (3, 0.0, 1), (3, 2.0, 1)])
def test_the_way_back_is_the_package_s(label: int | None, weight: float, eta: int) -> None:
    rng = np.random.default_rng(3)
    start, fresh = rng.normal(size=(4, 2)), rng.normal(size=(4, 4, 2))
    program = """
        const { world, alphaBar } = given.data;
        const fresh = given.fresh.values(), how = { ...given.how, steps: 5 };
        const frames = it.back(world, alphaBar, given.start, how, () => fresh.next().value);
        const [x] = given.start, asked = [1, 20, 50].map((t) => it.expected(world, alphaBar, x, t));
        const near = it.nearest(world, [1.6, 0.1]);
        console.log(JSON.stringify({ frames, asked, times: it.times(1000, 20), near }));
    """
    data = noise(WORLD, SCHEDULE, "").data
    how = {"label": label, "weight": weight, "eta": eta}
    said = in_node("noise", program, data=data, start=start.tolist(), fresh=fresh.ravel().tolist(), how=how)
    for t, found in zip((1, 20, 50), said["asked"], strict=True):
        right = score(start[:1], t)
        signal, sigma = SCHEDULE.signal[t - 1], SCHEDULE.noise[t - 1]
        np.testing.assert_allclose(found["score"], right[0], rtol=1e-5)
        np.testing.assert_allclose(found["eps"], -sigma * right[0], rtol=1e-5)
        np.testing.assert_allclose(
            found["x0"], (start[0] + sigma**2 * right[0]) / signal, rtol=1e-5
        )  # Tweedie
        assert sum(found["shares"]) == pytest.approx(1)
    x, way = start, ddim_times(50, 5)
    assert [t for t, _ in said["frames"]] == way
    for i, (t, s) in enumerate(pairwise(way)):
        np.testing.assert_allclose(said["frames"][i][1], x, rtol=1e-5)
        sigma = SCHEDULE.noise[t - 1]
        eps = -sigma * score(x, t, label)
        if label is not None and weight:
            eps = guided(eps, -sigma * score(x, t), weight)
        x0 = (x - sigma * eps) / SCHEDULE.signal[t - 1]
        z = fresh[i] if s and eta else None
        x = ddim_step(SCHEDULE, x0, eps, z, t, s, eta)
    np.testing.assert_allclose(said["frames"][-1][1], x, rtol=1e-5)
    assert said["times"] == ddim_times(1000, 20)
    assert said["near"] == {"bump": 0, "distance": pytest.approx(np.hypot(0.1, 0.1))}
