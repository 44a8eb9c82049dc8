"""Models that say the probability of each pixel given those before it: their pixels are pushed as they are.

A file of them has, for each image, the bits of its log-likelihood,

    -log2 p(x) = -sum_d log2 p(x_d | x_1 .. x_(d-1)).                                        (code-length)

The last pixel is pushed first, so that the first is popped first, and the network can go on from it.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..models import NADE, PixelNaiveBayes
from . import tables
from .ans import Integers, Stack, intervals, symbols_of
from .counts import BITS, counts_of_logit, counts_of_logits, counts_of_weights, cumulative
from .network import FixedLinear, fixed
from .tables import FINE, ONE


class PixelByPixel:
    """Codes images whose pixels have a distribution each, once those before them are known.

    Parameters
    ----------
    batch : int
        How many images the network sees at once; no bit depends on it.
    """

    levels = 2

    def __init__(self, batch: int) -> None:
        self.batch = batch

    def distributions(self, x: Integers) -> Iterator[Integers]:
        """Cumulative counts (n, levels + 1) of each pixel of x, (n, pixels), from those before it."""
        raise NotImplementedError

    def order(self, pixels: int) -> Integers:
        """Which pixel comes first, second, and so on."""
        return np.arange(pixels)

    def in_batches(self, x: Integers) -> Iterator[Integers]:
        """The same, from a network that sees `batch` images at once."""
        parts = [self.distributions(x[i : i + self.batch]) for i in range(0, len(x), self.batch)]
        for _ in range(x.shape[1]):
            yield np.concatenate([next(part) for part in parts])

    def encode(self, stack: Stack, x: Integers) -> None:
        """Push images, (n, pixels)."""
        tables_of = zip(self.order(x.shape[1]), self.in_batches(x), strict=True)
        chosen = [intervals(table, x[:, d]) for d, table in tables_of]
        for start, count in reversed(chosen):
            stack.push_all(start, count, BITS)  # (code-length)

    def decode(self, stack: Stack, n: int, pixels: int) -> Integers:
        """Pop images."""
        x = np.zeros((n, pixels), np.int64)
        for d, table in zip(self.order(pixels), self.in_batches(x), strict=True):
            x[:, d] = stack.pop_all(symbols_of(table), n, BITS)
        return x


class OfNADE(PixelByPixel):
    """NADE in whole numbers: `models.NADE`, equations nade-hidden, nade-conditional and nade-recurrence."""

    def __init__(self, model: NADE, batch: int) -> None:
        super().__init__(batch)
        self.W, self.c = fixed(model.W), fixed(model.c)
        state = model.state_dict()
        self.out = [FixedLinear(v[None], b[None]) for v, b in zip(state["V"], state["b"], strict=True)]

    def distributions(self, x: Integers) -> Iterator[Integers]:
        a = np.broadcast_to(self.c, (len(x), len(self.c)))
        for d, (row, out) in enumerate(zip(self.W, self.out, strict=True)):
            h = tables.sigmoid(a) // (FINE // ONE)
            yield counts_of_logit(out(h)[:, 0])
            a = a + x[:, d : d + 1] * row


class OfNaiveBayes(PixelByPixel):
    """Naive Bayes: pixels that depend on nothing but the class, which is coded by bits back.

    The class of an image is no part of it. But its posterior p(c|x) is known, so the encoder *pops* a class
    from the bits that are there already, and the decoder, who knows x in the end, pushes them back.
    """

    def __init__(self, model: PixelNaiveBayes, batch: int) -> None:
        super().__init__(batch)
        self.levels = model.levels
        counts = counts_of_weights(np.rint(model.theta * FINE).astype(np.int64))
        self.tables = cumulative(counts)  # (classes, pixels, levels + 1)
        prior = counts_of_weights(np.rint(model.class_probabilities * FINE).astype(np.int64))
        self.prior, self.log_prior = cumulative(prior)[None], tables.logarithm(prior)
        self.log_counts = tables.logarithm(counts)

    def distributions(self, x: Integers) -> Iterator[Integers]:
        for table in self.tables[0]:
            yield np.broadcast_to(table, (len(x), self.levels + 1))

    def posterior(self, x: Integers) -> Integers:
        """Cumulative counts of the classes of one image, (1, classes + 1)."""
        each = self.log_counts[:, np.arange(len(x)), x].sum(axis=1)
        return counts_of_logits((each + self.log_prior)[None])

    def encode(self, stack: Stack, x: Integers) -> None:
        if len(self.tables) == 1:
            return super().encode(stack, x)
        for image in x[::-1]:
            label = stack.pop_all(symbols_of(self.posterior(image)), 1, BITS)
            stack.push_all(*intervals(self.tables[label[0]], image), BITS)
            stack.push_all(*intervals(self.prior, label), BITS)
        return None

    def decode(self, stack: Stack, n: int, pixels: int) -> Integers:
        if len(self.tables) == 1:
            return super().decode(stack, n, pixels)
        x = np.zeros((n, pixels), np.int64)
        for image in x:
            label = stack.pop_all(symbols_of(self.prior), 1, BITS)
            image[:] = stack.pop_all(symbols_of(self.tables[label[0]]), pixels, BITS)
            stack.push_all(*intervals(self.posterior(image), label), BITS)
        return x
