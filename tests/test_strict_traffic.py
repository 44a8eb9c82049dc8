"""The stand-in for CuPy counts what crosses between host and device."""

from __future__ import annotations

import operator

import numpy as np
import pytest
from strict import host_synchronisations, strict_device, upload

pytestmark = pytest.mark.host_only

HOST = np.arange(6, dtype=np.float32).reshape(2, 3)


@pytest.fixture
def x():
    return upload(HOST)


def test_structure_is_known_without_waiting(x):
    with host_synchronisations() as traffic:
        assert np.shape(x) == (2, 3)
        assert (np.ndim(x), np.size(x), len(x)) == (2, 6, 2)
        assert np.result_type(x, np.float64) == np.float64
        assert [row.shape for row in x] == [(3,), (3,)]
    assert (traffic.synchronisations, traffic.uploads) == (0, 0)


WAITS = {
    "float": lambda x: float(x[0, 0]),
    "int": lambda x: int(x[0, 0]),
    "bool": lambda x: bool(x[0, 0]),
    "if": lambda x: 1 if x.sum() > 0 else 0,
    "item": lambda x: x[0, 0].item(),
    "get": lambda x: x.get(),
    "tolist": lambda x: x.tolist(),
    "repr": repr,
    "format": lambda x: f"{x[0, 0]:.2f}",
    "asnumpy": lambda x: strict_device().asnumpy(x),
    "mask": lambda x: x[x > 2],
    "mask assignment": lambda x: operator.setitem(x, x > 2, 0.0),
    "nonzero": lambda x: x.nonzero(),
    "where": lambda x: np.where(x > 0),
    "unique": lambda x: np.unique(x),
    "max": lambda x: max(x[0, :2]),
}


@pytest.mark.parametrize("name", WAITS)
def test_waiting_is_counted(name, x):
    with host_synchronisations() as traffic:
        WAITS[name](x)
    assert traffic.synchronisations == 1
    assert traffic.uploads == 0


def test_a_training_step_need_not_wait():
    weight, inputs = upload(np.ones((3, 2), np.float32)), upload(HOST)
    with host_synchronisations() as traffic:
        hidden = np.tanh(inputs @ weight)
        hidden = np.where(hidden > 0, hidden, 0.1 * hidden)
        gradient = inputs.T @ ((1 - hidden**2) / hidden.sum())
        weight -= 0.1 * gradient
        weight[0] = np.clip(weight[0], -1.0, 1.0)
    assert (traffic.synchronisations, traffic.uploads) == (0, 0)
    assert weight.dtype == np.float32


def test_uploads_are_counted(x):
    for use in (
        *(lambda: upload(HOST), lambda: x.set(HOST), lambda: x[[0, 1]], lambda: x[np.array([0])]),
        *(lambda: np.asarray([1.0], like=x), lambda: np.take(x, [0], axis=0)),
    ):
        with host_synchronisations() as traffic:
            use()
        assert (traffic.uploads, traffic.synchronisations) == (1, 0)


def test_counting_contexts_nest(x):
    with host_synchronisations() as outer:
        x.get()
        with host_synchronisations() as inner:
            x.get()
        x.get()
    x.get()
    assert (outer.synchronisations, inner.synchronisations) == (3, 1)


def test_counting_ends_with_an_exception(x):
    def failing():
        with host_synchronisations() as traffic:
            counted.append(traffic)
            raise KeyError

    counted = []
    with pytest.raises(KeyError):
        failing()
    x.get()
    assert counted[0].synchronisations == 0
