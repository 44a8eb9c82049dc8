"""A training step of the dense VAE 784-256-10-256-784, Bernoulli, Adam: ours and three others'."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import scratchgen as sg
from scratchgen.backend import RandomStream
from scratchgen.models import VAE

from .tables import Table, comparison
from .timing import take_turns

BATCHES = (128, 512, 1)
SIZES = (784, 256, 10)


def tables(quick: bool) -> Iterator[Table]:
    """One table for each batch size."""
    turns, seconds = (5, 0.25) if quick else (9, 0.5)
    for batch in BATCHES:
        x = (np.random.default_rng(0).random((batch, SIZES[0])) < 0.3).astype(np.float32)
        times = take_turns(MAKERS, x, turns=turns, seconds=seconds)
        yield comparison(f"Dense VAE, batch {batch}", times, "no slower than JAX jit")


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


def jax_step(x: np.ndarray) -> Callable[[], object]:
    """The same in JAX: loss, gradients and Adam compiled together, the parameters' memory used again."""
    import jax
    from jax import numpy as jnp

    data, hidden, latent = SIZES
    shapes = [(data, hidden), (hidden, latent), (hidden, latent), (latent, hidden), (hidden, data)]
    draw = np.random.default_rng(0)
    parameters = [
        (jnp.asarray(draw.uniform(-1, 1, shape) / np.sqrt(shape[0]), jnp.float32), jnp.zeros(shape[1]))
        for shape in shapes
    ]

    def loss(parameters: Any, x: Any, key: Any) -> Any:
        encoder, to_mean, to_log_var, first, last = (lambda h, w=w, b=b: h @ w + b for w, b in parameters)
        h = jax.nn.relu(encoder(x))
        mean, log_var = to_mean(h), to_log_var(h)
        z = mean + jnp.exp(log_var / 2) * jax.random.normal(key, mean.shape)
        logits = last(jax.nn.relu(first(z)))
        reconstruction = jnp.sum(jax.nn.softplus(logits) - logits * x)
        kl = -0.5 * jnp.sum(1 + log_var - mean * mean - jnp.exp(log_var))
        return (reconstruction + kl) / len(x)

    def adam(p: Any, g: Any, m: Any, v: Any, steps: Any) -> Any:
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        m_hat, v_hat = m / (1 - 0.9**steps), v / (1 - 0.999**steps)
        return p - 1e-3 * m_hat / (jnp.sqrt(v_hat) + 1e-8), m, v

    def update(state: Any, x: Any) -> Any:
        parameters, m, v, key, steps = state
        key, noise = jax.random.split(key)
        gradients = jax.grad(loss)(parameters, x, noise)
        leaves, tree = jax.tree.flatten(parameters)
        new = [
            adam(p, *rest, steps)
            for p, *rest in zip(leaves, *map(jax.tree.leaves, (gradients, m, v)), strict=True)
        ]
        return (*(jax.tree.unflatten(tree, part) for part in zip(*new, strict=True)), key, steps + 1)

    compiled = jax.jit(update, donate_argnums=0)
    zeros = jax.tree.map(jnp.zeros_like, parameters)
    state = (parameters, zeros, jax.tree.map(jnp.copy, zeros), jax.random.key(0), jnp.float32(1))
    batch = jnp.asarray(x)

    def step() -> None:
        nonlocal state
        state = jax.block_until_ready(compiled(state, batch))

    return step


MAKERS: dict[str, Callable[[Any], Callable[[], object]]] = {
    "scratchgen": our_step,
    "PyTorch eager": torch_step,
    "JAX jit": jax_step,
    "HIPS autograd": autograd_step,
}
