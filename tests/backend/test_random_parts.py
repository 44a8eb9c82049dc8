"""A stream cut to a part of the batch: parts put together are the draw for the whole batch, bit for bit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tools import assert_close, to_device

import scratchgen as sg
from scratchgen.backend import RandomStream
from scratchgen.data import toy
from scratchgen.distributions import Bernoulli, Categorical, Mixture, Normal

BATCH = 7
PARTS = {
    "one": [(0, 7)],
    "two": [(0, 4), (4, 7)],
    "three": [(0, 3), (3, 5), (5, 7)],
    "one of them empty": [(0, 7), (7, 7)],
}


def whole_and_parts(draw: Draw, parts: list[tuple[int, int]], axis: int) -> tuple[np.ndarray, np.ndarray]:
    """What `draw` gives for the whole batch, and for its parts, joined; from streams used before."""

    def drawn(stream: RandomStream, start: int, stop: int) -> np.ndarray:
        stream.normal(stop - start)
        return sg.asnumpy(draw(stream, slice(start, stop), stop - start))

    whole = drawn(RandomStream(3, "a"), 0, BATCH)
    cut = [drawn(RandomStream(3, "a").part(*part, of=BATCH), *part) for part in parts]
    return whole, np.concatenate(cut, axis=axis)


P = np.linspace(0, 1, 3 * BATCH).reshape(BATCH, 3)
MEAN = np.arange(2.0 * BATCH).reshape(BATCH, 2)
MIXTURE = (np.zeros((BATCH, 4)), np.arange(8.0 * BATCH).reshape(BATCH, 4, 2))


def mixture(i: slice) -> Mixture:
    return Mixture(to_device(MIXTURE[0][i]), Normal(to_device(MIXTURE[1][i]), 0.0))


Draw = Callable[[RandomStream, slice, int], Any]
DRAWS: dict[str, tuple[int, Draw]] = {  # by name: the batch axis, and a draw for the n examples i
    "normal": (0, lambda rng, i, n: rng.normal((n, 2))),
    "a vector": (0, lambda rng, i, n: rng.normal(n)),
    "float64": (0, lambda rng, i, n: rng.normal((n, 2), np.float64)),
    "uniform": (0, lambda rng, i, n: rng.uniform((n, 2))),
    "axis 1": (1, lambda rng, i, n: rng.uniform((3, n, 2), batch_axis=1)),
    "the last axis": (2, lambda rng, i, n: rng.normal((3, 2, n), batch_axis=-1)),
    "integers": (0, lambda rng, i, n: rng.integers(0, 100, (n, 2))),
    "integers, axis 1": (1, lambda rng, i, n: rng.integers(0, 100, (2, n), batch_axis=1)),
    "bernoulli": (0, lambda rng, i, n: rng.bernoulli(to_device(P[i]))),
    "bernoulli, axis 1": (1, lambda rng, i, n: rng.bernoulli(to_device(P[i].T.copy()), batch_axis=1)),
    "a child": (0, lambda rng, i, n: rng.child("b", 1).child(2).normal((n, 2))),
    "after one without": (0, lambda rng, i, n: (rng.normal(5, batch_axis=None), rng.normal(n))[1]),
    "Normal.sample": (0, lambda rng, i, n: Normal(to_device(MEAN[i]), 0.0).sample(rng)),
    "Normal.rsample": (0, lambda rng, i, n: Normal(to_device(MEAN[i]), 0.0).rsample(rng)),
    "Normal, samples": (1, lambda rng, i, n: Normal(to_device(MEAN[i]), 0.0).rsample(rng, samples=3)),
    "Normal, two axes": (2, lambda rng, i, n: Normal(to_device(MEAN[i]), 0.0).rsample(rng, (3, 2))),
    "Bernoulli": (1, lambda rng, i, n: Bernoulli(to_device(MEAN[i] - 7)).sample(rng, 3)),
    "Categorical": (1, lambda rng, i, n: Categorical(to_device(MEAN[i] / 9)).sample(rng, 3)),
    "Mixture": (1, lambda rng, i, n: mixture(i).sample(rng, 3)),
    "a toy world": (0, lambda rng, i, n: toy.moons().sample(n, rng)),
}


@pytest.mark.parametrize("parts", PARTS.values(), ids=PARTS)
@pytest.mark.parametrize(("axis", "draw"), DRAWS.values(), ids=DRAWS)
def test_parts_put_together_are_the_whole(axis: int, draw: Draw, parts: list[tuple[int, int]]) -> None:
    whole, joined = whole_and_parts(draw, parts, axis)
    assert whole.shape[axis] == BATCH
    assert len(np.unique(whole)) > 1
    assert_close(joined, whole, rtol=0)


def test_the_samples_of_a_single_mixture_are_the_batch() -> None:
    prior = Mixture(to_device(np.zeros(4)), Normal(to_device(MIXTURE[1][0]), 0.0))
    whole = prior.sample(RandomStream(0), BATCH)
    cut = [prior.sample(RandomStream(0).part(*part, of=BATCH), part[1] - part[0]) for part in PARTS["three"]]
    assert_close(np.concatenate([sg.asnumpy(x) for x in cut]), whole, rtol=0)


def test_what_belongs_to_no_example_is_the_same_for_all() -> None:
    def draws(stream: RandomStream) -> list[Any]:
        return [
            stream.normal(),
            stream.integers(0, 1000),
            stream.permutation(9),
            stream.normal((4, 2), batch_axis=None),
            stream.bernoulli(to_device(P), batch_axis=None),
        ]

    for one, other in zip(draws(RandomStream(0)), draws(RandomStream(0).part(2, 3, of=BATCH)), strict=True):
        assert_close(one, other, rtol=0)


def test_a_part_of_a_part() -> None:
    part = RandomStream(0).part(2, 6, of=BATCH)
    assert_close(part.part(1, 3, of=4).normal(2), RandomStream(0).normal(BATCH)[3:5], rtol=0)
    assert repr(part.part(1, 3, of=4).child("x")) == "RandomStream(0, 'x').part(3, 5, of=7)"
    with pytest.raises(ValueError, match=r"of: got 7, expected 4, the examples of RandomStream\(0\)"):
        part.part(0, 1, of=7)


def test_a_part_begins_afresh_and_leaves_its_stream_alone() -> None:
    stream = RandomStream(0)
    first = stream.normal(3)
    assert_close(stream.part(0, 3, of=3).normal(3), first, rtol=0)
    both = np.concatenate([sg.asnumpy(first), sg.asnumpy(stream.normal(2))])
    assert_close(both, RandomStream(0).normal(5), rtol=0)


def test_streams_of_a_device_cut_there() -> None:
    sg.use_device("strict")
    whole = RandomStream(2, device="strict").normal((BATCH, 2))
    part = RandomStream(2, device="strict").part(2, 5, of=BATCH)
    assert_close(part.normal((3, 2)), whole[2:5], rtol=0)
    assert part.child("x").device == "strict"


def test_a_shape_that_is_not_the_parts_is_refused() -> None:
    stream = RandomStream(0).part(2, 5, of=BATCH)
    with pytest.raises(ValueError, match=r"shape: got 7 examples along batch axis 0 of \(7, 2\), expected 3"):
        stream.normal((7, 2))
    with pytest.raises(ValueError, match=r"batch_axis: got 2, expected None or an axis of shape \(3, 2\)"):
        stream.normal((3, 2), batch_axis=2)
    with pytest.raises(ValueError, match="batch_axis: got 1, expected None or an axis of shape"):
        RandomStream(0).normal(3, batch_axis=1)


@pytest.mark.parametrize(
    ("start", "stop", "of", "message"),
    [
        (-1, 2, 4, "start: got -1, expected a whole number from 0 to 2"),
        (3, 2, 4, "start: got 3, expected a whole number from 0 to 2"),
        (0, 5, 4, "stop: got 5, expected a whole number from 0 to 4"),
        (0, 2, 4.0, "of: got 4.0, expected a whole number, 0 or more"),
    ],
)
def test_a_part_lies_within_the_batch(start: int, stop: int, of: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        RandomStream(0).part(start, stop, of=of)
