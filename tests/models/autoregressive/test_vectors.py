"""NADE and MADE: exact probabilities, and no number that looks at itself or ahead."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from estimates import assert_mean
from hypothesis import given, settings, strategies as st
from models.autoregressive.worlds import every_vector, stream, strong
from scipy.stats import chisquare
from tools import assert_close, assert_slopes

import scratchgen as sg
from scratchgen.backend import RandomStream
from scratchgen.models import MADE, NADE
from scratchgen.training import fit

DIM = 10
MODELS = {
    "nade": lambda dim=DIM, seed=0: NADE(dim, 7, RandomStream(seed, "test")),
    "made": lambda dim=DIM, seed=0: MADE(dim, [12], RandomStream(seed, "test")),
    "deep made": lambda dim=DIM, seed=0: MADE(dim, [24, 40, 32], RandomStream(seed, "test")),
}
every_model = pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)


def naive_sample(model: Any, n: int, rng: RandomStream) -> np.ndarray:
    """Each number by a pass of the whole network over what is there so far."""
    u = sg.asnumpy(rng.uniform((n, model.dim), np.float64))
    x = np.zeros((n, model.dim))
    for d in range(model.dim):
        logits = sg.asnumpy(model(sg.asarray(x)))
        x[:, d] = u[:, d] < 1 / (1 + np.exp(-logits[:, d]))
    return x


@pytest.mark.equation("chain-rule")
@every_model
def test_the_probabilities_of_all_vectors_sum_to_one(make: Any) -> None:
    p = np.exp(sg.asnumpy(strong(make()).log_prob(every_vector(DIM))))
    assert p.max() > 4 / len(p)  # far from even
    assert_close(p.sum(), 1.0, rtol=1e-12)


@pytest.mark.equation("chain-rule")
@every_model
def test_it_is_the_product_of_the_conditionals_by_hand(make: Any) -> None:
    model, x = strong(make()), sg.asnumpy(every_vector(DIM))[::37]
    p = 1 / (1 + np.exp(-sg.asnumpy(model(sg.asarray(x)))))
    assert_close(model.log_prob(sg.asarray(x)), np.log(np.where(x == 1, p, 1 - p)).sum(axis=1), rtol=1e-10)
    assert_close(model.loss(sg.asarray(x)), -np.log(np.where(x == 1, p, 1 - p)).sum() / len(x), rtol=1e-10)
    assert_slopes(lambda: model.log_prob(sg.asarray(x)), model.parameters())


@every_model
@given(order=st.permutations(range(6)), seed=st.integers(0, 99))
@settings(max_examples=10, derandomize=True)
def test_in_any_order_they_sum_to_one(make: Any, order: list[int], seed: int) -> None:
    p = np.exp(sg.asnumpy(strong(make(6, seed)).log_prob(every_vector(6)[:, np.array(order)])))
    assert_close(p.sum(), 1.0, rtol=1e-12)


@every_model
@pytest.mark.parametrize("dim", [1, 2, 3, 7])
def test_the_jacobian_is_strictly_lower_triangular(make: Any, dim: int) -> None:
    model = strong(make(dim))
    x = sg.Tensor(sg.asarray(np.random.default_rng(0).random((1, dim))), requires_grad=True)
    jacobian = np.array([sg.asnumpy(sg.grad(model(x)[0, d], [x])[0])[0] for d in range(dim)])
    assert (jacobian[np.triu_indices(dim)] == 0).all()
    assert (jacobian != 0).any() == (dim > 1)


def test_every_earlier_number_is_seen() -> None:
    for model in (NADE(9, 20, stream()), MADE(9, [40], stream()), MADE(9, [40, 40], stream())):
        x = every_vector(9)
        for j in range(9):
            other = sg.asnumpy(x).copy()
            other[:, j] = 1 - other[:, j]
            changed = sg.asnumpy(model(x.astype(np.float32)) - model(sg.asarray(other.astype(np.float32))))
            np.testing.assert_array_equal(np.abs(changed).max(axis=0) > 0, np.arange(9) > j)


@pytest.mark.equation("ancestral-sampling")
@every_model
def test_samples_have_the_probabilities(make: Any) -> None:
    model, n = strong(make(4)), 20_000
    drawn = sg.asnumpy(model.sample(n, stream("samples")))
    assert drawn.shape == (n, 4)
    expected = np.exp(sg.asnumpy(model.log_prob(every_vector(4))))
    numbers = (drawn @ [8, 4, 2, 1]).astype(int)
    assert_mean(np.eye(16)[numbers], expected)
    assert chisquare(np.bincount(numbers, minlength=16), n * expected).pvalue > 1e-3


@pytest.mark.equation("ancestral-sampling")
@every_model
def test_what_has_no_probability_is_never_drawn(make: Any) -> None:
    class Zeros(RandomStream):
        def uniform(self, shape: Any = (), dtype: Any = np.float32, **how: Any) -> Any:
            return np.zeros_like(super().uniform(shape, dtype, **how))

    model = make()
    last = model.b if isinstance(model, NADE) else list(model.network)[-1].bias
    last.data[...] = -200  # its sigmoid is 0 in float32
    assert_close(model.sample(3, Zeros(0)), np.zeros((3, DIM)), rtol=0)
    last.data[...] = 200
    assert_close(model.sample(3, Zeros(0)), np.ones((3, DIM)), rtol=0)


@pytest.mark.equation("ancestral-sampling")
@every_model
def test_what_is_kept_changes_nothing(make: Any) -> None:
    model = strong(make(23))
    cached = model.sample(50, stream("kept"))
    assert_close(cached, naive_sample(model, 50, stream("kept")), rtol=0)
    assert cached.dtype == np.float64


@every_model
def test_the_conditionals_are_the_logits_and_read_nothing_ahead(make: Any) -> None:
    model, x = strong(make()), every_vector(DIM)[::11]
    logits = sg.asnumpy(model(x))
    known = sg.asarray(np.full((len(x), DIM), np.nan))
    for d, logit in enumerate(model.conditionals(known)):
        assert_close(logit, logits[:, d], rtol=1e-10, atol=1e-12)
        known[:, d] = x[:, d]


@pytest.mark.parametrize(
    "make",
    [
        lambda: NADE(4, 5, stream("g")),
        lambda: MADE(4, [5], stream("g")),
        lambda: MADE(4, [5, 4], stream("g")),
    ],
    ids=MODELS,
)
def test_gradients_of_the_loss(make: Any) -> None:
    model, x = strong(make(), 1.0), every_vector(4)[np.array([5, 11])]
    parameters = list(model.parameters())
    names = [name.split(".") for name, _ in model.named_parameters()]

    def loss(*values: Any) -> Any:
        for (*path, name), value in zip(names, values, strict=True):
            owner = model
            for part in path:
                owner = owner[int(part)] if part.isdigit() else getattr(owner, part)
            setattr(owner, name, value)
        return model.loss(x)

    sg.autograd.check_gradients(loss, *(p.data for p in parameters), order=2)


@every_model
def test_a_state_round_trip(make: Any) -> None:
    first, second = make(seed=1), make(seed=2)
    x = every_vector(DIM).astype(np.float32)
    assert np.abs(sg.asnumpy(first.log_prob(x) - second.log_prob(x))).max() > 1e-3
    second.load_state_dict(first.state_dict())
    np.testing.assert_array_equal(sg.asnumpy(first.log_prob(x)), sg.asnumpy(second.log_prob(x)))


@every_model
def test_fit_takes_the_loss_as_it_stands_and_lowers_it(make: Any) -> None:
    model = make(6)
    x = sg.asnumpy(every_vector(6)).astype(np.float32)
    x = x[np.abs(np.diff(x)).sum(axis=1) <= 1]  # 12 of the 64
    rows = fit(model.loss, x, sg.optim.Adam(model.parameters(), 0.03), steps=500, batch_size=12)
    assert np.log(12) <= rows[-1]["loss"] < np.log(12) + 0.3
    assert 6 * np.log(2) - 0.6 < rows[0]["loss"]


@every_model
@pytest.mark.parametrize(
    ("x", "error", "message"),
    [
        (np.zeros((5, 9)), ValueError, r"x: got shape \(5, 9\), expected \(batch, 10\)"),
        (np.zeros(10), ValueError, r"x: got shape \(10,\), expected \(batch, 10\)"),
        (np.zeros((0, 10)), ValueError, "expected at least one example"),
        (np.zeros((5, 10), int), TypeError, "x: got an array of int64, expected float32 or float64"),
        ([[0.0] * 10], TypeError, "x: got list, expected an array or Tensor"),
        (np.zeros((5, 10)), TypeError, "mix floating-point types"),
    ],
    ids=["width", "no batch", "empty", "whole numbers", "list", "float64"],
)
def test_bad_input(make: Any, x: Any, error: type[Exception], message: str) -> None:
    x = sg.asarray(x) if isinstance(x, np.ndarray) else x
    for call in (make().log_prob, make().loss):
        with pytest.raises(error, match=message):
            call(x)


@pytest.mark.host_only  # on a GPU the host would have to wait to see it
@every_model
def test_bad_values(make: Any) -> None:
    x = np.zeros((5, DIM), np.float32)
    x[3, 1] = 0.5
    with pytest.raises(ValueError, match=r"x: got 0.5 at \(3, 1\), expected zeros and ones; .*binarise"):
        make().log_prob(x)
    x[3, 1] = np.nan
    with pytest.raises(ValueError, match="x: got 1 NaN or infinite numbers"):
        make().loss(x)


@every_model
def test_there_are_no_classes(make: Any) -> None:
    x, labels = np.zeros((5, DIM), np.float32), np.zeros(5, int)
    for call in (
        lambda: make().log_prob(sg.asarray(x), labels),
        lambda: make().loss(sg.asarray(x), None, labels),
        lambda: make().sample(5, stream(), labels),
    ):
        with pytest.raises(ValueError, match="labels: got some, expected none"):
            call()


@every_model
def test_drawing_needs_a_number_and_a_stream(make: Any) -> None:
    assert make().sample(0, stream()).shape == (0, DIM)
    with pytest.raises(ValueError, match="n: got -1, expected a whole number, 0 or more"):
        make().sample(-1, stream())
    with pytest.raises(TypeError, match="rng: got int, expected a RandomStream"):
        make().sample(3, 0)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: NADE(0, 3), "dim: got 0, expected a positive whole number"),
        (lambda: NADE(3, 2.5), "hidden_dim: got 2.5, expected a positive whole number"),
        (lambda: MADE(3, []), r"hidden_dims: got \[\], expected a list of widths"),
        (lambda: MADE(3, 5), "hidden_dims: got 5, expected a list of widths"),
        (lambda: MADE(3, [4, 0]), r"hidden_dims\[1\]: got 0, expected a positive whole number"),
    ],
)
def test_bad_sizes(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
