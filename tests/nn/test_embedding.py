"""Embedding: rows by their number."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tools import assert_close

import scratchgen as sg
from scratchgen.autograd import check_gradients
from scratchgen.backend import RandomStream
from scratchgen.nn import Embedding
from scratchgen.nn.functional import embedding


@pytest.mark.parametrize("shape", [(), (4,), (2, 3), (0,)])
def test_rows_are_those_named(shape: tuple[int, ...]) -> None:
    layer = Embedding(5, 3, rng=RandomStream(0))
    indices = np.random.default_rng(0).integers(0, 5, shape)
    y = layer(sg.asarray(indices))
    assert y.dtype == np.float32
    assert_close(y, sg.asnumpy(layer.weight)[indices])


def test_gradients_of_repeated_rows_add_up() -> None:
    layer = Embedding(4, 2)
    y = layer(sg.asarray(np.array([1, 3, 1, 1])))
    g = sg.asarray(np.array([[1, 10], [2, 20], [3, 30], [5, 50]], np.float32))
    y.backward(g)
    assert_close(layer.weight.grad, [[0, 0], [9, 90], [0, 0], [2, 20]])
    indices = sg.asarray(np.array([[0, 2], [2, 2]]))
    check_gradients(lambda weight: embedding(indices, weight), np.ones((3, 2)))


def test_first_vectors_are_standard_normal() -> None:
    weight = sg.asnumpy(Embedding(200, 100, rng=RandomStream(0)).weight)
    assert abs(weight.mean()) < 5 / np.sqrt(weight.size)
    assert abs(weight.var() - 1) < 5 * np.sqrt(2 / weight.size)


@pytest.mark.parametrize("indices", [np.array([1.0]), np.array([True])])
def test_what_is_no_whole_number_is_refused(indices: Any) -> None:
    with pytest.raises(TypeError, match=f"indices: got an array of {indices.dtype}, expected whole numbers"):
        Embedding(3, 2)(sg.asarray(indices))


@pytest.mark.host_only  # on a GPU the host would have to wait to see it
@pytest.mark.parametrize("index", [-1, 3])
def test_a_number_without_a_row_is_refused(index: int) -> None:
    with pytest.raises(IndexError, match=r"indices: got numbers from .* expected 0 to 2"):
        Embedding(3, 2)(np.array([1, index]))


def test_sizes_are_checked() -> None:
    with pytest.raises(ValueError, match="num_embeddings: got 0"):
        Embedding(0, 2)
    with pytest.raises(ValueError, match="embedding_dim: got -2"):
        Embedding(2, -2)
