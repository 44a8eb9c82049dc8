"""Metrics: how good samples are, and how new."""

from .avatar_rules import (
    AvatarScores,
    ExpectedScores,
    exact_kl,
    expected_scores,
    score_images,
    score_looks,
)
from .bootstrap import Estimate, bootstrap_interval
from .memorisation import distance_ratio, memorised_fraction, nearest_neighbour_ratio
from .precision_recall import PrecisionRecall, precision_recall

__all__ = [
    "AvatarScores",
    "Estimate",
    "ExpectedScores",
    "PrecisionRecall",
    "bootstrap_interval",
    "distance_ratio",
    "exact_kl",
    "expected_scores",
    "memorised_fraction",
    "nearest_neighbour_ratio",
    "precision_recall",
    "score_images",
    "score_looks",
]
