"""Words of memory that several threads read and write, for compiled code: what the `crew` agrees by.

Each operation on a word is atomic and in one order for all threads. Compiled code is kept on disk, and the
address of the words is another in each process, so it finds them by name.
"""

from __future__ import annotations

import platform
from typing import Any

import numpy as np
from llvmlite import binding, ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

words = np.zeros(1 << 10, np.int64)

X86 = platform.machine().lower() in ("x86_64", "amd64")

binding.add_symbol("scratchgen_crew", words.ctypes.data)


def _word(context: Any, builder: Any, index: Any) -> Any:
    module, word = builder.module, ir.IntType(64)
    crew = module.globals.get("scratchgen_crew")
    if crew is None:
        crew = ir.GlobalVariable(module, ir.ArrayType(word, words.size), "scratchgen_crew")
    return builder.gep(crew, [ir.Constant(word, 0), index])


@intrinsic
def load(typing: Any, index: Any) -> Any:
    """The word at `index`."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.load_atomic(_word(context, builder, args[0]), "seq_cst", 8)

    return types.int64(types.int64), code


@intrinsic
def store(typing: Any, index: Any, value: Any) -> Any:
    """Write a word."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        builder.store_atomic(args[1], _word(context, builder, args[0]), "seq_cst", 8)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), code


@intrinsic
def add(typing: Any, index: Any, value: Any) -> Any:
    """Add to a word."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.atomic_rmw("add", _word(context, builder, args[0]), args[1], "seq_cst")

    return types.int64(types.int64, types.int64), code


@intrinsic
def exchange(typing: Any, index: Any, expected: Any, value: Any) -> Any:
    """Write `value` if the word is `expected`; whether it was."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        word = _word(context, builder, args[0])
        return builder.extract_value(builder.cmpxchg(word, args[1], args[2], "seq_cst", "seq_cst"), 1)

    return types.boolean(types.int64, types.int64, types.int64), code


@intrinsic
def cycles(typing: Any) -> Any:
    """The processor's clock, which tells how long something took; always 0 where it cannot be read."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        word = ir.IntType(64)
        if not X86:
            return word(0)
        clock = ir.FunctionType(word, [])
        return builder.call(builder.module.declare_intrinsic("llvm.readcyclecounter", (), clock), [])

    return types.int64(), code


@intrinsic
def pause(typing: Any) -> Any:
    """Tell the processor that this thread waits."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        if X86:
            nothing = ir.FunctionType(ir.VoidType(), [])
            builder.call(builder.module.declare_intrinsic("llvm.x86.sse2.pause", (), nothing), [])
        return context.get_dummy_value()

    return types.void(), code


def _python_lock(name: str, *more: int) -> Any:
    """A function of Python's portable locks, which need nothing else of Python."""

    @intrinsic
    def call(typing: Any, lock: Any) -> Any:
        def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            pointer, number = ir.IntType(8).as_pointer(), ir.IntType(32)
            declared = ir.FunctionType(number, [pointer, *(number for _ in more)])
            function = cgutils.get_or_insert_function(builder.module, declared, name)
            builder.call(function, [builder.inttoptr(args[0], pointer), *(number(m) for m in more)])
            return context.get_dummy_value()

        return types.void(types.int64), code

    return call


sleep_on = _python_lock("PyThread_acquire_lock", 1)
wake = _python_lock("PyThread_release_lock")


@intrinsic
def call_piece(typing: Any, code_: Any, data: Any, i: Any) -> Any:
    """Call piece `i` of the job whose code and arguments are at these addresses; whether it failed."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        declared = ir.FunctionType(ir.IntType(64), [ir.IntType(64), ir.IntType(64)])
        return builder.call(builder.inttoptr(args[0], declared.as_pointer()), [args[1], args[2]])

    return types.int64(types.int64, types.int64, types.int64), code
