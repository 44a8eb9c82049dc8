"""Holes filled in from another picture: poses, what can be guessed, the game and its loss, a VAE's chain."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from estimates import assert_mean
from scipy import ndimage, special
from tools import assert_at_most, assert_close, assert_slopes, to_device

import scratchgen as sg
from scratchgen.backend import RandomStream
from scratchgen.data import avatars
from scratchgen.models import VAE, ExemplarGAN
from scratchgen.models.gan import discriminator_loss
from scratchgen.models.vae import fill_in
from scratchgen.networks import MLP
from scratchgen.nn import Flatten, Linear, Module, Parameter, Sequential, Unflatten


@pytest.mark.equation("avatar-pose")
@pytest.mark.parametrize(("dtype", "atol"), [(np.float64, 2e-8), (np.float32, 1e-5)])
def test_a_pose_is_a_mirror_a_tilt_and_a_shift(dtype: Any, atol: float) -> None:
    """Against scipy, which is told for each pixel where it comes from; the picture is not square."""
    x = np.random.default_rng(0).normal(size=(4, 2, 9, 12)).astype(dtype)
    shifts = np.array([[1.5, -2.0], [-0.3, 2.6], [0.0, 0.0], [3.0, 1.0]])
    tilts, mirrored = np.array([0.0, 25.0, -70.0, 180.0]), np.array([False, True, True, False])
    found = avatars.pose(x, shifts, tilts, mirrored)
    assert found.dtype == dtype
    centre = np.array([4.0, 5.5])  # row, column
    for i in range(4):
        a = np.radians(tilts[i])
        back = np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]])  # for (row, column)
        offset = centre - back @ (centre + shifts[i, ::-1])
        for given, made in zip(x[i], found[i], strict=True):
            given = given[:, ::-1] if mirrored[i] else given
            right = ndimage.affine_transform(given, back, offset, order=1, mode="nearest")
            assert_close(made, right, rtol=0, atol=atol)


@pytest.mark.equation("avatar-pose")
def test_a_quarter_turn_is_exact_and_goes_clockwise() -> None:
    x = np.arange(32.0).reshape(2, 1, 4, 4)
    assert_close(avatars.pose(x, tilts=90.0), np.rot90(x, -1, (2, 3)), rtol=0)
    assert_close(avatars.pose(x, shifts=[[1, 0], [0, -2]])[:, 0, :2, 1:], [x[0, 0, :2, :3], x[1, 0, 2:, 1:]])


@pytest.mark.equation("best-guess")
@pytest.mark.parametrize("hidden", [["accessoriesType"], ["topType", "hairColor"]])
def test_nobody_guesses_better_than_the_likeliest(hidden: list[str]) -> None:
    """By counting looks one by one; and a guesser who draws from the right distribution does worse."""
    columns = [avatars.ATTRIBUTES.index(name) for name in hidden]
    by_visible: dict[tuple[int, ...], dict[tuple[int, ...], float]] = {}
    for row, p in zip(avatars.all_looks(), avatars.probabilities(), strict=True):
        visible = tuple(int(level) for k, level in enumerate(row) if k not in columns)
        shares = by_visible.setdefault(visible, {})
        key = tuple(int(row[k]) for k in columns)
        shares[key] = shares.get(key, 0.0) + p
    right = sum(max(shares.values()) for shares in by_visible.values())
    assert_close(avatars.best_guess(hidden), right, rtol=1e-12)
    drawn = sum(
        sum(p * p for p in s.values()) / sum(s.values()) for s in by_visible.values() if any(s.values())
    )
    assert drawn < right - 0.01


class Painter(Module):
    """G = tanh of a mix of what is known, channel by channel, and of the noise."""

    def __init__(self, dtype: Any) -> None:
        self.mix = Parameter(np.random.default_rng(1).normal(size=(2, 5)).astype(dtype))

    def forward(self, z: Any, known: Any) -> Any:
        n, _, h, w = known.shape
        mixed = self.mix @ known.reshape((n, 5, h * w))
        return sg.tanh(mixed + z.reshape((n, 1, -1)).sum(axis=2, keepdims=True)).reshape((n, 2, h, w))


def picture_game(dtype: Any = np.float64, weight: float = 0.3) -> tuple[ExemplarGAN, tuple[Any, ...]]:
    """A model of pictures of two channels, and three cases with holes of different sizes."""
    judge = Sequential(Flatten(), *MLP([5 * 12, 1], rng=RandomStream(2)))
    model = ExemplarGAN(Painter(dtype), judge, 3, weight).to(dtype)
    draw = np.random.default_rng(3)
    masks = np.zeros((3, 3, 4), bool)
    masks[0, 0, 1] = masks[1, 1:, 2:] = masks[2, :2] = True
    images, exemplars = draw.normal(size=(2, 3, 2, 3, 4)).astype(dtype)
    return model, (to_device(images), to_device(masks), to_device(exemplars))


def by_hand(model: ExemplarGAN, cases: tuple[Any, ...], rng: RandomStream) -> tuple[np.ndarray, np.ndarray]:
    """The filled pictures, and the logits of real and filled ones, by loops in NumPy."""
    images, masks, exemplars = (sg.asnumpy(a) for a in cases)
    z = sg.asnumpy(rng.normal((len(images), 3), images.dtype))
    mix, filled = sg.asnumpy(model.generator.mix.data), images.copy()
    weight, bias = (sg.asnumpy(p.data) for p in model.discriminator.parameters())
    logits = np.empty((2, len(images)))
    for i in range(len(images)):
        for r, c in np.argwhere(masks[i]):
            known = np.array([0, 0, 1, *exemplars[i, :, r, c]])  # the picture says nothing here
            filled[i, :, r, c] = np.tanh(mix @ known + z[i].sum())
        for k, complete in enumerate((images[i], filled[i])):
            flat = np.concatenate([complete.ravel(), masks[i].ravel(), exemplars[i].ravel()])
            logits[k, i] = weight[0] @ flat + bias[0]
    return filled, logits


@pytest.mark.equation("exemplar-fill")
@pytest.mark.parametrize(("dtype", "rtol"), [(np.float64, 1e-12), (np.float32, 1e-5)])
def test_holes_are_filled_from_what_is_known_and_nothing_else_changes(dtype: Any, rtol: float) -> None:
    model, cases = picture_game(dtype)
    filled = model.fill(*cases, RandomStream(4))
    assert_close(filled, by_hand(model, cases, RandomStream(4))[0], rtol=rtol, atol=rtol)
    outside = ~np.broadcast_to(sg.asnumpy(cases[1])[:, None], filled.shape)
    assert (sg.asnumpy(filled)[outside] == sg.asnumpy(cases[0])[outside]).all()


@pytest.mark.equation("exemplar-fill")
def test_the_generators_gradient_passes_through_the_holes() -> None:
    model, (images, masks, exemplars) = picture_game()
    z = to_device(np.random.default_rng(5).normal(size=(3, 3)))
    assert_slopes(lambda: model(z, images, masks[:, None], exemplars), [model.generator.mix])


@pytest.mark.equation("exemplar-game", "gan-accuracy")
@pytest.mark.parametrize(("dtype", "rtol"), [(np.float64, 1e-12), (np.float32, 1e-5)])
def test_the_discriminator_sees_complete_pictures_masks_and_exemplars(dtype: Any, rtol: float) -> None:
    model, cases = picture_game(dtype)
    real, made = by_hand(model, cases, RandomStream(4))[1]
    value = special.log_expit(real).mean() + special.log_expit(-made).mean()
    terms = model.discriminator_terms(*cases, RandomStream(4))
    assert_close(terms["loss"].data, -value, rtol=rtol)
    assert_close(terms["accuracy"], ((real > 0).mean() + (made <= 0).mean()) / 2, rtol=1e-6)
    assert_close(model.discriminator_loss(*cases, RandomStream(4)).data, -value, rtol=rtol)
    for parameter in model.discriminator.parameters():
        parameter.data[...] = 0  # who says the same of all is guessing
    assert_close(model.discriminator_terms(*cases, RandomStream(4))["accuracy"], 0.5)


@pytest.mark.equation("exemplar-fill")
@pytest.mark.equation("exemplar-loss")
@pytest.mark.parametrize(("dtype", "rtol"), [(np.float64, 1e-12), (np.float32, 1e-5)])
def test_the_generator_deceives_and_restores(dtype: Any, rtol: float) -> None:
    model, cases = picture_game(dtype, weight=0.3)
    filled, logits = by_hand(model, cases, RandomStream(4))
    far = np.abs(filled - sg.asnumpy(cases[0])).sum() / 3
    found = model.generator_loss(*cases, RandomStream(4))
    assert_close(found.data, -special.log_expit(logits[1]).mean() + 0.3 * far, rtol=rtol)
    if dtype is np.float64:
        assert_slopes(lambda: model.generator_loss(*cases, RandomStream(4)), model.generator.parameters())


@pytest.mark.equation("exemplar-jsd")
def test_the_best_discriminator_measures_a_divergence_for_each_condition() -> None:
    """Two conditions, four pictures; frequencies in hundredths, so that lists of examples have them."""
    share = np.array([30, 70])
    p = np.array([[10, 10, 10, 0], [35, 7, 21, 7]])  # counts of (condition, picture), of 100
    q = np.array([[15, 0, 6, 9], [14, 14, 14, 28]])
    logits = np.log(np.maximum(p, 1e-300)) - np.log(np.maximum(q, 1e-300))
    best = [np.repeat(logits.ravel(), counts.ravel()) for counts in (p, q)]
    value = -discriminator_loss(*(to_device(b) for b in best))

    def kl(a: np.ndarray, b: np.ndarray) -> float:
        return float(special.rel_entr(a, b).sum())

    divergences = []
    for a, b, n in zip(p, q, share, strict=True):
        a, b = a / n, b / n
        divergences.append((kl(a, (a + b) / 2) + kl(b, (a + b) / 2)) / 2)
    assert_close(value, -np.log(4) + 2 * (share / 100) @ divergences, rtol=1e-12)
    draw = np.random.default_rng(5)
    for _ in range(20):
        other = np.clip(logits, -20, 20) + draw.normal(size=logits.shape)
        worse = [np.repeat(other.ravel(), counts.ravel()) for counts in (p, q)]
        assert -discriminator_loss(*(to_device(b) for b in worse)) < value


class Flat(Module):
    """The same brightness everywhere."""

    def __init__(self, brightness: float) -> None:
        self.brightness = Parameter(np.array(brightness))

    def forward(self, z: Any, known: Any) -> Any:
        return self.brightness + 0 * known[:, :1]


@pytest.mark.equation("exemplar-median")
def test_the_distance_alone_wants_the_median() -> None:
    """Five people who look alike but for one pixel; mean 0.44, median 0.3."""
    hidden = np.array([0.1, 0.2, 0.3, 0.7, 0.9])
    images, masks = np.zeros((5, 1, 2, 2)), np.zeros((5, 2, 2), bool)
    images[:, 0, 1, 0], masks[:, 1, 0] = hidden, True
    cases = [to_device(a) for a in (images, masks, np.zeros_like(images))]
    blind = Sequential(Flatten(), Linear(12, 1)).to(np.float64)
    for parameter in blind.parameters():
        parameter.data[...] = 0
    grid = np.linspace(0, 1, 101)
    losses = [
        ExemplarGAN(Flat(b), blind, 1, weight=2.0).generator_loss(*cases, RandomStream(0)).item()
        for b in grid
    ]
    assert_close(grid[int(np.argmin(losses))], np.median(hidden), rtol=0, atol=1e-12)
    expected = np.log(2) + 2.0 * np.abs(hidden - grid[:, None]).mean(axis=1)
    assert_close(losses, expected, rtol=1e-12)


def principal_components(w: np.ndarray, b: np.ndarray, sigma: float) -> VAE:
    """x = w z + b + noise as a VAE whose posterior is exact: w^T w is diagonal."""
    dim, latent = w.shape
    precision = (w * w).sum(axis=0) / sigma**2 + 1
    encoder, decoder = Linear(dim, 2 * latent), Linear(latent, dim)
    encoder.weight.data = np.concatenate([(w / sigma**2 / precision).T, np.zeros((latent, dim))])
    encoder.bias.data = np.concatenate([-(w / sigma**2 / precision).T @ b, -np.log(precision)])
    decoder.weight.data, decoder.bias.data = w, b
    model = VAE(
        Sequential(Flatten(), encoder),
        Sequential(decoder, Unflatten(1, (1, 2, dim // 2))),
        latent,
        "normal",
        sigma=sigma,
    )
    return model.to(np.float64).to(sg.backend.current_device().name)


@pytest.mark.equation("vae-fill")
def test_a_chain_with_the_true_posterior_draws_the_hidden_part_from_its_distribution() -> None:
    """Jointly normal pixels: the conditional mean and covariance are known in closed form."""
    w = np.array([[1.0, 0.5], [0.8, -0.6], [-0.5, 0.9], [0.6, 1.0]])
    w[:, 1] -= w[:, 0] * (w[:, 0] @ w[:, 1]) / (w[:, 0] @ w[:, 0])
    b, sigma, n = np.array([0.3, -0.2, 0.5, 0.1]), 0.6, 20_000
    model = principal_components(w, b, sigma)
    seen, hole = np.array([1.1, -0.7]), np.array([False, True, True, False])
    images = np.where(hole, 9.9, [seen[0], 0, 0, seen[1]])
    x = to_device(np.tile(images.reshape(1, 1, 2, 2), (n, 1, 1, 1)))
    masks = to_device(np.tile(hole.reshape(1, 2, 2), (n, 1, 1)))
    found = fill_in(model, x, masks, RandomStream(6), rounds=30)
    assert not isinstance(found, sg.Tensor)
    filled = sg.asnumpy(found).reshape(n, 4)
    s = w @ w.T + sigma**2 * np.eye(4)
    gain = s[np.ix_(hole, ~hole)] @ np.linalg.inv(s[np.ix_(~hole, ~hole)])
    mean = b[hole] + gain @ (seen - b[~hole])
    covariance = s[np.ix_(hole, hole)] - gain @ s[np.ix_(~hole, hole)] - sigma**2 * np.eye(2)  # of the means
    assert_mean(filled[:, hole], mean)
    off = filled[:, hole] - mean
    assert_mean(off[:, :, None] * off[:, None, :], covariance)
    assert_at_most(np.abs(filled[:, ~hole] - seen), 0.0)
