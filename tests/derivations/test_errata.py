"""The course's wrong statements that no other test covers, beside the right ones: see `docs/errata.md`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy import stats
from tools import assert_close

import scratchgen as sg
from scratchgen.data import avatars
from scratchgen.distributions import Bernoulli, Normal, kl_divergence
from scratchgen.models import VAE
from scratchgen.models.diffusion import linear_schedule
from scratchgen.models.diffusion.process import posterior_mean
from scratchgen.nn import Linear

PRIOR = Normal(0.0, 0.0)
X = np.array([-1.5, 0.2, 2.0])
S = 0.5  # x = z + S noise, with z from the prior: so log p(x) and p(z|x) are known
LOG_P = stats.norm.logpdf(X, 0, math.sqrt(1 + S**2))


def posterior() -> Normal:
    variance = S**2 / (1 + S**2)
    return Normal(sg.asarray(X / (1 + S**2)), sg.asarray(np.full(3, math.log(variance))))


def bound(q: Normal) -> np.ndarray:
    """E_q log p(x|z) - KL(q || p(z)), exactly: E_q (x - z)^2 = (x - mu)^2 + sigma^2."""
    mean, variance = sg.asnumpy(q.mean), sg.asnumpy(q.variance)
    reconstruction = -((X - mean) ** 2 + variance) / (2 * S**2) - math.log(2 * math.pi * S**2) / 2
    return reconstruction - sg.asnumpy(kl_divergence(q, PRIOR))


def test_a_squared_error_and_a_cross_entropy_disagree_on_which_reconstruction_is_better() -> None:
    x, one, other = np.ones(2), np.array([0.02, 1 - 1e-9]), np.array([0.3, 0.3])
    squared = [((x - p) ** 2).sum() for p in (one, other)]
    logits = (np.log(p / (1 - p)) for p in (one, other))
    entropies = [-sg.asnumpy(Bernoulli(sg.asarray(logit)).log_prob(sg.asarray(x))).sum() for logit in logits]
    assert_close(entropies, [-np.log(p).sum() for p in (one, other)], rtol=1e-6)
    assert squared[0] < squared[1]
    assert entropies[0] > entropies[1]


def test_the_bound_reaches_the_logarithm_of_p_and_never_p() -> None:
    assert_close(bound(posterior()), LOG_P, rtol=1e-12)
    for shift in (-1.0, 0.0, 0.7):
        q = Normal(posterior().mean + shift, posterior().log_var)
        assert (bound(q) <= LOG_P + 1e-12).all()
        assert (np.exp(LOG_P) - bound(q) >= 1).all()  # since log p <= p - 1


def test_if_the_encoder_gives_the_prior_the_bound_falls_short_by_its_divergence_from_the_posterior() -> None:
    prior = Normal(sg.asarray(np.zeros(3)), sg.asarray(np.zeros(3)))
    gap = sg.asnumpy(kl_divergence(prior, posterior()))
    assert_close(bound(prior) + gap, LOG_P, rtol=1e-12)
    assert (gap > 1).all()
    # Only their mixture over all x is the prior: its variance is that of the means plus that around them.
    assert_close((1 + S**2) / (1 + S**2) ** 2 + S**2 / (1 + S**2), 1.0, rtol=1e-12)


def test_the_mean_of_a_reverse_step_depends_on_the_time_and_not_on_xt_alone() -> None:
    # For data N(0, v) the best guess of x_(t-1) is x_t times the regression's slope, which changes with t.
    schedule, v = linear_schedule(1000), 4.0
    t = np.array([2, 10, 100, 500, 1000])
    alpha, alpha_bar = sg.asnumpy(schedule.alpha), np.append(1.0, sg.asnumpy(schedule.alpha_bar))
    variance = alpha_bar * v + 1 - alpha_bar  # of x_0 .. x_T
    slope = np.sqrt(alpha[t - 1]) * variance[t - 1] / variance[t]
    xt = np.ones((len(t), 1))
    expected_x0 = (np.sqrt(alpha_bar[t]) * v / variance[t])[:, None] * xt
    found = posterior_mean(schedule, sg.asarray(expected_x0), sg.asarray(xt), sg.asarray(t))
    assert_close(found, slope[:, None], rtol=1e-6)
    assert np.ptp(slope) > 0.005  # at one and the same x_t


def test_styles_are_seven_and_colours_six() -> None:
    styles, colours = (len(frequencies) for frequencies in avatars.frequencies()[:2])
    assert (styles, colours) == (7, 6)


def test_accessories_are_three_and_top_types_seven() -> None:
    levels = dict(zip(avatars.ATTRIBUTES, map(len, avatars.frequencies()), strict=True))
    assert (levels["accessoriesType"], levels["topType"]) == (3, 7)


def linear_vae() -> VAE:
    """One latent, one number of data: the encoder's mean 0.8 x, log_var -1; the decoder's mean 1.5 z."""
    model = VAE(Linear(1, 2), Linear(1, 1), latent_dim=1, likelihood="normal").to(np.float64)
    state = {"encoder.weight": [[0.8], [0.0]], "encoder.bias": [0.0, -1.0], "decoder.weight": [[1.5]]}
    model.load_state_dict({**model.state_dict(), **state, "decoder.bias": [0.0]})
    return model


def test_the_encoder_gives_a_density_over_z_and_the_decoder_one_over_x() -> None:
    model, grid = linear_vae(), np.linspace(-30, 30, 60_001)[:, None]

    def mass(log_density: Any) -> float:
        return np.exp(sg.asnumpy(log_density)).sum() * 0.001

    one, many = sg.asarray(np.array([[0.7]])), sg.asarray(grid)
    with sg.no_grad():
        assert_close(mass(model.posterior(one).log_prob(many)), 1.0, rtol=1e-9)  # over z
        assert_close(mass(model.likelihood(one).log_prob(many)), 1.0, rtol=1e-9)  # over x
        over_x = mass(model.posterior(many).log_prob(one))
    assert_close(over_x, 1 / 0.8, rtol=1e-9)


def test_mu_and_sigma_of_the_latent_depend_on_the_encoder_alone() -> None:
    model, x = linear_vae(), sg.asarray(np.array([[0.7], [-2.0]]))
    before = model.posterior(x)
    model.decoder.weight.data[...] += 1
    assert_close(model.posterior(x).mean, before.mean, rtol=0)
    assert_close(model.posterior(x).log_var, before.log_var, rtol=0)
    model.encoder.weight.data[...] += 1
    assert (np.abs(sg.asnumpy(model.posterior(x).mean) - sg.asnumpy(before.mean)) > 0.5).all()


@pytest.mark.host_only
def test_images_of_1024_pixels_have_1024_numbers_if_grey_and_3072_in_colour() -> None:
    (image,) = sg.asnumpy(avatars.draw(avatars.observations()[:1]))
    assert image.shape == (3, 32, 32)
    assert image.size == 3 * 1024
    assert 256**image.size == (256**1024) ** 3
