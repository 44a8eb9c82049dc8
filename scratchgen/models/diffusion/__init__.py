"""Diffusion models: noise is added step by step, and a network learns to take it away again.

In teaching order: `schedule` (how much noise at each step), `process` (adding it, and taking it away when the
data are known), `prediction` (what the network says), `reverse` (one step back, with its variance),
`discretised` and `bound` (the likelihood), `guidance` (labels), `ddim` (fewer steps), `ddpm` (the model).
"""

from .bound import prior_kl
from .ddim import ddim_sigma, ddim_step, ddim_times
from .ddpm import DDPM
from .discretised import discretised_normal_log_prob
from .guidance import drop_labels, guided
from .prediction import bound_weight, noise_from_x0, prediction_target, score, x0_from_prediction
from .process import q_posterior, q_sample, q_step
from .reverse import mean_from_noise
from .schedule import Schedule, cosine_schedule, linear_schedule

__all__ = [
    "DDPM",
    "Schedule",
    "bound_weight",
    "cosine_schedule",
    "ddim_sigma",
    "ddim_step",
    "ddim_times",
    "discretised_normal_log_prob",
    "drop_labels",
    "guided",
    "linear_schedule",
    "mean_from_noise",
    "noise_from_x0",
    "prediction_target",
    "prior_kl",
    "q_posterior",
    "q_sample",
    "q_step",
    "score",
    "x0_from_prediction",
]
