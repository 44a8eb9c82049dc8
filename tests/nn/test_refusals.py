"""What layers and their functions refuse: at the door, in one voice, instead of computing nonsense."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import scratchgen as sg
from scratchgen import nn
from scratchgen.nn import functional as F

X = np.arange(6.0, dtype=np.float32).reshape(2, 3)
ROWS = [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]
RNG = sg.backend.RandomStream(0)

FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "attention_weights": lambda x: F.attention_weights(x, x),
    "dropout": lambda x: F.dropout(x, 0.5, RNG),
    "gelu": F.gelu,
    "group_norm": lambda x: F.group_norm(x, 1),
    "layer_norm": lambda x: F.layer_norm(x, (3,)),
    "leaky_relu": F.leaky_relu,
    "scaled_dot_product_attention": lambda x: F.scaled_dot_product_attention(x, x, x),
    "silu": F.silu,
    "binary_cross_entropy_with_logits": lambda x: F.binary_cross_entropy_with_logits(x, x),
    "cross_entropy": lambda x: F.cross_entropy(x, sg.asarray(np.array([0, 1]))),
    "mse_loss": lambda x: F.mse_loss(x, x),
}
LAYERS: dict[str, Callable[[], nn.Module]] = {
    "BatchNorm1d": lambda: nn.BatchNorm1d(3),
    "GroupNorm": lambda: nn.GroupNorm(1, 3),
    "LayerNorm": lambda: nn.LayerNorm(3),
    "Linear": lambda: nn.Linear(3, 2),
    "MultiheadAttention": lambda: Attention(),
    "GELU": nn.GELU,
    "SiLU": nn.SiLU,
    "LeakyReLU": nn.LeakyReLU,
    "Flatten": nn.Flatten,
    "Unflatten": lambda: nn.Unflatten(1, (3, 1)),
}


class Attention(nn.Module):
    def __init__(self) -> None:
        self.layer = nn.MultiheadAttention(3, 1)

    def forward(self, x: Any) -> Any:
        return self.layer(x, x, x)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_list_is_no_array(name: str) -> None:
    with pytest.raises(TypeError, match=r": got list, expected an array or Tensor \(see sg.asarray\)"):
        FUNCTIONS[name](ROWS)


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("dtype", [np.uint8, np.int64, bool])
def test_whole_numbers_are_refused_where_they_would_wrap_around_or_be_cut(name: str, dtype: Any) -> None:
    with pytest.raises(TypeError, match=r": got an array of \w+, expected float32 or float64"):
        FUNCTIONS[name](sg.asarray(X.astype(dtype)))


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_says_so_too(name: str) -> None:
    with pytest.raises(TypeError, match=r"^(x|query): got list, expected an array or Tensor"):
        LAYERS[name]()(ROWS)


@pytest.mark.parametrize("eps", [-1e-5, float("nan"), float("inf"), "small", None, True])
def test_eps_is_a_small_number(eps: Any) -> None:
    x = sg.asarray(X)
    for make in (
        lambda: nn.LayerNorm(3, eps=eps),
        lambda: nn.GroupNorm(1, 3, eps=eps),
        lambda: nn.GroupNormSiLU(1, 3, eps=eps),
        lambda: nn.BatchNorm1d(3, eps=eps),
        lambda: nn.BatchNorm2d(3, eps=eps),
        lambda: F.layer_norm(x, (3,), eps=eps),
        lambda: F.group_norm(x, 1, eps=eps),
    ):
        with pytest.raises(ValueError, match=r"^eps: got .*, expected a number in \[0, inf\)$"):
            make()


@pytest.mark.parametrize("momentum", [-0.1, 1.5, float("nan"), "0.1", None])
def test_momentum_is_a_share(momentum: Any) -> None:
    for layer in (nn.BatchNorm1d, nn.BatchNorm2d):
        with pytest.raises(ValueError, match=r"^momentum: got .*, expected a number in \[0, 1\]$"):
            layer(3, momentum=momentum)


def test_other_numbers_of_layers() -> None:
    for make, message in (
        (lambda: nn.LeakyReLU("steep"), r"negative_slope: got 'steep', expected a number"),  # type: ignore[arg-type]
        (lambda: F.leaky_relu(sg.asarray(X), np.nan), "negative_slope: got nan, expected a number"),
        (lambda: nn.SinusoidalEmbedding(4, -1.0), r"max_period: got -1.0, expected a number in \(0, inf\)"),
        (lambda: nn.LayerNorm(()), r"normalized_shape: got \(\), expected at least one length"),
        (lambda: F.group_norm(sg.asarray(X), 1.5), "num_groups: got 1.5, expected a positive whole number"),  # type: ignore[arg-type]
        (lambda: F.dropout(sg.asarray(X), 1.0, RNG), r"p: got 1.0, expected a number in \[0, 1\)"),
    ):
        with pytest.raises(ValueError, match=message):
            make()


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (nn.Flatten(5), "^axis: got 5, expected -3 .. 2"),
        (nn.Flatten(-4), "^axis: got -4, expected -3 .. 2"),
        (nn.Flatten(0, 3), "^axis: got 3, expected -3 .. 2"),
        (nn.Flatten(2, 1), "^end_dim: got 1, expected one not before start_dim 2$"),
        (nn.Unflatten(5, (2, 2)), "^axis: got 5, expected -3 .. 2"),
        (nn.Unflatten(-4, (2, 1)), "^axis: got -4, expected -3 .. 2"),
        (nn.Flatten(1.0), "^axis: got 1.0, expected whole numbers$"),  # type: ignore[arg-type]
        (nn.Flatten(0, "last"), "^axis: got 'last', expected whole numbers$"),  # type: ignore[arg-type]
    ],
)
def test_an_axis_that_is_not_there(layer: nn.Module, message: str) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        layer(sg.asarray(np.zeros((2, 3, 4), np.float32)))


def test_a_size_is_no_number() -> None:
    with pytest.raises(TypeError, match="unflattened_size: got int, expected tuple or list"):
        nn.Unflatten(1, 6)  # type: ignore[arg-type]


def test_weights_of_functions_fit() -> None:
    x, three = sg.asarray(X), sg.asarray(np.ones(4, np.float32))
    for call, message in (
        (lambda: F.linear(x, x, three), r"bias: got shape \(4,\), expected \(2,\)"),
        (lambda: F.linear(x, x[0]), r"weight: got shape \(3,\), expected \(out, in\)"),
        (lambda: F.layer_norm(x, (3,), three), r"weight: got shape \(4,\), expected \(3,\)"),
        (lambda: F.layer_norm(x, (3,), None, three), r"bias: got shape \(4,\), expected \(3,\)"),
        (lambda: F.group_norm(x, 1, three), r"weight: got shape \(4,\), expected \(3,\)"),
        (lambda: F.group_norm(x, 1, None, three), r"bias: got shape \(4,\), expected \(3,\)"),
        (
            lambda: F.embedding(sg.asarray(np.array([0])), three),
            r"weight: got shape \(4,\), expected \(count",
        ),
    ):
        with pytest.raises(ValueError, match=message):
            call()
