"""Dropout: which elements, how large, and when."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from tools import assert_close

import scratchgen as sg
from scratchgen.backend import RandomStream
from scratchgen.nn import Dropout, functional as F
from scratchgen.nn.context import layers_draw_from


def test_elements_are_zero_or_scaled_and_the_mean_stays() -> None:
    x = sg.asarray(np.full(100_000, 3.0, np.float32))
    y = sg.asnumpy(Dropout(0.2, rng=RandomStream(0))(x))
    assert y.dtype == np.float32
    assert_close(np.unique(y), [0.0, 3 / 0.8], rtol=1e-6)
    standard_error = 3 * np.sqrt(0.2 / 0.8 / len(y))
    assert abs(y.mean() - 3) < 5 * standard_error
    assert abs((y == 0).mean() - 0.2) < 5 * np.sqrt(0.2 * 0.8 / len(y))


def test_the_gradient_has_the_mask_of_the_value() -> None:
    x = sg.tensor(np.ones((50, 4)), requires_grad=True)
    y = Dropout(0.5, rng=RandomStream(0))(x)
    assert_close(sg.grad(y.sum(), x)[0], y)


def test_each_call_draws_a_new_mask_from_the_layers_stream() -> None:
    x = sg.asarray(np.ones((8, 8), np.float32))
    layer = Dropout(0.5, rng=RandomStream(4))
    first, second = sg.asnumpy(layer(x)), sg.asnumpy(layer(x))
    assert (first != second).any()
    layer.rng = RandomStream(4)
    assert_close(layer(x), first)


def test_in_evaluation_and_with_nothing_to_drop_it_does_nothing() -> None:
    x = sg.asarray(np.ones((8, 8), np.float32))
    assert Dropout(0.5).eval()(x) is x
    assert Dropout(0.0)(x) is x


@pytest.mark.parametrize("p", [-0.1, 1.0, 2, float("nan"), "0.5"])
def test_p_is_a_probability_below_one(p: float) -> None:
    for call in (lambda: Dropout(p), lambda: F.dropout(np.ones(3), p, RandomStream(0))):
        with pytest.raises(ValueError, match=r"p: got .*, expected a number in \[0, 1\)"):
            call()


def test_layers_draw_from_the_stream_that_is_named_each_in_its_own_thread() -> None:
    x = sg.asarray(np.ones((8, 8), np.float32))
    first, second = Dropout(0.5), Dropout(0.5)
    own = sg.asnumpy(Dropout(0.5, rng=RandomStream(1))(x))

    def both() -> list[np.ndarray]:
        with layers_draw_from(RandomStream(0)):
            return [sg.asnumpy(first(x)), sg.asnumpy(second(x))]

    one, two = both()
    assert (one != two).any()
    assert all((a == b).all() for a, b in zip(both(), (one, two), strict=True))
    with layers_draw_from(RandomStream(0)), ThreadPoolExecutor(1) as pool:
        assert_close(pool.submit(Dropout(0.5, rng=RandomStream(1)), x).result(), own)
    with layers_draw_from(RandomStream(0)):
        with layers_draw_from(RandomStream(5)):
            first(x)
        assert_close(first(x), one)
    assert_close(Dropout(0.5, rng=RandomStream(1))(x), own)


def test_repr() -> None:
    assert repr(Dropout(0.3)) == "Dropout(0.3)"
