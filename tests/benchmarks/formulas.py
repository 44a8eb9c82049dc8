"""Formulas without a loop: what each takes, forward and backward, as a part of the step that it belongs to.

An operation gets a loop (`scratchgen/loops`) if a training step spends more than two hundredths of its time
in it. These are the ones that stay formulas.
"""

from __future__ import annotations

import timeit
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import scratchgen as sg
from scratchgen.distributions import Normal, kl_divergence
from scratchgen.models.diffusion import cosine_schedule, process
from scratchgen.nn import functional as F
from scratchgen.optim import clip_grad_norm

from . import dense_vae, unet
from .tables import OURS, Table

SHARE = 0.02
PRIOR = Normal(0.0, 0.0)


def tables(quick: bool) -> Iterator[Table]:
    """One table, a row for each formula."""
    number = 20 if quick else 100
    rng = np.random.default_rng(0)
    digits = (rng.random((128, dense_vae.SIZES[0])) < 0.3).astype(np.float32)
    images, t = unet.examples(unet.BATCH, unet.PIXELS)
    steps = {
        "dense VAE, batch 128": _seconds(dense_vae.MAKERS[OURS](digits), number),
        "U-Net, width 32": _seconds(unet.MAKERS[OURS](32, images, t), max(3, number // 20)),
    }
    rows = []
    for name, (step, operation) in _operations(rng).items():
        seconds = _seconds(operation, number)
        rows.append([name, step, f"{1e6 * seconds:.0f}", f"{100 * seconds / steps[step]:.2f}"])
    note = f"A loop is for what takes more than {100 * SHARE:.0f} % of its step."
    yield Table("Formulas without a loop", ["forward and backward", "step", "microseconds", "%"], rows, note)


def _operations(rng: np.random.Generator) -> dict[str, tuple[str, Callable[[], Any]]]:
    def real(*shape: int) -> sg.Tensor:
        return sg.tensor(rng.standard_normal(shape).astype(np.float32), requires_grad=True)

    stream = sg.RandomStream(0)
    vae, net = "dense VAE, batch 128", "U-Net, width 32"
    mean, log_var = real(128, 10), real(128, 10)
    images, t = unet.examples(unet.BATCH, unet.PIXELS)
    noise, schedule = stream.normal(images.shape), cosine_schedule(1000)
    logits, labels = real(128, 10), rng.integers(0, 10, 128)
    scores = real(unet.BATCH, 4, 49, 49)
    parameters = list(sg.models.VAE.dense(784, 256, 10).parameters())
    for p in parameters:
        p.grad = np.full_like(p.data, 1e-3)
    return {
        "KL to N(0, I), 128 x 10": (
            vae,
            _both(lambda: kl_divergence(Normal(mean, log_var), Normal(0.0, 0.0))),
        ),
        "reparameterisation, 128 x 10": (vae, _both(lambda: Normal(mean, log_var).rsample(stream))),
        "softmax cross-entropy, 128 x 10": (vae, _both(lambda: F.cross_entropy(logits, labels))),
        "clipping 410,404 gradients": (vae, lambda: clip_grad_norm(parameters, 1e6)),
        "q_sample, 64 images of 28 x 28": (net, lambda: process.q_sample(schedule, images, t, noise)),
        "softmax of attention, 64 x 4 x 49 x 49": (net, _both(lambda: F.softmax(scores))),
    }


def _both(forward: Callable[[], sg.Tensor]) -> Callable[[], None]:
    cotangent = np.ones_like(forward().data)
    return lambda: forward().backward(cotangent)


def _seconds(step: Callable[[], Any], number: int) -> float:
    step()
    return min(timeit.repeat(step, number=number, repeat=5)) / number
