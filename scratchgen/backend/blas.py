"""One-threaded products inside loops: ``sgemm``, a function of the BLAS library that NumPy has loaded.

OpenBLAS shares a product out among threads of its own, which then spin, and on a busy machine wait for each
other many times as long as the product takes. Here a product is cut into pieces, which the crew of
`threads.py` shares out, and each piece is a product by one thread. So while such work lasts the library is
held to one thread (`hold`, `release`), and afterwards it has as many as before: nobody who uses NumPy beside
us finds it changed. Whoever holds it first remembers the number, whoever releases it last sets it back.

Where NumPy has another library than OpenBLAS, `USABLE` is False, and products stay with NumPy.
"""

from __future__ import annotations

import ctypes
from typing import Any

import threadpoolctl
from llvmlite import binding, ir
from numba import types
from numba.core import cgutils

from .words import instruction

NO_TRANSPOSE, TRANSPOSE = 111, 112  # as cblas.h counts
ROW_MAJOR = 101


def _library() -> tuple[Any, str, str] | None:
    """NumPy's OpenBLAS, with the prefix and the suffix of its functions' names."""
    controllers = threadpoolctl.ThreadpoolController().lib_controllers
    loaded = [library for library in controllers if library.internal_api == "openblas"]
    own = [library for library in loaded if "numpy.libs" in library.filepath] or loaded
    if len(own) != 1:
        return None
    for prefix in ("scipy_", ""):
        for suffix in ("64_", ""):
            if hasattr(own[0].dynlib, f"{prefix}cblas_sgemm{suffix}"):
                return own[0].dynlib, prefix, suffix
    return None


_found = _library()
USABLE = _found is not None
BITS = 64 if _found and _found[2] else 32  # of a whole number, in this build of the library
FUNCTIONS = "cblas_sgemm", "openblas_get_num_threads", "openblas_set_num_threads"

if _found:
    for _name in FUNCTIONS:
        _address = ctypes.cast(getattr(_found[0], _found[1] + _name + _found[2]), ctypes.c_void_p)
        binding.add_symbol(f"scratchgen_{_name}", _address.value)


def set_number_of_threads(count: int) -> None:
    """`set_threads`, from Python."""
    if _found:
        getattr(_found[0], _found[1] + FUNCTIONS[2] + _found[2])(count)


def _function(builder: Any, name: str, result: Any, *arguments: Any) -> Any:
    return cgutils.get_or_insert_function(
        builder.module, ir.FunctionType(result, arguments), f"scratchgen_{name}"
    )


@instruction(types.int64)
def get_threads(builder: Any) -> Any:
    """How many threads the library uses now."""
    if not USABLE:
        return ir.Constant(ir.IntType(64), 1 << 20)
    count = builder.call(_function(builder, FUNCTIONS[1], ir.IntType(32)), [])
    return builder.sext(count, ir.IntType(64))


@instruction(types.void, types.int64)
def set_threads(builder: Any, count: Any) -> None:
    """Let the library use so many."""
    if USABLE:
        number = ir.IntType(32)
        function = _function(builder, FUNCTIONS[2], ir.VoidType(), number)
        builder.call(function, [builder.trunc(count, number)])


@instruction(types.void, *[types.boolean] * 2, *[types.int64] * 7, types.float32, types.int64, types.int64)
def sgemm(
    builder: Any, flip_a: Any, flip_b: Any, m: Any, n: Any, k: Any, a: Any, lda: Any, b: Any, ldb: Any,
    beta: Any, c: Any, ldc: Any,
) -> None:  # fmt: skip
    """``c = op(a) op(b) + beta c`` of float32 arrays by their addresses; op transposes where `flip` is true.

    Parameters
    ----------
    m, n, k
        op(a) is (m, k), op(b) (k, n) and c (m, n).
    a, b, c : int
        Addresses, ``x.ctypes.data`` (compiled too), plus 4 bytes for each number skipped.
    lda, ldb, ldc : int
        From row to row in memory, in numbers.
    beta : float32
    """
    enum, whole, real = ir.IntType(32), ir.IntType(BITS), ir.FloatType()
    pointer = real.as_pointer()
    function = _function(
        builder, FUNCTIONS[0], ir.VoidType(), enum, enum, enum, whole, whole, whole, real,
        pointer, whole, pointer, whole, real, pointer, whole,
    )  # fmt: skip
    flips = [builder.select(f, enum(TRANSPOSE), enum(NO_TRANSPOSE)) for f in (flip_a, flip_b)]
    m, n, k, lda, ldb, ldc = (builder.trunc(x, whole) if BITS == 32 else x for x in (m, n, k, lda, ldb, ldc))
    a, b, c = (builder.inttoptr(x, pointer) for x in (a, b, c))
    builder.call(function, [enum(ROW_MAJOR), *flips, m, n, k, real(1.0), a, lda, b, ldb, beta, c, ldc])
