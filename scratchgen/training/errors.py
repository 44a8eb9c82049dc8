"""The two errors of this floor: training that cannot go on, and a checkpoint that cannot be used."""


class TrainingError(Exception):
    """Training cannot go on: a term that is not finite, a full disk, a run's folder where another trains."""


class CheckpointError(Exception):
    """A checkpoint cannot be written or used. The message names the file, what was found and expected."""
