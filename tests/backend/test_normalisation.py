"""Normalisation, and numbers added to channels: the blocked ways against plain twins of whole images."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest
import threadpoolctl
from tools import assert_close

import scratchgen as sg
from scratchgen.backend import RandomStream, batch_normalisation, blocks, channels, normalisation

SHAPES = [(3, 4, 5, 7), (5, 8, 28, 28), (70, 6, 3), (2, 4), (3, 12, 1, 1), (0, 4, 2, 2), (2, 4, 0, 2)]
shapes = pytest.mark.parametrize("shape", SHAPES)
layouts = pytest.mark.parametrize("channels_last", [False, True])


def random(shape: tuple[int, ...], seed: int, channels_last: bool = False, dtype: Any = np.float64) -> Any:
    x = RandomStream(3, seed).normal(shape, dtype)
    if channels_last:
        last = (0, *range(2, len(shape)), 1)
        x = np.ascontiguousarray(sg.asnumpy(x).transpose(last))
        x = sg.asarray(x).transpose(0, len(shape) - 1, *range(1, len(shape) - 1))
    return x


def plain(x: np.ndarray, axes: tuple[int, ...], eps: float) -> np.ndarray:
    return (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + eps)


def plain_group_norm(x: np.ndarray, weight: Any, bias: Any, groups: int, silu: bool) -> np.ndarray:
    grouped = x.reshape(x.shape[0], groups, x.shape[1] // groups, *x.shape[2:])
    y = plain(grouped, tuple(range(2, grouped.ndim)), 0.1).reshape(x.shape)
    y = y * column(weight, x) + column(bias, x)
    return y / (1 + np.exp(-y)) if silu else y


def column(a: Any, x: Any) -> Any:
    return a.reshape((1, -1) + (1,) * (x.ndim - 2))


@shapes
@layouts
@pytest.mark.parametrize("silu", [False, True])
def test_group_norm_is_its_plain_twin(shape: tuple[int, ...], channels_last: bool, silu: bool) -> None:
    x = random(shape, 0, channels_last)
    weight, bias = random((shape[1],), 1), random((shape[1],), 2)
    statistics = normalisation.group_statistics(x, 2, 0.1)
    y = normalisation.group_norm(x, weight, bias, 2, statistics, silu)
    assert y.shape == shape
    if 0 in shape:
        return
    expected = plain_group_norm(sg.asnumpy(x), sg.asnumpy(weight), sg.asnumpy(bias), 2, silu)
    assert_close(y, expected, rtol=1e-11, atol=1e-12)


@shapes
@layouts
@pytest.mark.parametrize("silu", [False, True])
def test_shares_of_group_norm_are_those_of_the_formula(
    shape: tuple[int, ...], channels_last: bool, silu: bool
) -> None:
    from scratchgen.autograd.normalisation import group_norm_shares

    x, g = random(shape, 0, channels_last), random(shape, 4)
    weight, bias = random((shape[1],), 1), random((shape[1],), 2)
    statistics = normalisation.group_statistics(x, 2, 0.1)
    found = normalisation.group_norm_shares(g, x, weight, bias, 2, statistics, silu)
    expected = group_norm_shares(g, x, weight, bias, 2, 0.1, silu)
    for a, b in zip(found, expected, strict=True):
        assert_close(a, b, rtol=1e-10, atol=1e-11)


@shapes
@layouts
def test_batch_norm_is_its_plain_twin(shape: tuple[int, ...], channels_last: bool) -> None:
    from scratchgen.autograd.normalisation import batch_norm_shares

    x, g = random(shape, 0, channels_last), random(shape, 4)
    weight, bias = random((shape[1],), 1), random((shape[1],), 2)
    statistics = batch_normalisation.batch_statistics(x)
    y = batch_normalisation.batch_norm(x, weight, bias, statistics, 0.1)
    assert y.shape == shape
    found = batch_normalisation.batch_norm_shares(g, x, weight, statistics, 0.1)
    for a, b in zip(found, batch_norm_shares(g, x, weight, bias, 0.1), strict=True):
        assert_close(a, b, rtol=1e-10, atol=1e-11)
    if 0 in shape:
        return
    axes = (0, *range(2, x.ndim))
    host = sg.asnumpy(x)
    assert_close(statistics[0], host.mean(axes), rtol=1e-11, atol=1e-12)
    assert_close(statistics[1], host.var(axes), rtol=1e-11)
    expected = plain(host, axes, 0.1) * column(sg.asnumpy(weight), x) + column(sg.asnumpy(bias), x)
    assert_close(y, expected, rtol=1e-11, atol=1e-12)


def test_a_large_mean_costs_no_more_digits_than_the_input_has_lost() -> None:
    x = 1000 + random((4, 8, 28, 28), 0, channels_last=True)
    narrow = x.astype(np.float32)
    weight, bias = random((8,), 1), random((8,), 2)
    for dtype, tolerance in ((np.float64, 1e-10), (np.float32, 2e-3)):
        w, b = weight.astype(dtype), bias.astype(dtype)
        given = x if dtype == np.float64 else narrow
        y = normalisation.group_norm(
            given, w, b, 2, normalisation.group_statistics(given, 2, 0.1), silu=False
        )
        expected = plain_group_norm(sg.asnumpy(x), sg.asnumpy(weight), sg.asnumpy(bias), 2, silu=False)
        assert_close(y, expected, rtol=tolerance, atol=tolerance)


def test_sums_of_many_pixels_keep_their_digits() -> None:
    # A float32 sum of all pixels one after another is off by more than their deviation.
    x = sg.asarray((10_000 + sg.asnumpy(random((1, 4, 700, 700), 0))).astype(np.float32))
    exact = sg.asnumpy(x).astype(np.float64)
    mean, rstd = normalisation.group_statistics(x, 2, 0.0)
    grouped = exact.reshape(2, -1)
    assert_close(mean, np.repeat(grouped.mean(1), 2).reshape(1, 1, 4), rtol=1e-6)
    assert_close(rstd, np.repeat(1 / grouped.std(1), 2).reshape(1, 1, 4), rtol=1e-3)
    assert_close(channels.sum_pixels(x, by_image=False), exact.sum((0, 2, 3)), rtol=1e-6)


def test_memory_grows_with_the_channels_not_with_their_square() -> None:
    x = random((2, 8192), 0, dtype=np.float32)
    tracemalloc.start()
    normalisation.group_statistics(x, 8, 0.1)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 32 * x.nbytes


@pytest.mark.host_only
def test_blocks_and_threads_change_no_result(monkeypatch: pytest.MonkeyPatch) -> None:
    shape = (7, 8, 5, 6)
    x, g = random(shape, 0, channels_last=True), random(shape, 4)
    weight, bias, by_image = random((8,), 1), random((8,), 2), random((7, 8), 3)

    def everything() -> list[Any]:
        of_groups = normalisation.group_statistics(x, 2, 0.1)
        of_batch = batch_normalisation.batch_statistics(x)
        return [
            *of_groups,
            *of_batch,
            normalisation.group_norm(x, weight, bias, 2, of_groups, silu=True),
            *normalisation.group_norm_shares(g, x, weight, bias, 2, of_groups, silu=True),
            batch_normalisation.batch_norm(x, weight, bias, of_batch, 0.1),
            *batch_normalisation.batch_norm_shares(g, x, weight, of_batch, 0.1),
            channels.add_channels(x, by_image),
            channels.sum_pixels(x, by_image=True),
        ]

    whole = everything()
    monkeypatch.setattr(channels, "ROW", 48)
    channels.pixels_in_row.cache_clear()
    for size in (1, 500, 900):  # of shape: a row or an image, two images, three
        monkeypatch.setattr(normalisation, "BLOCK", size)
        monkeypatch.setattr(batch_normalisation, "BLOCK", size)
        monkeypatch.setattr(blocks, "PIECE", size)
        with threadpoolctl.threadpool_limits(2, user_api="blas"):
            for found, expected in zip(everything(), whole, strict=True):
                assert_close(found, expected, rtol=1e-11, atol=1e-12)
    channels.pixels_in_row.cache_clear()


@shapes
@layouts
def test_numbers_added_to_channels_and_their_sums(shape: tuple[int, ...], channels_last: bool) -> None:
    x = random(shape, 0, channels_last)
    host = sg.asnumpy(x).copy()
    for b in (random((shape[1],), 1), random(shape[:2], 2)):
        expected = host + sg.asnumpy(b).reshape((-1, shape[1]) + (1,) * (len(shape) - 2))
        assert_close(channels.add_channels(x, b), expected, rtol=1e-14)
        assert_close(x, host, rtol=0)
        copy = x.copy(order="K")
        assert_close(channels.add_channels(copy, b, in_place=True), expected, rtol=1e-14)
    pixels = host.reshape(*shape[:2], int(np.prod(shape[2:])))
    assert_close(channels.sum_pixels(x, by_image=True), pixels.sum(2), rtol=1e-12, atol=1e-12)
    assert_close(channels.sum_pixels(x, by_image=False), pixels.sum((0, 2)), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("count", "channels_", "expected"), [(784, 32, 28), (49, 64, 7), (97, 8, 97), (5, 4096, 1)]
)
def test_how_many_pixels_make_a_row(count: int, channels_: int, expected: int) -> None:
    assert channels.pixels_in_row(count, channels_) == expected
