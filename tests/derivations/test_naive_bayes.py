"""The equations of naive Bayes, each against a sum over all combinations, or an optimiser."""

from __future__ import annotations

import numpy as np
import pytest
from estimates import assert_mean
from scipy import integrate, special
from tools import assert_close

import scratchgen as sg
from scratchgen.backend import RandomStream
from scratchgen.data import avatars
from scratchgen.data.avatars import world
from scratchgen.data.tables import entropy_of, enumerate_rows
from scratchgen.metrics import exact_kl
from scratchgen.models import CategoricalNaiveBayes, JointMultinomial, PixelNaiveBayes
from scratchgen.models.naive_bayes.smoothing import smoothed

LEVELS = (3, 2, 4)
ROWS = np.random.default_rng(0).integers(0, LEVELS, (40, 3))
LOOKS = enumerate_rows(LEVELS)


def model(alpha: float = 0) -> CategoricalNaiveBayes:
    return CategoricalNaiveBayes(LEVELS, alpha).fit(sg.asarray(ROWS))


@pytest.mark.equation("naive-bayes")
def test_a_combination_has_the_product_of_its_levels_probabilities() -> None:
    product = np.einsum("a,b,c->abc", *model().theta).reshape(-1)
    assert_close(np.exp(model().log_prob(LOOKS)), product, rtol=1e-12)
    course = CategoricalNaiveBayes(avatars.LEVELS).fit(avatars.observations())
    look = avatars.look("LongHairStraight", "Red", "Round", "ShirtScoopNeck", "White")
    assert_close(np.exp(course.log_prob(look)), [0.0054146], atol=5e-8)


@pytest.mark.equation("naive-bayes-maximum-likelihood")
def test_no_other_theta_makes_the_data_more_likely() -> None:
    counts = np.bincount(ROWS[:, 2], minlength=4)
    assert_close(model().theta[2], counts / 40, rtol=1e-15)
    # Gradient ascent on logits, which knows nothing of counts, arrives at the same place.
    logits = sg.tensor(np.zeros(4), requires_grad=True)
    for _ in range(300):
        (slope,) = sg.grad((sg.log_softmax(logits) * sg.asarray(counts / 40)).sum(), logits)
        logits.data[...] += 2 * slope
    assert_close(sg.softmax(logits), model().theta[2], rtol=1e-9)


@pytest.mark.equation("additive-smoothing")
def test_it_is_the_posterior_mean_under_a_symmetric_dirichlet_prior() -> None:
    # Two levels: E theta = int theta^(n1 + a) (1 - theta)^(n2 + a - 1) / int theta^(n1 + a - 1) ...
    for alpha in (1, 2.5):
        smooth = CategoricalNaiveBayes((2,), alpha).fit(np.repeat([[0], [1]], [7, 3], axis=0)).theta[0]

        def posterior(t: float, a: float = alpha) -> float:
            return t ** (7 + a - 1) * (1 - t) ** (3 + a - 1)

        whole = integrate.quad(posterior, 0, 1, epsabs=0)[0]
        first = integrate.quad(lambda t: t * posterior(t), 0, 1, epsabs=0)[0]
        assert_close(smooth[0], first / whole, rtol=1e-8)


@pytest.mark.equation("additive-smoothing")
def test_an_unseen_level_keeps_alpha_of_n_plus_alpha_k() -> None:
    theta = CategoricalNaiveBayes(avatars.LEVELS, 1).fit(avatars.observations()).theta
    assert_close([theta[0][1], theta[4][0]], [1 / 57, 1 / 58], rtol=1e-14)


@pytest.mark.equation("naive-bayes-entropy")
def test_the_entropy_of_a_product_is_a_sum() -> None:
    p = np.exp(model().log_prob(LOOKS))
    assert_close(model().entropy(), special.entr(p).sum(), rtol=1e-12)
    course = CategoricalNaiveBayes(avatars.LEVELS).fit(avatars.observations())
    assert_close(course.entropy(), 6.8114, atol=5e-5)


@pytest.mark.equation("pairwise-independence")
def test_three_that_are_independent_in_pairs_are_not_independent() -> None:
    rows = np.array([[0, 0, 0], [0, 1, 1], [1, 0, 1], [1, 1, 0]])  # two coins, and whether they differ
    for pair in ([0, 1], [0, 2], [1, 2]):
        truth = JointMultinomial((2, 2)).fit(sg.asarray(rows[:, pair]))
        naive = CategoricalNaiveBayes((2, 2)).fit(sg.asarray(rows[:, pair]))
        every = enumerate_rows((2, 2))
        assert_close(truth.log_prob(every), naive.log_prob(every), rtol=1e-14)
    truth = JointMultinomial((2, 2, 2)).fit(sg.asarray(rows))
    naive = CategoricalNaiveBayes((2, 2, 2)).fit(sg.asarray(rows))
    assert_close(np.exp(truth.log_prob(rows)), np.full(4, 1 / 4), rtol=1e-14)
    assert_close(np.exp(naive.log_prob(rows)), np.full(4, 1 / 8), rtol=1e-14)


