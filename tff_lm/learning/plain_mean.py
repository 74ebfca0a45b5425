"""The weighted mean of uncompressed updates, for the weights that our client work gives."""

from collections import OrderedDict

import numpy as np
import tensorflow as tf
import tensorflow_federated as tff


def _weight_vector(update_weight, count: int) -> tf.Tensor:
    """float32[count]: one weight per variable."""
    return tf.broadcast_to(update_weight["weight"], [count])


class PlainMeanFactory(tff.aggregators.WeightedAggregationFactory):
    """Weighted mean of each variable over the clients whose weight for it is above 0.

    The weight is `OrderedDict(weight=float32[] or float32[n], seed=int32[2])`; a variable of total weight 0 has mean 0.
    """

    def create(self, value_type, weight_type):
        """Returns the process `(<()@SERVER,{V}@CLIENTS,{W}@CLIENTS> -> <(),V,()>@SERVER)`."""
        count = len(value_type)
        weights_type = tff.TensorType(np.float32, [count])

        @tff.tensorflow.computation(value_type, weight_type)
        def scale(value, weight):
            weights = _weight_vector(weight, count)
            scaled = tuple(v * w for v, w in zip(value, tf.unstack(weights), strict=True))
            return scaled, weights

        @tff.tensorflow.computation(scale.type_signature.result[0], weights_type)
        def divide(sums, weights):
            return tuple(
                tf.math.divide_no_nan(s, w) for s, w in zip(sums, tf.unstack(weights), strict=True)
            )

        @tff.federated_computation
        def init_fn():
            return tff.federated_value((), tff.SERVER)

        @tff.federated_computation(
            init_fn.type_signature.result,
            tff.FederatedType(value_type, tff.CLIENTS),
            tff.FederatedType(weight_type, tff.CLIENTS),
        )
        def next_fn(state, value, weight):
            scaled, weights = tff.federated_map(scale, (value, weight))
            mean = tff.federated_map(divide, (tff.federated_sum(scaled), tff.federated_sum(weights)))
            empty = tff.federated_value(OrderedDict(), tff.SERVER)
            return tff.templates.MeasuredProcessOutput(state, mean, empty)

        return tff.templates.AggregationProcess(init_fn, next_fn)
