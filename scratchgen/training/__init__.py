"""Floor 5: training. Read `fit`, then `loop`; `checkpoint` is how a run survives whatever happens to it."""

from .adversarial import fit_adversarial
from .checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from .errors import CheckpointError, TrainingError
from .fit import fit
from .interrupt import stop_after
from .loop import every, train
from .ranks import measured, sampled, shared
from .rehearsal import Rehearsal, current_rehearsal, rehearsing
from .run import Run

__all__ = [
    "Checkpoint",
    "CheckpointError",
    "Rehearsal",
    "Run",
    "TrainingError",
    "current_rehearsal",
    "every",
    "fit",
    "fit_adversarial",
    "load_checkpoint",
    "measured",
    "rehearsing",
    "sampled",
    "save_checkpoint",
    "shared",
    "stop_after",
    "train",
]
