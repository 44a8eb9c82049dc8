"""The probability flow of a network in float32, with labels, guidance and levels."""

from __future__ import annotations

import numpy as np
from tools import assert_close

import scratchgen as sg
from scratchgen.backend import RandomStream
from scratchgen.models import DDPM
from scratchgen.models.diffusion import cosine_schedule
from scratchgen.networks import TimeMLP, UNet


def conditional() -> DDPM:
    network = UNet(1, width=8, multipliers=(1, 2), classes=4, rng=RandomStream(0))
    return DDPM(network, cosine_schedule(30), (1, 4, 4), prediction="v", levels=16, classes=3)


def test_images_of_a_class_with_guidance() -> None:
    model = conditional()
    first, other, guided = (
        model.ode_sample(3, RandomStream(1), 5, labels, guidance)
        for labels, guidance in ((0, 0.0), (2, 0.0), (0, 2.0))
    )
    assert first.shape == (3, 1, 4, 4)
    assert first.dtype == np.float32
    assert np.abs(sg.asnumpy(first - other)).max() > 1e-3
    assert np.abs(sg.asnumpy(first - guided)).max() > 1e-3
    assert np.abs(sg.asnumpy(guided)).max() <= 1  # the x_0 seen at the end is within the levels
    assert_close(first, model.ode_sample(3, RandomStream(1), 5, np.zeros(3, int)), rtol=0)
    assert model.ode_sample(0, RandomStream(1), 5).shape == (0, 1, 4, 4)


def test_one_step_is_the_data_seen_in_the_noise() -> None:
    model = conditional()
    noise = RandomStream(2).normal((3, 1, 4, 4))
    assert_close(model.ode_sample(3, RandomStream(2), 1), model.predict_x0(noise, 30), rtol=0, atol=1e-6)


def test_the_likelihood_in_float32_leaves_no_gradients_behind_and_depends_on_the_label() -> None:
    model, x = conditional(), sg.asarray(np.linspace(-0.9, 0.9, 32, dtype=np.float32).reshape(2, 1, 4, 4))
    exact = model.ode_log_prob(x, labels=np.array([0, 1]), steps=6)
    assert exact.shape == (2,)
    assert exact.dtype == np.float32
    assert all(p.grad is None for p in model.parameters())
    assert np.abs(sg.asnumpy(exact - model.ode_log_prob(x, labels=np.array([1, 1]), steps=6)))[0] > 1e-3
    estimates = [
        sg.asnumpy(model.ode_log_prob(x, RandomStream(i), np.array([0, 1]), 6, probes=2)) for i in range(6)
    ]
    spread = np.std(estimates, axis=0)
    assert (np.abs(np.mean(estimates, axis=0) - sg.asnumpy(exact)) < 5 * spread / np.sqrt(6) + 1e-3).all()


def test_the_likelihood_integrates_to_one_in_the_plane() -> None:
    model = DDPM(TimeMLP(2, 16, rng=RandomStream(3)), cosine_schedule(60), (2,), prediction="v")
    side = np.linspace(-7, 7, 71)
    grid = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2).astype(np.float32)
    density = np.exp(sg.asnumpy(model.ode_log_prob(sg.asarray(grid), steps=40)).astype(np.float64))
    assert_close(density.sum() * (side[1] - side[0]) ** 2, 1.0, atol=0.02)
