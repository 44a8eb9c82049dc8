"""Asymmetric numeral systems (Duda 2009): symbols pushed on a number, and popped in the opposite order.

A symbol of probability f / 2^r should make a number x larger by the factor 2^r / f, so that its logarithm
grows by the symbol's information. In whole numbers, where the symbol owns f of the 2^r slots, c .. c + f - 1,

    push:   x' = 2^r floor(x / f) + c + x mod f                                                     (ans-push)
    pop:    x mod 2^r is a slot, and says the symbol;  x' = f floor(x / 2^r) + x mod 2^r - c         (ans-pop)

undo each other exactly, whatever the order of other pushes and pops in between. It is a stack: what was
pushed last is popped first. And it need not be empty to be popped: bits that are there already can be
"decoded" as a sample of any distribution, and pushed back later.

To keep x below 2^63, 32 bits of it are moved to a list of words whenever the next push would pass the limit,

    x >= f 2^(63 - r),                                                                            (ans-limit)

and are fetched again when a pop leaves it below 2^31. Several such numbers stand side by side, lanes that
share the words, so that a push is a few operations on arrays.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import CodingError

Integers = NDArray[np.int64]

LOWEST = 2**31
"""A lane's number is from here to below 2^63."""
WORD = 32


class Stack:
    """Lanes of whole numbers and the words they share.

    Parameters
    ----------
    lanes : int
        How many symbols are pushed at once; each costs 8 bytes in the end.
    supply : callable, optional
        ``supply(n)`` gives n words when a pop finds none left; without it, that is an error.

    Examples
    --------
    >>> stack = Stack(lanes=2)
    >>> stack.push(np.array([0, 3]), np.array([3, 1]), bits=2)  # symbols of probability 3/4 and 1/4
    >>> slots = stack.slots(2, bits=2)
    >>> bool(slots[0] < 3), int(slots[1])
    (True, 3)
    """

    def __init__(self, lanes: int, supply: Callable[[int], NDArray[np.uint32]] | None = None) -> None:
        self.heads = np.full(lanes, LOWEST, np.uint64)
        self.words = np.empty(1024, np.uint32)
        self.height = 0
        self.supply = supply

    @property
    def lanes(self) -> int:
        """How many there are."""
        return len(self.heads)

    def push(self, start: Any, count: Any, bits: int) -> None:
        """Push a symbol on each of the first lanes, by its first slot and its number of slots of 2^bits."""
        f, c, r = np.asarray(count, np.uint64), np.asarray(start, np.uint64), np.uint64(bits)
        x = self.heads[: len(f)]
        full = x >= f << np.uint64(63 - bits)  # (ans-limit)
        if full.any():
            self._store((x[full] & np.uint64(2**WORD - 1)).astype(np.uint32))
            x[full] >>= np.uint64(WORD)
        whole, rest = np.divmod(x, f)
        x[...] = (whole << r) + c + rest  # (ans-push)

    def slots(self, n: int, bits: int) -> Integers:
        """Of the first `n` lanes, the slot that says which symbol is to be popped."""
        return (self.heads[:n] & np.uint64(2**bits - 1)).astype(np.int64)

    def pop(self, start: Any, count: Any, bits: int) -> None:
        """Take back a symbol from each of the first lanes, which `slots` has shown."""
        f, c, r = np.asarray(count, np.uint64), np.asarray(start, np.uint64), np.uint64(bits)
        x = self.heads[: len(f)]
        x[...] = f * (x >> r) + (x & np.uint64(2**bits - 1)) - c  # (ans-pop)
        low = x < LOWEST
        if low.any():
            x[low] = (x[low] << np.uint64(WORD)) | self._fetch(int(low.sum()))

    def push_all(self, start: Integers, count: Integers, bits: int) -> None:
        """Push any number of symbols, so that `pop_all` gives them in their order."""
        for i in reversed(range(0, len(start), self.lanes)):
            self.push(start[i : i + self.lanes], count[i : i + self.lanes], bits)

    def pop_all(self, symbol_of: Callable[[slice, Integers], Any], n: int, bits: int) -> Integers:
        """Pop `n` symbols.

        Parameters
        ----------
        symbol_of : callable
            Of which symbols, and their slots: the symbols, their first slots and numbers of slots.
        n, bits : int
        """
        symbols = np.empty(n, np.int64)
        for i in range(0, n, self.lanes):
            part = slice(i, min(i + self.lanes, n))
            symbols[part], start, count = symbol_of(part, self.slots(part.stop - i, bits))
            self.pop(start, count, bits)
        return symbols

    def _store(self, words: NDArray[np.uint32]) -> None:
        end = self.height + len(words)
        if end > len(self.words):
            self.words = np.concatenate([self.words, np.empty(max(end, len(self.words)), np.uint32)])
        self.words[self.height : end] = words
        self.height = end

    def _fetch(self, n: int) -> NDArray[np.uint64]:
        missing = n - self.height
        if missing > 0:
            if self.supply is None:
                raise CodingError("data: got fewer bits than the images take, expected the whole of the file")
            held, self.height = self.words[: self.height].copy(), 0
            self._store(np.concatenate([self.supply(missing), held]))
        self.height -= n
        return self.words[self.height : self.height + n].astype(np.uint64)

    def to_bytes(self) -> bytes:
        """All of it; little-endian."""
        return self.heads.astype("<u8").tobytes() + self.words[: self.height].astype("<u4").tobytes()

    @classmethod
    def from_bytes(cls, data: bytes, lanes: int) -> Stack:
        """The stack that `to_bytes` wrote."""
        if len(data) < 8 * lanes or (len(data) - 8 * lanes) % 4:
            raise CodingError(f"data: got {len(data)} bytes for {lanes} lanes, expected the whole of a file")
        stack = cls(lanes)
        stack.heads[...] = np.frombuffer(data, "<u8", lanes)
        if (stack.heads < LOWEST).any() or (stack.heads >= 2**63).any():
            raise CodingError("data: got numbers out of their range, expected what compress wrote")
        stack._store(np.frombuffer(data, "<u4", offset=8 * lanes).astype(np.uint32))
        return stack


def symbols_of(cumulative: Integers) -> Callable[[slice, Integers], Any]:
    """What `Stack.pop_all` asks for, of distributions given by their cumulative counts, (n, levels + 1)."""

    def symbol_of(part: slice, slots: Integers) -> Any:
        table = cumulative[part]
        symbol = (slots[:, None] >= table[:, 1:-1]).sum(axis=1)
        return symbol, *intervals(table, symbol)

    return symbol_of


def intervals(cumulative: Integers, symbols: Integers) -> tuple[Integers, Integers]:
    """The first slots of symbols and their numbers of slots, by cumulative counts (n, levels + 1)."""
    rows = np.arange(len(symbols))
    start = cumulative[rows, symbols]
    return start, cumulative[rows, symbols + 1] - start
