"""The second thread: ``parallel_for(piece, pieces, args)``, for loops, products and convolutions alike.

A training step shares out hundreds of regions of a tenth of a millisecond, so handing over has to cost
microseconds. Python's threads need a hundred (they sleep, and wait for Python's lock). Here a *crew* of
helpers waits inside compiled code, without Python's lock, watching one word of memory. Who has work (the
*leader*) writes its address there and works too; all take pieces, one after another, until none is left.

- The word, `TICKET`, holds the job's number and how many of its pieces are left. A piece is taken by
  comparing and exchanging the whole word: who still looks at an earlier job cannot take from this one.
- A helper that has seen no work for a millisecond sleeps on a lock, which the next leader releases.
- There is one job at a time. Who finds the crew at work (another Python thread, a piece of a piece) works
  alone.
- Where the machine is busy with other things, a helper may lose its processor in the middle of a piece, and
  the leader waits for it. After such a wait it works alone for 32 pieces, after the next for 64, up to
  2,048.
- A forked child has no helpers: it starts its own at its first loop. Helpers never touch Python, so they
  work for every thread, also during and after the end of the main one.

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

import ctypes
import os
import platform
import threading
import time
from typing import Any

import numpy as np
from llvmlite import binding, ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from . import blas
from .blas import get_threads, set_threads
from .compiled import loop

# Where in the crew's memory what stands, in words of 8 bytes; what different threads write lies in different
# cache lines. A helper's own line says whether it sleeps, and on which lock.
TAKEN, ALONE, PENALTY = 0, 1, 2
TICKET = 8
DONE, FAILED = 16, 17
CODE, DATA, PIECES, WANTED = 24, 25, 26, 27
STARTED, MILLISECOND = 32, 33
LEADER = 40  # 1 while it sleeps, and its lock
HOLDING, HOLDERS, BEFORE = 48, 49, 50
HELPER, LINE, MOST_HELPERS = 56, 8, 63  # each 1 while it sleeps, and its lock

LEFT = 0xFFFFFFFF  # of a ticket: how many pieces are left; above it stands the job's number
LEAST_PENALTY, GREATEST_PENALTY = 32, 2048  # pieces, a measure of the work that is done alone

_words = np.zeros(HELPER + LINE * MOST_HELPERS, np.int64)
_starting = threading.Lock()

# Compiled code finds the crew by name, since it is kept on disk and the address is another in each process.
binding.add_symbol("scratchgen_crew", _words.ctypes.data)


def _word(context: Any, builder: Any, index: Any) -> Any:
    module, word = builder.module, ir.IntType(64)
    crew = module.globals.get("scratchgen_crew")
    if crew is None:
        crew = ir.GlobalVariable(module, ir.ArrayType(word, _words.size), "scratchgen_crew")
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
def pause(typing: Any) -> Any:
    """Tell the processor that this thread waits."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        if platform.machine().lower() in ("x86_64", "amd64"):
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


@loop
def take(job: int) -> None:
    """Work on the job of that number until all its pieces are taken."""
    while True:
        ticket = load(TICKET)
        left = ticket & LEFT
        if ticket >> 32 != job or left == 0:
            return
        code, data, pieces = load(CODE), load(DATA), load(PIECES)
        if exchange(TICKET, ticket, ticket - 1):  # so the three words were this job's
            if call_piece(code, data, pieces - left):
                store(FAILED, 1)
            if add(DONE, 1) + 1 == pieces and exchange(LEADER, 1, 0):
                wake(load(LEADER + 1))


@loop
def help_others(helper: int) -> None:
    """What a helper does for ever."""
    own = HELPER + LINE * helper
    waited = 0
    while True:
        ticket = load(TICKET)
        if ticket & LEFT and helper < load(WANTED):
            take(ticket >> 32)
            waited = 0
        elif waited < load(MILLISECOND):
            pause()
            waited += 1
        else:
            store(own, 1)
            # Work that came just now: back to it, unless its leader saw the 1 and releases the lock.
            if load(TICKET) & LEFT == 0 or not exchange(own, 1, 0):
                sleep_on(load(own + 1))
            waited = 0