@pytest.mark.equation("naive-bayes-predictive")
def test_the_next_ones_level_has_the_ratio_of_two_evidences() -> None:
    """p(m | n) = p(n and one more of m) / p(n), each an integral over theta: Gamma functions."""

    def log_evidence(counts: np.ndarray, alpha: float) -> float:
        a = counts + alpha
        return special.gammaln(a).sum() - special.gammaln(a.sum()) - len(a) * special.gammaln(alpha)

    counts = np.array([7, 0, 3, 1])
    for alpha in (0.5, 1, 3):
        theta = CategoricalNaiveBayes((4,), alpha).fit(np.repeat(np.arange(4), counts)[:, None]).theta[0]
        more = [log_evidence(counts + unit, alpha) - log_evidence(counts, alpha) for unit in np.eye(4)]
        assert_close(theta, np.exp(more), rtol=1e-12)


@pytest.mark.equation("additive-smoothing")
@pytest.mark.equation("naive-bayes-predictive")
def test_each_row_of_a_table_is_smoothed_by_itself() -> None:
    counts = np.array([[3, 1, 0], [10, 20, 30]])
    assert_close(smoothed(counts, 2.0), [[5 / 10, 3 / 10, 2 / 10], [12 / 66, 22 / 66, 32 / 66]], rtol=1e-14)


def entropy_over(joint: np.ndarray, kept: list[int]) -> float:
    """The entropy of some of a table's attributes."""
    left_out = tuple(axis for axis in range(joint.ndim) if axis not in kept)
    return entropy_of(joint.sum(axis=left_out).reshape(-1))


@pytest.mark.equation("mutual-information")
def test_of_two_attributes_the_total_correlation_is_the_mutual_information() -> None:
    joint = avatars.joint().sum(axis=(2, 3, 4))  # hair style and hair colour
    product = np.outer(joint.sum(1), joint.sum(0))
    information = special.rel_entr(joint, product).sum()
    entropies = entropy_over(joint, [0]) + entropy_over(joint, [1]) - entropy_over(joint, [0, 1])
    assert_close(entropies, information, rtol=1e-10)
    colours = joint.sum(0)
    seen = colours > 0
    given = sum(p * entropy_of(column / p) for p, column in zip(colours[seen], joint.T[seen], strict=True))
    assert_close(entropy_over(joint, [0]) - given, information, rtol=1e-10)
    assert information > 0.05


@pytest.mark.equation("total-correlation-chain")
@pytest.mark.parametrize("order", [(0, 1, 2, 3, 4), (3, 1, 4, 0, 2)])
def test_in_any_order_each_attribute_adds_what_it_knows_of_the_earlier_ones(order: tuple[int, ...]) -> None:
    joint, total = avatars.joint(), 0.0
    for k in range(1, 5):
        known, new = list(order[:k]), order[k]
        total += entropy_over(joint, [new]) + entropy_over(joint, known) - entropy_over(joint, [*known, new])
    assert_close(total, avatars.total_correlation(), rtol=1e-10)


@pytest.mark.equation("total-correlation")
def test_it_is_the_divergence_from_the_product_of_the_marginals() -> None:
    joint, product = avatars.joint(), np.einsum("a,b,c,d,e->abcde", *avatars.frequencies())
    assert_close(avatars.total_correlation(), special.rel_entr(joint, product).sum(), rtol=1e-10)
    assert_close(avatars.total_correlation(), 0.7315, atol=5e-5)


@pytest.mark.equation("naive-bayes-divergence")
@pytest.mark.parametrize("alpha", [0, 1, 10])
def test_the_divergence_is_total_correlation_plus_what_each_marginal_lacks(alpha: float) -> None:
    fitted = CategoricalNaiveBayes(avatars.LEVELS, alpha).fit(avatars.observations())
    pairs = zip(avatars.frequencies(), fitted.theta, strict=True)
    lacking = sum(special.rel_entr(true, theta).sum() for true, theta in pairs)
    assert_close(exact_kl(fitted.log_prob), avatars.total_correlation() + lacking, rtol=1e-10)


