"""Floor 2: optimisers. Read `sgd`, `adam`, then `flat` for how they run fast."""

from . import schedules
from .adam import Adam, AdamW
from .average import ExponentialMovingAverage
from .clip import clip_grad_norm
from .optimizer import Optimizer
from .private import private_gradients
from .rmsprop import RMSprop
from .sgd import SGD

__all__ = [
    "SGD",
    "Adam",
    "AdamW",
    "ExponentialMovingAverage",
    "Optimizer",
    "RMSprop",
    "clip_grad_norm",
    "private_gradients",
    "schedules",
]
