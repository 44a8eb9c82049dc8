"""Floor 2: probability distributions. Read `base`, `normal`, `bernoulli`, `categorical`, `mixture`, `kl`."""

from .base import Distribution, sum_per_example
from .bernoulli import Bernoulli
from .categorical import Categorical
from .kl import kl_divergence, kl_divergence_monte_carlo
from .mixture import Mixture
from .normal import Normal
from .score_function import score_function

__all__ = [
    "Bernoulli",
    "Categorical",
    "Distribution",
    "Mixture",
    "Normal",
    "kl_divergence",
    "kl_divergence_monte_carlo",
    "score_function",
    "sum_per_example",
]
