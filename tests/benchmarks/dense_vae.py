"""A training step of the dense VAE 784-256-10-256-784 (Bernoulli, Adam): ours, PyTorch's, HIPS autograd's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import scratchgen as sg
from scratchgen.backend import RandomStream
from scratchgen.models import VAE

from .timing import table, take_turns

TARGETS = {1: 0.7, 128: 0.5, 512: 0.7}
SIZES = (784, 256, 10)


def main() -> None:
    """One table for each batch size."""
    makers = {"scratchgen": our_step, "PyTorch eager": torch_step, "HIPS autograd": autograd_step}
    for batch, target in TARGETS.items():
        x = (np.random.default_rng(0).random((batch, SIZES[0])) < 0.3).astype(np.float32)
        table(f"Dense VAE step, batch {batch}", take_turns(makers, x), "scratchgen", target)


def our_step(x: np.ndarray) -> Callable[[], object]:
    """Forward, backward, Adam."""
    model, rng = VAE.dense(*SIZES), RandomStream(0, "benchmark")
    optimiser = sg.optim.Adam(model.parameters(), lr=1e-3)

    def step() -> None:
        optimiser.zero_grad()
        model.loss(x, rng).backward()
        optimiser.step()

    return step


def torch_step(x: np.ndarray) -> Callable[[], object]:
    """The same in PyTorch, as its users write it."""
    import torch
    from torch.nn import functional as F

    class Dense(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            data, hidden, latent = SIZES
            self.encoder, self.first, self.last = (
                torch.nn.Linear(*sizes) for sizes in ((data, hidden), (latent, hidden), (hidden, data))
            )
            self.mean, self.log_var = torch.nn.Linear(hidden, latent), torch.nn.Linear(hidden, latent)

        def forward(self, x: Any) -> Any:
            hidden = F.relu(self.encoder(x))
            mean, log_var = self.mean(hidden), self.log_var(hidden)
            z = mean + torch.exp(log_var / 2) * torch.randn_like(mean)
            logits = self.last(F.relu(self.first(z)))
            reconstruction = F.binary_cross_entropy_with_logits(logits, x, reduction="sum")
            kl = -0.5 * torch.sum(1 + log_var - mean * mean - torch.exp(log_var))
            return (reconstruction + kl) / len(x)

    model, batch = Dense(), torch.from_numpy(x)
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)

    def step() -> None:
        optimiser.zero_grad()
        model(batch).backward()
        optimiser.step()

    return step


def autograd_step(x: np.ndarray) -> Callable[[], object]:
    """The same in HIPS autograd, with its own Adam formulas as NumPy."""
    import autograd.numpy as anp
    from autograd import value_and_grad

    draw = np.random.default_rng(0)
    data, hidden, latent = SIZES
    shapes = [(data, hidden), (hidden, latent), (hidden, latent), (latent, hidden), (hidden, data)]
    parameters = []
    for rows, columns in shapes:
        bound = 1 / np.sqrt(rows)
        parameters.append(draw.uniform(-bound, bound, (rows, columns)).astype(np.float32))
        parameters.append(np.zeros(columns, np.float32))

    def loss(parameters: list[Any], eps: np.ndarray) -> Any:
        w1, b1, w2, b2, w3, b3, w4, b4, w5, b5 = parameters
        h = anp.maximum(x @ w1 + b1, 0)
        mean, log_var = h @ w2 + b2, h @ w3 + b3
        z = mean + anp.exp(log_var * 0.5) * eps
        logits = anp.maximum(z @ w4 + b4, 0) @ w5 + b5
        reconstruction = anp.sum(anp.maximum(logits, 0) - logits * x + anp.log(1 + anp.exp(-anp.abs(logits))))
        kl = -0.5 * anp.sum(1 + log_var - mean * mean - anp.exp(log_var))
        return (reconstruction + kl) * np.float32(1 / len(x))

    gradient = value_and_grad(loss)
    m, v = [np.zeros_like(p) for p in parameters], [np.zeros_like(p) for p in parameters]
    steps = 0

    def step() -> None:
        nonlocal steps
        steps += 1
        _, gradients = gradient(parameters, draw.standard_normal((len(x), latent), dtype=np.float32))
        for i, g in enumerate(gradients):
            m[i] = 0.9 * m[i] + 0.1 * g
            v[i] = 0.999 * v[i] + 0.001 * g * g
            mean, square = m[i] / (1 - 0.9**steps), v[i] / (1 - 0.999**steps)
            parameters[i] = parameters[i] - 1e-3 * mean / (np.sqrt(square) + 1e-8)

    return step
