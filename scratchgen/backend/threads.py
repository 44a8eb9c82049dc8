"""The second thread: ``parallel_for(piece, pieces, args)``, for loops, products and convolutions alike.

A training step shares out hundreds of regions of a tenth of a millisecond, so handing over has to cost
microseconds. Python's threads need a hundred (they sleep, and wait for Python's lock). Here a `crew` waits
inside compiled code, and none but this file knows of it.

How many threads there are, ``OMP_NUM_THREADS``, ``OPENBLAS_NUM_THREADS`` and `threadpoolctl` govern, as they
do for BLAS. Results do not depend on it: pieces are cut by sizes alone, and the caller adds up what they
leave in a fixed order.

How to use it, in a file of ``loops/``::

    @loop
    def double(x, y):                            # called from Python
        pieces = count_pieces(x.size, 1 << 15)
        parallel_for(double_piece, pieces, (pieces, x, y))

    @loop
    def double_piece(i, pieces, x, y):           # called by any thread, for i in 0 .. pieces - 1
        start, stop = piece(i, pieces, x.size)
        a, b = x[start:stop], y[start:stop]
        for j in range(a.size):
            b[j] = 2 * a[j]

or, where the pieces are slices, `parallel_slices`::

    @loop
    def double(x, y):
        parallel_slices(double_slice, 1 << 15, (x, y))

    @loop
    def double_slice(x, y):
        for j in range(x.size):
            y[j] = 2 * x[j]
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from .compiled import loop
from .crew import hold_blas, lead, release_blas

__all__ = ["count_pieces", "hold_blas", "parallel_for", "parallel_slices", "piece_of", "release_blas"]


@intrinsic
def parallel_for(typing: Any, piece: Any, pieces: Any, args: Any) -> Any:
    """Call ``piece(i, *args)`` for i = 0 .. pieces - 1, by several threads; for compiled code.

    Parameters
    ----------
    piece : function
        Compiled (``@loop``), returning nothing. Pieces write to disjoint places; what is to be added up they
        leave in an array, a place for each piece.
    pieces : int
        Cut by sizes alone (`count_pieces`); best of less than a millisecond each. One piece is not shared.
    args : tuple

    Raises
    ------
    MemoryError
        If a piece failed, which compiled ones can for want of memory only.
    """
    called = piece.get_call_type(typing, (types.int64, *args.types), {})

    def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        stack = cgutils.alloca_once_value(builder, values[2])  # where the pieces find the arguments
        compiled = piece.dispatcher.overloads[called.args]
        entry = _entry(context, builder.module, compiled, stack.type)
        return _call_lead(context, builder, entry, stack, values[1])

    return types.void(piece, types.int64, args), code


@intrinsic
def parallel_slices(typing: Any, function: Any, least: Any, args: Any) -> Any:
    """Call ``function(*args)`` on slices of the arrays, cut along their first axis, by several threads.

    Parameters
    ----------
    function : function
        Compiled (``@loop``), returning nothing; writes to disjoint places of the slices.
    least : int
        Numbers of the first array in a slice, at least.
    args : tuple
        Contiguous arrays of one length, cut alike, and numbers.
    """
    called = function.get_call_type(typing, args.types, {})

    def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        stack = cgutils.alloca_once_value(builder, values[2])
        compiled = function.dispatcher.overloads[called.args]
        first = context.make_array(args.types[0])(context, builder, builder.extract_value(values[2], 0))
        pieces = context.compile_internal(
            builder, _pieces, types.int64(*[types.int64] * 2), [first.nitems, values[1]]
        )
        entry = _entry(context, builder.module, compiled, stack.type, args.types)
        return _call_lead(context, builder, entry, stack, pieces)

    return types.void(function, types.int64, args), code


def _pieces(size: int, least: int) -> int:
    return count_pieces(size, least)


def _slice(context: Any, builder: Any, kind: Any, array: Any, i: Any, pieces: Any) -> Any:
    """Piece i of an array: its pointer moved on, its first length changed."""
    whole = context.make_array(kind)(context, builder, array)
    length, *rest = cgutils.unpack_tuple(builder, whole.shape)
    number, one = i.type, ir.Constant(i.type, 1)
    sixteens = builder.mul(pieces, number(16))
    step = builder.mul(builder.sdiv(builder.add(length, builder.sub(sixteens, one)), sixteens), number(16))

    def held(n: Any) -> Any:
        return builder.select(builder.icmp_signed("<", n, length), n, length)

    start = held(builder.mul(i, step))  # as `piece_of`
    stop = held(builder.mul(builder.add(i, one), step))
    row = one
    for n in rest:
        row = builder.mul(row, n)
    whole.data = builder.gep(whole.data, [builder.mul(start, row)])
    length = builder.sub(stop, start)
    whole.shape = cgutils.pack_array(builder, [length, *rest])
    whole.nitems = builder.mul(length, row)
    return whole._getvalue()


def _call_lead(context: Any, builder: Any, entry: Any, stack: Any, pieces: Any) -> Any:
    word = ir.IntType(64)
    data = cgutils.alloca_once(builder, ir.LiteralStructType([stack.type, word]))
    builder.store(stack, builder.gep(data, [ir.IntType(32)(0), ir.IntType(32)(0)]))
    builder.store(pieces, builder.gep(data, [ir.IntType(32)(0), ir.IntType(32)(1)]))
    job = [builder.ptrtoint(entry, word), builder.ptrtoint(data, word), pieces]
    return context.compile_internal(builder, _lead, types.void(*[types.int64] * 3), job)


def _lead(code: int, data: int, pieces: int) -> None:
    if lead(code, data, pieces):
        raise MemoryError("a piece of work shared out between threads failed")


def _entry(context: Any, module: Any, compiled: Any, stack: Any, cut: Any = None) -> Any:
    """What the crew calls: (address of the job, i) -> whether ``piece(i, *args)`` failed.

    With `cut`, the arguments' types, ``function(*slices)`` instead.
    """
    word = ir.IntType(64)
    entry = ir.Function(module, ir.FunctionType(word, [word, word]), module.get_unique_name("entry"))
    entry.linkage = "internal"
    builder = ir.IRBuilder(entry.append_basic_block())
    data, i = entry.args
    job = builder.load(builder.inttoptr(data, ir.LiteralStructType([stack, word]).as_pointer()))
    args = cgutils.unpack_tuple(builder, builder.load(builder.extract_value(job, 0)))
    if cut is None:
        args = [i, *args]
    else:
        pieces = builder.extract_value(job, 1)
        args = [
            _slice(context, builder, kind, a, i, pieces) if isinstance(kind, types.Array) else a
            for kind, a in zip(cut, args, strict=True)
        ]
    context.active_code_library.add_linking_library(compiled.library)
    function = context.declare_function(module, compiled.fndesc)
    status, _ = context.call_conv.call_function(builder, function, types.none, compiled.fndesc.argtypes, args)
    builder.ret(builder.zext(status.is_error, word))
    return entry


@loop
def count_pieces(size: int, least: int) -> int:
    """How many pieces to cut work of that size into: of `least` or more, and not more than 64."""
    return max(1, min(size // least, 64))


@loop
def piece_of(i: int, pieces: int, size: int) -> tuple[int, int]:
    """Start and stop of piece i; every piece but the last begins and ends at a multiple of 16."""
    step = (size + pieces * 16 - 1) // (pieces * 16) * 16
    return min(i * step, size), min(i * step + step, size)
