"""The stand-in for CuPy computes what NumPy computes, where CuPy does too."""

from __future__ import annotations

import copy
import operator
import pickle

import numpy as np
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra import numpy as arrays
from strict import StrictArray, upload
from tools import assert_close

pytestmark = pytest.mark.host_only

HOST = np.arange(6, dtype=np.float32).reshape(2, 3)


@pytest.fixture
def x():
    return upload(HOST)


@pytest.mark.parametrize("scalar", [2, 2.0, True, np.float32(2), np.float64(2), np.int64(2), np.bool_(True)])
def test_scalars_promote_as_in_numpy_2(scalar, x):
    for use in (operator.add, operator.mul, operator.truediv, operator.lt):
        for result, expected in (
            (use(x, scalar), use(HOST, scalar)),
            (use(scalar, x + 1), use(scalar, HOST + 1)),
        ):
            assert type(result) is StrictArray
            assert result.dtype == expected.dtype
            assert_close(result.get(), expected)


def test_objects_that_want_the_operation_get_it(x):
    class Variable:
        __array_ufunc__ = None

        def __rmul__(self, other):
            return "mine"

    assert x * Variable() == "mine"
    with pytest.raises(TypeError):
        x *= Variable()


def test_reductions_return_arrays_without_axes(x):
    for result in (x.sum(), np.max(x), x.mean(), np.argmax(x), x.any(), np.linalg.norm(x), x[0] @ x[0]):
        assert type(result) is StrictArray
        assert result.shape == ()
    for result in (np.allclose(x, x), np.array_equal(x, x), np.count_nonzero(x)):
        assert type(result) is StrictArray


def test_device_memory_is_not_host_memory():
    host = HOST.copy()
    x = upload(host)
    y = np.asarray(host, like=x)
    host[:] = -1
    back = x.get()
    back[:] = -2
    assert_close(x.get(), HOST)
    assert_close(y.get(), HOST)


def test_index_arrays_out_of_range_wrap_silently(x):
    y = np.take(x, upload(np.array([3, -4, 7])), axis=1)
    assert_close(y.get(), HOST[:, [0, 2, 1]])
    assert_close(x[:, upload(np.array([3, -4]))].get(), HOST[:, [0, 2]])
    assert_close(x[1, ..., [5]].get(), HOST[1, [2]])
    assert_close(x[None, upload(np.array([2])), upload(np.array([4]))].get(), HOST[None, [0], [1]])
    assert_close(np.take_along_axis(x, upload(np.array([[3], [4]])), 1).get(), [[0.0], [4.0]])
    x[upload(np.array([2]))] = 9.0
    assert_close(x[0].get(), [9.0, 9.0, 9.0])


def test_arrays_without_axes_index_like_numbers(x):
    i = upload(np.array(1))
    assert_close(x[i].get(), HOST[1])
    assert x[i].base is None
    assert_close(x[:, i].get(), HOST[:, 1])


def test_add_at_counts_repeated_indices(x):
    np.add.at(x, (upload(np.array([0, 0])), upload(np.array([1, 1]))), upload(np.float32([1.0, 2.0])))
    assert_close(x.get(), HOST + np.float32([[0, 3, 0], [0, 0, 0]]))


def test_assignment_and_in_place_operators_keep_the_array(x):
    y, row = x, x[0]
    y += 1
    assert y is x
    row *= 2
    assert_close(x.get(), [[2, 4, 6], [4, 5, 6]])
    x[1] = row
    x[0, 0] = upload(np.float32(7))
    assert_close(x.get(), [[7, 4, 6], [2, 4, 6]])
    assert np.exp(x, out=x) is x
    with pytest.raises(TypeError, match="same_kind"):
        x.astype("int32").__iadd__(0.5)


def test_like_shape_without_axes_is_the_trap_it_is_in_cupy(x):
    with pytest.raises(ValueError, match=r"cupy.zeros_like takes shape=\(\) for no shape"):
        np.zeros_like(x, shape=())
    assert np.zeros_like(x, shape=(4,)).shape == (4,)
    assert np.zeros((), np.float32, like=x).shape == ()


