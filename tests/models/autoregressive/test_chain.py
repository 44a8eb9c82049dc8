"""Tables with parents: normalised, sampled as they say, and what they refuse."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from models.autoregressive.worlds import stream
from scipy.stats import chisquare
from tools import assert_close

import scratchgen as sg
from scratchgen.data.tables import enumerate_rows
from scratchgen.models import CategoricalChain

LEVELS = (3, 2, 4)
ROWS = np.random.default_rng(0).integers(0, LEVELS, (12, 3))
LOOKS = enumerate_rows(LEVELS)


@pytest.mark.parametrize("alpha", [0, 0.5])
@pytest.mark.parametrize("parents", [0, 1, 2, 7])
def test_the_probabilities_of_all_rows_sum_to_one(parents: int, alpha: float) -> None:
    model = CategoricalChain(LEVELS, parents, alpha).fit(sg.asarray(ROWS))
    assert_close(np.exp(model.log_prob(LOOKS)).sum(), 1.0, rtol=1e-12)
    for theta in model.theta:
        assert_close(theta.sum(axis=-1), np.ones(theta.shape[:-1]), rtol=1e-12)


@pytest.mark.parametrize("parents", [0, 1, 2])
def test_samples_have_the_probabilities(parents: int) -> None:
    model, n = CategoricalChain(LEVELS, parents, 0.5).fit(ROWS), 20_000
    drawn = model.sample(n, stream("chain"))
    counts = np.bincount(np.ravel_multi_index(tuple(drawn.T), LEVELS), minlength=24)
    assert chisquare(counts, n * np.exp(model.log_prob(LOOKS))).pvalue > 1e-3


def test_what_was_never_seen_is_never_drawn() -> None:
    model = CategoricalChain(LEVELS, 2).fit(ROWS)
    assert np.isfinite(model.log_prob(model.sample(1000, stream()))).all()


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: CategoricalChain(LEVELS, -1), ValueError, "parents: got -1, expected a whole number, 0 or"),
        (lambda: CategoricalChain(LEVELS, 1, np.nan), ValueError, "alpha: got nan, expected a number in"),
        (lambda: CategoricalChain((), 1), ValueError, "levels"),
        (lambda: CategoricalChain(LEVELS, 1).theta, RuntimeError, "no theta yet: call fit"),
        (lambda: CategoricalChain(LEVELS, 1).fit(ROWS[:0]), ValueError, "rows: got none"),
        (lambda: CategoricalChain(LEVELS, 1).fit(ROWS + 9), ValueError, "got level .*, expected 0 to 2"),
        (lambda: CategoricalChain(LEVELS, 1).fit_weights(np.ones((3, 2))), ValueError, "weights: got shape"),
        (lambda: CategoricalChain(LEVELS, 1).fit(ROWS).sample(-1, stream()), ValueError, "n: got -1"),
        (lambda: CategoricalChain(LEVELS, 1).fit(ROWS).sample(1, None), TypeError, "rng: got NoneType"),
    ],
)
def test_what_it_refuses(call: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()
