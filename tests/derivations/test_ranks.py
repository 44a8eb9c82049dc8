"""The equations of ranks, against one rank, finite differences, and a ring that is acted out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from ranks_in_threads import on_ranks
from tools import assert_close, to_device

import scratchgen as sg
from scratchgen import nn
from scratchgen.autograd import sum_over_ranks
from scratchgen.autograd.normalisation import batch_norm_of_ranks
from scratchgen.backend import RandomStream
from scratchgen.backend.ranks import sharing_a_batch
from scratchgen.training import shared
from scratchgen.training.scaling import Network, Step, most_ranks, ring_seconds, step_seconds

X = np.random.default_rng(0).normal(size=(7, 3)) * 2 + 5


@pytest.mark.equation("ranks-gradient")
@pytest.mark.parametrize("size", [1, 2, 3, 8])
def test_weighted_gradients_of_the_parts_add_up_to_the_wholes(size: int) -> None:
    """Of a loss that is a mean: its derivative over all 7 examples, by hand; 8 ranks have too few of them."""

    def gradient(ranks: Any) -> list[np.ndarray]:
        w = nn.Parameter(to_device(np.array([0.3, -0.2, 0.5])))
        with shared(to_device(X), RandomStream(0)) as share:
            loss = ((share.batch * w).sum(axis=1) ** 2).mean()
            weighted = share.weighted(loss)
            weighted.backward()
        assert (weighted is loss) == (ranks.size == 1)  # one rank is not burdened with a factor of 1
        terms = share.add_up({"loss": loss}, [w])
        return [sg.asnumpy(w.grad), sg.asnumpy(terms["loss"])]

    seen = X @ np.array([0.3, -0.2, 0.5])
    for found, loss in on_ranks(size, gradient):
        assert_close(found, 2 * (seen[:, None] * X).mean(axis=0), rtol=1e-13)
        assert_close(loss, (seen**2).mean(), rtol=1e-13)


@pytest.mark.equation("ranks-adjoint")
def test_the_derivative_of_a_sum_over_ranks_is_the_sum_of_cotangents() -> None:
    """Rank r computes c_r . (sum of x)^3: by hand, d/dx of all of them together, and once more."""
    xs, cs = X[:3, 0], np.array([0.5, -2.0, 3.0])

    def derivatives(ranks: Any) -> list[float]:
        x = sg.tensor(to_device(xs[ranks.index]), requires_grad=True)
        with sharing_a_batch():
            loss = sum_over_ranks(x) ** 3 * cs[ranks.index]
            (first,) = sg.grad(loss, x, create_graph=True)
            (second,) = sg.grad(first * (1 + ranks.index), x)
        return [float(first.data), float(second)]

    total = xs.sum()
    for first, second in on_ranks(3, derivatives):
        assert_close(first, cs.sum() * 3 * total**2, rtol=1e-13)
        assert_close(second, (1 + 2 + 3) * cs.sum() * 6 * total, rtol=1e-13)


@pytest.mark.equation("ranks-batch-statistics")
@pytest.mark.parametrize(("dtype", "rtol"), [(np.float64, 1e-13), (np.float32, 1e-5)])
@pytest.mark.parametrize("shape", [(7, 3), (7, 3, 2, 2)])
def test_statistics_of_all_parts_are_the_wholes(shape: tuple[int, ...], dtype: Any, rtol: float) -> None:
    x = (2 * np.random.default_rng(1).normal(size=shape) + 4).astype(dtype)
    weight, bias = np.array([0.5, 2.0, -1.0], dtype), np.array([1.0, 0.0, 3.0], dtype)

    def normalise(ranks: Any) -> list[np.ndarray]:
        start, stop = ranks.part(7)
        with sharing_a_batch():
            arrays = [to_device(a) for a in (x[start:stop], weight, bias)]
            return [sg.asnumpy(a) for a in batch_norm_of_ranks(*arrays, eps=0.1)]

    axes = (0, *range(2, x.ndim))
    mean, var = x.astype(np.float64).mean(axis=axes), x.astype(np.float64).var(axis=axes)
    column = (1, 3) + (1,) * (x.ndim - 2)
    expected = (x - mean.reshape(column)) / np.sqrt(var.reshape(column) + 0.1) * weight.reshape(column)
    expected += bias.reshape(column)
    parts = on_ranks(3, normalise)
    assert_close(np.concatenate([y for y, *_ in parts]), expected, rtol=rtol, atol=rtol)
    for _, *statistics in parts:
        for found, right in zip(statistics, (mean, var, [x.size / 3]), strict=True):
            assert_close(found, right, rtol=rtol)


def act_out_a_ring(arrays: list[np.ndarray], network: Network) -> tuple[list[np.ndarray], float]:
    """What each rank holds after an Allreduce in a ring, and when the last one has it."""
    ranks = len(arrays)
    pieces = [np.split(a.copy(), ranks) for a in arrays]
    clock = 0.0
    for turn in range(2 * (ranks - 1)):
        shift = -turn if turn < ranks - 1 else ranks - turn  # which piece rank 0 sends
        sent = [pieces[r][(r + shift) % ranks].copy() for r in range(ranks)]
        for r in range(ranks):
            to, which = (r + 1) % ranks, (r + shift) % ranks
            pieces[to][which] = pieces[to][which] + sent[r] if turn < ranks - 1 else sent[r]
        clock += network.alpha + network.beta * max(piece.nbytes for piece in sent)
    return [np.concatenate(own) for own in pieces], clock


@pytest.mark.equation("ring-allreduce")
@pytest.mark.parametrize("ranks", [1, 2, 3, 8])
def test_a_ring_that_is_acted_out_takes_the_time_of_the_equation(ranks: int) -> None:
    arrays = [np.arange(48.0) * (r + 1) for r in range(ranks)]
    network = Network(alpha=3e-6, beta=0.7e-9)
    held, clock = act_out_a_ring(arrays, network)
    for array in held:
        assert_close(array, sum(arrays), rtol=1e-15)
    assert_close(ring_seconds(arrays[0].nbytes, ranks, network), clock, rtol=1e-12)


@pytest.mark.equation("ranks-step")
@pytest.mark.parametrize("ranks", [1, 4])
def test_a_step_that_is_acted_out_takes_the_time_of_the_equation(ranks: int) -> None:
    step, network = Step(fixed=2e-3, whole=1e-5, own=3e-4, size=48 * 8), Network(alpha=3e-6, beta=0.7e-9)
    _, messages = act_out_a_ring([np.ones(48)] * ranks, network)
    batch = 24
    clocks = [2e-3 + sum(1e-5 + 3e-4 * (i % ranks == r) for i in range(batch)) for r in range(ranks)]
    assert_close(step_seconds(step, batch, ranks, network), max(clocks) + messages, rtol=1e-12)


@pytest.mark.equation("ranks-limit")
def test_no_other_number_of_ranks_is_faster() -> None:
    network = Network(alpha=2e-5, beta=1e-9)
    # In the second to last the bytes cost nearly what the ranks gain, in the last a little more.
    sizes = (1e-3, 4_000_000), (3e-4, 400_000), (1e-5, 40_000_000), (1e-9, 40)
    for own, size in (*sizes, (1e-3, 60_000_000), (1e-3, 65_000_000)):
        step = Step(fixed=2e-3, whole=1e-5, own=own, size=size)
        times = [step_seconds(step, 128, ranks, network) for ranks in range(1, 3000)]
        assert_close(most_ranks(step, 128, network), 1 + np.argmin(times))
