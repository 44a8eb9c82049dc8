"""Words of memory that several threads read and write, for compiled code: what the `crew` agrees by.

Each operation on a word is atomic and in one order for all threads. Compiled code is kept on disk, and the
address of the words is another in each process, so it finds them by name.
"""

from __future__ import annotations

import functools
import platform
from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import binding, ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

words = np.zeros(1 << 10, np.int64)

X86 = platform.machine().lower() in ("x86_64", "amd64")

binding.add_symbol("scratchgen_crew", words.ctypes.data)


def instruction(result: Any, *arguments: Any) -> Callable[[Callable[..., Any]], Any]:
    """Make of ``code(builder, *values)`` a function that compiled code can call, of these types.

    The code is LLVM's, which the builder writes down; of a function without a result it returns None.
    """

    def wrap(code: Callable[..., Any]) -> Any:
        @functools.wraps(code)
        def typed(typing: Any, *given: Any) -> Any:
            def write(context: Any, builder: Any, signature: Any, values: Any) -> Any:
                y = code(builder, *values)
                return context.get_dummy_value() if y is None else y

            return result(*arguments), write

        return intrinsic(typed)

    return wrap


def _word(builder: Any, index: Any) -> Any:
    module, word = builder.module, ir.IntType(64)
    crew = module.globals.get("scratchgen_crew")
    if crew is None:
        crew = ir.GlobalVariable(module, ir.ArrayType(word, words.size), "scratchgen_crew")
    return builder.gep(crew, [ir.Constant(word, 0), index])


@instruction(types.int64, types.int64)
def load(builder: Any, index: Any) -> Any:
    """The word at `index`."""
    return builder.load_atomic(_word(builder, index), "seq_cst", 8)


@instruction(types.void, types.int64, types.int64)
def store(builder: Any, index: Any, value: Any) -> None:
    """Write a word."""
    builder.store_atomic(value, _word(builder, index), "seq_cst", 8)


@instruction(types.int64, types.int64, types.int64)
def add(builder: Any, index: Any, value: Any) -> Any:
    """Add to a word; what it was before."""
    return builder.atomic_rmw("add", _word(builder, index), value, "seq_cst")


@instruction(types.boolean, types.int64, types.int64, types.int64)
def exchange(builder: Any, index: Any, expected: Any, value: Any) -> Any:
    """Write `value` if the word is `expected`; whether it was."""
    found = builder.cmpxchg(_word(builder, index), expected, value, "seq_cst", "seq_cst")
    return builder.extract_value(found, 1)


@instruction(types.int64)
def cycles(builder: Any) -> Any:
    """The processor's clock, which tells how long something took; always 0 where it cannot be read."""
    word = ir.IntType(64)
    if not X86:
        return word(0)
    clock = ir.FunctionType(word, [])
    return builder.call(builder.module.declare_intrinsic("llvm.readcyclecounter", (), clock), [])


@instruction(types.void)
def pause(builder: Any) -> None:
    """Tell the processor that this thread waits."""
    if X86:
        nothing = ir.FunctionType(ir.VoidType(), [])
        builder.call(builder.module.declare_intrinsic("llvm.x86.sse2.pause", (), nothing), [])


def _python_lock(name: str, *more: int) -> Any:
    """A function of Python's portable locks, which need nothing else of Python."""

    @instruction(types.void, types.int64)
    def call(builder: Any, lock: Any) -> None:
        pointer, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        declared = ir.FunctionType(number, [pointer, *(number for _ in more)])
        function = cgutils.get_or_insert_function(builder.module, declared, name)
        builder.call(function, [builder.inttoptr(lock, pointer), *(number(m) for m in more)])

    return call


sleep_on = _python_lock("PyThread_acquire_lock", 1)
wake = _python_lock("PyThread_release_lock")


@instruction(types.int64, types.int64, types.int64, types.int64)
def call_piece(builder: Any, code: Any, data: Any, i: Any) -> Any:
    """Call piece `i` of the job whose code and arguments are at these addresses; whether it failed."""
    declared = ir.FunctionType(ir.IntType(64), [ir.IntType(64), ir.IntType(64)])
    return builder.call(builder.inttoptr(code, declared.as_pointer()), [data, i])
