"""An affine autoencoder with orthonormal weights is a projection, and the best one is that of PCA."""

from __future__ import annotations

import numpy as np
import pytest
from tools import assert_close

import scratchgen as sg
from scratchgen.backend import RandomStream
from scratchgen.models import Autoencoder
from scratchgen.nn import Linear
from scratchgen.optim import Adam, schedules

D, K = 6, 3
RNG = np.random.default_rng(1)
MIXING = np.linalg.qr(RNG.normal(size=(D, D)))[0] * np.sqrt([4.0, 2.0, 1.0, 0.2, 0.1, 0.05])
DATA = RNG.normal(size=(200, D)) @ MIXING.T + [3.0, -2.0, 0.0, 1.0, 0.0, 0.5]
MEAN = DATA.mean(0)
S = (DATA - MEAN).T @ (DATA - MEAN) / len(DATA)
EIGENVALUES, VECTORS = (a[..., ::-1] for a in np.linalg.eigh(S))  # the largest first


def projection(u: np.ndarray) -> Autoencoder:
    """e(x) = U^T (x - m) and d(z) = U z + m."""
    model = Autoencoder(Linear(D, K), Linear(K, D)).to(np.float64)
    encoder = {"encoder.weight": u.T, "encoder.bias": -u.T @ MEAN}
    model.load_state_dict({**encoder, "decoder.weight": u, "decoder.bias": MEAN})
    return model


def random_subspace(seed: int) -> np.ndarray:
    return np.linalg.qr(np.random.default_rng(seed).normal(size=(D, K)))[0]


@pytest.mark.equation("pca-captured-variance")
@pytest.mark.parametrize("seed", range(3))
def test_the_error_of_a_projection_is_the_variance_that_it_does_not_capture(seed: int) -> None:
    u = random_subspace(seed)
    captured = np.trace(u.T @ S @ u)
    assert_close(projection(u).loss(sg.asarray(DATA)), np.trace(S) - captured, rtol=1e-12)


@pytest.mark.equation("pca-error")
def test_the_principal_components_leave_the_sum_of_the_other_eigenvalues_and_nothing_leaves_less() -> None:
    x, least = sg.asarray(DATA), EIGENVALUES[K:].sum()
    model = projection(VECTORS[:, :K].copy())
    assert_close(model.loss(x), least, rtol=1e-11)
    for gradient in sg.grad(model.loss(x), list(model.parameters())):
        assert_close(gradient, np.zeros(gradient.shape), atol=1e-11)
    for seed in range(20):
        assert projection(random_subspace(seed)).loss(x).item() > least * 1.5


@pytest.mark.equation("pca-projection")
def test_a_trained_affine_autoencoder_reconstructs_as_pca_does() -> None:
    x = sg.asarray(DATA)
    model = Autoencoder(Linear(D, K, rng=RandomStream(0)), Linear(K, D, rng=RandomStream(1))).to(np.float64)
    optimiser, rate = Adam(model.parameters(), lr=0.05), schedules.cosine(0.05, 1500)
    for step in range(1500):
        optimiser.lr = rate(step)
        optimiser.zero_grad()
        model.loss(x).backward()
        optimiser.step()
    u = VECTORS[:, :K]
    assert_close(model.reconstruct(x), MEAN + (DATA - MEAN) @ u @ u.T, rtol=0, atol=5e-3)
    # The code itself is free: any invertible map of it can be undone by the decoder.
    codes = sg.asnumpy(model.encode(x))
    assert np.abs(codes - (DATA - MEAN) @ u).max() > 0.1
