"""For every primitive of the registry, the calls at which the tests check it.

A new primitive needs a line here; `tests/autograd/test_registry.py` and `test_check.py` do the rest. The
first example of each is square and small, for the tests that falsify a derivative: the checker must notice.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import scratchgen as sg
import scratchgen.models  # whose primitives belong to the registry too
from scratchgen.backend import RandomStream


@dataclass(frozen=True)
class Example:
    """One way to call a primitive.

    Attributes
    ----------
    inputs : tuple of float64 arrays
        The arguments to differentiate by, on the host.
    static : dict
        Its keywords; host arrays in them are carried to the device.
    constants : dict
        Arguments without a derivative, by their position.
    """

    inputs: tuple[np.ndarray, ...]
    static: dict[str, Any] = field(default_factory=dict)
    constants: dict[int, np.ndarray] = field(default_factory=dict)

    def call(self, operation: Any, *inputs: Any) -> Any:
        """``operation(*inputs, **static)``, with the constants in their places."""
        arguments = list(inputs)
        for position, constant in sorted(self.constants.items()):
            arguments.insert(position, sg.asarray(constant))
        return operation(*arguments, **{name: _on_device(value) for name, value in self.static.items()})

    def positions(self) -> list[int]:
        """The place of each input among the arguments."""
        return [i for i in range(len(self.inputs) + len(self.constants)) if i not in self.constants]

    def __str__(self) -> str:
        shapes = " ".join(str(x.shape).replace(" ", "") for x in self.inputs)
        return " ".join([shapes, *(f"{k}={v}".replace(" ", "") for k, v in self.static.items())])


def _on_device(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return sg.asarray(value)
    return tuple(map(_on_device, value)) if isinstance(value, tuple) else value


def real(shape: tuple[int, ...], position: int = 0) -> np.ndarray:
    """Numbers of either sign, none near 0, another one, or one of another `position`, where kinks may be."""
    size = int(np.prod(shape))
    order = RandomStream(0, "real", position, *shape).permutation(size)
    return (0.25 * ((order % 16) - min(size, 16) // 2) + 0.08 + 0.08 * position).reshape(shape)


def positive(shape: tuple[int, ...], position: int = 0) -> np.ndarray:
    """Numbers between 0.4 and 3."""
    return np.exp(real(shape, position) / 2)


UNARY_SHAPES = [(3, 3), (), (0, 3), (2, 1, 3)]
BINARY_SHAPES = [
    *([(3, 3), (3, 3)], [(3, 3), (3,)], [(2, 1, 3), (4, 1)], [(1, 1), (2, 2)]),
    *([(), ()], [(3,), ()], [(), (1, 2)], [(0, 3), (1, 3)], [(2, 0), (2, 1)]),
]


def _unary(names: str, numbers: Any = real, **static: Any) -> dict[str, list[Example]]:
    examples = [Example((numbers(shape),), static) for shape in UNARY_SHAPES]
    return dict.fromkeys(names.split(), examples)


def _binary(names: str, first: Any = real, second: Any = real) -> dict[str, list[Example]]:
    examples = [Example((first(a, 0), second(b, 1))) for a, b in BINARY_SHAPES]
    return dict.fromkeys(names.split(), examples)


def _ternary(names: str) -> dict[str, list[Example]]:
    shapes = [((3, 3),) * 3, ((2, 1, 3), (4, 1), (3,)), ((3,), (), (2, 1)), ((),) * 3, ((0, 3), (3,), (1, 1))]
    return dict.fromkeys(names.split(), _of(*((abc, {}) for abc in shapes)))


def _where() -> list[Example]:
    masks = [(3, 3), (3, 1), (2, 4, 3), (2, 2), (), (), (2, 1), (1,), (2, 0)]
    return [
        Example((real(a), real(b, 1)), {"condition": np.asarray(real(mask, 2) > 0.25)})
        for (a, b), mask in zip(BINARY_SHAPES, masks, strict=True)
    ]


def _reduction(empty_axes: Iterable[tuple[int, ...]]) -> list[Example]:
    chosen = [
        ((3, 3), (0,)),
        ((3, 3), (1,)),
        ((2, 3, 2), (0, 2)),
        ((2, 3, 2), (2, 0)),
        ((4,), (0,)),
        ((), ()),
        ((2, 2), ()),
    ]
    chosen += [((0, 3), axes) for axes in empty_axes]
    return [
        Example((real(shape),), {"axis": axis, "keepdims": keepdims})
        for shape, axis in chosen
        for keepdims in (False, True)
    ]


def _with_zeros(*zeros: tuple[int, int]) -> Example:
    x = real((3, 3))
    for zero in zeros:
        x[zero] = 0
    return Example((x,), {"axis": (1,), "keepdims": False})


def _of(*cases: tuple[tuple[tuple[int, ...], ...], dict[str, Any]]) -> list[Example]:
    """Examples from the shapes of the inputs and the keywords."""
    return [
        Example(tuple(real(shape, i) for i, shape in enumerate(shapes)), static) for shapes, static in cases
    ]


_ROWS = np.array([2, 0, 2])  # one row twice, one never
_CELLS = (np.array([[0, 1], [1, 1]]), np.array([[2, 0], [0, 0]]))

_WINDOWS = {"kernel": (2, 2), "stride": (2, 2), "padding": (0, 0)}
_ALL_ROUND = {"kernel": (3, 3), "stride": (1, 1), "padding": (1, 1)}  # as many windows as pixels
_APART = {"kernel": (1, 2), "stride": (2, 3), "padding": (0, 1)}  # some pixels are in no window
_IN_ROWS = {"kernel": (1, 2), "stride": (1, 1), "padding": (0, 0)}
_POOLED: Any = ((((1, 1, 3, 5),), _APART), (((0, 2, 4, 4),), _WINDOWS))
_CHOICE = np.array([[[[4, 8, 3], [0, 4, 4], [1, 1, 0]]]])  # some pixels several times, some never


def _convolutions() -> dict[str, list[Example]]:
    """Images x, weights w and cotangents g of five convolutions; each primitive takes two of the three."""
    cases = [
        ((1, 1, 3, 3), (1, 1, 3, 3), (1, 1, 3, 3), {"padding": 1}),
        ((2, 2, 5, 4), (3, 2, 2, 3), (2, 3, 2, 2), {"stride": 2, "padding": (0, 1)}),  # a row is left over
        ((1, 4, 5, 3), (2, 2, 2, 2), (1, 2, 3, 1), {"dilation": 2, "groups": 2}),
        ((1, 3, 2, 3), (3, 1, 1, 1), (1, 3, 2, 3), {"groups": 3}),
        ((0, 2, 3, 3), (1, 2, 2, 2), (0, 1, 2, 2), {}),
    ]
    return {
        "conv": _of(*(((x, w), how) for x, w, _, how in cases)),
        "conv_transpose": _of(*(((g, w), {**how, "output_size": x[2:]}) for x, w, g, how in cases)),
        "biased_conv": _of(*(((x, w, w[:1]), how) for x, w, _, how in cases)),
        "biased_conv_transpose": _of(
            *(
                ((g, w, (w[1] * how.get("groups", 1),)), {**how, "output_size": x[2:]})
                for x, w, g, how in cases
            )
        ),
        "conv_weight": _of(*(((x, g), {**how, "kernel_size": w[2:]}) for x, w, g, how in cases)),
    }


EXAMPLES: dict[str, list[Example]] = {
    **_unary(
        "neg exp expm1 square abs sin cos tanh sigmoid erf relu silu gelu softplus log_ndtr inverse_mills"
    ),
    **_unary("sum_over_ranks gelu"),
    **_unary("log log1p sqrt", positive),
    **_unary("astype", dtype=np.float64),
    **_unary("leaky_relu", negative_slope=0.3),
    **_unary("clip", low=-0.5, high=0.7),
    **_binary("add sub mul maximum minimum binary_cross_entropy"),
    "binary_cross_entropy_sum": _of(
        (((3, 3), (3, 3)), {"leading": 1}),
        (((2, 4), (2, 4)), {"leading": 1}),
        (((2, 3, 3), (2, 3, 3)), {"leading": 1}),
        (((2, 2, 3), (2, 2, 3)), {"leading": 2}),
        (((0, 3), (0, 3)), {"leading": 1}),
        (((4,), (4,)), {"leading": 1}),
    ),
    "gate": _of((((4, 4),), {}), (((1, 2, 3),), {}), (((2, 6, 1, 2),), {}), (((0, 2),), {})),
    "nade_logits": _of(
        (((3, 3), (3, 3), (3,), (3, 3), (3,)), {}),
        (((2, 4), (4, 3), (3,), (4, 3), (4,)), {}),
        (((2, 1), (1, 2), (2,), (1, 2), (1,)), {}),
        (((0, 2), (2, 3), (3,), (2, 3), (2,)), {}),
    ),
    **_binary("div", real, positive),
    **_binary("pow", positive, real),
    **_binary("kl_to_standard_normal"),
    **_ternary("binary_cross_entropy_slope normal_log_prob reparameterise"),
    "component_log_probs": _of(
        (((2, 2), (2, 2), (2, 2)), {}),
        (((5, 2), (3, 2), (3, 2)), {}),
        (((0, 2), (3, 2), (3, 2)), {}),
        (((2, 0), (3, 0), (3, 0)), {}),
    ),
    "where": _where(),
    "sum": [*_reduction([(0,), (1,), (0, 1)]), *_of((((9, 8),), {"axis": (0,), "keepdims": False}))],
    "prod": [*_reduction([(0,), (1,), (0, 1)]), _with_zeros((0, 1)), _with_zeros((0, 1), (0, 2), (2, 0))],
    "logsumexp": _reduction([(0,), (1,), (0, 1)]),
    **dict.fromkeys(("max", "min", "mean"), _reduction([(1,)])),
    "var": [
        Example(example.inputs, {**example.static, "correction": correction})
        for example in _reduction([(1,)])
        for correction in (0, 1)
        if correction < np.prod([example.inputs[0].shape[a] for a in example.static["axis"]], initial=1)
    ],
    "cumsum": _of((((3, 3),), {"axis": 0}), (((2, 3, 2),), {"axis": 1}), (((0, 3),), {"axis": 0})),
    **dict.fromkeys(
        ("softmax", "log_softmax"),
        _of(
            (((3, 3),), {"axis": 1}),
            (((2, 3, 2),), {"axis": 1}),
            (((0, 3),), {"axis": 1}),
            (((1,),), {"axis": 0}),
            (((6, 12),), {"axis": 0}),
        ),
    ),
    "reshape": _of(
        (((3, 3),), {"shape": (9,)}),
        (((2, 6),), {"shape": (3, -1)}),
        (((),), {"shape": (1, 1)}),
        (((0, 3),), {"shape": (3, 0)}),
    ),
    "permute": _of(
        (((3, 3),), {"axes": (1, 0)}),
        (((2, 3, 4),), {"axes": (2, 0, 1)}),
        (((),), {"axes": ()}),
        (((0, 3),), {"axes": (1, 0)}),
    ),
    "broadcast_to": _of(
        (((3, 3),), {"shape": (2, 3, 3)}),
        (((2, 1),), {"shape": (3, 2, 4)}),
        (((),), {"shape": (2, 2)}),
        (((1, 3),), {"shape": (0, 3)}),
        (((1,),), {"shape": (1,)}),
    ),
    "concatenate": _of(
        (((3, 3), (3, 3)), {"axis": 1}),
        (((2, 3), (1, 3), (0, 3)), {"axis": 0}),
        (((2, 1, 2), (2, 2, 2)), {"axis": -2}),
    ),
    "flip": _of((((3, 3),), {"axis": 0}), (((2, 3),), {"axis": -1}), (((0, 2),), {"axis": 0})),
    "pad": _of(
        (((3, 3),), {"widths": ((1, 0), (0, 2)), "value": 0.0}),
        (((2,),), {"widths": ((2, 1),), "value": -1.5}),
        (((0, 2),), {"widths": ((1, 1), (0, 0)), "value": 0.0}),
    ),
    "getitem": _of(
        (((3, 3),), {"index": (slice(None), slice(None, None, -1))}),
        (((3, 4),), {"index": (slice(0, 3, 2), -1)}),
        (((4, 3),), {"index": (None, Ellipsis, slice(1, None))}),
        (((3,),), {"index": 1}),
        (((),), {"index": None}),
        (((3,),), {"index": slice(2, 2)}),
        (((3, 3),), {"index": (_ROWS,)}),
        (((2, 3),), {"index": _CELLS}),
        (((2, 3),), {"index": (slice(None), _ROWS)}),
        (((2, 3),), {"index": (np.array([[True, False, True], [False, False, True]]),)}),
        (((4, 2),), {"index": (np.array([-1, -1, 0]),)}),
        (((3, 2),), {"index": (np.zeros(0, np.int64),)}),
    ),
    "scatter": _of(
        (((3, 3),), {"index": (slice(1, 4), slice(None, None, -1)), "shape": (5, 3)}),
        (((2,),), {"index": (slice(0, 3, 2), -1), "shape": (3, 4)}),
        (((),), {"index": (1,), "shape": (3,)}),
        (((1,),), {"index": (None,), "shape": ()}),
        (((0,),), {"index": (slice(2, 2),), "shape": (3,)}),
        (((3, 3),), {"index": (_ROWS,), "shape": (4, 3)}),
        (((2, 2),), {"index": _CELLS, "shape": (2, 3)}),
        (((2, 3),), {"index": (slice(None), _ROWS), "shape": (2, 3)}),
        (((0, 2),), {"index": (np.zeros(0, np.int64),), "shape": (3, 2)}),
    ),
    "matrix_product": _of(
        (((3, 3), (3, 3)), {}),
        (((2, 4), (4, 3)), {}),
        (((2, 1, 2, 3), (4, 3, 2)), {}),
        (((2, 2, 3), (3, 2)), {}),
        (((0, 3), (3, 2)), {}),
        (((2, 0), (0, 3)), {}),
        (((9, 8), (8, 9)), {}),
    ),
    **_convolutions(),
    "sum_windows": _of((((1, 1, 3, 3),), _ALL_ROUND), *_POOLED),
    "max_windows": _of((((1, 1, 3, 3),), _IN_ROWS), *_POOLED),
    "spread_windows": _of(
        (((1, 1, 3, 3),), {**_ALL_ROUND, "size": (3, 3)}),
        (((2, 1, 2, 2),), {**_APART, "size": (3, 5)}),
        (((0, 2, 2, 2),), {**_WINDOWS, "size": (4, 4)}),
    ),
    "put_chosen": _of((((1, 1, 3, 3),), {**_ALL_ROUND, "choice": _CHOICE, "size": (3, 3)})),
    "take_chosen": _of((((1, 1, 3, 3),), {**_ALL_ROUND, "choice": _CHOICE})),
    "linear": _of((((3, 3), (3, 3), (3,)), {}), (((4, 2), (3, 2), (3,)), {}), (((0, 2), (3, 2), (3,)), {})),
    "add_channels": _of(
        (((3, 3), (3,)), {}),
        (((2, 3, 2, 4), (3,)), {}),
        (((2, 3, 2, 4), (2, 3)), {}),
        (((0, 2, 3), (2,)), {}),
    ),
    "sum_pixels": [
        *_of((((3, 3),), {"by_image": False}), (((2, 3, 2, 4),), {"by_image": False})),
        *_of((((2, 3, 2, 4),), {"by_image": True}), (((0, 2, 3),), {"by_image": False})),
    ],
    "batch_norm": _of(
        *(((shape, (shape[1],), (shape[1],)), {"eps": 0.1}) for shape in ((3, 3), (2, 3, 2, 3), (0, 2, 2)))
    ),
    "group_norm": _of(
        *(
            ((shape, (shape[1],), (shape[1],)), {"groups": groups, "eps": 0.1, "silu": silu})
            for silu in (True, False)
            for shape, groups in (((3, 3), 1), ((2, 4, 2, 3), 2), ((1, 3, 5), 3), ((0, 2, 2), 1))
        )
    ),
    "einsum": _of(
        (((3, 3), (3, 3)), {"subscripts": "ij,jk->ik"}),
        (((2, 3),), {"subscripts": "ij->"}),
        (((2, 3),), {"subscripts": "ij->ji"}),
        (((2, 3, 2), (2, 2)), {"subscripts": "bij,bk->jk"}),
        (((2, 3), (3, 2), (2,)), {"subscripts": "ij,jk,k->i"}),
        (((3,), (2,)), {"subscripts": "i,j->ij"}),
        (((3,), (2,)), {"subscripts": "i,j->"}),
        (((0, 3), (3, 2)), {"subscripts": "ij,jk->ik"}),
    ),
}
