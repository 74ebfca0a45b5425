"""Joins a learning process with its data: a round takes clients' orders, not batches."""

from collections import OrderedDict
from collections.abc import Callable

import numpy as np
import tensorflow as tf
import tensorflow_federated as tff


def with_client_orders(
    process: tff.learning.templates.LearningProcess,
    dataset_fn: Callable[[tf.Tensor], tf.data.Dataset],
) -> tff.Computation:
    """`(<S@SERVER,{str}@CLIENTS> -> <state=S@SERVER,metrics=M@SERVER>)`.

    Where clients keep something, K, the second argument is `{<order=str,kept=K>}@CLIENTS`.

    Args:
      process: With `next` of type `(<S@SERVER,{D}@CLIENTS> -> ...)`; see `build_learning_process`.
      dataset_fn: A client's order (string[]) -> its batches, in TensorFlow core operations alone:
        it runs at the client. The empty order must give a data set without batches.
    """
    state_type, data_type = process.next.type_signature.parameter
    if isinstance(data_type.member, tff.SequenceType):
        order_type: tff.Type = tff.TensorType(np.str_)
    else:
        kept_type = data_type.member["kept"].element
        order_type = tff.to_type(OrderedDict(order=np.str_, kept=kept_type))

    @tff.tensorflow.computation(order_type)
    def data_of(client):
        if isinstance(order_type, tff.TensorType):
            return dataset_fn(client)
        kept = tf.data.Dataset.from_tensors(client["kept"])
        return OrderedDict(batches=dataset_fn(client["order"]), kept=kept)

    @tff.federated_computation(state_type, tff.FederatedType(order_type, tff.CLIENTS))
    def next_round(state, clients):
        return process.next(state, tff.federated_map(data_of, clients))

    return next_round
