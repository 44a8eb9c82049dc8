"""How well a score ranks what is unusual above what is usual: areas under two curves, exact with ties.

A score s calls unusual whatever lies above a threshold. Let P of the examples be unusual ("positive") and N
usual, and let TP(t) and FP(t) count those of each kind with a score of at least t. The receiver operating
characteristic draws TP(t) / P against FP(t) / N; the area below it is the probability that a positive chosen
at random scores above a negative chosen at random, a tie being worth a half (Hanley & McNeil 1982):

    AUROC = 1 / (P N)  sum_i sum_j ( [s_i > s_j] + [s_i = s_j] / 2 ),   i positive, j negative    (auroc)

It does not depend on how rare the positives are. What a doctor asks does: of those called ill, how many are?
The precision at the threshold t is TP(t) / (TP(t) + FP(t)), and its mean over the positives, each one's own
score being the threshold, is the average precision, the area below the curve of precision against recall:

    AP = 1 / P  sum_i TP(s_i) / (TP(s_i) + FP(s_i)),   i positive                     (average-precision)

Where a share pi of all is positive, and a threshold finds a share rho of them at a rate alpha of false
alarms, Bayes' rule says what an alarm means:

    p(positive | alarm) = pi rho / (pi rho + (1 - pi) alpha)                            (alarm-precision)
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..backend import asnumpy, checks


def auroc(scores: Any, labels: Any) -> float:
    """Return the probability that a positive scores above a negative, ties halved: equation auroc.

    Parameters
    ----------
    scores : array, shape (n,)
        Larger means "positive"; infinity is a score, NaN is none.
    labels : array of bool, or of 0 and 1, shape (n,)
        Which are positive; at least one is and one is not.

    Returns
    -------
    float
        From 0 to 1; a score that knows nothing has 1/2.

    Raises
    ------
    TypeError, ValueError
        If the arguments are not as said above.

    References
    ----------
    Hanley, J. A., & McNeil, B. J. (1982). The meaning and use of the area under a ROC curve. Radiology 143.

    Examples
    --------
    >>> auroc([0.1, 0.4, 0.4, 0.8], [False, False, True, True])
    0.875
    """
    positives, negatives = _counts(scores, labels)
    below = np.cumsum(negatives) - negatives  # negatives below each level
    won = positives @ (below + negatives / 2)
    return float(won / (positives.sum() * negatives.sum()))  # (auroc)


def average_precision(scores: Any, labels: Any) -> float:
    """Return the mean precision at the scores of the positives: equation average-precision.

    Examples of one score are called together or not at all, so that their order never matters.

    Parameters
    ----------
    scores, labels
        As for `auroc`.

    Returns
    -------
    float
        From P / n or so, for a score that knows nothing, to 1.

    Raises
    ------
    TypeError, ValueError
        If the arguments are not as said above.

    Examples
    --------
    >>> average_precision([0.1, 0.4, 0.4, 0.8], [False, False, True, True])  # (1 + 2/3) / 2
    0.8333333333333333
    """
    positives, negatives = _counts(scores, labels)
    found = np.cumsum(positives[::-1])[::-1]  # TP and FP, the threshold at each level
    wrong = np.cumsum(negatives[::-1])[::-1]
    return float(positives @ (found / (found + wrong)) / positives.sum())  # (average-precision)


def alarm_precision(share: float, found: float, false_alarms: float) -> float:
    """Return the probability that an alarm is right: equation alarm-precision.

    Parameters
    ----------
    share : float
        Of positives among all, pi.
    found : float
        The share of the positives that raise an alarm, rho.
    false_alarms : float
        The share of the others that do, alpha.

    Raises
    ------
    ValueError
        If one is no share, or there are no alarms at all.

    Examples
    --------
    >>> round(alarm_precision(share=0.01, found=0.9, false_alarms=0.05), 3)
    0.154
    """
    pi, rho = checks.number("share", share, "[0, 1]"), checks.number("found", found, "[0, 1]")
    alpha = checks.number("false_alarms", false_alarms, "[0, 1]")
    alarms = pi * rho + (1 - pi) * alpha
    if alarms == 0:
        raise ValueError(f"share, found, false_alarms: got {share}, {found}, {false_alarms}: never an alarm")
    return pi * rho / alarms  # (alarm-precision)


def _counts(scores: Any, labels: Any) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """How many positives and negatives have each of the different scores, from the lowest up."""
    scores, labels = np.asarray(asnumpy(scores)), np.asarray(asnumpy(labels))
    checks.shape("scores", scores, ("n",))
    checks.shape("labels", labels, scores.shape, "one for each score")
    if scores.dtype.kind not in "fiub":
        raise TypeError(f"scores: got an array of {scores.dtype}, expected numbers")
    if np.isnan(scores).any():
        raise ValueError(f"scores: got {int(np.isnan(scores).sum())} NaN, expected numbers")
    if labels.dtype != bool:
        checks.whole_numbers("labels", labels)
        checks.within("labels", labels, 0, 1)
    positive = labels.astype(bool)
    if positive.all() or not positive.any():
        raise ValueError(f"labels: got {int(positive.sum())} positives of {len(labels)}, expected both kinds")
    levels, place = np.unique(scores, return_inverse=True)
    positives = np.bincount(place[positive], minlength=len(levels))
    return positives, np.bincount(place, minlength=len(levels)) - positives
