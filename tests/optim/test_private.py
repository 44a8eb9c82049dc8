"""Clipped and noisy gradients: exact against a loop over examples; refused where they would not protect."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from estimates import assert_mean
from scipy.special import erf
from tools import assert_close, to_device

import scratchgen as sg
from scratchgen import nn
from scratchgen.backend import RandomStream
from scratchgen.data import PoissonBatch, poisson_batches
from scratchgen.models import VAE
from scratchgen.nn import functional as F
from scratchgen.optim import private_gradients

X = np.random.default_rng(0).normal(size=(9, 2, 6, 6))
LABELS = np.arange(9) % 3


def network() -> nn.Sequential:
    """Convolutions of many kinds, with bias and without, and affine maps of rows and of vectors."""
    model = nn.Sequential(
        nn.Conv2d(2, 4, 3, padding=1, bias=False),
        nn.Tanh(),
        nn.Conv2d(4, 6, 3, stride=2, dilation=2, padding=2, groups=2),
        nn.Tanh(),
        nn.Flatten(2),
        nn.Linear(9, 5),
        nn.Flatten(),
        nn.Tanh(),
        nn.Linear(30, 3, bias=False),
    )
    return model.initialise(RandomStream(0)).to(np.float64)


def classified(model: nn.Module) -> Any:
    return lambda batch, rng: F.cross_entropy(model(batch[0]), batch[1])


def by_a_loop(model: nn.Module, loss: Any, count: int, clip: float, expected: float) -> list[np.ndarray]:
    """The definition, one example after another."""
    parameters = list(model.parameters())
    total = [np.zeros(p.shape) for p in parameters]
    for i in range(count):
        part = to_device(X[i : i + 1]), to_device(LABELS[i : i + 1])
        own = [sg.asnumpy(g) for g in sg.grad(loss(part, RandomStream(0)), parameters)]
        norm = np.sqrt(sum((g**2).sum() for g in own))
        for whole, g in zip(total, own, strict=True):
            whole += g * min(1.0, clip / norm)
    return [whole / expected for whole in total]


@pytest.mark.equation("private-linear")
@pytest.mark.equation("private-gradient")
@pytest.mark.parametrize("clip", [0.3, 1.5, 1e6])
def test_clipped_gradients_are_those_of_a_loop_over_examples(clip: float) -> None:
    model = network()
    batch = PoissonBatch((to_device(X), to_device(LABELS)), expected=7.5)
    value = private_gradients(classified(model), model, batch, RandomStream(0), clip, noise_multiplier=0.0)
    assert_close(value, classified(model)(batch.examples, None).item(), rtol=1e-13)
    expected = by_a_loop(model, classified(model), 9, clip, 7.5)
    for parameter, right in zip(model.parameters(), expected, strict=True):
        assert_close(parameter.grad, right, rtol=1e-9, atol=1e-13)


@pytest.mark.equation("private-gradient")
def test_the_noise_is_of_the_norm_that_is_clipped_to() -> None:
    layer = nn.Linear(200, 300, rng=RandomStream(0)).to(np.float64)
    seen = []
    for _ in range(2):
        batch = PoissonBatch(to_device(np.zeros((0, 200))), expected=4.0)
        assert np.isnan(private_gradients(None, layer, batch, RandomStream(0), 0.5, 3.0))  # type: ignore[arg-type]
        seen.append(sg.asnumpy(layer.weight.grad).ravel() * 4.0)
    assert_mean(np.concatenate(seen), 0.0)
    assert_mean(np.concatenate(seen) ** 2, (0.5 * 3.0) ** 2)
    assert_mean(np.abs(np.concatenate(seen)) < 0.5 * 3.0, erf(0.5**0.5))  # as of a normal distribution
    assert not (seen[0] == seen[1]).any()  # of no seed


def test_float32_and_a_loss_that_draws() -> None:
    """A VAE's: what each example draws is its own, so clipping far away changes nothing."""
    vae = VAE.dense(6, 8, 2, "normal", sigma=1.0, rng=RandomStream(0))
    x = to_device(X[:, 0, 0].astype(np.float32))
    parameters = list(vae.parameters())
    right = sg.grad(vae.loss(x, RandomStream(3)), parameters)
    private_gradients(vae.loss, vae, PoissonBatch(x, expected=9.0), RandomStream(3), 1e6, 0.0)
    for parameter, expected in zip(parameters, right, strict=True):
        assert parameter.grad.dtype == np.float32
        assert_close(parameter.grad, expected, rtol=1e-3, atol=1e-5)


def test_poisson_batches() -> None:
    x, labels = np.arange(1000.0), np.arange(1000)
    batches = list(poisson_batches(to_device(x), 0.1, 200, RandomStream(0), to_device(labels)))
    sizes = np.array([len(batch) for batch in batches])
    assert_mean(sizes * 1.0, 100.0)
    assert 60 < sizes.var() < 130  # 90, if examples come independently
    assert all(batch.expected == 100 for batch in batches)
    counts = np.bincount(np.concatenate([sg.asnumpy(b.examples[1]) for b in batches]), minlength=1000)
    assert_mean(counts / 200, 0.1)
    assert [len(b) for b in poisson_batches(x, 1e-12, 2, RandomStream(0))] == [0, 0]
    for batch in batches[:3]:
        assert_close(batch.examples[0], sg.asnumpy(batch.examples[1]) * 1.0)


@pytest.mark.parametrize(
    ("layer", "said"),
    [
        (nn.BatchNorm1d, "is used by batch_norm"),
        (nn.LayerNorm, "expected Linear and Conv2d only"),
    ],
)
def test_layers_that_mix_examples_or_are_unknown_are_refused(layer: Any, said: str) -> None:
    model = nn.Sequential(nn.Linear(3, 4), layer(4))
    batch = PoissonBatch(to_device(np.ones((4, 3), np.float32)), expected=4.0)
    with pytest.raises(TypeError, match=said):
        private_gradients(lambda x, rng: (model(x) ** 2).mean(), model, batch, RandomStream(0), 1.0, 1.0)


def test_what_else_is_refused() -> None:
    layer, x = nn.Linear(3, 3), to_device(np.ones((4, 3), np.float32))
    batch = PoissonBatch(x, expected=4.0)

    def loss(x: Any, rng: RandomStream) -> Any:
        return layer(layer(x)).mean()

    with pytest.raises(ValueError, match="parameter 0 is used twice"):
        private_gradients(loss, layer, batch, RandomStream(0), 1.0, 1.0)
    with pytest.raises(TypeError, match="parameter 0 is used by exp"):
        private_gradients(lambda x, rng: sg.exp(layer.weight).mean(), layer, batch, RandomStream(0), 1.0, 1.0)
    with pytest.raises(TypeError, match=r"batch: got .* a shuffled one is not private"):
        private_gradients(loss, layer, x, RandomStream(0), 1.0, 1.0)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="clip_norm: got 0"):
        private_gradients(loss, layer, batch, RandomStream(0), 0, 1.0)
    with pytest.raises(ValueError, match="noise_multiplier: got -1"):
        private_gradients(loss, layer, batch, RandomStream(0), 1.0, -1)
    with pytest.raises(ValueError, match="rate: got 2"):
        poisson_batches(x, 2, 1, RandomStream(0))
