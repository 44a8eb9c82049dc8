"""Products of matrices: values against NumPy, adjoints, every mixture of vectors and batches, and errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tools import assert_close

import scratchgen as sg
from scratchgen.autograd import registry
from scratchgen.backend import RandomStream


def rand(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    return sg.asnumpy(RandomStream(seed, *shape).normal(shape, np.float64))


PAIRS = [
    *(((3,), (3,)), ((3,), (3, 2)), ((2, 3), (3,)), ((2, 3), (3, 4)), ((5, 2, 3), (3,)), ((3,), (5, 3, 2))),
    *(
        ((5, 2, 3), (3, 4)),
        ((2, 3), (5, 3, 4)),
        ((5, 1, 2, 3), (6, 3, 4)),
        ((0, 3), (3, 4)),
        ((2, 0), (0, 4)),
        ((0,), (0,)),
    ),
]


@pytest.mark.parametrize(("a", "b"), PAIRS)
def test_matmul_values_and_adjoints(a: tuple[int, ...], b: tuple[int, ...]) -> None:
    x, y = rand(a), rand(b, 1)
    p, q = sg.tensor(x, requires_grad=True), sg.tensor(y, requires_grad=True)
    for z in (p @ q, sg.matmul(p, q), p @ q.data, p.data @ q):
        assert_close(z, x @ y, rtol=1e-13, atol=1e-14)
    z = p @ q
    g = rand(z.shape, 2)
    for found, number in zip(sg.grad(z, [p, q], sg.asarray(g)), (x, y), strict=True):
        # z is linear in each argument: <g, z> == <argument, its gradient>
        assert np.sum(sg.asnumpy(found) * number) == pytest.approx(np.sum(g * (x @ y)), rel=1e-12, abs=1e-13)


@pytest.mark.parametrize(("a", "b"), [pair for pair in PAIRS if 0 not in pair[0]])
def test_matmul_second_derivatives(a: tuple[int, ...], b: tuple[int, ...]) -> None:
    assert sg.check_gradients(sg.matmul, rand(a), rand(b, 1)) < 1e-7


@pytest.mark.parametrize(
    ("a", "b"), [((2, 3), (2, 3)), ((3,), (2,)), ((), (3,)), ((3,), ()), ((2, 3), (4,)), ((2,), (3, 2))]
)
def test_matmul_of_shapes_that_do_not_fit(a: tuple[int, ...], b: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"matmul: shapes .* do not fit: the inner lengths have to be equal"):
        sg.matmul(sg.tensor(rand(a)), sg.tensor(rand(b)))


EINSUMS: list[tuple[str, tuple[tuple[int, ...], ...]]] = [
    ("ij,jk->ik", ((2, 3), (3, 4))),
    ("bij, bjk -> bik", ((5, 2, 3), (5, 3, 4))),
    ("bhqd,bhkd->bhqk", ((2, 2, 3, 4), (2, 2, 5, 4))),
    ("ij->", ((2, 3),)),
    ("ij->j", ((2, 3),)),
    ("ijk->kij", ((2, 3, 4),)),
    ("i,j->ji", ((2,), (3,))),
    ("ij,j,ik->k", ((2, 3), (3,), (2, 4))),
    ("ij,kl->", ((2, 3), (4, 2))),
    (",i->i", ((), (3,))),
]


@pytest.mark.parametrize(("subscripts", "shapes"), EINSUMS, ids=[s for s, _ in EINSUMS])
def test_einsum(subscripts: str, shapes: tuple[tuple[int, ...], ...]) -> None:
    arrays = [rand(shape, i) for i, shape in enumerate(shapes)]
    operands = [sg.tensor(x, requires_grad=True) for x in arrays]
    z = sg.einsum(subscripts, *operands)
    expected = np.einsum(subscripts, *arrays)
    assert_close(z, expected, rtol=1e-13, atol=1e-14)
    g = rand(expected.shape, 9)
    for found, x in zip(sg.grad(z, operands, sg.asarray(g)), arrays, strict=True):
        assert np.sum(sg.asnumpy(found) * x) == pytest.approx(np.sum(g * expected), rel=1e-11, abs=1e-13)


@pytest.mark.parametrize(
    ("subscripts", "shapes", "message"),
    [
        ("ij,jk", ((2, 2), (2, 2)), "expected letters with an explicit output"),
        ("ii->i", ((2, 2),), "without a letter twice"),
        ("i->ii", ((2,),), "without a letter twice"),
        ("...i->i", ((2, 2),), "without ellipsis"),
        ("ij->i", ((2,),), "does not fit operands of shapes"),
        ("i,j->ij", ((2,),), "does not fit operands of shapes"),
        ("ij,jk->ik", ((2, 3), (2, 3)), "'j' of 'ij,jk->ik' is 3 long and 2 long"),
        ("ij,ij->ij", ((2, 3), (1, 3)), "'i' of 'ij,ij->ij' is 2 long and 1 long"),
    ],
)
def test_einsum_refuses(subscripts: str, shapes: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        sg.einsum(subscripts, *(sg.tensor(rand(shape)) for shape in shapes))


def test_linear_is_the_product_with_the_transposed_weight_plus_the_bias() -> None:
    x, weight, bias = rand((4, 3)), rand((2, 3), 1), rand((2,), 2)
    inputs = [sg.tensor(a, requires_grad=True) for a in (x, weight, bias)]
    fused = registry["linear"](*inputs)
    plain = inputs[0] @ inputs[1].T + inputs[2]
    assert_close(fused, x @ weight.T + bias, rtol=1e-14)
    g = sg.asarray(rand((4, 2), 3))
    for found, expected in zip(sg.grad(fused, inputs, g), sg.grad(plain, inputs, g), strict=True):
        assert_close(found, expected, rtol=1e-14, atol=1e-15)
