"""Convolution as one trilinear form: definition, adjoints, six derivatives, sizes."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from tools import assert_close

import scratchgen as sg
from scratchgen.autograd import conv, conv_transpose, conv_weight
from scratchgen.autograd.convolution import biased_conv, biased_conv_transpose
from scratchgen.backend import RandomStream
from scratchgen.backend.convolution.geometry import Geometry
from scratchgen.nn import ConvTranspose2d

S, P0, D = 2, 1, 2  # stride, padding, dilation
HOW: dict[str, Any] = {"stride": S, "padding": P0, "dilation": D}
SIZE, KERNEL = (7, 6), (3, 2)
CONFIGURATIONS = pytest.mark.parametrize(
    ("stride", "padding", "dilation"), list(itertools.product((1, 2, 3), (0, 1), (1, 2)))
)


def normal(name: str, *shape: int) -> np.ndarray:
    return sg.asnumpy(RandomStream(0, "trilinear", name).normal(shape, np.float64))


X, W, G = normal("x", 2, 2, *SIZE), normal("w", 3, 2, *KERNEL), normal("g", 2, 3, 3, 3)
U, V, B = normal("u", *X.shape), normal("v", *W.shape), normal("b", 3)


def meetings() -> Any:
    """Every (o, p, i, j, y, z) at which an output pixel, a tap and an input pixel meet."""
    for o, p, i, j in itertools.product(range(3), range(3), range(KERNEL[0]), range(KERNEL[1])):
        y, z = o * S + i * D - P0, p * S + j * D - P0
        if 0 <= y < SIZE[0] and 0 <= z < SIZE[1]:
            yield o, p, i, j, y, z


def form(x: np.ndarray, w: np.ndarray, g: np.ndarray) -> float:
    """The trilinear form, by loops over all meetings."""
    return float(sum(np.einsum("nk,kc,nc", g[:, :, o, p], w[:, :, i, j], x[:, :, y, z])
                     for o, p, i, j, y, z in meetings()))  # fmt: skip


def convolved(x: np.ndarray, w: np.ndarray) -> np.ndarray:
    out = np.zeros(G.shape)
    for o, p, i, j, y, z in meetings():
        out[:, :, o, p] += np.einsum("kc,nc->nk", w[:, :, i, j], x[:, :, y, z])
    return out


def transposed(g: np.ndarray, w: np.ndarray) -> np.ndarray:
    out = np.zeros(X.shape)
    for o, p, i, j, y, z in meetings():
        out[:, :, y, z] += np.einsum("kc,nk->nc", w[:, :, i, j], g[:, :, o, p])
    return out


def weighed(x: np.ndarray, g: np.ndarray) -> np.ndarray:
    out = np.zeros(W.shape)
    for o, p, i, j, y, z in meetings():
        out[:, :, i, j] += np.einsum("nk,nc->kc", g[:, :, o, p], x[:, :, y, z])
    return out


@pytest.mark.equation("convolution")
def test_a_convolution_is_its_sum() -> None:
    assert_close(conv(sg.asarray(X), sg.asarray(W), **HOW), convolved(X, W), rtol=1e-11, atol=1e-13)


@pytest.mark.equation("transposed-convolution")
def test_a_transposed_convolution_spreads_each_number_over_the_pixels_it_would_see() -> None:
    across = conv_transpose(sg.asarray(G), sg.asarray(W), output_size=SIZE, **HOW)
    assert_close(across, transposed(G, W), rtol=1e-11, atol=1e-13)
    layer = ConvTranspose2d(3, 2, KERNEL, bias=False, output_padding=(0, 1), **HOW).to(np.float64)
    layer.load_state_dict({"weight": W})
    grown = layer(sg.asarray(G))
    assert_close(grown, transposed_of_size(grown.shape[2:]), rtol=1e-11, atol=1e-13)


def transposed_of_size(size: tuple[int, ...]) -> np.ndarray:
    out = np.zeros((2, 2, *size))
    for o, p, i, j in itertools.product(range(3), range(3), range(KERNEL[0]), range(KERNEL[1])):
        y, z = o * S + i * D - P0, p * S + j * D - P0
        if 0 <= y < size[0] and 0 <= z < size[1]:
            out[:, :, y, z] += np.einsum("kc,nk->nc", W[:, :, i, j], G[:, :, o, p])
    return out


@pytest.mark.equation("convolution-weight")
def test_the_third_contraction_is_of_the_shape_of_the_weights() -> None:
    found = conv_weight(sg.asarray(X), sg.asarray(G), kernel_size=KERNEL, **HOW)
    assert_close(found, weighed(X, G), rtol=1e-11, atol=1e-13)


# (batch, in, height, width, out, kernel, stride, padding, dilation, groups): in float32 some go through
# minimal filtering (a kernel slides over many channels), some through windows, some through either turned.
SHAPES = [
    (2, 8, 9, 10, 7, 3, 1, 1, 1, 1),
    (2, 8, 11, 9, 6, 4, 2, 1, 1, 1),
    (3, 6, 8, 7, 9, 5, 1, 2, 1, 1),
    (2, 6, 9, 8, 3, 3, 1, 1, 1, 1),
    (2, 2, 9, 8, 6, 3, 1, 0, 1, 1),
    (2, 6, 7, 7, 6, 3, 1, 1, 1, 3),
    (2, 5, 9, 9, 6, 3, 1, 2, 2, 1),
    (2, 7, 6, 5, 8, 1, 1, 0, 1, 1),
    (2, 4, 9, 8, 5, 3, 3, 1, 1, 1),
]


def by_taps(x: np.ndarray, w: np.ndarray, g: np.ndarray, stride: int, padding: int, dilation: int) -> Any:
    """The three contractions, tap by tap and group by group: y, and the shares of x and of w for g."""
    groups, kernel = x.shape[1] // w.shape[1], w.shape[2]
    (inside, outside), (rows, columns) = (w.shape[1], len(w) // groups), g.shape[2:]
    around = ((0, 0), (0, 0), (padding, padding), (padding, padding))
    padded = np.pad(x, around)
    y, of_x, of_w = np.zeros(g.shape), np.zeros(padded.shape), np.zeros(w.shape)
    for i, j, n in itertools.product(range(kernel), range(kernel), range(groups)):
        below = slice(i * dilation, i * dilation + stride * (rows - 1) + 1, stride)
        beside = slice(j * dilation, j * dilation + stride * (columns - 1) + 1, stride)
        c, k = slice(n * inside, (n + 1) * inside), slice(n * outside, (n + 1) * outside)
        y[:, k] += np.einsum("kc,ncop->nkop", w[k, :, i, j], padded[:, c, below, beside])
        of_x[:, c, below, beside] += np.einsum("kc,nkop->ncop", w[k, :, i, j], g[:, k])
        of_w[k, :, i, j] = np.einsum("nkop,ncop->kc", g[:, k], padded[:, c, below, beside])
    height, width = x.shape[2:]
    return y, of_x[:, :, padding : padding + height, padding : padding + width], of_w


@pytest.mark.equation("convolution")
@pytest.mark.equation("transposed-convolution")
@pytest.mark.equation("convolution-weight")
@pytest.mark.equation("convolution-vjps")
@pytest.mark.parametrize(("dtype", "rtol"), [(np.float64, 1e-11), (np.float32, 3e-5)])
@pytest.mark.parametrize("shape", SHAPES)
def test_every_way_of_computing_them_sums_over_the_taps(shape: Any, dtype: Any, rtol: float) -> None:
    batch, inside, height, width, outside, kernel, stride, padding, dilation, groups = shape
    rows, columns = ((n + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1 for n in (height, width))
    x = normal("images", batch, inside, height, width).astype(dtype)
    w = normal("kernels", outside, inside // groups, kernel, kernel).astype(dtype)
    b, g = (
        normal("biases", outside).astype(dtype),
        normal("back", batch, outside, rows, columns).astype(dtype),
    )
    y, of_x, of_w = by_taps(*(a.astype(np.float64) for a in (x, w, g)), stride, padding, dilation)
    variables = [sg.tensor(sg.asarray(a), requires_grad=True) for a in (x, w, b)]
    how = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    found = biased_conv(*variables, **how)
    shares = sg.grad(found, variables, sg.asarray(g))
    expected = (y + b[:, None, None], of_x, of_w, g.sum((0, 2, 3), np.float64))
    for a, right in zip((found, *shares), expected, strict=True):
        assert_close(a, right, rtol=rtol, atol=rtol * np.abs(right).max())


@pytest.mark.equation("trilinear-form")
def test_the_form_is_linear_in_each_of_the_three() -> None:
    def engine(x: np.ndarray, w: np.ndarray, g: np.ndarray) -> float:
        return float(np.sum(sg.asnumpy(conv(sg.asarray(x), sg.asarray(w), **HOW)) * g))

    assert_close(engine(X, W, G), form(X, W, G), rtol=1e-12)
    assert_close(engine(2 * X + U, W, G), 2 * engine(X, W, G) + engine(U, W, G), rtol=1e-11)
    assert_close(engine(X, 2 * W + V, G), 2 * engine(X, W, G) + engine(X, V, G), rtol=1e-11)


@pytest.mark.equation("convolution-adjoints")
def test_three_inner_products_are_one_number() -> None:
    x, w, g = map(sg.asarray, (X, W, G))
    y = sg.asnumpy(conv(x, w, **HOW))
    across = sg.asnumpy(conv_transpose(g, w, output_size=SIZE, **HOW))
    weight = sg.asnumpy(conv_weight(x, g, kernel_size=KERNEL, **HOW))
    assert_close([np.sum(across * X), np.sum(weight * W)], [np.sum(y * G)] * 2, rtol=1e-12)


@pytest.mark.equation("convolution-vjps")
def test_the_derivatives_of_the_convolution_are_the_two_others() -> None:
    x, w = (sg.tensor(a, requires_grad=True) for a in (X, W))
    shares = sg.grad(conv(x, w, **HOW), [x, w], sg.asarray(G))
    assert_close(shares[0], transposed(G, W), rtol=1e-11, atol=1e-13)
    assert_close(shares[1], weighed(X, G), rtol=1e-11, atol=1e-13)
    x, w, b = (sg.tensor(a, requires_grad=True) for a in (X, W, B))
    y = biased_conv(x, w, b, **HOW)
    assert_close(y, convolved(X, W) + B[:, None, None], rtol=1e-11, atol=1e-13)
    shares = sg.grad(y, [x, w, b], sg.asarray(G))
    assert_close(shares[0], transposed(G, W), rtol=1e-11, atol=1e-13)
    assert_close(shares[1], weighed(X, G), rtol=1e-11, atol=1e-13)
    assert_close(shares[2], G.sum((0, 2, 3)), rtol=1e-11)


@pytest.mark.equation("transposed-convolution-vjps")
def test_the_derivatives_of_the_transposed_convolution() -> None:
    g, w = (sg.tensor(a, requires_grad=True) for a in (G, W))
    shares = sg.grad(conv_transpose(g, w, output_size=SIZE, **HOW), [g, w], sg.asarray(U))
    assert_close(shares[0], convolved(U, W), rtol=1e-11, atol=1e-13)
    assert_close(shares[1], weighed(U, G), rtol=1e-11, atol=1e-13)
    g, w, b = (sg.tensor(a, requires_grad=True) for a in (G, W, B[:2]))
    x = biased_conv_transpose(g, w, b, output_size=SIZE, **HOW)
    assert_close(x, transposed(G, W) + B[:2, None, None], rtol=1e-11, atol=1e-13)
    shares = sg.grad(x, [g, w, b], sg.asarray(U))
    assert_close(shares[0], convolved(U, W), rtol=1e-11, atol=1e-13)
    assert_close(shares[1], weighed(U, G), rtol=1e-11, atol=1e-13)
    assert_close(shares[2], U.sum((0, 2, 3)), rtol=1e-11)


@pytest.mark.equation("convolution-weight-vjps")
def test_the_derivatives_of_the_weights_contraction() -> None:
    x, g = (sg.tensor(a, requires_grad=True) for a in (X, G))
    shares = sg.grad(conv_weight(x, g, kernel_size=KERNEL, **HOW), [x, g], sg.asarray(V))
    assert_close(shares[0], transposed(G, V), rtol=1e-11, atol=1e-13)
    assert_close(shares[1], convolved(X, V), rtol=1e-11, atol=1e-13)


@pytest.mark.equation("convolution-size")
@pytest.mark.parametrize(
    ("stride", "padding", "dilation"), list(itertools.product((1, 2, 3), (0, 2), (1, 2)))
)
def test_the_output_has_as_many_positions_as_the_kernel_fits_in(
    stride: int, padding: int, dilation: int
) -> None:
    for size in range(5, 12):
        padded = size + 2 * padding
        fits = [o for o in range(padded) if o * stride + 2 * dilation < padded]
        found = Geometry.of(3, stride, padding, dilation, 1).output_size((size, size))
        assert_close(found, [len(fits)] * 2, rtol=0)


@pytest.mark.equation("transposed-size")
@pytest.mark.parametrize(
    ("stride", "padding", "dilation"), list(itertools.product((1, 2, 3), (0, 1), (1, 2)))
)
def test_the_sizes_of_the_transposed_convolution_are_those_that_lead_back(
    stride: int, padding: int, dilation: int
) -> None:
    geometry = Geometry.of(3, stride, padding, dilation, 1)
    for size in range(2, 7):
        possible = range(2 * dilation + 1 - 2 * padding, 40)  # those that the kernel fits in
        leading_back = [n for n in possible if geometry.output_size((n, n)) == (size, size)]
        found = [geometry.transposed_size((size, 9), extra)[0] for extra in range(stride)]
        assert_close(found, leading_back, rtol=0)
        found = [geometry.transposed_size((9, size), extra)[1] for extra in range(stride)]
        assert_close(found, leading_back, rtol=0)
