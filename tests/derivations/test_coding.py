"""Entropy coding: the stack of numbers, counts of symbols, whole-number networks, the length of files."""

from __future__ import annotations

from typing import Any

import coding_models
import numpy as np
import pytest
from scipy import special, stats
from tools import assert_at_most, assert_close

import scratchgen as sg
from scratchgen.backend import RandomStream
from scratchgen.coding import bits_back, compress, decompress, tables
from scratchgen.coding.ans import LOWEST, Stack, intervals, symbols_of
from scratchgen.coding.counts import BITS, counts_of_logit, counts_of_logits, counts_of_weights
from scratchgen.coding.files import coder_of, levels_of, starting_words
from scratchgen.coding.network import FixedLinear, fixed, function_of
from scratchgen.coding.tables import FINE, ONE
from scratchgen.models import NADE, VAE, PixelNaiveBayes

pytestmark = pytest.mark.host_only

RNG = np.random.default_rng(0)


@pytest.mark.equation("ans-push")
@pytest.mark.equation("ans-pop")
def test_a_push_is_duda_s_formula_and_a_pop_undoes_it() -> None:
    stack, x, r = Stack(lanes=1), LOWEST, 12
    for start, count in ((5, 9), (0, 1000), (4095, 1), (1000, 3096)):
        before, x = x, (x // count << r) + start + x % count  # Python's whole numbers have no limit
        stack.push(np.array([start]), np.array([count]), r)
        assert int(stack.heads[0]) == x
        assert_close(stack.heads[0] / 2**32, x / 2**32)
        assert start <= int(stack.slots(1, r)[0]) < start + count
        again = Stack.from_bytes(stack.to_bytes(), 1)
        again.pop(np.array([start]), np.array([count]), r)
        assert int(again.heads[0]) == before
    assert stack.height == 0


@pytest.mark.equation("ans-limit")
@pytest.mark.parametrize(("count", "r"), [(9, 12), (1, 24), (255, 8)])
def test_a_word_goes_out_from_the_first_number_that_would_grow_too_large(count: int, r: int) -> None:
    """That is the first x whose push would need 2^63 or more: here it, and the one before it."""
    limit = count << (63 - r)
    for x, words in ((limit - 1, 0), (limit, 1)):
        stack = Stack(lanes=1)
        stack.heads[0] = x
        stack.push(np.array([0]), np.array([count]), r)
        assert_close(stack.height, words)
        kept = x >> 32 * words
        assert int(stack.heads[0]) == (kept // count << r) + kept % count < 2**63


@pytest.mark.equation("ans-push")
@pytest.mark.equation("ans-pop")
@pytest.mark.equation("ans-limit")
@pytest.mark.parametrize("lanes", [1, 3, 16])
@pytest.mark.parametrize("r", [1, 8, 20, 24])
def test_any_symbols_come_back_and_take_the_bits_of_their_counts(lanes: int, r: int) -> None:
    n = 2000
    start = RNG.integers(0, 2**r, n)
    count = np.minimum(1 + (RNG.random(n) ** 4 * 2**r).astype(np.int64), 2**r - start)
    stack = Stack(lanes)
    stack.push_all(start, count, r)
    assert (stack.heads >= LOWEST).all()
    assert (stack.heads < 2**63).all()
    length = 32 * stack.height + np.log2(stack.heads / LOWEST).sum()
    information = (r - np.log2(count)).sum()
    assert_at_most(abs(length - information) / max(information, 1), 1e-5 if r <= 20 else 2e-4)
    stack = Stack.from_bytes(stack.to_bytes(), lanes)
    seen = stack.pop_all(lambda part, slots: (slots, start[part], count[part]), n, r)
    assert (seen >= start).all()
    assert (seen < start + count).all()
    assert (stack.heads == LOWEST).all()
    assert stack.height == 0


def test_our_files_of_symbols_are_as_short_as_those_of_constriction() -> None:
    constriction = pytest.importorskip("constriction")
    p = np.array([0.6, 0.3, 0.08, 0.02])
    symbols = RNG.choice(4, 50_000, p=p).astype(np.int32)
    theirs = constriction.stream.stack.AnsCoder()
    model = constriction.stream.model.Categorical(p, perfect=True)
    theirs.encode_reverse(symbols, model)
    table = np.tile(counts_of_logits(fixed(np.log(p))[None]), (len(symbols), 1))
    stack = Stack(4)
    stack.push_all(*intervals(table, symbols.astype(np.int64)), BITS)
    ours = 8 * len(stack.to_bytes())
    assert abs(ours - theirs.num_bits()) < 8 * 32 + 1e-3 * ours
    np.testing.assert_array_equal(stack.pop_all(symbols_of(table), len(symbols), BITS), symbols)
    np.testing.assert_array_equal(theirs.decode(model, len(symbols)), symbols)


@pytest.mark.equation("symbol-counts")
def test_counts_are_probabilities_and_every_symbol_has_one() -> None:
    logits = RNG.normal(size=(200, 17)) * 4
    logits[0, 3] = -100.0
    table = counts_of_logits(fixed(logits))
    counts = np.diff(table, axis=1)
    assert (table[:, 0] == 0).all()
    assert (table[:, -1] == 2**BITS).all()
    assert (counts >= 1).all()
    assert_close(counts / 2**BITS, special.softmax(logits, axis=1), rtol=2e-3, atol=3e-5)
    p = special.softmax(logits, axis=1)
    lost = (p * (np.log2(p + 1e-300) - np.log2(counts / 2**BITS))).sum(axis=1)
    assert_at_most(lost, 2e-4, "bits")
    logit = np.array([-50.0, -3.0, 0.0, 0.7, 50.0])
    ones = np.diff(counts_of_logit(fixed(logit)), axis=1)[:, 1]
    middle = (np.floor(logit * 512) + 0.5) / 512  # of the table's step, at which it holds the function
    slots = np.floor(np.rint(special.expit(middle) * FINE) / (FINE >> BITS))
    assert_close(ones, np.clip(slots, 1, 2**BITS - 1))  # neither has no slot at all


@pytest.mark.equation("symbol-counts")
def test_a_slot_for_each_symbol_and_the_rest_by_weight_to_the_last_slot() -> None:
    weights = RNG.integers(0, 2**39, (40, 5))
    weights[0, 1:] = 0
    for row, found in zip(weights.tolist(), counts_of_weights(weights), strict=True):
        exact = [1 + (2**BITS - 5) * w // sum(row) for w in row]  # Python's whole numbers have no limit
        largest = row.index(max(row))
        exact[largest] += 2**BITS - sum(exact)
        assert_close(found, exact)


@pytest.mark.equation("fixed-point-linear")
def test_an_affine_map_of_whole_numbers_is_rounded_down() -> None:
    weight, bias = RNG.integers(-300, 300, (4, 6)), RNG.integers(-2000, 2000, 4)
    layer, x = FixedLinear(weight / ONE, bias / ONE), RNG.integers(-90_000, 90_000, (50, 6))
    for row, found in zip(x.tolist(), layer(x), strict=True):
        exact = [
            (sum(a * b for a, b in zip(w, row, strict=True)) + c * ONE) // ONE
            for w, c in zip(weight.tolist(), bias.tolist(), strict=True)
        ]
        assert_close(found, exact)


@pytest.mark.equation("fixed-point-linear")
def test_a_network_in_whole_numbers_is_the_network() -> None:
    model = coding_models.shaken(VAE.dense(16, 32, 3, rng=RandomStream(0)))
    x, z = RNG.random((5, 16)), RNG.normal(size=(5, 3))
    with sg.no_grad():
        double = model.to(np.float64)
        mean, log_var = double.encoder(x)
        logits = double.decoder(z)
    for found, exact in zip(
        (*function_of(model.encoder)(fixed(x)), function_of(model.decoder)(fixed(z))),
        (mean, log_var, logits),
        strict=True,
    ):
        assert found.dtype == np.int64
        assert_close(found / ONE, exact, atol=2e-3)
    parts = [function_of(model.decoder)(fixed(z[i : i + 1])) for i in range(5)]
    assert (np.concatenate(parts) == function_of(model.decoder)(fixed(z))).all()


def test_the_tables_are_the_functions() -> None:
    x = RNG.uniform(-15, 15, 1000)
    whole = fixed(x)
    assert_close(tables.sigmoid(whole) / FINE, special.expit(x), atol=3e-4)
    assert_close(tables.tanh(whole) / ONE, np.tanh(x), atol=2e-3)
    assert_close(tables.exponential(-np.abs(whole)) / FINE, np.exp(-np.abs(x)), rtol=6e-4, atol=2 / FINE)
    assert_close(tables.inverse_sigma(whole) / ONE, np.exp(-x / 2), rtol=2e-3, atol=2 / ONE)
    assert_close(tables.normal_distribution(whole) / FINE, stats.norm.cdf(whole / ONE), atol=2e-7)
    inside = tables.normal_quantiles(8)[1:-1] / ONE
    assert_close(inside, stats.norm.ppf(np.arange(1, 256) / 256), atol=1e-4)
    n = np.array([1, 2, 3, 1000, 2**20, 123456789])
    assert_close(tables.logarithm(n) / ONE, np.log(n), atol=4e-4)


@pytest.mark.equation("posterior-counts")
def test_the_counts_of_a_latent_are_its_posterior_s_share_of_each_bin() -> None:
    coder = bits_back.OfVAE(VAE.dense(16, 8, 1), (16,), 1)
    edges = stats.norm.ppf(np.arange(2**bits_back.LATENT_BITS + 1) / 2**bits_back.LATENT_BITS)
    for mean, sigma in ((0.0, 1.0), (1.3, 0.2), (-2.0, 0.5)):
        k = np.arange(2**bits_back.LATENT_BITS + 1)
        inverse = tables.inverse_sigma(fixed(2 * np.log(sigma)))
        found = coder.below(k, fixed(mean), inverse)
        assert (np.diff(found) >= 1).all()
        assert found[0] == 0
        assert found[-1] == 2**bits_back.POSTERIOR_BITS
        expected = stats.norm.cdf((edges - mean) / sigma)
        assert_close(found / 2**bits_back.POSTERIOR_BITS, expected, atol=2e-3)
    spread = np.diff(coder.below(k, fixed(0.0), np.int64(ONE)))
    assert_close(spread / 2**12, np.ones(len(spread)), atol=0.2)  # of the prior itself, as many in each


def payload(model: Any, x: np.ndarray) -> float:
    """The bits of a file without its header and without lanes."""
    stack = Stack(1, starting_words())
    coder = coder_of(model, x.shape[1:], 64)
    coder.encode(stack, levels_of(x, coder.levels).reshape(len(x), -1))
    return 32 * stack.height + float(np.log2(stack.heads.astype(np.float64) / LOWEST).sum())


@pytest.mark.equation("code-length")
@pytest.mark.parametrize("name", ["naive Bayes", "naive Bayes, classes", "NADE", "PixelCNN, colours"])
def test_a_file_takes_the_bits_of_the_likelihood(name: str) -> None:
    model, x = coding_models.models()[name]
    bits = coding_models.bits(model, x).sum()
    starting = 32 if "classes" in name else 0  # a class is popped before there is a bit
    assert_at_most(
        abs(payload(model, x) - starting / 2 - bits) / bits, 0.001 + starting / bits, "of the bound"
    )


@pytest.mark.equation("bits-back")
@pytest.mark.parametrize("name", ["VAE", "VAE, levels"])
def test_by_bits_back_a_file_takes_the_bits_of_the_bound(name: str) -> None:
    model, x = coding_models.models()[name]
    many = np.concatenate([x] * 15)
    bits = 15 * coding_models.bits(model, x).sum()
    assert_at_most(abs(payload(model, many) - bits) / bits, 0.01, "of the bound")
    assert_close(decompress(model, compress(model, x)), x, rtol=0)  # from the pixels of the same latents


@pytest.mark.equation("bits-back")
def test_the_first_slot_of_a_bin_is_in_it_and_the_one_before_is_not() -> None:
    model = coding_models.shaken(VAE.dense(16, 8, 1, rng=RandomStream(2)))
    coder, x = bits_back.OfVAE(model, (16,), 8), RNG.integers(0, 2, (1, 16))
    (mean,), (inverse,) = coder.posterior(x)
    for k in (1, 40, 2048, 4095):
        first = int(coder.below(np.array([k]), mean, inverse)[0])
        for slot, bin_ in ((first, k), (first - 1, k - 1)):
            stack, bins = Stack(1, starting_words()), np.array([bin_, bin_ + 1])
            stack.heads[0] = (LOWEST << 8) + slot  # whose last 24 bits are the slot
            before = stack.heads.copy()
            coder.encode(stack, x)
            start, end = coder.below(bins, mean, inverse)
            assert start <= slot < end
            assert_close(stack.slots(1, bits_back.LATENT_BITS), [bin_])
            assert (coder.decode(stack, 1, 16) == x).all()
            assert (stack.heads == before).all()


@pytest.mark.equation("code-length")
def test_the_whole_file_is_within_a_hundredth_of_the_bound() -> None:
    rng = np.random.default_rng(3)
    x = (rng.random((3000, 16)) < np.linspace(0.1, 0.9, 16)).astype(np.float32)
    for model in (PixelNaiveBayes().fit(x), coding_models.shaken(NADE(16, 8))):
        data = compress(model, x)
        bits = coding_models.bits(model, x).sum()
        assert_at_most(8 * len(data) / bits - 1, 0.01, "of the bound")
        assert decompress(model, data).tobytes() == x.tobytes()
