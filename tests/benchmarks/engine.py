"""What the engine itself costs: operations on 8 x 8 arrays, where the arithmetic is next to nothing."""

from __future__ import annotations

import timeit
from collections.abc import Callable, Iterator

import numpy as np

import scratchgen as sg

from .tables import Table

CHAIN = 2000


def tables(quick: bool) -> Iterator[Table]:
    """Microseconds an operation takes forward, and its vjps take backward."""
    draw = np.random.default_rng(0).random
    x, y = (sg.tensor(draw((8, 8), dtype=np.float32), requires_grad=True) for _ in range(2))
    operations: dict[str, tuple[Callable[..., sg.Tensor], Callable[..., np.ndarray]]] = {
        "a + b": (lambda a, b: a + b, np.add),
        "a * b": (lambda a, b: a * b, np.multiply),
        "exp(a)": (lambda a, b: sg.exp(a), lambda a, b: np.exp(a)),
        "tanh(a)": (lambda a, b: sg.tanh(a), lambda a, b: np.tanh(a)),
        "a * 0.5": (lambda a, b: a * 0.5, lambda a, b: a * 0.5),
    }
    rows = []
    for name, (operation, plain) in operations.items():
        forward = _best(lambda f=operation: f(x, y), 20_000)
        alone = _best(lambda f=plain: f(x.data, y.data), 20_000)
        rows.append([name, *(f"{us:.2f}" for us in (forward, _backward(operation, x, y), alone))])
    title, note = "What the engine costs: 8 x 8 float32 arrays", "Targets: forward 2, backward 5."
    yield Table(title, ["microseconds", "forward", "backward", "NumPy alone"], rows, note)


def _best(step: Callable[[], object], number: int) -> float:
    return min(timeit.repeat(step, number=number, repeat=7)) / number * 1e6


def _backward(operation: Callable[..., sg.Tensor], x: sg.Tensor, y: sg.Tensor) -> float:
    """Microseconds for each operation of a long chain, all its vjps and the walk back included."""
    z = x
    with np.errstate(over="ignore"):  # a chain of exponentials
        for _ in range(CHAIN):
            z = operation(z, y)
    cotangent = np.ones((8, 8), np.float32)
    return min(timeit.repeat(lambda: z.backward(cotangent), number=1, repeat=15)) / CHAIN * 1e6
