"""What all distributions share: their methods, how their parameters are checked, and sums per example.

Values are counted per element: ``Normal(mean, log_var).log_prob(x)`` has the shape of the parameters, one
log-density for each number. The project's losses are in nats per example, so models add up the elements of
each example with `sum_per_example` and average over the batch afterwards, in this order.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection
from typing import Any

import numpy as np

from ..autograd import Tensor, broadcast_to, raw, sum
from ..backend import Array, RandomStream, asarray, check_rng, checks

Samples = int | tuple[int, ...] | None


class Distribution(ABC):
    """A probability distribution whose parameters are raw arrays or Tensors.

    Raw parameters and a raw `x` give raw results; if either is a Tensor, so is the result, and it can be
    differentiated with respect to both.

    Attributes
    ----------
    shape : tuple of int
        The shape of one sample (of one number from each element).
    dtype : data type
        Of the parameters.
    event_ndim : int
        How many trailing axes of a sample share one joint density; 0 unless said otherwise.
    reparameterised : bool
        Whether `rsample` exists.
    support : str
        The values a sample may have, in words.
    weak : bool
        Whether all parameters were given as numbers, so that they take the dtype of what they meet.
    """

    shape: tuple[int, ...]
    dtype: Any
    event_ndim = 0
    reparameterised = False
    support: str
    weak = False

    @abstractmethod
    def log_prob(self, x: Any) -> Any:
        """The logarithm of the density, or of the probability, of each element, in nats.

        Parameters
        ----------
        x : array, Tensor or number
            Of a shape that broadcasts with `shape`, and of the parameters' dtype.

        Returns
        -------
        array or Tensor
            Of the broadcast shape, less the last `event_ndim` axes.
        """

    @abstractmethod
    def sample(self, rng: RandomStream, samples: Samples = None) -> Array:
        """Random values, always a raw array: no gradient flows through them.

        Parameters
        ----------
        rng : RandomStream
        samples : int or tuple of int, optional
            How many; the result has the shape ``(samples, *shape)``, or `shape` if left out.
        """

    def rsample(self, rng: RandomStream, samples: Samples = None) -> Any:
        """Random values as a differentiable function of the parameters (the reparameterisation trick).

        Raises
        ------
        NotImplementedError
            If no such function exists: for discrete values, and for the choice of a mixture's component.
        """
        raise NotImplementedError(
            f"{type(self).__name__}.rsample: its samples jump as the parameters move, so they have no "
            "derivative; use sample(rng), and let gradients flow through log_prob"
        )

    @property
    @abstractmethod
    def mean(self) -> Any:
        """The expected value E[x], of the shape `shape`."""

    @property
    @abstractmethod
    def variance(self) -> Any:
        """The expected squared distance from the mean, of the shape `shape`."""

    @abstractmethod
    def entropy(self) -> Any:
        """-E[log p(x)] in nats, of each element."""

    def log_prob_per_example(self, x: Any, leading: int = 1) -> Any:
        """The log-probability of each example in nats: ``sum_per_example(log_prob(x), leading)``.

        Parameters
        ----------
        x : array, Tensor or number
            As for `log_prob`.
        leading : int
            How many leading axes of the log-probabilities count examples.
        """
        return sum_per_example(self.log_prob(x), leading)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(shape={self.shape}, {self.dtype})"

    def _drawn(self, rng: RandomStream, samples: Samples) -> tuple[tuple[int, ...], int | None]:
        """The shape of what `sample` gives, and which of its axes counts the examples of a batch.

        That is the distribution's own first axis, after those of the samples, as in (samples, batch, ...).
        A single distribution has none: there each sample is an example.
        """
        check_rng(rng)
        lead = () if samples is None else samples if isinstance(samples, tuple) else (samples,)
        for n in lead:
            checks.whole("samples", n)
        alone = len(self.shape) == self.event_ndim
        return (*lead, *self.shape), len(lead) if not alone else 0 if lead else None

    def _value(self, x: Any) -> Any:
        """`x` as an argument of `log_prob`: of the parameters' dtype, and of a shape that fits."""
        if not is_array(x):
            x = asarray(x, self.dtype)
        if x.dtype != self.dtype:
            raise TypeError(
                f"x: got {x.dtype}, expected {self.dtype} like the parameters of {self!r}; "
                f"convert it, for example with sg.asarray(x, '{self.dtype}')"
            )
        joint_shape(x=x.shape, parameters=self.shape)
        return x


