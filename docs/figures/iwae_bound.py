"""The importance-weighted bound over the number of samples, for encoders that are more or less wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

import scratchgen as sg
from scratchgen.backend import RandomStream
from scratchgen.models import VAE
from scratchgen.nn import Linear
from scratchgen.plots.style import CATEGORIES, INK, SOFT, WIDTH, new_figure, soften

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WEIGHT, NOISE, X = 1.5, 0.6, 1.2
PRECISION = WEIGHT**2 + NOISE**2
SAMPLES = (1, 2, 4, 8, 16, 32, 64, 128)
COPIES = 4000


def model(mean_off: float, log_var_off: float) -> VAE:
    """x = WEIGHT z + NOISE eps, with an encoder that is off the true posterior."""
    made = VAE(Linear(1, 2), Linear(1, 1), 1, likelihood="normal").to(np.float64)
    log_var = np.log(NOISE**2 / PRECISION) + log_var_off
    state = {
        "encoder.weight": np.array([[WEIGHT / PRECISION], [0.0]]),
        "encoder.bias": np.array([mean_off, log_var]),
        "decoder.weight": np.array([[WEIGHT]]),
        "decoder.bias": np.zeros(1),
        "decoder_log_var": np.array(2 * np.log(NOISE)),
    }
    made.load_state_dict(state)
    return made


def draw() -> Figure:
    """Three curves that rise to one line."""
    x = sg.asarray(np.full((COPIES, 1), X))
    evidence = -0.5 * (X**2 / PRECISION + np.log(2 * np.pi * PRECISION))
    encoders = (
        (0.0, -1.5, "q too narrow", CATEGORIES[1]),
        (0.0, 1.2, "q too wide", CATEGORIES[0]),
        (0.45, 0.0, "mean of q off", CATEGORIES[4]),
    )
    figure = new_figure(WIDTH, 3.0)
    axes = figure.add_axes((0.1, 0.16, 0.87, 0.8))
    axes.axhline(evidence, color=CATEGORIES[2], linewidth=1.5)
    axes.text(1, evidence + 0.02, r"$\log\,p(x)$", color=CATEGORIES[2], fontsize=10)
    for mean_off, log_var_off, name, colour in encoders:
        one = model(mean_off, log_var_off)
        with sg.no_grad():
            bounds = [float(np.mean(sg.asnumpy(one.log_marginal(x, RandomStream(0), k)))) for k in SAMPLES]
        axes.plot(SAMPLES, bounds, "o-", color=colour, linewidth=1.5, markersize=4, label=name)
    axes.set_xscale("log", base=2)
    axes.set_xticks(SAMPLES, [str(k) for k in SAMPLES])
    axes.set_ylim(top=evidence + 0.12)
    axes.set_xlabel("samples k (the ELBO is k = 1)", color=SOFT, fontsize=9)
    axes.set_ylabel("nats", color=SOFT, fontsize=9)
    axes.legend(frameon=False, fontsize=9, labelcolor=INK, loc="lower right")
    soften(axes, grid="y")
    return figure