@loop
def lead(code: int, data: int, pieces: int) -> int:
    """Do all pieces of a job, with the crew's help where that is to be had; 1 if one of them failed."""
    helpers = min(load(STARTED), threads() - 1, pieces - 1)
    if helpers < 1 or not exchange(TAKEN, 0, 1):
        return alone(code, data, pieces)
    if load(ALONE) > 0:
        add(ALONE, -pieces)
        store(TAKEN, 0)
        return alone(code, data, pieces)
    job = ((load(TICKET) >> 32) + 1) & 0x7FFFFFFF
    store(DONE, 0)
    store(FAILED, 0)
    store(CODE, code)
    store(DATA, data)
    store(PIECES, pieces)
    store(WANTED, helpers)
    store(TICKET, job << 32 | pieces)
    for helper in range(helpers):
        own = HELPER + LINE * helper
        if load(own) and exchange(own, 1, 0):
            wake(load(own + 1))
    take(job)
    if wait_for_helpers(pieces):
        penalty = load(PENALTY)
        store(ALONE, penalty)
        store(PENALTY, min(2 * penalty, GREATEST_PENALTY))
    else:
        store(PENALTY, max(load(PENALTY) - pieces, LEAST_PENALTY))
    failed = load(FAILED)
    store(TAKEN, 0)
    return failed


@loop
def wait_for_helpers(pieces: int) -> bool:
    """Until all pieces are done; whether that took long."""
    for _ in range(load(MILLISECOND)):
        if load(DONE) == pieces:
            return False
        pause()
    while load(DONE) < pieces:  # again, if who ended the job before wakes the leader only now
        store(LEADER, 1)
        if load(DONE) < pieces or not exchange(LEADER, 1, 0):
            sleep_on(load(LEADER + 1))
    return True


@loop
def alone(code: int, data: int, pieces: int) -> int:
    """Do all pieces of a job."""
    failed = 0
    for i in range(pieces):
        failed |= call_piece(code, data, i)
    return failed


@loop
def threads() -> int:
    """How many threads BLAS is set to use, by its user."""
    return load(BEFORE) if load(HOLDERS) > 0 else get_threads()


@loop
def hold_blas() -> None:
    """Let BLAS use one thread, until `release_blas`."""
    while not exchange(HOLDING, 0, 1):
        pause()
    if add(HOLDERS, 1) == 0:
        store(BEFORE, get_threads())
        set_threads(1)
    store(HOLDING, 0)


@loop
def release_blas() -> None:
    """Let BLAS use as many threads as before."""
    while not exchange(HOLDING, 0, 1):
        pause()
    if add(HOLDERS, -1) == 1:
        set_threads(load(BEFORE))
    store(HOLDING, 0)


@loop
def _spin(count: int) -> None:
    for _ in range(count):
        if load(TICKET) & LEFT and load(WANTED) < 0:
            return
        pause()


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


def start() -> None:
    """Start the helpers, unless they run: as many as BLAS has threads and the process has processors."""
    with _starting:
        if _words[MILLISECOND]:
            return
        _spin(1)
        _words[PENALTY] = LEAST_PENALTY
        _words[LEADER + 1] = _new_lock()
        _words[MILLISECOND] = max(_spins_of_a_millisecond() for _ in range(3))
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        add_helpers(min(threads(), cores) - 1)


def add_helpers(count: int) -> None:
    """Start so many more helpers."""
    for _ in range(count):
        helper = int(_words[STARTED])
        if helper == MOST_HELPERS:
            return
        _words[HELPER + LINE * helper + 1] = _new_lock()
        try:
            threading.Thread(target=help_others, args=(helper,), name="scratchgen", daemon=True).start()
        except RuntimeError:  # the interpreter is shutting down: work alone
            return
        _words[STARTED] = helper + 1


def forget() -> None:
    """In a forked child, which has its parent's memory but none of its threads: as before the start."""
    global _starting
    _starting = threading.Lock()
    if _words[HOLDERS]:
        blas.set_number_of_threads(int(_words[BEFORE]))
    _words[:] = 0


def _spins_of_a_millisecond() -> int:
    spins = 5_000
    began = time.perf_counter()
    _spin(spins)
    return int(spins / (time.perf_counter() - began) / 1000) + 1


def _new_lock() -> int:
    """The address of a new lock, taken."""
    python = ctypes.pythonapi
    python.PyThread_allocate_lock.restype = ctypes.c_void_p
    python.PyThread_acquire_lock.argtypes = [ctypes.c_void_p, ctypes.c_int]
    lock = python.PyThread_allocate_lock()
    python.PyThread_acquire_lock(lock, 1)
    return lock


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=forget)
