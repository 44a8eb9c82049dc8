"""MNIST and Fashion-MNIST: from a folder of the reader's, or downloaded once and kept."""

from __future__ import annotations

import os

from .idx import IdxFile
from .publication import Publication, load
from .record import Images

FILES = {
    "train-images-idx3-ubyte.gz": (60_000, 28, 28),
    "train-labels-idx1-ubyte.gz": (60_000,),
    "t10k-images-idx3-ubyte.gz": (10_000, 28, 28),
    "t10k-labels-idx1-ubyte.gz": (10_000,),
}
"""Of both sets: the four files, and the shape of the array in each."""


def _files(*digests: str) -> tuple[IdxFile, ...]:
    """The four files, by two SHA-256 each: as published, then of the IDX file inside.

    Copies unpacked or compressed anew are common.
    """
    pairs = zip(digests[::2], digests[1::2], strict=True)
    return tuple(IdxFile(*known, pair) for known, pair in zip(FILES.items(), pairs, strict=True))


MNIST = Publication(
    name="mnist",
    folders=("MNIST/raw", "mnist", "raw", "."),
    mirrors=(
        "https://ossci-datasets.s3.amazonaws.com/mnist",
        "https://storage.googleapis.com/cvdf-datasets/mnist",
    ),
    files=_files(
        "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    ),
)
"""LeCun, Y., Cortes, C., & Burges, C. "The MNIST database of handwritten digits"."""

FASHION_MNIST = Publication(
    name="fashion-mnist",
    folders=("FashionMNIST/raw", "fashion-mnist", "fashion_mnist", "raw", "."),
    mirrors=(
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion",
        "https://storage.googleapis.com/tensorflow/tf-keras-datasets",
    ),
    files=_files(
        "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
        "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
        "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
        "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
        "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    ),
)
"""Xiao, H., Rasul, K., & Vollgraf, R. (2017), "Fashion-MNIST", arXiv:1708.07747, MIT licence."""


def mnist(root: str | os.PathLike[str] | None = None) -> Images:
    """The 70,000 handwritten 28x28 digits of MNIST: 60,000 to train on, 10,000 to test.

    Parameters
    ----------
    root : path, optional
        A folder that holds the four files ``train-images-idx3-ubyte.gz``, ``train-labels-idx1-ubyte.gz``,
        ``t10k-images-idx3-ubyte.gz`` and ``t10k-labels-idx1-ubyte.gz``, or has them in ``MNIST/raw/``,
        ``mnist/`` or ``raw/``; unpacked, or compressed by another program, they are welcome too. Nothing in
        the folder is ever changed. Without it, the folder that the environment
        variable ``SCRATCHGEN_DATA`` names is searched likewise. If that is not set, or does not have them,
        they are downloaded (11 MB) to ``scratchgen/mnist/`` in the user's cache folder, once.

    Returns
    -------
    Images
        Images of shape ``(n, 1, 28, 28)``, 256 levels. Kept in memory while the files stay the same.

    Raises
    ------
    DataError
        If `root` lacks a file, a file is damaged (every load compares its SHA-256), or no mirror delivers it.

    References
    ----------
    Y. LeCun, C. Cortes and C. Burges, "The MNIST database of handwritten digits".
    """
    return load(MNIST, root)


def fashion_mnist(root: str | os.PathLike[str] | None = None) -> Images:
    """The 70,000 grey 28x28 pictures of clothes of Fashion-MNIST: 60,000 to train on, 10,000 to test.

    The classes 0 to 9 are: T-shirt or top, trousers, pullover, dress, coat, sandal, shirt, sneaker, bag,
    ankle boot.

    Parameters
    ----------
    root : path, optional
        As for `mnist`; the files have the same names, and may lie in ``FashionMNIST/raw/``, ``raw/``,
        ``fashion-mnist/`` or ``fashion_mnist/``. The download has 31 MB.

    Returns
    -------
    Images
        Images of shape ``(n, 1, 28, 28)``, 256 levels. Kept in memory while the files stay the same.

    Raises
    ------
    DataError
        As for `mnist`.

    References
    ----------
    H. Xiao, K. Rasul and R. Vollgraf (2017), "Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine
    Learning Algorithms", arXiv:1708.07747.
    """
    return load(FASHION_MNIST, root)
