"""What holds for all shapes, axes and expressions: hypothesis draws them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.extra import numpy as hnp
from tools import assert_close

import scratchgen as sg
from scratchgen.autograd import registry
from scratchgen.backend import RandomStream

SHAPES = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)
FULL_SHAPES = hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=3)
SEEDS = st.integers(0, 2**32)


def rand(shape: tuple[int, ...], *seed: int) -> np.ndarray:
    return sg.asnumpy(RandomStream(0, *seed).normal(shape, np.float64))


def assert_adjoint(linear: Any, shape: tuple[int, ...], seed: int) -> None:
    """<A x, y> == <x, A^T y> to 1e-12, for the map and for its gradient's gradient."""
    x = sg.tensor(rand(shape, seed), requires_grad=True)
    image = linear(x)
    y = sg.tensor(rand(image.shape, seed, 1), requires_grad=True)
    (pulled,) = sg.grad(image, x, y, create_graph=True)
    scale = float(np.sum(np.abs(sg.asnumpy(image) * sg.asnumpy(y)))) + 1e-300
    assert abs(float((image * y).sum()) - float((x * pulled).sum())) <= 1e-12 * scale
    if pulled.requires_grad:
        assert_close(sg.grad(pulled, y, x)[0], image, rtol=1e-12, atol=1e-12)


@given(data=st.data(), shape=SHAPES, seed=SEEDS)
def test_reductions_and_moves_are_adjoint_to_their_vjps(
    data: st.DataObject, shape: tuple[int, ...], seed: int
) -> None:
    axes = data.draw(st.none() | hnp.valid_tuple_axes(len(shape)))
    keepdims = data.draw(st.booleans())
    order = data.draw(st.permutations(range(len(shape))))
    assert_adjoint(lambda x: sg.sum(x, axis=axes, keepdims=keepdims), shape, seed)
    assert_adjoint(lambda x: sg.permute(x, order) if order else x.T, shape, seed)
    assert_adjoint(lambda x: x.reshape(x.size), shape, seed)
    widths = [tuple(data.draw(st.tuples(st.integers(0, 2), st.integers(0, 2)))) for _ in shape]
    if shape:
        axis = data.draw(st.integers(-len(shape), len(shape) - 1))
        assert_adjoint(lambda x: sg.pad(x, widths), shape, seed)
        assert_adjoint(lambda x: sg.flip(x, axis), shape, seed)
        assert_adjoint(lambda x: sg.cumsum(x, axis), shape, seed)
        assert_adjoint(lambda x: sg.cat([x, 2 * x, x], axis), shape, seed)
        assert_adjoint(lambda x: sg.stack(sg.split(x, 1, axis), axis) if x.shape[axis] else x, shape, seed)


@given(data=st.data(), shape=SHAPES, seed=SEEDS)
def test_indexing_is_adjoint_to_its_vjp(data: st.DataObject, shape: tuple[int, ...], seed: int) -> None:
    index = data.draw(hnp.basic_indices(shape, allow_newaxis=True))
    assert_adjoint(lambda x: x[index], shape, seed)
    if shape and all(shape):
        rows = data.draw(hnp.integer_array_indices(shape, result_shape=FULL_SHAPES))
        assert_adjoint(lambda x: x[tuple(map(sg.asarray, rows))], shape, seed)
        assert_close(sg.tensor(rand(shape, seed))[rows], rand(shape, seed)[rows])


@given(pair=hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=4, min_side=0, max_side=3), seed=SEEDS)
def test_broadcasting_sums_the_shares_of_copies(pair: Any, seed: int) -> None:
    a, b = pair.input_shapes
    other = sg.asarray(rand(b, seed, 2))
    assert_adjoint(lambda x: x * other, a, seed)
    assert_adjoint(lambda x: x / (sg.square(other) + 1), a, seed)
    assert_adjoint(lambda x: sg.broadcast_to(x, pair.result_shape), a, seed)
    x, y = (sg.tensor(rand(shape, seed, i), requires_grad=True) for i, shape in enumerate((a, b)))
    total = (x + y).sum()
    count = float(np.prod(pair.result_shape))
    for variable, found in zip((x, y), sg.grad(total, [x, y]), strict=True):
        assert_close(found, np.full(variable.shape, count / max(variable.size, 1)), rtol=1e-12)