def sum_per_example(x: Any, leading: int = 1) -> Any:
    """Add up all elements of each example: the sum over every axis but the first.

    Parameters
    ----------
    x : array or Tensor
        Of shape ``(examples, ...)``.
    leading : int
        How many leading axes count examples; 2 for ``(samples, examples, ...)``.

    Returns
    -------
    array or Tensor
        Of shape ``(examples,)``; with `leading`, of the first so many axes of `x`.

    Examples
    --------
    >>> sum_per_example(np.array([[1.0, 2.0], [3.0, 4.0]]))
    array([3., 7.])
    """
    leading = checks.whole("leading", leading, 0, x.ndim)
    return x if leading == x.ndim else sum(x, axis=tuple(range(leading, x.ndim)))


def parameters(**given: Any) -> list[Any]:
    """Check the parameters of a distribution, by name, and make arrays of numbers and lists.

    Numbers take the dtype of the parameter beside them, float32 if all are numbers. A NaN is refused where to
    look for it costs no wait for a GPU and where a user, not a network, put it: in numbers, and in arrays and
    leaf Tensors in host memory. (What a network makes of its parameters, the training loop watches.)

    Raises
    ------
    TypeError
        If one is no number or array, or not floating-point, or if two have different dtypes.
    ValueError
        If one holds NaN.
    """
    if _are_made_alike(given.values()):
        return list(given.values())
    like = next((raw(x) for x in given.values() if is_array(x) and x.dtype.kind == "f"), None)
    checked = []
    for name, x in given.items():
        known = is_array(x)
        if not known and not isinstance(x, int | float | np.number | list | tuple):
            raise TypeError(f"{name}: got {type(x).__name__}, expected a float array, Tensor or number")
        array = x if known else np.asarray(x, np.float32 if like is None else like.dtype)
        if _has_nan(checks.floating(name, array)):
            raise ValueError(f"{name}: got NaN, expected numbers (shape {array.shape})")
        if not known:
            array = filled(x, like) if is_number(x) and like is not None else asarray(array)
        checked.append(array)
    if any(x.dtype != checked[0].dtype for x in checked[1:]):
        described = ", ".join(f"{name} {x.dtype}" for name, x in zip(given, checked, strict=True))
        raise TypeError(f"parameters of different types: got {described}; expected one type for all")
    return checked


def _are_made_alike(given: Collection[Any]) -> bool:
    """Whether all are what a network made, of one floating-point type: the usual case, nothing to check."""
    dtype = None
    for x in given:
        if type(x) is not Tensor or x.origin is None or x.data.dtype != (dtype or x.data.dtype):
            return False
        dtype = x.data.dtype
    return dtype is not None and dtype.kind == "f"


def filled(number: float, like: Array) -> Array:
    """A single number as an array in the dtype and on the device of `like`, without a copy from the host."""
    x = np.empty((), like.dtype, like=like)
    x.fill(number)
    return x


def is_number(x: Any) -> bool:
    """Whether `x` is a single Python or NumPy number, without a device of its own."""
    return isinstance(x, int | float | np.number)


def is_array(x: Any) -> bool:
    """Whether `x` is a Tensor or an array of some device."""
    return hasattr(x, "dtype") and not isinstance(x, np.generic)


def _has_nan(x: Any) -> bool:
    if isinstance(x, Tensor) and x.origin is not None:
        return False
    x = raw(x)
    # The sum of squares is NaN if and only if a number is (infinities only ever add up to infinity), and a
    # product of vectors is the fastest pass over the numbers that there is.
    return isinstance(x, np.ndarray) and bool(np.isnan(np.vdot(x, x)))


def joint_shape(**shapes: tuple[int, ...]) -> tuple[int, ...]:
    """The shape to which all broadcast.

    Raises
    ------
    ValueError
        Naming the shapes, if there is none.
    """
    distinct = set(shapes.values()) - {()}
    if len(distinct) < 2:  # the usual case, and broadcast_shapes is slow
        return distinct.pop() if distinct else ()
    try:
        return np.broadcast_shapes(*shapes.values())
    except ValueError:
        described = " and ".join(f"{name} of shape {shape}" for name, shape in shapes.items())
        raise ValueError(f"{described} do not broadcast: from the last, axes have to be equal or 1") from None


def spread(x: Any, shape: tuple[int, ...]) -> Any:
    """`x` broadcast to `shape`; `x` itself where it has that shape."""
    return x if x.shape == shape else broadcast_to(x, shape)
