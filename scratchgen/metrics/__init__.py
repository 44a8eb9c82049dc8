"""Metrics: how good samples are, and how new."""

from .avatar_rules import AvatarScores, ExpectedScores, exact_kl, expected_scores, score_images, score_looks
from .bootstrap import Estimate, bootstrap_interval
from .codes import Surgery, active_units, aggregated_posterior, elbo_surgery
from .collapse import Diversity, diversity
from .frechet import frechet_distance, frechet_distance_of_gaussians
from .memorisation import distance_ratio, memorised_fraction, nearest_neighbour_ratio
from .modes import ModeCoverage, density_error, mode_coverage
from .parzen import parzen_gap, parzen_log_prob
from .paths import path_unevenness
from .precision_recall import PrecisionRecall, precision_recall
from .privacy import membership_advantage, membership_bound, noise_needed, privacy_spent
from .psnr import psnr
from .quality import SampleQuality, sample_quality
from .ranking import alarm_precision, auroc, average_precision

__all__ = [
    "AvatarScores",
    "Diversity",
    "Estimate",
    "ExpectedScores",
    "ModeCoverage",
    "PrecisionRecall",
    "SampleQuality",
    "Surgery",
    "active_units",
    "aggregated_posterior",
    "alarm_precision",
    "auroc",
    "average_precision",
    "bootstrap_interval",
    "density_error",
    "distance_ratio",
    "diversity",
    "elbo_surgery",
    "exact_kl",
    "expected_scores",
    "frechet_distance",
    "frechet_distance_of_gaussians",
    "membership_advantage",
    "membership_bound",
    "memorised_fraction",
    "mode_coverage",
    "nearest_neighbour_ratio",
    "noise_needed",
    "parzen_gap",
    "parzen_log_prob",
    "path_unevenness",
    "precision_recall",
    "privacy_spent",
    "psnr",
    "sample_quality",
    "score_images",
    "score_looks",
]
