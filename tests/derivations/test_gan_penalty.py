"""The Wasserstein critic: its penalty by hand and by finite differences, and the distance that it finds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats
from tools import assert_close, assert_slopes

import scratchgen as sg
from scratchgen.autograd import check_gradients
from scratchgen.backend import RandomStream
from scratchgen.models import GAN
from scratchgen.models.gan import generator_loss, gradient_penalty, interpolate
from scratchgen.models.gan.penalty import slopes
from scratchgen.networks import MLP
from scratchgen.nn import Linear, Module, Tanh
from scratchgen.optim import Adam

SHAPE = (2, 3, 4)
REAL, FAKE = np.random.default_rng(0).normal(size=(2, 6, *SHAPE))


def shares(real: np.ndarray, fake: np.ndarray, rng: RandomStream) -> np.ndarray:
    """How far from the sample to the example each number of an interpolated point lies."""
    mixed = sg.asnumpy(interpolate(sg.asarray(real), sg.asarray(fake), rng))
    return (mixed - fake) / (real - fake)


@pytest.mark.equation("wgan-interpolation")
def test_every_number_of_a_point_lies_equally_far_along_its_line() -> None:
    found = shares(REAL, FAKE, RandomStream(0)).reshape(6, -1)
    assert_close(found, np.repeat(found[:, :1], found.shape[1], axis=1), rtol=1e-9)
    assert len(np.unique(found[:, 0].round(9))) == 6  # and each example has a weight of its own


@pytest.mark.equation("wgan-interpolation")
def test_the_weights_are_uniform_on_zero_to_one() -> None:
    found = shares(np.ones((20_000, 1)), np.zeros((20_000, 1)), RandomStream(1))[:, 0]
    assert found.min() >= 0
    assert found.max() < 1
    assert_close(stats.kstest(found, "uniform").statistic, 0.0, atol=1.63 / np.sqrt(len(found)))  # 1 %


def quadratic(matrix: np.ndarray) -> Any:
    """A critic ``x A x / 2`` of images, whose gradient is A x."""
    device = sg.asarray(matrix)

    def critic(x: Any) -> Any:
        flat = x.reshape((len(x), -1))
        return ((flat @ device) * flat).sum(axis=1) / 2

    return critic


@pytest.mark.equation("wgan-gp-penalty")
def test_the_penalty_by_hand() -> None:
    """Of images, so that a norm over channels, rows or columns only would be another."""
    root = np.random.default_rng(1).normal(size=(24, 24)) / 24
    matrix = root + root.T
    mixed = sg.asnumpy(interpolate(sg.asarray(REAL), sg.asarray(FAKE), RandomStream(2))).reshape(6, 24)
    norms = np.linalg.norm(mixed @ matrix, axis=1)
    found = gradient_penalty(quadratic(matrix), sg.asarray(REAL), sg.asarray(FAKE), RandomStream(2))
    assert norms.min() < 1 < norms.max()  # slopes below 1 cost as slopes above it do
    assert_close(found, ((norms - 1) ** 2).mean(), rtol=1e-9)
    made = sg.tensor(
        sg.asarray(FAKE), requires_grad=True
    )  # it is the critic's: nothing reaches the generator
    again = gradient_penalty(quadratic(matrix), sg.tensor(sg.asarray(REAL)), made, RandomStream(2))
    assert not sg.tensor(again).requires_grad
    assert_close(again, sg.asnumpy(found), rtol=0)


@pytest.mark.equation("critic-slope")
@pytest.mark.equation("wgan-gp-penalty")
def test_the_penaltys_gradient_to_the_critics_weights_by_finite_differences() -> None:
    critic = MLP([24, 5, 1], Tanh, rng=RandomStream(0)).to(np.float64)
    first, last = critic[0], critic[2]

    def penalty(weight: Any, bias: Any, final: Any) -> Any:
        first.weight, first.bias, last.weight = weight, bias, final

        def score(x: Any) -> Any:
            return critic(x.reshape((len(x), -1))).sum(axis=1)

        return gradient_penalty(score, sg.asarray(REAL), sg.asarray(FAKE), RandomStream(3))

    weights = [sg.asnumpy(w.data).copy() for w in (first.weight, first.bias, last.weight)]
    check_gradients(penalty, *weights, order=1)  # which is a second derivative already


@pytest.mark.equation("wgan-gp-penalty")
def test_a_flat_critic_has_a_penalty_of_one_and_a_finite_gradient() -> None:
    """The norm's root has no derivative at 0: without care it gives NaN, and training is over."""
    critic = Linear(3, 1).to(np.float64)
    critic.load_state_dict({"weight": np.zeros((1, 3)), "bias": np.zeros(1)})
    x = sg.asarray(np.ones((4, 3)))
    penalty = gradient_penalty(lambda x: critic(x).sum(axis=1), x, 0 * x, RandomStream(0))
    assert_close(penalty, 1.0)
    assert_close(sg.grad(penalty, critic.weight)[0], np.zeros((1, 3)))


