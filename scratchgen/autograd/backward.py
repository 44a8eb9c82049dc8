"""Reverse-mode differentiation: walk a result's history back, youngest operation first.

For ``y = f(a, b)`` with cotangent ``g = dL/dy`` the chain rule gives each argument's share of dL: the vjp of
`f` with respect to it. Shares that reach the same Tensor by several paths add up: ::

    share of a in y = f(a, ...):     g^T dy/da                                    (vector-jacobian-product)
    dL/da = sum of the shares of a, over all y computed from a                            (cotangents-add-up)

Since a result is always younger than its arguments, going through the history by age meets each Tensor only
after all that was computed from it: no recursion, so no chain is too deep.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from typing import Any

import numpy as np

from ..backend import Array, device_of
from ..backend.compiled import compiled
from .primitive import Jointly
from .tensor import Tensor, raw, recording_is


def grad(
    y: Tensor, xs: Tensor | Sequence[Tensor], cotangent: Any = None, create_graph: bool = False
) -> list[Any]:
    """The gradient of `y` with respect to each of `xs`: the vector-Jacobian products ``g^T dy/dx``.

    Parameters
    ----------
    y : Tensor
        The result.
    xs : Tensor or sequence of Tensors
        The variables, each with ``requires_grad``; inner results of the computation are allowed too.
    cotangent : array or Tensor, optional
        g, of the shape of `y`; may be left out, and is 1 then, if `y` has one element.
    create_graph : bool
        Whether the gradients shall be differentiable themselves. Then the gradient of ``<df/dx, v>``, with v
        held fixed, is a product with the matrix of second derivatives, which is never built: ::

            d<df/dx, v>/dx = (d^2 f / dx^2) v                                    (hessian-vector-product)

    Returns
    -------
    list
        Raw arrays, or Tensors if `create_graph`; zeros for a variable on which `y` does not depend.

    Examples
    --------
    >>> from scratchgen.autograd import tensor
    >>> x = tensor([3.0], requires_grad=True)
    >>> (first,) = grad(x * x * x, x, create_graph=True)
    >>> grad(first, x)
    [array([18.], dtype=float32)]
    """
    xs = [xs] if isinstance(xs, Tensor) else list(xs)
    for i, x in enumerate(xs):
        if not isinstance(x, Tensor) or not x.requires_grad:
            given = "a Tensor without requires_grad" if isinstance(x, Tensor) else type(x).__name__
            raise ValueError(f"xs[{i}]: got {given}, expected a Tensor with requires_grad=True")
    g = _initial_cotangent(y, cotangent)
    history = _history(y)
    if not create_graph:
        cotangents = _cotangents(y, raw(g), history, xs, create_graph=False)
        return _unaliased([cotangents.get(id(x), np.zeros_like(x.data)) for x in xs], raw(g))
    with recording_is():
        cotangents = _cotangents(y, g if isinstance(g, Tensor) else Tensor(g), history, xs, create_graph=True)
    return [cotangents[id(x)] if id(x) in cotangents else Tensor(np.zeros_like(x.data)) for x in xs]


def accumulate_gradients(y: Tensor, cotangent: Any = None) -> None:
    """Add ``g^T dy/dx`` to ``x.grad`` for every leaf x on which `y` depends; `Tensor.backward` calls it."""
    g = raw(_initial_cotangent(y, cotangent))
    if not y.requires_grad:
        raise ValueError("backward: this Tensor depends on no Tensor with requires_grad=True")
    history = _history(y)
    leaves = _leaves(y, history)
    cotangents = _cotangents(y, g, history, None, create_graph=False)
    gradients = _unaliased([cotangents[id(leaf)] for leaf in leaves], g)
    for leaf, gradient in zip(leaves, gradients, strict=True):
        leaf.grad = (
            gradient if leaf.grad is None else np.add(leaf.grad, gradient, out=np.empty_like(gradient))
        )


def _initial_cotangent(y: Tensor, cotangent: Any) -> Any:
    if not isinstance(y, Tensor):
        raise TypeError(f"y: got {type(y).__name__}, expected a Tensor")
    if cotangent is None:
        if y.size != 1:
            raise ValueError(
                f"cotangent: needed for a result of shape {y.shape}; only a single number may do without"
            )
        return np.ones_like(y.data)
    if not hasattr(cotangent, "dtype"):
        cotangent = device_of(y.data).asarray(np.asarray(cotangent, y.dtype))
    if tuple(cotangent.shape) != y.shape or cotangent.dtype != y.dtype:
        raise ValueError(
            f"cotangent: got {cotangent.dtype} of shape {tuple(cotangent.shape)}, "
            f"expected {y.dtype} of shape {y.shape} like the result"
        )
    return cotangent


def _history(y: Tensor) -> list[Tensor]:
    """Every recorded result on which `y` depends (itself included), the youngest first."""
    found, seen, stack = [], {id(y)}, [y]
    while stack:
        node = stack.pop()
        if node.origin is not None:
            found.append(node)
            for a in node.origin[1]:
                if isinstance(a, Tensor) and a.requires_grad and id(a) not in seen:
                    seen.add(id(a))
                    stack.append(a)
    found.sort(key=attrgetter("birth"), reverse=True)
    return found


def _leaves(y: Tensor, history: list[Tensor]) -> list[Tensor]:
    """Every leaf with ``requires_grad`` on which `y` depends."""
    arguments = (a for node in history for a in node.origin[1])  # type: ignore[index]
    variables = (a for a in (y, *arguments) if isinstance(a, Tensor) and a.requires_grad)
    return list({id(a): a for a in variables if a.origin is None}.values())


def _reaching(history: list[Tensor], xs: Sequence[Tensor]) -> set[int]:
    """The ids of all results through which `xs` are reached (`xs` included)."""
    reaching = {id(x) for x in xs}
    for node in reversed(history):
        assert node.origin is not None
        for a in node.origin[1]:
            if id(a) in reaching:
                reaching.add(id(node))
                break
    return reaching


def _cotangents(
    y: Tensor, g: Any, history: list[Tensor], xs: Sequence[Tensor] | None, create_graph: bool
) -> dict[int, Any]:
    """The backward loop: by id, the cotangents of `xs`, or of all leaves if `xs` is None."""
    wanted = None if xs is None else _reaching(history, xs)
    kept = set() if xs is None else {id(x) for x in xs}
    cotangents = {id(y): g}
    for node in history:
        key = id(node)
        g = cotangents.get(key) if key in kept else cotangents.pop(key, None)
        if g is None:
            continue
        operation, args, static = node.origin  # type: ignore[misc]
        values = args if create_graph else [a.data if isinstance(a, Tensor) else a for a in args]
        value = node if create_graph else node.data
        vjps = operation.vjps
        shares = vjps.vjp(g, value, *values, **static) if type(vjps) is Jointly else None
        for i, a in enumerate(args):
            if isinstance(a, Tensor) and a.requires_grad and (wanted is None or id(a) in wanted):
                if shares is not None:
                    share = shares[i]
                else:
                    vjp = vjps[i]
                    if vjp is None:
                        raise TypeError(
                            f"{operation.__name__} has no derivative with respect to its argument {i}"
                        )
                    share = vjp(g, value, *values, **static)
                if share.shape != a.data.shape or share.dtype is not a.data.dtype:
                    share = _fit(share, a, operation, i)
                key = id(a)
                before = cotangents.get(key)
                cotangents[key] = share if before is None else added(before, share)
    return cotangents


@compiled
def added(a: Any, b: Any) -> Any:
    """``a + b`` of arrays or Tensors."""
    return a + b


def _fit(share: Any, a: Tensor, operation: Any, position: int) -> Any:
    """Undo broadcasting: where an argument was repeated, the shares of its copies add up.

    ::

        y_ij = f(a_j, b_ij):     share of a_j = sum_i (share of copy i of a_j)            (unbroadcasting)
    """
    shape = a.shape
    if operation.broadcasts and share.dtype == a.dtype:
        extra = share.ndim - len(shape)
        repeated = [extra + i for i, n in enumerate(shape) if n == 1 and share.shape[extra + i] != 1]
        axes = (*range(extra), *repeated)
        share = share.sum(axis=axes, keepdims=True)[(0,) * extra]
    if share.shape != shape or share.dtype != a.dtype:
        raise AssertionError(
            f"the vjp of {operation.__name__} for argument {position} gave {share.dtype} of shape "
            f"{share.shape}, but the argument is {a.dtype} of shape {shape}"
        )
    return share


def _unaliased(gradients: list[Array], g: Any) -> list[Array]:
    """Gradients that share no memory with each other, with the cotangent or with a value of the graph.

    A vjp may hand its cotangent on as it is, or a view of it; inside the loop that is harmless, since nothing
    there writes. Outside, somebody may clip a gradient in place. A view has a ``base``.
    """
    seen = {id(raw(g))}
    result = []
    for gradient in gradients:
        if isinstance(gradient, np.generic):
            gradient = np.asarray(gradient)
        if id(gradient) in seen or gradient.base is not None:
            gradient = gradient.copy()
        seen.add(id(gradient))
        result.append(gradient)
    return result
