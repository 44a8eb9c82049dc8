from __future__ import annotations

import itertools
import warnings
from typing import Any, NamedTuple

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest

import scratchgen as sg
from scratchgen.backend import convolution
from scratchgen.backend.convolution import conv2d, conv2d_transpose, conv2d_weight, transposed_size

Pair = tuple[int, int]


class Case(NamedTuple):
    """One convolution; `spare` is how far the padded input exceeds the kernel."""

    batch: int
    channels: Pair  # in and out, of one group
    kernel: Pair
    stride: Pair
    padding: Pair
    dilation: Pair
    groups: int
    spare: Pair

    @property
    def options(self) -> tuple[Any, ...]:
        return self.stride, self.padding, self.dilation, self.groups

    @property
    def size(self) -> Pair:
        axes = zip(self.dilation, self.kernel, self.spare, self.padding, strict=True)
        height, width = (max(1, d * (k - 1) + 1 + more - 2 * p) for d, k, more, p in axes)
        return height, width

    def arrays(self, dtype: Any = np.float64) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """x, w and g: normal, on the host."""
        rng = np.random.default_rng(0)
        (channels_in, channels_out), q = self.channels, self.groups
        x = rng.standard_normal((self.batch, q * channels_in, *self.size))
        w = rng.standard_normal((q * channels_out, channels_in, *self.kernel))
        axes = zip(self.size, self.padding, self.dilation, self.kernel, self.stride, strict=True)
        output = [(n + 2 * p - d * (k - 1) - 1) // s + 1 for n, p, d, k, s in axes]
        g = rng.standard_normal((self.batch, q * channels_out, *output))
        return x.astype(dtype), w.astype(dtype), g.astype(dtype)


def pairs(low: int, high: int) -> st.SearchStrategy[Pair]:
    return st.tuples(st.integers(low, high), st.integers(low, high))


cases = st.builds(
    Case,
    batch=st.integers(0, 3),
    channels=pairs(1, 6),
    kernel=pairs(1, 4),
    stride=pairs(1, 3),
    padding=pairs(0, 3),
    dilation=pairs(1, 3),
    groups=st.integers(1, 3),
    spare=pairs(0, 9),
)
# Every way in which the host computes: 1 x 1, im2col, few outputs, depthwise, 3 x 3 with and without an edge.
EXAMPLES = [
    Case(2, (3, 5), (1, 1), (1, 1), (0, 0), (1, 1), 1, (4, 6)),
    Case(2, (3, 5), (4, 4), (2, 2), (1, 1), (1, 1), 1, (10, 10)),
    Case(2, (8, 2), (3, 2), (1, 1), (1, 0), (1, 2), 1, (5, 6)),
    Case(2, (2, 8), (4, 4), (2, 2), (1, 1), (1, 1), 1, (10, 11)),
    Case(2, (1, 2), (3, 3), (1, 2), (1, 1), (1, 1), 4, (7, 8)),
    Case(3, (17, 16), (3, 3), (1, 1), (1, 1), (1, 1), 1, (7, 7)),
    Case(2, (16, 18), (3, 3), (1, 1), (3, 0), (1, 1), 1, (6, 4)),
    Case(2, (3, 2), (1, 2), (3, 3), (0, 0), (1, 1), 1, (7, 7)),
]


def seven_loops(case: Case, x: np.ndarray, w: np.ndarray, g: np.ndarray) -> tuple[np.ndarray, ...]:
    """The definition: y, and the gradients of <y, g> for x and for w."""
    (channels_in, channels_out), (kh, kw) = case.channels, case.kernel
    (sh, sw), (dh, dw), (top, left) = case.stride, case.dilation, case.padding
    y, x_bar, w_bar = np.zeros_like(g), np.zeros_like(x), np.zeros_like(w)
    for n, k, o, p, c, i, j in itertools.product(
        *(range(len(x)), range(len(w)), range(g.shape[2]), range(g.shape[3])),
        *(range(channels_in), range(kh), range(kw)),
    ):
        row, column = o * sh + i * dh - top, p * sw + j * dw - left
        channel = k // channels_out * channels_in + c
        if 0 <= row < x.shape[2] and 0 <= column < x.shape[3]:
            y[n, k, o, p] += w[k, c, i, j] * x[n, channel, row, column]
            x_bar[n, channel, row, column] += w[k, c, i, j] * g[n, k, o, p]
            w_bar[k, c, i, j] += x[n, channel, row, column] * g[n, k, o, p]
    return y, x_bar, w_bar


def with_einsum(case: Case, x: np.ndarray, w: np.ndarray, g: np.ndarray) -> tuple[np.ndarray, ...]:
    """The same with one-hot arrays that say which input position meets which tap and output position."""
    meets = []
    for axis in (0, 1):
        o, i, y = np.ogrid[: g.shape[2 + axis], : case.kernel[axis], : x.shape[2 + axis]]
        met = o * case.stride[axis] + i * case.dilation[axis] - case.padding[axis]
        meets.append((met == y).astype(x.dtype))
    (channels_in, channels_out), q = case.channels, case.groups
    operands = {
        "nqcyz": x.reshape(len(x), q, channels_in, *x.shape[2:]),
        "qkcij": w.reshape(q, channels_out, channels_in, *case.kernel),
        "nqkop": g.reshape(len(g), q, channels_out, *g.shape[2:]),
    }
    results = []
    for wanted, like in (("nqkop", g), ("nqcyz", x), ("qkcij", w)):
        terms = {letters: array for letters, array in operands.items() if letters != wanted}
        subscripts = ",".join([*terms, "oiy", "pjz"]) + "->" + wanted
        results.append(np.einsum(subscripts, *terms.values(), *meets, optimize=True).reshape(like.shape))
    return tuple(results)


def contractions(case: Case, x: np.ndarray, w: np.ndarray, g: np.ndarray) -> tuple[np.ndarray, ...]:
    """The functions under test, through the current device."""
    on_device = [sg.asarray(array) for array in (x, w, g)]
    x_, w_, g_ = on_device
    results = (
        conv2d(x_, w_, *case.options),
        conv2d_transpose(g_, w_, *case.options, output_size=case.size),
        conv2d_weight(x_, g_, case.kernel, *case.options),
    )
    assert all(type(result) is type(x_) for result in results)
    return tuple(sg.asnumpy(result) for result in results)


def assert_close(ours: tuple[np.ndarray, ...], expected: tuple[np.ndarray, ...], error: float) -> None:
    for a, b in zip(ours, expected, strict=True):
        assert a.shape == b.shape
        if b.size:
            assert np.abs(a - b).max() <= error * max(1, np.abs(b).max())


@pytest.mark.parametrize("case", EXAMPLES)
def test_the_contractions_are_the_definition(case: Case) -> None:
    arrays = case.arrays()
    expected = with_einsum(case, *arrays)
    if max(case.channels) < 16:  # seven Python loops are slow
        assert_close(expected, seven_loops(case, *arrays), 1e-13)
    assert_close(contractions(case, *arrays), expected, 1e-12)


@hypothesis.given(cases)
@hypothesis.settings(max_examples=20)
def test_the_contractions_are_seven_loops(case: Case) -> None:
    few = min(2, case.channels[0]), min(2, case.channels[1])
    near = case.spare[0] // 2, case.spare[1] // 2
    case = case._replace(channels=few, batch=min(case.batch, 2), spare=near)
    arrays = case.arrays()
    assert_close(contractions(case, *arrays), seven_loops(case, *arrays), 1e-12)


@hypothesis.given(cases, st.sampled_from([np.float32, np.float64]))
@hypothesis.settings(max_examples=100)
def test_the_contractions_are_an_einsum(case: Case, dtype: Any) -> None:
    arrays = case.arrays(dtype)
    ours = contractions(case, *arrays)
    assert {array.dtype for array in ours} == {np.dtype(dtype)}
    exact = with_einsum(case, *(array.astype(np.float64) for array in arrays))
    assert_close(ours, exact, 1e-12 if dtype == np.float64 else 2e-5)


@hypothesis.given(cases)
@hypothesis.settings(max_examples=100)
def test_the_contractions_are_adjoint(case: Case) -> None:
    x, w, g = case.arrays()
    y, x_bar, w_bar = contractions(case, x, w, g)
    forms = [np.vdot(y, g), np.vdot(x, x_bar), np.vdot(w, w_bar)]
    scale = np.linalg.norm(x) * np.linalg.norm(w) * np.linalg.norm(g)
    assert max(forms) - min(forms) <= 1e-12 * max(scale, 1e-300)


@pytest.mark.parametrize("size", [(28, 28), (14, 14), (7, 7), (3, 5), (41, 9), (120, 100)])
@pytest.mark.parametrize("padding", [(0, 0), (1, 1), (2, 1), (3, 4)])
def test_three_by_three_kernels_in_float32(size: Pair, padding: Pair) -> None:
    # On the host these take Winograd's transforms, whose rounding errors are larger than a plain sum's.
    spare = size[0] + 2 * padding[0] - 3, size[1] + 2 * padding[1] - 3
    case = Case(3, (24, 20), (3, 3), (1, 1), padding, (1, 1), 1, spare)
    arrays = case.arrays(np.float32)
    exact = contractions(case, *(array.astype(np.float64) for array in arrays))
    for ours, expected in zip(contractions(case, *arrays), exact, strict=True):
        assert ours.dtype == np.float32
        assert np.sqrt(np.mean((ours - expected) ** 2)) <= 2e-6 * expected.std()
        assert np.abs(ours - expected).max() <= 2e-5 * expected.std()


@pytest.mark.host_only
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_winograds_matrices_make_a_convolution(dtype: Any) -> None:
    a, b, g = convolution.host.winograd.matrices(np.dtype(dtype))
    d, w = np.random.default_rng(0).standard_normal(6), np.random.default_rng(1).standard_normal(3)
    expected = np.correlate(d, w)
    assert np.allclose(a.T @ ((g @ w) * (b.T @ d)), expected, atol=1e-13 if dtype == np.float64 else 2e-6)


@pytest.mark.host_only
def test_blocks_cover_large_images_in_strips(monkeypatch: pytest.MonkeyPatch) -> None:
    large = [case._replace(batch=5, spare=(23, 18)) for case in EXAMPLES]
    whole = [contractions(case, *case.arrays()) for case in large]
    for way in (convolution.host.blocked, convolution.host.winograd, convolution.host.scattered):
        monkeypatch.setattr(way, "BUDGET", 20_000)
    for case, expected in zip(large, whole, strict=True):
        assert_close(contractions(case, *case.arrays()), expected, 1e-12)
        assert_close(contractions(case, *case.arrays(np.float32)), expected, 2e-5)


@pytest.mark.host_only
def test_blocks_are_disjoint_and_complete() -> None:
    for batch, rows, budget in itertools.product((1, 5, 64), (1, 7, 28), (1, 1000, 3000, 10**6)):
        seen = np.zeros((batch, rows), int)
        for part in convolution.host.blocked.blocks(batch, rows, 100, budget):
            seen[part] += 1
        assert (seen == 1).all()


def test_results_are_channels_last() -> None:
    case = EXAMPLES[1]
    x, w, g = (sg.asarray(array) for array in case.arrays())
    for images in (conv2d(x, w, *case.options), conv2d_transpose(g, w, *case.options)):
        assert images.strides[1] == images.dtype.itemsize
        if sg.backend.device_of(x).name == "cpu":
            assert images.transpose(0, 2, 3, 1).flags.c_contiguous


@pytest.mark.parametrize("case", EXAMPLES)
def test_any_strides_are_accepted(case: Case) -> None:
    arrays = case.arrays(np.float32)
    expected = contractions(case, *arrays)
    channels_last = [np.ascontiguousarray(a.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2) for a in arrays]
    backwards = [np.flip(np.flip(a).copy()) for a in arrays]
    every_other = [np.repeat(a, 2, axis=3)[..., ::2] for a in arrays]
    for strided in (channels_last, backwards, every_other):
        assert_close(contractions(case, *strided), expected, 1e-6)


def test_arguments_are_left_alone_and_results_are_new() -> None:
    for case in EXAMPLES:
        arrays = case.arrays(np.float32)
        before = [array.copy() for array in arrays]
        first = contractions(case, *arrays)
        kept = [result.copy() for result in first]
        contractions(case, *(2 * array for array in arrays))  # would overwrite a buffer that was handed out
        assert all(np.array_equal(a, b) for a, b in zip(arrays, before, strict=True))
        assert all(np.array_equal(a, b) for a, b in zip(first, kept, strict=True))


def test_the_same_call_gives_the_same_bits() -> None:
    for case in EXAMPLES:
        arrays = case._replace(batch=33).arrays(np.float32)
        case = case._replace(batch=33)
        for a, b in zip(contractions(case, *arrays), contractions(case, *arrays), strict=True):
            assert np.array_equal(a, b)


def test_an_empty_batch_is_empty() -> None:
    for case in EXAMPLES:
        x, w, g = case._replace(batch=0).arrays(np.float32)
        y, x_bar, w_bar = contractions(case._replace(batch=0), x, w, g)
        assert (y.shape, x_bar.shape, w_bar.shape) == (g.shape, x.shape, w.shape)
        assert not w_bar.any()


def test_zeros_beside_infinities_do_not_leak_between_images() -> None:
    # A buffer used again must not carry one image's values into another's padding.
    case = Case(6, (16, 16), (3, 3), (1, 1), (1, 1), (1, 1), 1, (4, 4))
    x, w, g = case.arrays(np.float32)
    x[3] = np.nan
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        y = contractions(case, x, w, g)[0]
    assert np.isfinite(y[[0, 1, 2, 4, 5]]).all()


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
    assert of(3, 2, 1, 2, 1).extent == (5, 5)
