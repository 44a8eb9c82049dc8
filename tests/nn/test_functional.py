"""Losses as functions: values, reductions, derivatives, and what they refuse."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import special
from tools import assert_close

import scratchgen as sg
from scratchgen.autograd import check_gradients
from scratchgen.nn import functional as F

RNG = np.random.default_rng(0)
LOGITS = RNG.normal(0, 3, (4, 3))
TARGET = RNG.random((4, 3))
LABELS = np.array([2, 0, 0, 1])

LOSSES = {
    "bce": (
        lambda x, **how: F.binary_cross_entropy_with_logits(x, sg.asarray(TARGET, x.dtype), **how),
        -TARGET * special.log_expit(LOGITS) - (1 - TARGET) * special.log_expit(-LOGITS),
    ),
    "mse": (lambda x, **how: F.mse_loss(x, sg.asarray(TARGET, x.dtype), **how), (LOGITS - TARGET) ** 2),
    "cross entropy": (
        lambda x, **how: F.cross_entropy(x, sg.asarray(LABELS), **how),
        -special.log_softmax(LOGITS, axis=1)[np.arange(4), LABELS],
    ),
}


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize(("dtype", "rtol"), [(np.float32, 1e-5), (np.float64, 1e-12)])
def test_values_and_reductions(name: str, dtype: Any, rtol: float) -> None:
    loss, expected = LOSSES[name]
    for x in (sg.asarray(LOGITS, dtype), sg.tensor(LOGITS, requires_grad=True, dtype=dtype)):
        assert_close(loss(x, reduction="none"), expected, rtol=rtol)
        assert_close(loss(x, reduction="sum"), expected.sum(), rtol=rtol)
        assert_close(loss(x), expected.mean(), rtol=rtol)
        assert loss(x).dtype == dtype


@pytest.mark.parametrize("name", LOSSES)
def test_gradients(name: str) -> None:
    check_gradients(LOSSES[name][0], LOGITS)
    check_gradients(lambda x: LOSSES[name][0](x, reduction="none"), LOGITS)


def test_the_target_of_a_squared_error_has_a_gradient_too() -> None:
    check_gradients(F.mse_loss, LOGITS, TARGET)


def test_cross_entropies_are_finite_for_every_finite_logit() -> None:
    x = sg.tensor(np.array([[-1e4, 1e4]], np.float32), requires_grad=True)
    wrong = F.binary_cross_entropy_with_logits(x, sg.asarray([[1.0, 0.0]]), "none")
    assert_close(wrong, [[1e4, 1e4]])
    assert_close(sg.grad(wrong.sum(), x)[0], [[-1.0, 1.0]])
    label = F.cross_entropy(x, sg.asarray(np.array([0])))
    assert_close(label, 2e4)
    assert_close(sg.grad(label, x)[0], [[-1.0, 1.0]])


@pytest.mark.parametrize("loss", [F.binary_cross_entropy_with_logits, F.mse_loss])
def test_a_target_that_would_broadcast_is_refused(loss: Any) -> None:
    with pytest.raises(ValueError, match=r"target: got shape \(4,\), expected \(4, 1\), like"):
        loss(sg.asarray(LOGITS[:, :1]), sg.asarray(TARGET[:, 0]))


def test_an_unknown_reduction_is_refused() -> None:
    with pytest.raises(ValueError, match="reduction: got 'average', expected one of 'none', 'mean', 'sum'"):
        F.mse_loss(sg.asarray(LOGITS), sg.asarray(TARGET), reduction="average")


def test_labels_are_checked() -> None:
    logits = sg.asarray(LOGITS)
    with pytest.raises(ValueError, match=r"labels: got shape \(3,\), expected \(4,\)"):
        F.cross_entropy(logits, sg.asarray(LABELS[:3]))
    with pytest.raises(TypeError, match="labels: got an array of float64, expected whole numbers"):
        F.cross_entropy(logits, sg.asarray(LABELS.astype(float)))


@pytest.mark.host_only
@pytest.mark.parametrize("label", [-1, 3])
def test_a_label_without_a_class_is_refused(label: int) -> None:
    with pytest.raises(IndexError, match=r"labels: got numbers from .* expected 0 to 2"):
        F.cross_entropy(LOGITS, np.array([0, 1, 2, label]))


@pytest.mark.parametrize("given", [[1.0, 2.0], 3])
def test_what_is_no_array_is_refused(given: Any) -> None:
    x, weight = sg.asarray(LOGITS), sg.asarray(np.ones((2, 3)))
    for call, name in (
        (lambda: F.linear(given, weight), "x"),
        (lambda: F.embedding(given, weight), "indices"),
        (lambda: F.cross_entropy(given, sg.asarray(LABELS)), "logits"),
        (lambda: F.cross_entropy(x, given), "labels"),
        (lambda: F.mse_loss(given, x), "x"),
        (lambda: F.mse_loss(x, given), "target"),
        (lambda: F.binary_cross_entropy_with_logits(given, x), "logits"),
    ):
        with pytest.raises(TypeError, match=rf"^{name}: got (list|int), expected an array or Tensor"):
            call()


def test_a_seed_is_no_stream() -> None:
    with pytest.raises(TypeError, match="rng: got int, expected a RandomStream"):
        F.dropout(sg.asarray(LOGITS), 0.5, 0)  # type: ignore[arg-type]
