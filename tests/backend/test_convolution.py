"""The three contractions of the convolution, against their definition and each other."""

from __future__ import annotations

import warnings
from typing import Any

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest
from convolution_cases import EXAMPLES, Case, assert_close, cases, contractions, seven_loops, with_einsum

import scratchgen as sg
from scratchgen.backend.convolution import conv2d, conv2d_transpose


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


def test_results_are_channels_last() -> None:
    case = EXAMPLES[1]
    x, w, g = (sg.asarray(array) for array in case.arrays(np.float32))
    for images in (conv2d(x, w, *case.options), conv2d_transpose(g, w, *case.options)):
        assert images.strides[1] == images.dtype.itemsize


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
