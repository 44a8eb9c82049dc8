"""The stand-in for CuPy refuses what the real CuPy refuses, and its views are laid out alike."""

from __future__ import annotations

import operator

import numpy as np
import pytest
from strict import StrictArray, upload
from strict.array import MODELLED_METHODS
from strict.table import load

pytestmark = pytest.mark.host_only

HOST = np.arange(6, dtype=np.float32).reshape(2, 3)


@pytest.fixture
def x():
    return upload(HOST)


def real_array():
    """A (2, 3) array of the real CuPy, over host memory where there is no GPU: good for all but computing."""
    cupy = pytest.importorskip("cupy")
    if cupy.is_available():
        return cupy.asarray(HOST)
    host = HOST.copy()
    memory = cupy.cuda.UnownedMemory(host.ctypes.data, host.nbytes, host, 0)
    return cupy.ndarray(host.shape, host.dtype, memptr=cupy.cuda.MemoryPointer(memory, 0))


# Each raises on the real CuPy before any work on the device, so that a machine without a GPU can compare.
REFUSED = {
    "implicit conversion": (TypeError, lambda x: np.asarray(x)),
    "implicit conversion in a list": (TypeError, lambda x: np.array([x, x])),
    "ascontiguousarray does not dispatch": (TypeError, lambda x: np.ascontiguousarray(x)),
    "as_strided does not dispatch": (TypeError, lambda x: np.lib.stride_tricks.as_strided(x, (2,), (4,))),
    "random functions do not dispatch": (TypeError, lambda x: np.random.default_rng(0).permutation(x)),
    "block": (TypeError, lambda x: np.block([x, x])),
    "insert": (TypeError, lambda x: np.insert(x, 0, 1.0)),
    "einsum_path": (TypeError, lambda x: np.einsum_path("ij->", x)),
    "polyder": (TypeError, lambda x: np.polyder(x)),
    "where= in a reduction": (TypeError, lambda x: np.sum(x, where=True)),
    "initial= in a reduction": (TypeError, lambda x: np.max(x, initial=0)),
    "var(correction=)": (TypeError, lambda x: np.var(x, correction=1)),
    "clip(min=, max=)": (TypeError, lambda x: np.clip(x, min=0, max=1)),
    "reshape(shape=)": (TypeError, lambda x: np.reshape(x, shape=(6,))),
    "where= in a ufunc": (TypeError, lambda x: np.add(x, x, where=True)),
    "order= in a ufunc": (TypeError, lambda x: np.exp(x, order="C")),
    "two outputs": (ValueError, lambda x: np.divmod(x, x, out=(x, x))),
    "ones(like=)": (TypeError, lambda x: np.ones(3, like=x)),
    "full(like=)": (TypeError, lambda x: np.full(3, 0.0, like=x)),
    "where with a truth value": (AttributeError, lambda x: np.where(True, x, x)),
    "stack with a host array": (TypeError, lambda x: np.stack([x, np.ones((2, 3))])),
    "matmul with a host array": (TypeError, lambda x: x @ np.ones((3, 2))),
    "dot with a host array": (TypeError, lambda x: x.dot(np.ones((3, 2)))),
    "assignment of a host array": (ValueError, lambda x: operator.setitem(x, 0, np.ones(3))),
    "astype(casting=)": (TypeError, lambda x: x.astype("float64", casting="same_kind")),
    "method sum(where=)": (TypeError, lambda x: x.sum(where=True)),
    "method reshape(shape=)": (TypeError, lambda x: x.reshape(shape=(6,))),
    "method transpose(axes=)": (TypeError, lambda x: x.transpose(axes=(1, 0))),
    "setflags": (AttributeError, lambda x: x.setflags(write=False)),
    "ctypes": (AttributeError, lambda x: x.ctypes),
    "resize": (AttributeError, lambda x: x.resize(6)),
    "new attributes": (AttributeError, lambda x: setattr(x, "name", 1)),
    "assignment to strides": (AttributeError, lambda x: setattr(x, "strides", (4, 8))),
    "assignment to dtype": (AttributeError, lambda x: setattr(x, "dtype", "int32")),
    "hash": (TypeError, hash),
    "as an index": (TypeError, lambda x: [0, 1][x[0, 0]]),
    "truth of many": (ValueError, bool),
    "integer index out of range": (IndexError, lambda x: x[5]),
    "too many indices": (IndexError, lambda x: x[0, 0, 0]),
    "maximum.reduce": (NotImplementedError, lambda x: np.maximum.reduce(x)),
    "multiply.at": (NotImplementedError, lambda x: np.multiply.at(x, 0, 1.0)),
    "add.at of small integers": (
        TypeError,
        lambda x: np.add.at(x.view("int8"), x.view("int32")[0, :1], x.view("int8")[:1]),
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refuses_as_cupy_does(name, x):
    error, use = REFUSED[name]
    # CuPy asks a truth value for its method `astype`; the stand-in says what was expected instead.
    with pytest.raises(TypeError if error is AttributeError and "where" in name else error):
        use(x)
    with pytest.raises(error):
        use(real_array())


@pytest.mark.parametrize("name", ["vecdot", "spacing", "isnat"])
def test_knows_no_other_ufuncs_than_cupy(name, x):
    ufunc = getattr(np, name)
    for array in (x, real_array()):
        assert array.__array_ufunc__(ufunc, "__call__", *[array] * ufunc.nin) is NotImplemented
    with pytest.raises(TypeError):
        ufunc(*[x] * ufunc.nin)


VIEWS = {
    "itself": lambda x: x,
    "row": lambda x: x[1],
    "number": lambda x: x[1, 2],
    "slice": lambda x: x[:, ::2],
    "backwards": lambda x: x[::-1, ::-1],
    "new axis": lambda x: x[:, None, ..., 1:],
    "transposed": lambda x: x.T,
    "permuted": lambda x: np.transpose(x, (1, 0)),
    "reshaped": lambda x: x.reshape(3, -1),
    "ravelled": lambda x: x.ravel(),
    "broadcast": lambda x: np.broadcast_to(x, (4, 2, 3)),
    "expanded": lambda x: np.expand_dims(x, (0, 2)),
    "squeezed": lambda x: x[None].squeeze(),
    "flipped": lambda x: np.flip(x, 1),
    "moved": lambda x: np.moveaxis(x[None], 0, 2),
    "diagonal": lambda x: np.diagonal(x),
    "same type": lambda x: x.astype("float32", copy=False),
    "other view": lambda x: x.view("int32"),
}


@pytest.mark.parametrize("name", VIEWS)
def test_views_are_laid_out_as_those_of_cupy(name, x):
    view, real = VIEWS[name](x), real_array()
    expected = VIEWS[name](real)
    assert (view.shape, view.strides, view.dtype) == (expected.shape, expected.strides, expected.dtype)
    assert (view is x, view.base is x) == (expected is real, expected.base is real)
    for flag in ("c_contiguous", "f_contiguous", "owndata"):
        assert getattr(view.flags, flag) == getattr(expected.flags, flag), flag


def test_attributes_and_operators_are_those_of_cupy():
    real = type(real_array())
    table = load()
    special = {name for name in dir(StrictArray) if name.startswith("__")} - set(dir(object))
    assert special - {"__annotations__", "__getattr__", "__slots__", "__weakref__"} <= set(dir(real))
    public = {name for name in dir(StrictArray) if not name.startswith("_")} - {"array_type"}
    assert public <= {*table.methods, *table.attributes}
    assert set(MODELLED_METHODS) <= set(table.methods)


def test_what_is_not_modelled_says_so(x):
    with pytest.raises(AttributeError, match=r"cupy.ndarray has .toDlpack, but the stand-in"):
        x.toDlpack()
    with pytest.raises(AttributeError, match=r"cupy\.ndarray has no attribute 'at'"):
        x.at  # noqa: B018


MIXTURES = {
    "add": lambda x, y: x + y,
    "radd": lambda x, y: y + x,
    "in place": lambda x, y: operator.iadd(x, y),
    "into host": lambda x, y: operator.iadd(y, x),
    "compare": lambda x, y: x < y,
    "equal": lambda x, y: y == x,
    "ufunc": lambda x, y: np.maximum(x, y),
    "out": lambda x, y: np.exp(x, out=y),
    "matmul": lambda x, y: y.T @ x,
    "concatenate": lambda x, y: np.concatenate([x, y]),
    "where": lambda x, y: np.where(x > 0, x, y),
    "where condition": lambda x, y: np.where(y > 0, x, x),
    "copyto": lambda x, y: np.copyto(y, x),
    "einsum": lambda x, y: np.einsum("ij,ij->", x, y),
    "dot": lambda x, y: np.dot(y.T, x),
    "fill": lambda x, y: x.sum(out=y),
    "add.at": lambda x, y: np.add.at(x, 0, y),
    "add.at on host": lambda x, y: np.add.at(y, 0, x),
}


@pytest.mark.parametrize("name", MIXTURES)
def test_host_and_device_arrays_do_not_mix(name, x):
    with pytest.raises(TypeError, match=r"Unsupported type <class 'numpy\.ndarray'>|must be on the device"):
        MIXTURES[name](x, np.ones((2, 3), np.float32))