@pytest.mark.equation("wgan-gp-loss")
@pytest.mark.parametrize("penalty_weight", [0.0, 10.0])
def test_the_critics_loss_and_its_terms(penalty_weight: float) -> None:
    model = GAN.dense(SHAPE, 8, 3, "wasserstein-gp", rng=RandomStream(1)).to(np.float64)
    model.penalty_weight = penalty_weight
    x = sg.asarray(REAL)
    terms = model.discriminator_terms(x, RandomStream(4))
    rng = RandomStream(4)
    with sg.no_grad():
        fake = sg.raw(model(rng.normal((6, 3), np.float64)))
        real_scores, fake_scores = (sg.asnumpy(model.logits(y)) for y in (x, fake))
        penalty = sg.asnumpy(gradient_penalty(model.logits, x, fake, rng))
    gap = real_scores.mean() - fake_scores.mean()
    assert_close(terms["distance"], gap, rtol=1e-12)
    assert_close(terms["penalty"], penalty, rtol=1e-12)
    assert_close(terms["loss"], penalty_weight * penalty - gap, rtol=1e-12)
    accuracy = (real_scores[:, None] > fake_scores).mean()
    assert 0.2 < accuracy < 0.8
    assert_close(terms["accuracy"], accuracy)
    assert not any(isinstance(terms[name], sg.Tensor) for name in ("accuracy", "distance", "penalty"))
    critic = list(model.discriminator.parameters())
    assert_slopes(lambda: model.discriminator_loss(x, RandomStream(4)), critic, rtol=1e-5)
    assert GAN.dense(2, 8, 3, "wasserstein-gp").penalty_weight == 10


class Shift(Module):
    """``z + offset``: samples that are the noise moved by a number."""

    def __init__(self, offset: float) -> None:
        self.offset = sg.nn.Parameter(np.array([offset]))

    def forward(self, z: Any) -> Any:
        return z + self.offset


@pytest.mark.equation("wgan-gp-slope")
@pytest.mark.parametrize(("offset", "penalty_weight"), [(3.0, 10.0), (-0.5, 2.0)])
def test_the_penalty_is_soft(offset: float, penalty_weight: float) -> None:
    """Of linear critics of a shift, that of slope 1 + |offset| / (2 lambda) has no gradient left."""
    model = GAN(Shift(offset), Linear(1, 1), 1, "wasserstein-gp", penalty_weight).to(np.float64)
    x = sg.asarray(stats.norm.ppf((np.arange(2000) + 0.5) / 2000)[:, None])
    z = np.array(sg.asnumpy(RandomStream(5).normal((2000, 1), np.float64)))
    shift = offset + z.mean()  # what the samples at hand are moved by
    steepest = -np.sign(offset) * (1 + abs(shift) / (2 * penalty_weight))
    model.discriminator.load_state_dict({"weight": [[steepest]], "bias": [0.0]})
    loss = model.discriminator_loss(x, RandomStream(5))
    assert_close(sg.grad(loss, model.discriminator.weight)[0], np.zeros((1, 1)), atol=1e-9)


