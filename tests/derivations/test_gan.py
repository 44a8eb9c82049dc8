"""The game of a GAN, on worlds of a few points, where its value and its best move are known exactly."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from estimates import assert_mean
from scipy import integrate, special, stats
from scipy.spatial import distance
from tools import assert_close, assert_slopes

import scratchgen as sg
from scratchgen.backend import RandomStream
from scratchgen.distributions import Categorical, kl_divergence
from scratchgen.models import GAN
from scratchgen.models.gan import discriminator_loss, generator_loss
from scratchgen.nn import Linear, Module, Parameter
from scratchgen.optim import SGD, Adam
from scratchgen.training import fit_adversarial

# How often each of five points occurs among a hundred of the data, and a hundred samples.
P = np.array([10, 40, 5, 25, 20])
Q = np.array([30, 20, 40, 5, 5])
FAR = np.array([0, 0, 0, 60, 40]), np.array([50, 30, 20, 0, 0])  # data and samples with nothing in common


def value(d: np.ndarray, p: np.ndarray = P, q: np.ndarray = Q) -> float:
    """V of gan-value, from the discriminator's probabilities at the points."""
    return float((special.xlogy(p, d) + special.xlog1py(q, -d)).sum() / 100)


def best(p: np.ndarray = P, q: np.ndarray = Q) -> np.ndarray:
    return p / (p + q)


def jensen_shannon(p: np.ndarray, q: np.ndarray) -> float:
    return float(distance.jensenshannon(p, q) ** 2)  # SciPy gives the root of it


def jensen_shannon_by_definition(p: np.ndarray, q: np.ndarray) -> float:
    """Half of the divergence of each from the middle, by the package's own divergence of tables."""
    shares = [np.maximum(x / x.sum(), 1e-300) for x in (p, q, p + q)]
    first, second, middle = (Categorical(sg.asarray(np.log(x))) for x in shares)
    divergences = [kl_divergence(table, middle) for table in (first, second)]
    return sum(float(sg.asnumpy(divergence)) for divergence in divergences) / 2


def loss_at(logits: Any) -> Any:
    """The discriminator's loss on a hundred data and a hundred samples of the five points."""
    return discriminator_loss(logits[np.repeat(np.arange(5), P)], logits[np.repeat(np.arange(5), Q)])


@pytest.mark.equation("gan-value")
def test_the_discriminators_loss_is_minus_the_value_of_the_game() -> None:
    for d in (np.full(5, 0.5), best(), np.array([0.9, 0.1, 0.7, 0.2, 0.6])):
        assert_close(loss_at(sg.asarray(special.logit(d))), -value(d), rtol=1e-12)


class Affine(Module):
    """``slope x + offset`` of numbers: a generator or a discriminator that can be integrated."""

    def __init__(self, slope: float, offset: float) -> None:
        self.slope = Parameter(np.array(slope, np.float64))
        self.offset = Parameter(np.array(offset, np.float64))

    def forward(self, x: Any) -> Any:
        return self.slope * x + self.offset


@pytest.mark.equation("gan-minimax")
def test_the_two_losses_estimate_the_expectations_of_the_game() -> None:
    """Data N(0, 1), samples 0.5 z + 2, D(x) = sigmoid(0.7 - 1.5 x): by quadrature, and by the model."""
    model = GAN(Affine(0.5, 2.0), Affine(-1.5, 0.7), latent_dim=1, objective="minimax")

    def expected(log_d: Any, mean: float, sigma: float) -> float:
        density = stats.norm(mean, sigma).pdf
        return integrate.quad(lambda x: density(x) * log_d(x), mean - 10 * sigma, mean + 10 * sigma)[0]

    log_d = expected(lambda x: special.log_expit(0.7 - 1.5 * x), 0, 1)
    log_not_d = expected(lambda x: special.log_expit(1.5 * x - 0.7), 2, 0.5)
    with sg.no_grad():
        streams = [RandomStream(0, i) for i in range(200)]
        batches = [stream.child("x").normal((500, 1), np.float64) for stream in streams]
        found = [model.discriminator_loss(x, stream) for x, stream in zip(batches, streams, strict=True)]
        lowered = [model.generator_loss(500, stream.child("z")) for stream in streams]
    assert_mean(np.stack([sg.asnumpy(x) for x in found]), -(log_d + log_not_d))
    assert_mean(np.stack([sg.asnumpy(x) for x in lowered]), log_not_d)
    x = batches[0][:50]
    assert_slopes(lambda: model.discriminator_loss(x, RandomStream(0)), model.discriminator.parameters())
    assert_slopes(lambda: model.generator_loss(50, RandomStream(0)), model.generator.parameters())


