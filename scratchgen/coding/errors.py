"""The error of a file that cannot be read."""


class CodingError(ValueError):
    """A file is damaged, cut short, of another program or another model."""