@pytest.mark.equation("iterative-proportional-fitting")
def test_one_sweep_sets_the_last_marginal_and_keeps_odds_ratios() -> None:
    start = np.random.default_rng(1).random((3, 4)) + 0.1
    wanted = np.array([0.2, 0.5, 0.3]), np.array([0.1, 0.2, 0.3, 0.4])
    by_hand = start * (wanted[0] / start.sum(1))[:, None]
    by_hand = by_hand * (wanted[1] / by_hand.sum(0))
    assert_close(by_hand.sum(0), wanted[1], rtol=1e-14)
    fitted = world.iterative_proportional_fit(start, wanted)
    assert_close(fitted.sum(1), wanted[0], rtol=1e-12)
    assert_close(fitted.sum(0), wanted[1], rtol=1e-12)
    for table in (by_hand, fitted):
        odds = table[0, 0] * table[1, 1] / (table[0, 1] * table[1, 0])
        assert_close(odds, start[0, 0] * start[1, 1] / (start[0, 1] * start[1, 0]), rtol=1e-10)


@pytest.mark.equation("iterative-proportional-fitting")
def test_where_nothing_depends_on_anything_one_sweep_is_enough() -> None:
    """The factor is the ratio itself: its root would arrive at the same table too, but only in the limit."""
    wanted = np.array([0.2, 0.5, 0.3]), np.array([0.1, 0.2, 0.3, 0.4])
    independent = np.outer([3.0, 1.0, 2.0], [1.0, 5.0, 2.0, 2.0])
    fitted = world.iterative_proportional_fit(independent, wanted, sweeps=1)
    assert_close(fitted, np.outer(*wanted), rtol=1e-13)


@pytest.mark.equation("joint-multinomial")
@pytest.mark.parametrize("alpha", [0, 2])
def test_the_full_table_counts_whole_rows(alpha: float) -> None:
    joint = JointMultinomial(LEVELS, alpha).fit(sg.asarray(ROWS))
    counts = np.array([np.sum((look == ROWS).all(1)) for look in LOOKS])
    assert_close(np.exp(joint.log_prob(LOOKS)), (counts + alpha) / (40 + 24 * alpha), rtol=1e-12)


def pictures() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(2)
    labels = np.repeat(np.arange(3), (18, 9, 3))  # a class is six times as frequent as another
    return (rng.random((30, 1, 1, 3)) < 0.2 + 0.25 * labels[:, None, None, None]).astype(float), labels


@pytest.mark.equation("pixel-naive-bayes")
def test_an_image_is_a_mixture_of_products() -> None:
    images, labels = pictures()
    fitted = PixelNaiveBayes(levels=2, alpha=1).fit(sg.asarray(images), labels)
    every, joint = joint_by_hand(images, labels)
    images_of = every.reshape(8, 1, 1, 3).astype(float)
    assert_close(np.exp(fitted.log_prob(images_of)), joint.sum(1), rtol=1e-12)
    assert_close(np.exp(fitted.log_prob(images_of)).sum(), 1.0, rtol=1e-12)


def joint_by_hand(images: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """All eight images of three black or white pixels, and p(x, c) of each: shapes (8, 3), (8, 3)."""
    of_class = [images[labels == c] for c in range(3)]
    white = np.stack([(x.sum((0, 1, 2)) + 1) / (len(x) + 2) for x in of_class])  # (class, pixel)
    every = enumerate_rows((2, 2, 2))
    given = np.where(every[:, None] == 1, white, 1 - white).prod(2)  # (image, class)
    return every, given * np.array([18, 9, 3]) / 30


@pytest.mark.equation("pixel-naive-bayes")
def test_images_are_drawn_by_class_then_pixel_by_pixel() -> None:
    images, labels = pictures()
    fitted = PixelNaiveBayes(levels=2, alpha=1).fit(sg.asarray(images), labels)
    drawn = fitted.sample(40_000, RandomStream(3)).reshape(-1, 3)
    every, joint = joint_by_hand(images, labels)
    assert_mean((drawn[:, None] == every).all(2).astype(float), joint.sum(1))  # each of the eight as often


@pytest.mark.equation("bayes-classifier")
def test_the_class_of_greatest_posterior_probability_wins() -> None:
    images, labels = pictures()
    fitted = PixelNaiveBayes(levels=2, alpha=1).fit(sg.asarray(images), labels)
    every, joint = joint_by_hand(images, labels)
    images_of = every.reshape(8, 1, 1, 3).astype(float)
    assert_close(np.exp(fitted.class_log_prob(images_of)), joint, rtol=1e-12)
    assert_close(fitted.classify(images_of), joint.argmax(1), rtol=0)
    # The frequencies of the classes matter: without them some image would go elsewhere.
    assert (joint.argmax(1) != (joint / np.array([18, 9, 3])).argmax(1)).any()
