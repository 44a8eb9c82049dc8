"""The gradient of an expectation without a path through the sample (Williams 1992, "REINFORCE").

A draw from q that cannot be written as a smooth function of q's parameters, such as a discrete one, passes no
gradient. But the density can be differentiated in its place:

    d/dtheta E_q f(z) = E_q [ f(z) d/dtheta log q(z) ]                              (score-function-gradient)

Since E_q d/dtheta log q(z) = d/dtheta 1 = 0, any number that does not depend on z may be subtracted from f(z)
there, a *baseline*, and the estimate scatters less if it is near what f(z) is anyway.
"""

from __future__ import annotations

from typing import Any

from ..autograd import raw
from ..backend import checks


def score_function(value: Any, log_prob: Any, baseline: Any = 0.0) -> Any:
    """f(z) as it is, with a first derivative that estimates that of E_q f(z) without bias.

    ::

        f(z) + (f(z) - baseline) (log q(z) - log q(z)),   what is subtracted last held fixed

    has the value f(z), and by the product rule, whose other term is 0, the derivative (f - baseline) dlog q,
    equation score-function-gradient, plus that of f itself where it depends on the parameters too.

    Parameters
    ----------
    value : array or Tensor
        f(z) of draws z of q, in any unit.
    log_prob : Tensor
        log q(z) of the same draws, of the same shape, in nats: joint over all that f depends on.
    baseline : number or array
        What does not depend on z; of a shape that broadcasts to that of `value`.

    Returns
    -------
    Tensor
        Of the shape of `value`, to be averaged into a loss. Only its first derivative means something.

    Raises
    ------
    ValueError
        If the shapes of `value` and `log_prob` differ.

    Examples
    --------
    The derivative of E z by the logit of a coin is s (1 - s), here a quarter:

    >>> import numpy as np
    >>> from scratchgen.autograd import grad, tensor
    >>> from scratchgen.backend import RandomStream
    >>> from scratchgen.distributions import Bernoulli
    >>> logits = tensor(np.zeros(100_000, np.float32), requires_grad=True)
    >>> q = Bernoulli(logits)
    >>> z = q.sample(RandomStream(0))
    >>> (slopes,) = grad(score_function(z, q.log_prob(z), baseline=0.5).sum(), [logits])
    >>> round(float(slopes.mean()), 3)
    0.25
    """
    checks.shape("log_prob", log_prob, tuple(value.shape), "like value")
    return value + (value - baseline) * (log_prob - raw(log_prob))  # (score-function-gradient)