def test_a_gpu_is_silent_about_infinities(x):
    with np.errstate(all="raise"):
        assert_close(np.log(x[0]).get(), np.float32([-np.inf, 0.0, np.log(2.0)]), rtol=1e-6)
        assert np.isnan((x / 0.0)[0, 0].get())


def test_copies_and_pickles(x):
    for twin in (copy.copy(x), copy.deepcopy(x), pickle.loads(pickle.dumps(x)), x.copy()):  # noqa: S301
        assert type(twin) is StrictArray
        twin += 1
        assert_close(x.get(), HOST)


def test_arrays_are_made_by_upload_only():
    with pytest.raises(TypeError, match=r"use strict\.upload"):
        StrictArray((2, 3))


FUNCTIONS = {
    "arithmetic": lambda x: (x + 1) * x - x / 3 + x**2 - 2**x + abs(-x) + x % 2 + x // 2,
    "logic": lambda x: ((x > 1) & ~(x == 2)) | (x <= 0) ^ (x != 1),
    "rounding": lambda x: np.floor(x) + np.sign(x) + x.round(1),
    "mean": lambda x: x.mean(axis=0, keepdims=True),
    "var": lambda x: np.var(x, axis=-1, ddof=1),
    "cumsum": lambda x: np.cumsum(x, axis=1),
    "sort": lambda x: np.sort(x, axis=0),
    "concatenate": lambda x: np.concatenate([x, x[:1]], axis=0),
    "stack": lambda x: np.stack([x, x], axis=1),
    "split": lambda x: np.split(x, 2, axis=0)[1],
    "pad": lambda x: np.pad(x, ((1, 0), (2, 1)), constant_values=3),
    "einsum": lambda x: np.einsum("ij,kj->ik", x, x, optimize=True),
    "tensordot": lambda x: np.tensordot(x, x, axes=((0,), (0,))),
    "sliding window": lambda x: np.lib.stride_tricks.sliding_window_view(x, (2, 2)),
    "where": lambda x: np.where(x > 2, x, 0.0),
    "clip": lambda x: x.clip(1, 3) + np.clip(x, 1, 3),
    "solve": lambda x: np.linalg.solve(x @ x.T + np.identity(2).tolist()[0][0], x),
    "logaddexp": lambda x: np.logaddexp(x, 1),
    "add.reduce": lambda x: np.add.reduce(x, axis=1),
}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_computes_what_numpy_computes(name, dtype):
    host = HOST.astype(dtype) + 0.5
    expected, result = FUNCTIONS[name](host), FUNCTIONS[name](upload(host))
    assert type(result) is StrictArray
    assert result.dtype == expected.dtype
    assert_close(result.get(), expected)


shapes = arrays.array_shapes(min_dims=1, max_dims=4, max_side=4)


@given(st.data())
def test_basic_indexing_gives_the_views_of_numpy(data):
    shape = data.draw(shapes)
    host = np.arange(np.prod(shape)).reshape(shape)
    key = data.draw(arrays.basic_indices(shape, allow_newaxis=True))
    result, expected = upload(host)[key], np.asarray(host[key])
    assert_close(result.get(), expected)
    assert result.strides == expected.strides or result.size == 0


@given(st.data())
def test_array_indexing_gathers_and_assigns_as_numpy(data):
    shape = data.draw(shapes)
    host = np.arange(np.prod(shape), dtype=np.float64).reshape(shape)
    key = data.draw(arrays.integer_array_indices(shape))
    x, index = upload(host), tuple(upload(i) for i in key)
    assert_close(x[index].get(), host[key])
    x[index], host[key] = -1.0, -1.0
    assert_close(x.get(), host)


@given(st.data())
def test_masks_select_as_numpy(data):
    shape = data.draw(shapes)
    host = np.arange(np.prod(shape), dtype=np.float64).reshape(shape)
    mask = data.draw(arrays.arrays(bool, shape[: data.draw(st.integers(1, len(shape)))]))
    x = upload(host)
    assert_close(x[upload(mask)].get(), host[mask])
    x[upload(mask)] = 7.0
    host[mask] = 7.0
    assert_close(x.get(), host)
