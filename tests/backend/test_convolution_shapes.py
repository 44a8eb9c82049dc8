"""Which shapes fit a convolution, what comes out, and the words said where they do not fit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import scratchgen as sg
from scratchgen.backend import convolution
from scratchgen.backend.convolution import conv2d, conv2d_transpose, conv2d_weight, transposed_size


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("dilation", [1, 2])
def test_every_output_size_in_the_stride_s_range(stride: int, dilation: int) -> None:
    g = sg.asarray(np.ones((1, 2, 4, 4)))
    w = sg.asarray(np.ones((2, 3, 3, 3)))
    for more in range(stride):
        size = transposed_size(4, 3, stride, 1, dilation, more)
        x = conv2d_transpose(g, w, stride, 1, dilation, output_size=size)
        assert x.shape == (1, 3, *size)
        assert conv2d(x, w, stride, 1, dilation).shape == g.shape
    with pytest.raises(ValueError, match=r"output_size: got .* expected from"):
        conv2d_transpose(g, w, stride, 1, dilation, output_size=(size[0], size[1] + 1))
    with pytest.raises(ValueError, match="output_padding: got"):
        transposed_size(4, 3, stride, 1, dilation, stride)


def ones(*shape: int, dtype: Any = np.float32) -> Any:
    return sg.asarray(np.ones(shape, dtype))


def conv(*args: Any, **options: Any) -> Any:
    """A convolution that fits, but for the options."""
    return conv2d(ones(1, 3, 8, 8), ones(4, 3, 3, 3), *args, **options)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: conv2d(ones(1, 3, 8, 8), ones(4, 2, 3, 3)), "x: got 3 channels, expected 2"),
        (lambda: conv(0), "stride: got 0, expected an integer of at least 1"),
        (lambda: conv(2.5), "stride: got 2.5, expected an integer of at least 1, or two of them"),
        (lambda: conv(None), "stride: got None"),
        (lambda: conv(padding=(1, 0.5)), r"padding: got \(1, 0.5\)"),
        (lambda: conv2d(ones(1, 0, 8, 8), ones(4, 0, 3, 3)), "x: got shape .* at least one channel"),
        (lambda: conv(padding=-1), "padding: got -1"),
        (lambda: conv(dilation=(1, 0)), r"dilation: got \(1, 0\)"),
        (lambda: conv((1, 1, 1)), r"stride: got \(1, 1, 1\)"),
        (lambda: conv2d(ones(1, 3, 2, 8), ones(4, 3, 3, 3)), r"kernel_size: .* larger than the .* \(2, 8\)"),
        (lambda: conv(groups=2), "groups: got 2, expected a divisor of the 3"),
        (lambda: conv2d(ones(1, 4, 8, 8), ones(3, 2, 3, 3), groups=2), "a divisor of the 3 output"),
        (lambda: conv(groups=0), "groups: got 0"),
        (lambda: conv2d(ones(3, 8, 8), ones(4, 3, 3, 3)), r"x: got shape \(3, 8, 8\), expected four axes"),
        (lambda: conv2d(ones(1, 3, 8, 8), ones(4, 3, 3, 3, dtype=np.float64)), "x and w: got dtypes"),
        (lambda: conv2d(ones(1, 3, 8, 8, dtype=int), ones(4, 3, 3, 3)), "x: got dtype int64"),
        (lambda: conv2d_transpose(ones(1, 3, 8, 8), ones(4, 3, 3, 3)), "g: got 3 channels, expected 4"),
        (lambda: conv2d_transpose(ones(1, 4, 1, 1), ones(4, 3, 3, 3), padding=2), "padding: .* leaves"),
        (lambda: conv2d_transpose(ones(1, 3, 8, 8), ones(3, 1, 3, 3), groups=2), "groups: got 2"),
        (lambda: conv2d_weight(ones(1, 3, 8, 8), ones(1, 4, 8, 8), 3), r"g: got shape \(1, 4, 8, 8\)"),
        (lambda: conv2d_weight(ones(1, 3, 8, 8), ones(1, 4, 6, 6), 3, groups=2), "groups: got 2"),
    ],
)
def test_errors_name_the_argument(call: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        call()


def test_a_geometry_from_numbers_is_one_from_pairs() -> None:
    of = convolution.Geometry.of
    assert of(3, 2, 1, 1, 1) == of((3, 3), [2, 2], (1, 1), (1, 1), 1)
    assert of(np.int64(3), (np.int32(2), 2), 1, 1, np.int64(1)) == of(3, 2, 1, 1, 1)
    assert of(3, 2, 1, 2, 1).extent == (5, 5)
