"""Every NumPy name and keyword in the package exists in CuPy, read from the source without a GPU."""

from __future__ import annotations

from pathlib import Path

import pytest
from strict import table
from strict.usage import problems

import scratchgen

PACKAGE = Path(scratchgen.__file__).parent

# What runs on the host whatever the device: files, pictures, the description of the machine, and models that
# count instead of computing gradients.
HOST_ONLY = (
    *("data/", "plots/", "coding/", "backend/environment.py", "models/naive_bayes/"),
    # what loops are made with
    *("loops/", "backend/convolution/minimal.py"),
)

FILES = {
    name: path
    for path in sorted(PACKAGE.rglob("*.py"))
    if not (name := path.relative_to(PACKAGE).as_posix()).startswith(HOST_ONLY)
}

pytestmark = pytest.mark.host_only


@pytest.fixture(scope="module", params=["checked-in", "installed"])
def cupy_table(request):
    if request.param == "checked-in":
        return table.load()
    pytest.importorskip("cupy")
    return table.generate()


def test_there_are_files_to_check():
    assert "backend/device.py" in FILES
    assert len(FILES) > 10


@pytest.mark.parametrize("name", FILES)
def test_package_uses_only_what_cupy_has(name, cupy_table):
    found = problems(FILES[name].read_text(), cupy_table, name)
    assert not found, "\n".join(found)


def test_checked_in_table_is_that_of_the_real_cupy():
    cupy = pytest.importorskip("cupy")
    if cupy.__version__ != table.load().version:
        pytest.skip(f"CuPy {cupy.__version__} is installed; the table is of {table.load().version}")
    assert table.generate() == table.load(), f"run: python {Path(table.__file__).relative_to(Path.cwd())}"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("np.vecdot(a, b)", "np.vecdot: CuPy has no such function"),
        ("np.unstack(x)", "np.unstack: CuPy has no such function"),
        ("np.block([a, b])", "np.block: CuPy has no such function"),
        ("np.insert(x, 0, 1)", "np.insert: CuPy has no such function"),
        ("np.einsum_path('ij->', x)", "np.einsum_path: CuPy has no such function"),
        ("f = np.vecdot", "np.vecdot: CuPy has no such function"),
        ("np.sum(x, where=m)", "np.sum: got an unexpected keyword argument 'where'"),
        ("np.max(x, initial=0)", "np.max: got an unexpected keyword argument 'initial'"),
        ("np.var(x, correction=1)", "np.var: got an unexpected keyword argument 'correction'"),
        ("np.clip(x, min=0, max=1)", "np.clip: missing a required argument: 'a_min'"),
        ("np.clip(x, 0)", "np.clip: missing a required argument: 'a_max'"),
        ("np.reshape(x, shape=(2,))", "np.reshape: missing a required argument: 'newshape'"),
        ("np.add(a, b, where=m)", "np.add: got an unexpected keyword argument 'where'"),
        ("np.linalg.norm(x, eps=1)", "np.linalg.norm: got an unexpected keyword argument 'eps'"),
        ("np.linalg.vecdot(x, x)", "np.linalg.vecdot: CuPy has no such function"),
        ("np.maximum.reduce(x)", "np.maximum.reduce: CuPy's maximum has no .reduce"),
        ("np.multiply.at(x, i, y)", "np.multiply.at: CuPy's multiply has no .at"),
        ("np.full(3, 1.0, like=x)", "np.full: like= fails on CuPy; use np.empty, np.zeros, or np.full_like"),
        ("np.ascontiguousarray(x)", "np.ascontiguousarray: does not dispatch to CuPy without like="),
        ("np.lib.stride_tricks.as_strided(x)", "np.lib.stride_tricks.as_strided: does not dispatch to CuPy"),
        ("np.ndindex_(3)", "np.ndindex_: NumPy has no such name"),
        ("np.isfortran(x)", "np.isfortran: does not dispatch to CuPy"),
        ("x.sum(axis=0, where=m)", ".sum(where=): CuPy's method has no such keyword"),
        ("x.max(initial=0)", ".max(initial=): CuPy's method has no such keyword"),
        ("x.setflags(write=False)", ".setflags(): CuPy's arrays have no such method"),
        ("x.astype('f4', casting='no')", ".astype(casting=): CuPy's method does not support it"),
    ],
)
def test_checker_finds(source, message, cupy_table):
    assert problems(f"import numpy as np\n{source}\n", cupy_table) == [f"<source>:2: {message}"]


@pytest.mark.parametrize(
    "source",
    [
        "np.sum(x, axis=0, keepdims=True)",
        "np.exp(x, out=x)",
        "np.add(a, b, c)",
        "np.add.at(x, i, y)",
        "np.add.reduce(x, axis=0)",
        "np.matmul(a, b, out=c)",
        "np.einsum('ij,jk->ik', a, b, optimize=True)",
        "np.zeros((2, 3), dtype=x.dtype, like=x)",
        "np.ascontiguousarray(x, like=x)",
        "np.array([1.0, 2.0])",
        "np.concatenate(*arguments, **keywords)",
        "np.random.default_rng(0).normal(size=3)",
        "np.float32(2)",
        "np.errstate(all='ignore')",
        "np.finfo(x.dtype).eps",
        "np.broadcast_shapes(a, b)",
        "np.pad(x, 1, mode='constant', constant_values=0)",
        "x.sum(dim=1, keepdim=True)",
        "x.var(correction=1)",
        "x.clip(min=0)",
        "super().__init__(where=1)",
        "len(np.pi * x.shape[0])",
        "from ..backend import checks; checks.shape(x, (2, 3))",
    ],
)
def test_checker_accepts(source, cupy_table):
    assert problems(source, cupy_table) == []
