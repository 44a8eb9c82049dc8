"""Matrix products: matmul, einsum and the affine map of a layer."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..backend import Array, checks
from ..backend.compiled import compiled
from .primitive import each, primitive
from .shapes import expand
from .tensor import raw


def matmul(a: Any, b: Any) -> Any:
    """Matrix product over the last two axes; earlier axes broadcast, and a vector is a row or a column.

    Raises
    ------
    ValueError
        If the inner lengths differ.
    """
    a, b = checks.array("a", a), checks.array("b", b)
    if a.ndim == 0 or b.ndim == 0 or a.shape[-1] != b.shape[-2 if b.ndim > 1 else 0]:
        raise ValueError(
            f"matmul: shapes {a.shape} and {b.shape} do not fit: the inner lengths have to be equal"
        )
    if a.ndim > 1 and b.ndim > 1:
        return matrix_product(a, b)
    y = matrix_product(a if a.ndim > 1 else expand(a, (0,)), b if b.ndim > 1 else expand(b, (1,)))
    shape = y.shape[:-2] + (y.shape[-2:-1] if a.ndim > 1 else ()) + (y.shape[-1:] if b.ndim > 1 else ())
    return y.reshape(shape)


@primitive(
    lambda g, y, a, b: matrix_product(g, matrix_transpose(b)),  # (matmul-vjp)
    lambda g, y, a, b: matrix_product(matrix_transpose(a), g),  # (matmul-vjp)
    broadcasts=True,
)
@compiled
def matrix_product(a: Array, b: Array) -> Array:
    """The matrix product of arrays of at least two axes.

    ::

        y = a b:     share of a = g b^T,     share of b = a^T g                              (matmul-vjp)
    """
    return np.dot(a, b) if a.ndim == b.ndim == 2 else np.matmul(a, b)


def matrix_transpose(x: Any) -> Any:
    """The last two axes exchanged."""
    order = list(range(x.ndim))
    order[-2:] = order[-1], order[-2]
    return x.transpose(tuple(order))


def _fitting(x: Any, weight: Any, bias: Any = None) -> tuple[tuple[Any, Any, Any], dict[str, Any]]:
    around = getattr(weight, "shape", ())
    within = getattr(x, "shape", ())[-1:], (around[:1] if bias is None else getattr(bias, "shape", ()))
    if len(around) != 2 or within != (around[1:], around[:1]):  # at a glance; now which it is
        outputs, inputs = checks.shape("weight", weight, ("out", "in")).shape
        checks.shape("x", x, (..., inputs), "to fit the weight")
        checks.shape("bias", bias, (outputs,))
    return (x, weight, bias), {}


def _rows(x: Any) -> Any:
    """All but the last axis as one."""
    return x if x.ndim == 2 else x.reshape(-1, x.shape[-1])


@primitive(
    lambda g, y, x, weight, bias: matrix_product(_rows(g), weight).reshape(x.shape),  # (linear-layer)
    lambda g, y, x, weight, bias: matrix_product(_rows(g).T, _rows(x)),  # (linear-layer)
    lambda g, y, x, weight, bias: _rows(g).sum(axis=0),  # (linear-layer)
    canonical=_fitting,
)
@compiled
def linear(x: Array, weight: Array, bias: Array | None = None) -> Array:
    """``x W^T + b`` along the last axis.

    Parameters
    ----------
    x : shape (..., in)
    weight : shape (out, in)
    bias : shape (out,), optional

    Returns
    -------
    shape (..., out)

    Raises
    ------
    TypeError, ValueError
        If `x` is no array, or its last axis is not as long as the weight's.
    """
    y = np.dot(_rows(x), weight.T)
    if bias is not None:
        y += bias
    return y.reshape((*x.shape[:-1], len(weight)))


def _checked_subscripts(*call: Any, subscripts: str | None = None) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Subscripts without spaces that fit the operands; in a user's call they come first."""
    first, operands = (call[0], call[1:]) if subscripts is None else (subscripts, call)
    operands = tuple(checks.array(f"operands[{i}]", operand) for i, operand in enumerate(operands))
    subscripts = first.replace(" ", "")
    inputs, arrow, output = subscripts.partition("->")
    terms = inputs.split(",")
    if not arrow or "." in subscripts or any(len(set(term)) < len(term) for term in (*terms, output)):
        raise ValueError(
            f"subscripts: got {subscripts!r}, expected letters with an explicit output such as 'ij,jk->ik', "
            "without ellipsis and without a letter twice in one term"
        )
    if len(terms) != len(operands) or any(len(t) != x.ndim for t, x in zip(terms, operands, strict=False)):
        raise ValueError(
            f"subscripts: {subscripts!r} does not fit operands of shapes {[x.shape for x in operands]}"
        )
    lengths: dict[str, int] = {}
    for letter, n in zip("".join(terms), (n for x in operands for n in x.shape), strict=True):
        if lengths.setdefault(letter, n) != n:
            raise ValueError(
                f"subscripts: {letter!r} of {subscripts!r} is {lengths[letter]} long and {n} long"
            )
    return operands, {"subscripts": subscripts}


def _einsum_share(i: int, g: Any, y: Any, *operands: Any, subscripts: str) -> Any:
    inputs, _, output = subscripts.partition("->")
    terms = inputs.split(",")
    letters, operand = terms[i], raw(operands[i])
    others = [(t, x) for j, (t, x) in enumerate(zip(terms, operands, strict=True)) if j != i]
    known = set(output).union(*(t for t, _ in others))
    lonely = [(c, n) for c, n in zip(letters, operand.shape, strict=True) if c not in known]
    ones = [(c, np.ones_like(operand, shape=(n,))) for c, n in lonely]
    factors = [(output, g), *others, *ones]
    return einsum(",".join(t for t, _ in factors) + "->" + letters, *(x for _, x in factors))  # (einsum-vjp)


@primitive(each(_einsum_share), canonical=_checked_subscripts)
def einsum(*operands: Array, subscripts: str) -> Array:
    """Einstein summation with explicit output, such as ``einsum("bij,bjk->bik", a, b)``.

    The vjp with respect to an operand is an einsum again, with that operand's letters as the output and the
    cotangent in its place; a letter that stands in that operand alone was summed, so it is broadcast back.

    Raises
    ------
    ValueError
        If the subscripts have no ``->``, repeat a letter within an operand, use an ellipsis, or do not fit
        the operands (a letter has one length; axes of length one do not broadcast).
    """
    return np.einsum(subscripts, *operands, optimize=len(operands) > 1)
