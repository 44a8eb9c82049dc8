"""The engine against PyTorch: values, gradients and second derivatives of the same expressions in float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tools import assert_close

import scratchgen as sg
from scratchgen.backend import RandomStream

torch = pytest.importorskip("torch")
F = torch.nn.functional
pytestmark = pytest.mark.parity


def rand(*shape: int) -> np.ndarray:
    return sg.asnumpy(RandomStream(2, *shape).normal(shape, np.float64))


X, Y, ROW = rand(4, 5), rand(5, 4).T, rand(5)
POSITIVE = np.exp(rand(4, 5))
LABELS = np.array([[1], [0], [4], [1]])
MASK = rand(5, 4).T > 0

# name: (in scratchgen, in PyTorch, inputs)
CASES: dict[str, tuple[Any, Any, tuple[np.ndarray, ...]]] = {
    "exp": (sg.exp, torch.exp, (X,)),
    "expm1": (sg.expm1, torch.expm1, (X,)),
    "log": (sg.log, torch.log, (POSITIVE,)),
    "log1p": (sg.log1p, torch.log1p, (POSITIVE,)),
    "sqrt": (sg.sqrt, torch.sqrt, (POSITIVE,)),
    "abs": (sg.abs, torch.abs, (X,)),
    "tanh": (sg.tanh, torch.tanh, (X,)),
    "sigmoid": (sg.sigmoid, torch.sigmoid, (X,)),
    "erf": (sg.erf, torch.erf, (X,)),
    "relu": (sg.relu, torch.relu, (X,)),
    "softplus": (sg.softplus, F.softplus, (X,)),
    "clip": (lambda x: sg.clip(x, -0.5, 0.5), lambda x: torch.clip(x, -0.5, 0.5), (X,)),
    "pow of a number": (lambda x: x**3, lambda x: x**3, (X,)),
    "pow": (sg.pow, torch.pow, (POSITIVE, Y)),
    "div": (sg.div, torch.div, (X, POSITIVE)),
    "broadcast product": (sg.mul, torch.mul, (X, ROW)),
    "maximum": (sg.maximum, torch.maximum, (X, Y)),
    "maximum at ties": (sg.maximum, torch.maximum, (X, X.copy())),
    "minimum": (sg.minimum, torch.minimum, (X, Y)),
    "where": (
        lambda a, b: sg.where(sg.asarray(MASK), a, b),
        lambda a, b: torch.where(torch.from_numpy(MASK.copy()), a, b),
        (X, Y),
    ),
    "mean": (lambda x: sg.mean(x, dim=1), lambda x: x.mean(dim=1), (X,)),
    "var": (lambda x: sg.var(x, dim=0, correction=1), lambda x: x.var(dim=0, correction=1), (X,)),
    "amax with ties": (lambda x: sg.max(x, axis=1), lambda x: x.amax(dim=1), (np.round(X),)),
    "amin": (lambda x: sg.min(x, axis=(0, 1)), lambda x: x.amin(dim=(0, 1)), (X,)),
    "prod with a zero": (
        lambda x: sg.prod(x, dim=1),
        lambda x: x.prod(dim=1),
        (np.where(np.eye(4, 5), 0, X),),
    ),
    "logsumexp": (lambda x: sg.logsumexp(x, dim=1), lambda x: torch.logsumexp(x, dim=1), (X,)),
    "cumsum": (lambda x: sg.cumsum(x, 1), lambda x: torch.cumsum(x, 1), (X,)),
    "softmax": (lambda x: sg.softmax(x, dim=0), lambda x: F.softmax(x, dim=0), (X,)),
    "log_softmax": (lambda x: sg.log_softmax(x, dim=1), lambda x: F.log_softmax(x, dim=1), (X,)),
    "binary_cross_entropy": (
        sg.binary_cross_entropy,
        lambda x, t: F.binary_cross_entropy_with_logits(x, t, reduction="none"),
        (X, 1 / (1 + np.exp(-Y))),
    ),
    "matmul": (sg.matmul, torch.matmul, (X, Y.T.copy())),
    "matmul of batches": (sg.matmul, torch.matmul, (rand(3, 1, 2, 4), rand(2, 4, 3))),
    "matmul with a vector": (sg.matmul, torch.matmul, (X, ROW)),
    "einsum": (
        lambda a, b: sg.einsum("bij,bk->jk", a, b),
        lambda a, b: torch.einsum("bij,bk->jk", a, b),
        (rand(2, 3, 4), rand(2, 5)),
    ),
    "gather": (
        lambda x: sg.take_along_axis(x, sg.asarray(LABELS), 1),
        lambda x: torch.gather(x, 1, torch.from_numpy(LABELS)),
        (X,),
    ),
    "index": (lambda x: x[[0, 2, 2]], lambda x: x[[0, 2, 2]], (X,)),
    "flatten": (lambda x: sg.flatten(x, 1), lambda x: torch.flatten(x, 1), (rand(2, 3, 4),)),
    "permute": (lambda x: x.permute(2, 0, 1), lambda x: x.permute(2, 0, 1), (rand(2, 3, 4),)),
    "cat": (lambda a, b: sg.cat([a, b], dim=1), lambda a, b: torch.cat([a, b], dim=1), (X, Y)),
    "stack": (lambda a, b: sg.stack([a, b], dim=1), lambda a, b: torch.stack([a, b], dim=1), (X, Y)),
    "split": (lambda x: sg.split(x, 2, dim=1)[2], lambda x: torch.split(x, 2, dim=1)[2], (X,)),
    "pad": (lambda x: sg.pad(x, [(0, 0), (1, 2)]), lambda x: F.pad(x, (1, 2)), (X,)),
}


def weights(shape: Any) -> np.ndarray:
    return np.cos(1.0 + np.arange(float(np.prod(shape)))).reshape(shape)


def ours(f: Any, arrays: tuple[np.ndarray, ...]) -> list[Any]:
    inputs = [sg.tensor(x.copy(), requires_grad=True) for x in arrays]
    y = f(*inputs)
    first = sg.grad((y * sg.asarray(weights(y.shape))).sum(), inputs, create_graph=True)
    total = sum((g * g).sum() for g in first)
    second = sg.grad(total, inputs) if total.requires_grad else [np.zeros(x.shape) for x in arrays]
    return [y, *first, *second]


def theirs(f: Any, arrays: tuple[np.ndarray, ...]) -> list[np.ndarray]:
    inputs = [torch.from_numpy(x.copy()).requires_grad_() for x in arrays]
    y = f(*inputs)
    first = torch.autograd.grad((y * torch.from_numpy(weights(y.shape))).sum(), inputs, create_graph=True)
    total = sum((g * g).sum() for g in first)
    second = (
        torch.autograd.grad(total, inputs, allow_unused=True, materialize_grads=True)
        if total.requires_grad
        else [torch.zeros_like(x) for x in inputs]
    )
    return [x.detach().numpy(force=True) for x in (y, *first, *second)]


@pytest.mark.parametrize("name", CASES)
def test_value_gradient_and_second_derivative_equal_pytorchs(name: str) -> None:
    f, g, arrays = CASES[name]
    for found, expected in zip(ours(f, arrays), theirs(g, arrays), strict=True):
        assert_close(found, expected, rtol=1e-11, atol=1e-12)


def test_accumulated_gradients_equal_pytorchs() -> None:
    x, p = sg.tensor(X, requires_grad=True), torch.from_numpy(X.copy()).requires_grad_()
    for _ in range(2):
        (sg.tanh(x) * x).sum().backward()
        (torch.tanh(p) * p).sum().backward()
    assert_close(x.grad, p.grad.numpy(), rtol=1e-12)