@pytest.mark.equation("gan-optimal-discriminator")
def test_the_optimal_discriminator_by_algebra() -> None:
    """At D* the slope is zero and the curvature positive in every direction: the one minimum of a sum."""
    logits = sg.tensor(np.log(P) - np.log(Q), requires_grad=True)
    assert_close(special.expit(sg.asnumpy(logits)), best(), rtol=1e-12)
    (slope,) = sg.grad(loss_at(logits), logits, create_graph=True)
    assert_close(slope, np.zeros(5), atol=1e-15)
    curvature = sg.grad(slope.sum(), logits)[0]
    assert_close(curvature, (P + Q) / 100 * best() * (1 - best()), rtol=1e-12)


class Table(Module):
    """A logit for each of five points, given as whole numbers that are written as floats."""

    def __init__(self) -> None:
        self.logits = Parameter(np.zeros(5))

    def forward(self, x: Any) -> Any:
        points = np.arange(5, dtype=np.float64, like=sg.raw(x))
        return ((x == points).astype(np.float64) * self.logits).sum(axis=1)


class Draw(Module):
    """Samples from Q by the quantiles of the noise: its parameter is there only so that it has one."""

    def __init__(self) -> None:
        self.unused = Parameter(np.zeros(1))

    def forward(self, z: Any) -> Any:
        thresholds = sg.asarray(stats.norm.ppf(Q.cumsum()[:-1] / 100))
        return (sg.raw(z) > thresholds).sum(axis=1, keepdims=True).astype(np.float64)


@pytest.mark.equation("gan-optimal-discriminator")
def test_the_optimal_discriminator_by_training_to_convergence() -> None:
    model, x = GAN(Draw(), Table(), latent_dim=1), sg.asarray(np.repeat(np.arange(5.0), 20 * P)[:, None])
    optimiser = Adam(model.discriminator.parameters(), lr=0.1)
    for step in range(300):
        optimiser.lr = 0.1 / (1 + step / 20)
        optimiser.zero_grad()
        model.discriminator_loss(x, RandomStream(0, step)).backward()
        optimiser.step()
    assert_close(special.expit(sg.asnumpy(model.discriminator.logits)), best(), atol=0.02)


@pytest.mark.equation("gan-jsd")
@pytest.mark.parametrize(("p", "q"), [(P, Q), (P, P), FAR, (Q, P)], ids=["some", "none", "all", "turned"])
def test_the_value_at_the_optimum_is_the_divergence_of_the_two(p: np.ndarray, q: np.ndarray) -> None:
    real, fake = np.repeat(np.arange(5), p), np.repeat(np.arange(5), q)

    def value_of(d: np.ndarray) -> float:
        with np.errstate(divide="ignore"):
            logits = sg.asarray(np.clip(special.logit(d), -80, 80))
        return -float(sg.asnumpy(discriminator_loss(logits[real], logits[fake])))

    at_best = value_of(best(p, q))
    assert_close(at_best, -np.log(4) + 2 * jensen_shannon(p, q), rtol=1e-12, atol=1e-15)
    for d in (0.5 * best(p, q) + 0.1, 0.5 * best(p, q) + 0.4):
        assert value_of(d) < at_best  # no other discriminator does better


@pytest.mark.equation("gan-jensen-shannon")
def test_the_divergence_lies_between_nothing_and_log_two() -> None:
    for p, q in ((P, Q), (P, P), FAR):
        assert_close(jensen_shannon_by_definition(p, q), jensen_shannon(p, q), rtol=1e-12, atol=1e-15)
    assert_close(jensen_shannon_by_definition(P, P), 0, atol=1e-15)
    assert_close(jensen_shannon_by_definition(*FAR), np.log(2), rtol=1e-12)


@pytest.mark.equation("gan-non-saturating")
def test_the_non_saturating_loss_raises_the_logarithm_of_d() -> None:
    d = np.array([0.01, 0.3, 0.9])
    logits = sg.asarray(special.logit(d))
    assert_close(generator_loss(logits, "non-saturating"), -np.log(d).mean(), rtol=1e-12)
    assert_close(generator_loss(logits, "minimax"), np.log(1 - d).mean(), rtol=1e-12)
    assert_close(generator_loss(logits, "wasserstein-gp"), -special.logit(d).mean(), rtol=1e-12)


@pytest.mark.equation("gan-non-saturating")
def test_both_losses_have_the_same_fixed_point() -> None:
    """Where q = p the best discriminator is 1/2 everywhere, and neither loss moves a sample."""
    for objective in ("minimax", "non-saturating"):
        model = GAN(Linear(3, 2), Linear(2, 1), 3, objective)
        model.discriminator.load_state_dict({"weight": np.zeros((1, 2)), "bias": np.zeros(1)})
        loss = model.generator_loss(8, RandomStream(0))
        for gradient in sg.grad(loss, list(model.generator.parameters())):
            assert_close(gradient, np.zeros(gradient.shape))


