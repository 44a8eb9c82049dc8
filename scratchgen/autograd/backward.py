"""Reverse-mode differentiation: walk a result's history back, youngest operation first.

For ``y = f(a, b)`` with cotangent ``g = dL/dy`` the chain rule gives each argument's share of dL: the vjp of
`f` with respect to it. Shares that reach the same Tensor by several paths add up: ::

    share of a in y = f(a, ...):     g^T dy/da                                    (vector-jacobian-product)
    dL/da = sum of the shares of a, over all y computed from a                            (cotangents-add-up)

Since a result is always younger than its arguments, going through the history by age meets each Tensor only
after all that was computed from it: no recursion, so no chain is too deep.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from heapq import heappop, heappush
from operator import attrgetter
from typing import Any

import numpy as np

from ..backend import Array, checks, device_of
from .elementwise import add
from .primitive import Jointly, Primitive
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
        Raw arrays, or Tensors if `create_graph`, no two of which share memory; zeros for a variable on which
        `y` does not depend.

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
    paths = _paths(y, xs)
    if not create_graph:
        found = _cotangents(y, raw(g), paths, keep=xs)
        return _unaliased((found.get(x, np.zeros_like(x.data)) for x in xs), g)
    with recording_is():
        found = _cotangents(y, g if isinstance(g, Tensor) else Tensor(g), paths, keep=xs, create_graph=True)
        return _unaliased((found[x] if x in found else Tensor(np.zeros_like(x.data)) for x in xs), g)


def backward(y: Tensor, cotangent: Any = None) -> None:
    """Add the gradient of `y` to the ``.grad`` of every leaf it depends on.

    Several threads may do so at once, each with a result of its own.

    Parameters
    ----------
    cotangent : array, optional
        The derivative of the final quantity with respect to `y`; may be left out, and is 1 then, if `y` has
        one element.
    """
    g = raw(_initial_cotangent(y, cotangent))
    if not y.requires_grad:
        raise ValueError("backward: this Tensor depends on no Tensor with requires_grad=True")
    found = _cotangents(y, g)
    for leaf, gradient in zip(found, _unaliased(found.values(), g), strict=True):
        _accumulate(leaf, gradient)


def _accumulate(leaf: Tensor, gradient: Array) -> None:
    """Add to ``leaf.grad``: take what is there, and put back the sum unless another thread was quicker."""
    attributes = leaf.__dict__  # whose single steps Python never interrupts
    while True:
        before = attributes.pop("grad", None)
        if before is not None:
            gradient = np.add(before, gradient, out=np.empty_like(gradient))
        if attributes.setdefault("grad", gradient) is gradient:
            return


def _initial_cotangent(y: Tensor, cotangent: Any) -> Any:
    checks.instance("y", y, Tensor)
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


def _variables(node: Tensor) -> list[Tensor]:
    """The arguments of the operation that made a result, as far as they can be differentiated by."""
    args = node.origin[1] if node.origin else ()
    return [a for a in args if isinstance(a, Tensor) and a.requires_grad]


def _paths(y: Tensor, xs: Sequence[Tensor]) -> set[Tensor]:
    """All Tensors between `y` and `xs`, the latter included: through these alone `y` depends on them."""
    history, waiting = {y}, [y]
    while waiting:
        new = set(_variables(waiting.pop())) - history
        history |= new
        waiting += new
    paths = set(xs)
    for node in sorted(history, key=attrgetter("birth"), reverse=True):  # the eldest first
        if not paths.isdisjoint(_variables(node)):
            paths.add(node)
    return paths


def _cotangents(
    y: Tensor,
    g: Any,
    paths: Collection[Tensor] | None = None,
    keep: Collection[Tensor] = (),
    create_graph: bool = False,
) -> dict[Tensor, Any]:
    """The backward loop: the cotangents of all leaves, or of those to `keep`, which the `paths` reach."""
    cotangents, kept = {y: g}, set(keep)
    waiting = [(y.birth, y)] if y.origin else []
    while waiting:
        _, node = heappop(waiting)  # the youngest: all its shares have arrived
        g = cotangents[node] if node in kept else cotangents.pop(node)
        operation, args, static = node.origin  # type: ignore[misc]
        values = args if create_graph else [a.data if isinstance(a, Tensor) else a for a in args]
        value = node if create_graph else node.data
        vjps = operation.vjps
        shares = vjps.vjp(g, value, *values, **static) if type(vjps) is Jointly else None
        for i, a in enumerate(args):
            if isinstance(a, Tensor) and a.requires_grad and (paths is None or a in paths):
                if shares is not None:
                    share = shares[i]
                else:
                    share = vjps[i](g, value, *values, **static)  # (vector-jacobian-product)
                if share.shape != a.data.shape or share.dtype is not a.data.dtype:
                    share = _fit(share, a, operation, i)
                if a in cotangents:
                    cotangents[a] = add(cotangents[a], share)  # (cotangents-add-up)
                else:
                    cotangents[a] = share
                    if a.origin is not None:
                        heappush(waiting, (a.birth, a))
    return cotangents


def _fit(share: Any, a: Tensor, operation: Primitive, position: int) -> Any:
    """Undo broadcasting: where an argument was repeated, the shares of its copies add up.

    ::

        y_ij = f(a_j, b_ij):     share of a_j = sum_i (share of copy i of a_j)            (unbroadcasting)
    """
    extra = share.ndim - a.ndim
    if operation.broadcasts and extra >= 0:
        if extra:
            share = share.sum(axis=tuple(range(extra)))  # (unbroadcasting)
        stretched = tuple(i for i, n in enumerate(a.shape) if n == 1 and share.shape[i] != 1)
        if stretched:
            share = share.sum(axis=stretched, keepdims=True)  # (unbroadcasting)
    if share.shape != a.shape or share.dtype != a.dtype:
        raise AssertionError(
            f"the vjp of {operation.__name__} for argument {position} gave {share.dtype} of shape "
            f"{share.shape}, but the argument is {a.dtype} of shape {a.shape}"
        )
    return share


def _unaliased(gradients: Iterable[Any], g: Any) -> list[Any]:
    """Gradients that share no memory with each other, with the cotangent or with a value of the graph.

    A vjp may hand its cotangent on as it is, or a view of it; inside the loop that is harmless, since nothing
    there writes. Outside, somebody may clip a gradient in place. A view has a ``base``.
    """
    seen = {id(raw(g))}
    result = []
    for gradient in gradients:
        if isinstance(gradient, np.generic):
            gradient = np.asarray(gradient)
        data = raw(gradient)
        if id(data) in seen or data.base is not None:
            gradient = gradient * 1 if isinstance(gradient, Tensor) else gradient.copy()
        seen.add(id(raw(gradient)))
        result.append(gradient)
    return result
