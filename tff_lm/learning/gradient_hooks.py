"""Changes to a client's batch gradient before its optimizer sees it, one hook each."""

from collections.abc import Callable, Sequence

import tensorflow as tf

from tff_lm.learning import scoring

# (index of the variable, its gradient) -> the gradient to apply
GradientMap = Callable[[int, tf.Tensor], tf.Tensor]
# (batch, seed int32[2] of this step) -> the map for this step
GradientHook = Callable[[scoring.Batch, tf.Tensor], GradientMap]


def proximal_term(
    mu: float, variables: Sequence[tf.Variable], anchors: Sequence[tf.Tensor]
) -> GradientHook:
    """Adds mu * (w - w0): FedProx, Li et al. 2020, arXiv 1812.06127, equation 2."""

    def hook(batch, seed):
        del batch, seed
        return lambda i, gradient: gradient + mu * (variables[i] - anchors[i])

    return hook


def control_variate(
    anchor_gradients: Callable[[scoring.Batch, tf.Tensor], Sequence[tf.Tensor | None]],
    control: Sequence[tf.Tensor],
) -> GradientHook:
    """Replaces g(w) by g(w) - g(w0) + c: Mime (arXiv 2008.03606), Algorithm 1.

    Args:
      anchor_gradients: (batch, seed) -> the batch's gradients at the round's initial weights w0.
      control: c, the cohort's mean gradient at w0.
    """

    def hook(batch, seed):
        anchors = anchor_gradients(batch, seed)

        def correct(i, gradient):
            # In this order, so that at w = w0 nothing but c is left, without rounding.
            return (gradient - anchors[i]) + control[i]

        return correct

    return hook


def shift(offsets: Sequence[tf.Tensor]) -> GradientHook:
    """Adds the same tensor to every gradient of a variable: one offset for each variable."""

    def hook(batch, seed):
        del batch, seed
        return lambda i, gradient: gradient + offsets[i]

    return hook


def compose(hooks: Sequence[GradientHook]) -> GradientHook:
    """Applies the hooks one after the other; none at all is the identity."""

    def hook(batch, seed):
        maps = [h(batch, seed) for h in hooks]

        def apply_all(i, gradient):
            for change in maps:
                gradient = change(i, gradient)
            return gradient

        return apply_all

    return hook
