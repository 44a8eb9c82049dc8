"""Diffusion models: noise is added step by step, and a network learns to take it away again.

In teaching order: `schedule` (how much noise at each step), `process` (adding it, taking it away when the
data are known, and what the network may predict when they are not), `bound` (the likelihood), `sampling` (the
steps back, DDPM's and DDIM's, with guidance), `ode` (the way back without noise, and its likelihood),
`reverse` (how a network's answer is read), `ddpm` (the model), `latent` (the same on the codes of an
autoencoder).
"""

from .bound import bound_weight, discretised_normal_log_prob, prior_kl
from .ddpm import DDPM, drop_labels
from .latent import LatentDiffusion
from .ode import mean_angle, ode_log_prob, ode_path, ode_step, ode_times, signs, velocity
from .process import (
    noise_from_x0,
    prediction_target,
    q_posterior,
    q_sample,
    q_step,
    score,
    x0_from_prediction,
)
from .sampling import ddim_sigma, ddim_step, ddim_times, guided, mean_from_noise
from .schedule import Schedule, cosine_schedule, linear_schedule

__all__ = [
    "DDPM",
    "LatentDiffusion",
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
    "mean_angle",
    "mean_from_noise",
    "noise_from_x0",
    "ode_log_prob",
    "ode_path",
    "ode_step",
    "ode_times",
    "prediction_target",
    "prior_kl",
    "q_posterior",
    "q_sample",
    "q_step",
    "score",
    "x0_from_prediction",
]
