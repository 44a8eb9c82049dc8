"""The one error of data that cannot be read, found or downloaded."""


class DataError(Exception):
    """A data set is missing, damaged, not what it should be, or cannot be downloaded.

    The message names the file, what is wrong with it, and what to do.
    """
