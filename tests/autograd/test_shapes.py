"""Shapes: values against NumPy, and adjoints, <A x, y> == <x, A^T y>: these operations only move numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tools import assert_close

import scratchgen as sg
from scratchgen.backend import RandomStream

X = np.arange(24.0).reshape(2, 3, 4)


def rand(*shape: int) -> np.ndarray:
    return sg.asnumpy(RandomStream(1, *shape).normal(shape, np.float64))


MOVES: list[tuple[str, Any, Any]] = [
    ("reshape to a tuple", lambda x: x.reshape((4, 6)), lambda x: x.reshape(4, 6)),
    ("reshape to numbers", lambda x: x.reshape(4, -1), lambda x: x.reshape(4, 6)),
    ("reshape to one number", lambda x: x.reshape(-1), lambda x: x.reshape(24)),
    ("flatten", lambda x: x.flatten(), lambda x: x.reshape(24)),
    ("flatten from the second axis", lambda x: x.flatten(1), lambda x: x.reshape(2, 12)),
    ("flatten up to the second axis", lambda x: sg.flatten(x, 0, -2), lambda x: x.reshape(6, 4)),
    ("permute", lambda x: x.permute(2, 0, 1), lambda x: x.transpose(2, 0, 1)),
    ("permute by a tuple", lambda x: sg.permute(x, (-1, 0, 1)), lambda x: x.transpose(2, 0, 1)),
    ("transpose", lambda x: x.transpose(), lambda x: x.transpose()),
    ("transpose two axes", lambda x: x.transpose(0, -1), lambda x: x.swapaxes(0, 2)),
    ("transpose by a tuple", lambda x: sg.transpose(x, (1, 2, 0)), lambda x: x.transpose(1, 2, 0)),
    ("T", lambda x: x.T, lambda x: x.T),
    ("broadcast_to", lambda x: sg.broadcast_to(x, (5, 2, 3, 4)), lambda x: np.broadcast_to(x, (5, 2, 3, 4))),
    (
        "broadcast_to along an axis",
        lambda x: sg.broadcast_to(x[:, :1], (2, 3, 4)),
        lambda x: np.repeat(x[:, :1], 3, 1),
    ),
    ("flip", lambda x: sg.flip(x, 1), lambda x: np.flip(x, 1)),
    ("pad", lambda x: sg.pad(x, [(1, 0), (0, 2), (0, 0)]), lambda x: np.pad(x, [(1, 0), (0, 2), (0, 0)])),
    ("cat with itself", lambda x: sg.cat([x, x], axis=1), lambda x: np.concatenate([x, x], 1)),
    ("cat along dim", lambda x: sg.cat([x, x * 2], dim=-1), lambda x: np.concatenate([x, 2 * x], -1)),
    ("stack", lambda x: sg.stack([x, x * 3]), lambda x: np.stack([x, 3 * x])),
    ("stack last", lambda x: sg.stack([x, x * 3], axis=-1), lambda x: np.stack([x, 3 * x], -1)),
    ("stack along dim", lambda x: sg.stack([x, x * 3], dim=1), lambda x: np.stack([x, 3 * x], 1)),
    ("split", lambda x: sg.split(x, 3, axis=2)[0], lambda x: x[:, :, :3]),
    ("split, the rest", lambda x: sg.split(x, 3, dim=2)[1], lambda x: x[:, :, 3:]),
    ("split into sizes", lambda x: sg.split(x, [1, 0, 2], axis=1)[2], lambda x: x[:, 1:]),
]


@pytest.mark.parametrize(("move", "twin"), [pytest.param(m, t, id=name) for name, m, t in MOVES])
def test_moves_agree_with_numpy_and_with_their_adjoint(move: Any, twin: Any) -> None:
    x = sg.tensor(rand(2, 3, 4), requires_grad=True)
    y = move(x)
    assert_close(y, twin(sg.asnumpy(x)), rtol=0)
    g = rand(*y.shape)
    (pulled,) = sg.grad(y, x, sg.asarray(g))
    assert np.sum(sg.asnumpy(y) * g) == pytest.approx(np.sum(sg.asnumpy(x) * sg.asnumpy(pulled)), rel=1e-12)
    (again,) = sg.grad(*_pulled_back(move, x, g))  # the adjoint of the adjoint is the move
    assert_close(again, twin(rand(2, 3, 4)), rtol=1e-12)


def _pulled_back(move: Any, x: sg.Tensor, g: np.ndarray) -> tuple[Any, Any, Any]:
    cotangent = sg.tensor(g, requires_grad=True)
    (pulled,) = sg.grad(move(x), x, cotangent, create_graph=True)
    return pulled, cotangent, sg.asarray(rand(2, 3, 4))


def test_padding_with_another_value() -> None:
    assert_close(sg.pad(sg.tensor([1.0]), [(1, 2)], value=7.0), [7, 1, 7, 7])


def test_split_gives_every_piece_its_own_gradient() -> None:
    x = sg.tensor(np.zeros(5), requires_grad=True)
    a, b, c = sg.split(x, 2)
    assert [piece.shape for piece in (a, b, c)] == [(2,), (2,), (1,)]
    assert_close(sg.grad(a.sum() + 2 * b.sum() + 3 * c.sum(), x)[0], [1, 1, 2, 2, 3])


def test_numbers_stack() -> None:
    x = sg.tensor(np.array(2.0), requires_grad=True)
    y = sg.stack([x, x * x])
    assert y.shape == (2,)
    assert_close(sg.grad(y, x, [1, 1])[0], 5.0)


@pytest.mark.parametrize("sizes", [np.int64(1), [1, np.int32(1)], np.array([1, 1]), (0, 2)])
def test_sizes_to_split_into_may_be_numpys(sizes: Any) -> None:
    x = sg.tensor(X, requires_grad=True)
    parts = sg.split(x, sizes)
    assert_close(sg.cat(parts), X, rtol=0)
    assert_close(sg.grad(parts[-1].sum(), x)[0].sum(), float(parts[-1].size))


def test_views_with_and_without_axes_of_length_one() -> None:
    x = sg.tensor(X, requires_grad=True)  # (2, 3, 4)
    assert x.view(6, 4).shape == x.view((6, -1)).shape == (6, 4)
    assert (x.unsqueeze(0).shape, x.unsqueeze(-1).shape, x.unsqueeze(2).shape) == (
        *((1, 2, 3, 4), (2, 3, 4, 1)),
        (2, 3, 1, 4),
    )
    y = x.unsqueeze(1).unsqueeze(-1)  # (2, 1, 3, 4, 1)
    assert (y.squeeze().shape, y.squeeze(1).shape, y.squeeze(-1).shape) == (
        *((2, 3, 4), (2, 3, 4, 1)),
        (2, 1, 3, 4),
    )
    assert y.squeeze(0).shape == y.shape
    assert y.squeeze((1, 2, 4)).shape == (2, 3, 4)
    assert_close(sg.grad((y.squeeze() * sg.asarray(X)).sum(), x)[0], X)
    assert sg.squeeze(x.data[:, :1]).shape == (2, 4)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: sg.cat([]), "cat: got no arrays"),
        (lambda x: sg.stack([]), "stack: got no arrays"),
        (lambda x: sg.stack([x], axis=4), "axis: got 4, expected -4 .. 3 for an array of 4 axes"),
        (lambda x: sg.split(x, 0), "sizes: got 0, expected a positive whole number"),
        (lambda x: sg.split(x, 1.0), r"sizes: got 1\.0, expected a positive whole number"),
        (lambda x: sg.split(x, [-1, 3]), "sizes: got -1, expected a whole number, 0 or more"),
        (lambda x: sg.split(x, [0.5, 1.5]), r"sizes: got 0\.5, expected a whole number, 0 or more"),
        (lambda x: sg.split(x, [1, 2]), r"sizes: got \[1, 2\], expected numbers that add up to .* length 2"),
        (lambda x: x.squeeze(3), r"axis: got 3, expected -3 \.\. 2"),
        (lambda x: x.unsqueeze(4), r"axis: got 4, expected -4 \.\. 3"),
        (lambda x: sg.split(x, 1, axis=3), "axis: got 3, expected -3 .. 2 for an array of 3 axes"),
        (lambda x: x.permute(0, 1), r"axes: got \(0, 1\), expected each of the 3 axes once"),
        (lambda x: x.permute(0, 1, 3), r"axis: got \(0, 1, 3\), expected -3"),
        (lambda x: x.permute(0, 1, -2), r"axis: got \(0, 1, -2\), expected different axes"),
        (lambda x: x.transpose(0, 3), "axis: got 3, expected -3 .. 2"),
        (lambda x: x.flatten(3), "axis: got 3, expected -3 .. 2"),
        (lambda x: sg.pad(x, [(1, 1)]), "widths: got .*, expected 3 pairs of numbers >= 0"),
        (lambda x: sg.pad(x, [(0, 0), (0, 0), (-1, 0)]), "widths: got .*, expected 3 pairs of numbers >= 0"),
        (lambda x: x.reshape(5, 5), "reshape"),
        (
            lambda x: sg.broadcast_to(x, (3, 4)),
            r"shape: got \(3, 4\), to which an array of shape \(2, 3, 4\) does not broadcast",
        ),
        (lambda x: sg.broadcast_to(x, (2, 3, 8)), "does not broadcast"),
    ],
)
def test_errors_name_what_was_given(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call(sg.tensor(X))


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("x", lambda x: sg.flatten(x)),
        ("x", lambda x: sg.squeeze(x)),
        ("x", lambda x: sg.unsqueeze(x, 0)),
        ("x", lambda x: sg.transpose(x)),
        ("a", lambda x: sg.matmul(x, x)),
        (r"operands\[0\]", lambda x: sg.einsum("ij->i", x)),
    ],
)
def test_a_list_is_named_where_an_array_is_expected(name: str, call: Any) -> None:
    with pytest.raises(TypeError, match=f"{name}: got list, expected an array or Tensor"):
        call([[1.0]])