@pytest.mark.equation("wgan-duality")
@pytest.mark.parametrize("seed", [0, 1])
def test_the_critic_approaches_the_exact_distance(seed: int) -> None:
    """Two heaps of data with the samples between them: the critic has to rise to either side.

    lambda grows from 0.1 to 100: with 10 the slope would be 1.1 (see the test above), and with that much from
    the start a slope of the wrong sign cannot turn, since on its way it would have to be 0, at a cost.
    """
    heaps = np.where(np.arange(512) % 2, 4.0, -2.0)
    x = (heaps + 0.3 * np.random.default_rng(0).normal(size=512))[:, None]
    model = GAN(Shift(0.0), MLP([1, 32, 32, 1], Tanh, rng=RandomStream(seed)), 1, "wasserstein-gp")
    model.to(np.float64)
    optimiser, steps, found = Adam(model.discriminator.parameters(), 1e-2, betas=(0.5, 0.9)), 300, []
    for step in range(steps):
        model.penalty_weight = 0.1 * 1000 ** (step / steps)
        optimiser.lr = 1e-2 * (1 - step / steps)
        optimiser.zero_grad()
        terms = model.discriminator_terms(sg.asarray(x), RandomStream(6, step))
        terms["loss"].backward()
        optimiser.step()
        found.append(float(sg.asnumpy(terms["distance"])))
    samples = sg.asnumpy(model.sample(100_000, RandomStream(7)))[:, 0]
    exact = stats.wasserstein_distance(x[:, 0], samples)
    assert_close(np.mean(found[-20:]), exact, rtol=0.03)
    # The generator raises the critic's score, so data have to be what scores high.
    of_data, of_samples = (sg.asnumpy(model.logits(sg.asarray(y))).mean() for y in (x, samples[:1000, None]))
    assert of_data > of_samples + 1


@pytest.mark.equation("critic-slope")
def test_the_slope_of_each_example_comes_of_one_backward_pass() -> None:
    x, w = np.random.default_rng(5).normal(size=(2, 6, 2, 3))
    found = slopes(lambda v: (sg.sin(v) * sg.asarray(w[0])).sum(axis=(1, 2)) ** 2, sg.asarray(x))
    each = np.sum(np.sin(x) * w[0], axis=(1, 2))
    expected = np.sqrt(np.sum((2 * each[:, None, None] * np.cos(x) * w[0]) ** 2, axis=(1, 2)))
    assert_close(found, expected, rtol=1e-10)
    scale = sg.tensor(sg.asarray(np.array(1.7)), requires_grad=True)  # of all scores, hence of all slopes
    of_scale = slopes(lambda v: (sg.sin(v) * sg.asarray(w[0])).sum(axis=(1, 2)) ** 2 * scale, sg.asarray(x))
    assert_close(sg.grad(of_scale.sum(), scale)[0], expected.sum(), rtol=1e-10)


@pytest.mark.equation("wgan-generator-loss")
def test_the_generator_raises_the_critics_mean_score() -> None:
    scores = sg.tensor(sg.asarray(np.array([1.0, -3.0, 7.0, 2.0])), requires_grad=True)
    loss = generator_loss(scores, "wasserstein-gp")
    assert_close(loss, -7 / 4)
    assert_close(sg.grad(loss, scores)[0], np.full(4, -0.25))


@pytest.mark.equation("gan-accuracy")
def test_how_often_a_discriminator_is_right() -> None:
    class Fixed(Module):
        """One number for each example, its first."""

        def forward(self, x: object) -> object:
            return x[:, 0]

    model = GAN(Fixed(), Fixed(), 1)
    model.generator.forward = lambda z: (
        z * 0 + sg.asarray(np.array([[-1.0], [0.0], [0.6], [-0.1]], np.float32))
    )
    data = sg.asarray(np.array([[0.5], [-2.0], [-0.5], [0.0]], np.float32))
    terms = model.discriminator_terms(data, RandomStream(0))
    assert_close(terms["accuracy"], (1 / 4 + 3 / 4) / 2)
    hardly = sg.asarray(np.array([[0.5], [0.2], [-0.5], [0.0]], np.float32))
    assert_close(model.discriminator_terms(hardly, RandomStream(0))["accuracy"], (2 / 4 + 3 / 4) / 2)
    certain = sg.asarray(np.full((4, 1), 5.0, np.float32))
    assert_close(model.discriminator_terms(certain, RandomStream(0))["accuracy"], (1 + 3 / 4) / 2)