def slope_at(logit: float, objective: str, dtype: Any = np.float64) -> float:
    logits = sg.tensor(np.array([logit], dtype), requires_grad=True)
    return float(sg.asnumpy(sg.grad(generator_loss(logits, objective), logits)[0])[0])


@pytest.mark.equation("gan-logit-gradients")
@pytest.mark.parametrize("logit", [-8.0, -1.0, 0.0, 0.5, 6.0])
def test_the_gradients_at_the_logit(logit: float) -> None:
    s = special.expit(logit)
    assert_close(slope_at(logit, "minimax"), -s, rtol=1e-12)
    assert_close(slope_at(logit, "non-saturating"), -(1 - s), rtol=1e-11)


@pytest.mark.equation("gan-logit-gradients")
def test_saturation_in_numbers() -> None:
    """A discriminator that gives samples one chance in 22,027 leaves minimax 1/22,026 of the gradient."""
    assert_close(slope_at(-10, "minimax"), -4.5398e-05, rtol=1e-5)
    assert_close(slope_at(-10, "non-saturating"), -0.9999546, rtol=1e-7)
    assert_close(slope_at(-10, "non-saturating") / slope_at(-10, "minimax"), np.exp(10), rtol=1e-9)
    assert_close(slope_at(0, "minimax"), slope_at(0, "non-saturating"))  # the one place where they agree


def players_after(steps: int, rate: float, penalty: float) -> float:
    """The distance from the rest of two players of the bilinear game, who step at once, from (0.6, -0.8)."""
    theta, psi = (Parameter(np.array([start])) for start in (0.6, -0.8))
    optimisers = [SGD([player], lr=rate) for player in (theta, psi)]
    for _ in range(steps):
        losses = -psi * theta, psi * theta + penalty / 2 * psi * psi  # each player's own
        for player, loss in zip((theta, psi), losses, strict=True):
            (player.grad,) = sg.grad(loss, player)
        for optimiser in optimisers:
            optimiser.step()
    return float(np.hypot(theta.item(), psi.item()))


@pytest.mark.equation("bilinear-game")
@pytest.mark.parametrize("rate", [0.1, 0.5])
def test_two_players_who_step_at_once_circle_outwards(rate: float) -> None:
    for steps in (1, 10, 60):
        assert_close(players_after(steps, rate, 0.0), (1 + rate**2) ** (steps / 2), rtol=1e-12)


@pytest.mark.equation("bilinear-game-penalty")
@pytest.mark.parametrize("penalty", [0.3, 1.0, 1.5])
def test_a_penalty_on_the_slope_lets_them_spiral_into_the_rest(penalty: float) -> None:
    """Over many steps the distance is multiplied, per step, by the root of the determinant."""
    rate = 0.1
    ratio = (players_after(900, rate, penalty) / players_after(100, rate, penalty)) ** (1 / 800)
    assert_close(ratio, np.sqrt(1 - rate * penalty + rate**2), rtol=2e-3)
    assert ratio < 1 < players_after(100, rate, 0.0)


@pytest.mark.parametrize("logit", [-200.0, -30.0])
def test_a_sure_discriminator_leaves_the_generator_its_gradient_in_float32(logit: float) -> None:
    """sigmoid(-200) is 0 in float32, and so would be the gradient of -log of it, or it would be infinite."""
    assert slope_at(logit, "non-saturating", np.float32) == -1.0


@pytest.mark.parametrize("size", [30.0, 1e4])
def test_the_discriminators_loss_is_never_negative_and_never_infinite(size: float) -> None:
    """With noise on its targets, as some have it, a cross-entropy has no lower bound; this one has."""
    for real in (-size, size):
        for fake in (-size, size):
            loss = float(sg.asnumpy(loss_of(real, fake)))
            assert np.isfinite(loss)
            assert loss == pytest.approx(max(-real, 0) + max(fake, 0), abs=1e-9)


def loss_of(real: float, fake: float) -> Any:
    return discriminator_loss(sg.asarray(np.array([real])), sg.asarray(np.array([fake])))


def test_training_moves_a_line_of_samples_onto_the_data() -> None:
    """An affine generator of N(0, 1) can only be right: mean 3 and standard deviation 0.5 are found."""
    x = sg.asarray(3 + 0.5 * np.random.default_rng(0).normal(size=(4096, 1)).astype(np.float32))
    model = GAN.dense(1, 32, 1, rng=RandomStream(0))
    model.generator = Linear(1, 1, rng=RandomStream(1))
    fit_adversarial(
        model,
        x,
        Adam(model.discriminator.parameters(), 1e-2, betas=(0.5, 0.9)),
        Adam(model.generator.parameters(), 1e-2, betas=(0.5, 0.9)),
        steps=500,
        batch_size=128,
        schedule=lambda step: 1 - step / 500,
    )
    assert model.generator.bias.item() == pytest.approx(3, abs=0.1)
    assert abs(model.generator.weight.item()) == pytest.approx(0.5, abs=0.1)
