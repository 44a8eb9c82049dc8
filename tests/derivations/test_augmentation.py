"""What drawn data cannot add, what they spoil, and what a true assumption is worth."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from estimates import assert_mean
from scipy import stats
from tools import assert_at_most, assert_close, to_device

from scratchgen.backend import RandomStream, asnumpy
from scratchgen.data import digits, distorted
from scratchgen.data.distortions import transformed
from scratchgen.distributions import Normal
from scratchgen.models.naive_bayes.smoothing import smoothed


def information(joint: np.ndarray) -> float:
    """I(a; b) of a table of probabilities, in nats."""
    apart = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0, keepdims=True)
    inside = joint > 0
    return float((joint[inside] * np.log(joint[inside] / apart[inside])).sum())


@pytest.mark.equation("augmentation-information")
@pytest.mark.parametrize("alpha", [0.0, 1.0])
def test_coins_drawn_from_a_fitted_coin_know_no_more(alpha: float) -> None:
    """Three worlds, five real tosses, the package's estimate, and seven drawn tosses: all by counting."""
    worlds, prior, n, m = (0.2, 0.5, 0.9), np.array([0.5, 0.2, 0.3]), 5, 7
    joint = np.zeros((3, n + 1, m + 1))  # of the world, the real heads and the drawn ones
    for (w, p), real, drawn in product(enumerate(worlds), range(n + 1), range(m + 1)):
        fitted = smoothed(np.array([n - real, real]), alpha)[1]
        joint[w, real, drawn] = prior[w] * stats.binom.pmf(real, n, p) * stats.binom.pmf(drawn, m, fitted)
    both, real = information(joint.reshape(3, -1)), information(joint.sum(axis=2))
    assert_close(both, real, rtol=1e-12)
    drawn = information(joint.sum(axis=1))
    assert_at_most(drawn / real, 1.0)
    assert drawn > 0.3 * real


@pytest.mark.equation("augmentation-mean")
@pytest.mark.parametrize(("n", "m"), [(4, 4), (4, 20), (9, 2)])
def test_drawn_numbers_only_add_noise_to_the_mean(n: int, m: int) -> None:
    rng = np.random.default_rng(0)
    real = rng.normal(1.5, 2.0, (100_000, n)).mean(axis=1, keepdims=True)
    fitted = Normal(to_device(real.repeat(m, axis=1)), to_device(np.full((100_000, m), np.log(4.0))))
    drawn = asnumpy(fitted.sample(RandomStream(0)))
    mean = (n * real[:, 0] + drawn.sum(axis=1)) / (n + m)
    assert_mean(mean, 1.5)
    assert_mean((mean - 1.5) ** 2, 4 / n + m * 4 / (n + m) ** 2)


@pytest.mark.equation("augmentation-orbit")
def test_the_mean_over_mirror_images_keeps_the_mean_and_lowers_the_variance() -> None:
    """Of digits and their mirror images, as likely as each other; the score is any nonlinear one."""
    images = digits().train.astype(np.float64)
    world = np.concatenate([images, images[..., ::-1]])
    weights = np.random.default_rng(0).normal(size=images.shape[1:])

    def score(x: np.ndarray) -> np.ndarray:
        return np.tanh((x * weights).sum(axis=(1, 2, 3)))

    orbit = np.stack([score(world), score(world[..., ::-1])])
    assert_close(orbit.mean(axis=0).mean(), score(world).mean(), rtol=1e-10, atol=1e-12)
    lowered = score(world).var() - orbit.var(axis=0).mean()
    assert_close(orbit.mean(axis=0).var(), lowered, rtol=1e-10)
    assert lowered < 0.8 * score(world).var()


@pytest.mark.equation("bilinear-sampling")
def test_a_plane_is_sampled_exactly_between_its_pixels() -> None:
    """Bilinear interpolation is exact for a + b i + c j + d i j; the places are computed by hand."""
    i, j = np.mgrid[:9, :7].astype(np.float64)
    image = 0.3 + 0.2 * i - 0.5 * j + 0.07 * i * j
    matrix, shift = np.array([[0.8, 0.3], [-0.2, 1.1]]), np.array([0.3, -0.4])
    found = transformed(
        to_device(np.stack([image, 2 * image])[None]), to_device(matrix[None]), to_device(shift[None])
    )
    y, x = i - 4, j - 3
    at_i, at_j = 0.8 * y + 0.3 * x + 0.3 + 4, -0.2 * y + 1.1 * x - 0.4 + 3
    expected = 0.3 + 0.2 * at_i - 0.5 * at_j + 0.07 * at_i * at_j
    inside = (at_i >= 0) & (at_i <= 8) & (at_j >= 0) & (at_j <= 6)
    assert 30 < inside.sum() < 60
    assert_close(found[0, 0][to_device(inside)], expected[inside], rtol=1e-12)
    assert_close(found[0, 1][to_device(inside)], 2 * expected[inside], rtol=1e-12)


@pytest.mark.equation("bilinear-sampling")
def test_whole_shifts_and_quarter_turns_move_pixels() -> None:
    images = np.random.default_rng(0).random((2, 1, 6, 6))
    one, turn = np.eye(2)[None].repeat(2, 0), np.array([[[0.0, -1.0], [1.0, 0.0]]]).repeat(2, 0)
    shift = np.array([[1.0, -2.0], [0.0, 0.0]])
    moved = transformed(to_device(images), to_device(one), to_device(shift))
    expected = np.zeros_like(images)
    expected[0, :, :-1, 2:] = images[0, :, 1:, :-2]
    expected[1] = images[1]
    assert_close(moved, expected, rtol=1e-14)
    turned = transformed(to_device(images), to_device(turn), to_device(0 * shift))
    assert_close(turned, np.rot90(images, 3, (2, 3)), rtol=1e-12)


@pytest.mark.equation("bilinear-sampling")
def test_distortions_are_as_large_as_asked_for() -> None:
    """Of a picture of its own coordinates the middle shows shift, angle and scale; each is drawn evenly."""
    down, right = np.mgrid[-4.0:5.0, -4.0:5.0]
    images = np.tile(np.stack([down, right]), (4000, 1, 1, 1))
    seen = asnumpy(distorted(to_device(images), RandomStream(0), shift=1.5, turn=0.4, scale=0.3))
    middle, below, beside = seen[:, :, 4, 4], seen[:, :, 5, 4], seen[:, :, 4, 5]
    size = 1 / np.hypot(*(below - middle).T)
    angle = np.arctan2((below - middle)[:, 1], (below - middle)[:, 0])
    assert_close(beside - middle, np.stack([-np.sin(angle), np.cos(angle)], 1) / size[:, None], atol=1e-9)
    drawn = {1.5: middle.T, 0.4: angle[None], 0.3: size[None] - 1}
    for most, values in drawn.items():
        for each in values:
            assert_mean(each, 0.0)
            assert_mean(each**2, most**2 / 3)
            assert np.abs(each).max() <= most * (1 + 1e-12)
    assert np.abs(np.corrcoef([*middle.T, angle, size]) - np.eye(4)).max() < 0.08