@given(
    shapes=hnp.mutually_broadcastable_shapes(
        signature=np.matmul.signature, max_dims=2, min_side=0, max_side=3
    ),
    seed=SEEDS,
)
def test_matrix_products_are_adjoint_to_their_vjps(shapes: Any, seed: int) -> None:
    a, b = shapes.input_shapes
    left, right = sg.asarray(rand(a, seed, 3)), sg.asarray(rand(b, seed, 4))
    assert_close(
        sg.matmul(sg.tensor(left), right), rand(a, seed, 3) @ rand(b, seed, 4), rtol=1e-12, atol=1e-12
    )
    assert_adjoint(lambda x: sg.matmul(x, right), a, seed)
    assert_adjoint(lambda x: sg.matmul(left, x), b, seed)


@given(data=st.data(), seed=SEEDS)
def test_einsum_is_adjoint_to_its_vjps(data: st.DataObject, seed: int) -> None:
    lengths = {"i": 2, "j": 3, "k": 1, "l": 0 if data.draw(st.booleans()) else 2}
    terms = data.draw(st.lists(st.permutations("ijkl").map(lambda p: "".join(p)[:2]), min_size=1, max_size=3))
    used = sorted(set("".join(terms)))
    output = "".join(data.draw(st.permutations(used)))[: data.draw(st.integers(0, len(used)))]
    subscripts = f"{','.join(terms)}->{output}"
    arrays = [rand(tuple(lengths[c] for c in term), seed, i) for i, term in enumerate(terms)]
    assert_close(
        sg.einsum(subscripts, *map(sg.tensor, arrays)), np.einsum(subscripts, *arrays), rtol=1e-11, atol=1e-12
    )
    for i, array in enumerate(arrays):
        others = [sg.asarray(x) for x in arrays]
        assert_adjoint(
            lambda x, i=i, o=others: sg.einsum(subscripts, *o[:i], x, *o[i + 1 :]), array.shape, seed
        )


# Smooth everywhere and tame for composition: each keeps moderate numbers moderate.
UNARY = [
    sg.tanh,
    sg.sigmoid,
    sg.sin,
    sg.cos,
    sg.erf,
    sg.softplus,
    lambda x: sg.exp(-x * x),
    lambda x: sg.sqrt(x * x + 1),
]
UNARY += [
    lambda x: sg.log(sg.square(x) + 1),
    lambda x: x.mean(axis=0, keepdims=True),
    lambda x: sg.log_softmax(x, axis=0),
]
UNARY += [
    lambda x: x[::-1],
    lambda x: sg.logsumexp(x, axis=-1, keepdims=True),
    lambda x: x - x.mean(),
    lambda x: x.cumsum(0),
]
UNARY += [
    lambda x: sg.softmax(x, axis=-1),
    lambda x: x.var(axis=0, keepdims=True),
    lambda x: (sg.sigmoid(x) + 0.5).prod(axis=-1, keepdims=True),
]
BINARY = [lambda a, b: a + b, lambda a, b: a * b, lambda a, b: a - b, lambda a, b: a / (b * b + 1)]
BINARY += [lambda a, b: (b * b + 0.5) ** sg.tanh(a), lambda a, b: sg.binary_cross_entropy(a, sg.sigmoid(b))]


@settings(max_examples=30)
@given(data=st.data(), shape=hnp.array_shapes(max_dims=2, max_side=3), seed=SEEDS)
def test_random_expressions_pass_the_gradient_check(
    data: st.DataObject, shape: tuple[int, ...], seed: int
) -> None:
    steps = data.draw(st.lists(st.integers(0, len(UNARY) + len(BINARY) - 1), min_size=2, max_size=5))
    picks = [data.draw(st.integers(0, i + 1)) for i in range(len(steps))]

    def expression(x: sg.Tensor, y: sg.Tensor) -> sg.Tensor:
        values = [x, y]
        for step, pick in zip(steps, picks, strict=True):
            if step < len(UNARY):
                values.append(UNARY[step](values[pick]))
            else:
                values.append(BINARY[step - len(UNARY)](values[-1], values[pick]))
        return values[-1].mean() + values[-2].mean()

    sg.check_gradients(expression, 0.5 * rand(shape, seed), 0.5 * rand(shape, seed, 1))


@pytest.mark.parametrize("name", ["exp", "tanh", "softplus", "sigmoid", "erf", "square", "expm1"])
@given(x=hnp.arrays(np.float32, FULL_SHAPES, elements=st.floats(-20, 20, width=32)))
def test_float32_agrees_with_float64_over_the_whole_range(name: str, x: np.ndarray) -> None:
    pairs = []
    for dtype in (np.float32, np.float64):
        v = sg.tensor(x.astype(dtype), requires_grad=True)
        y = registry[name](v)
        pairs.append((y, sg.grad(y, v, sg.asarray(np.ones(x.shape, dtype)))[0]))
    for narrow, wide in zip(*pairs, strict=True):
        assert narrow.dtype == np.float32
        assert_close(narrow, wide, rtol=1e-5, atol=2e-7)
