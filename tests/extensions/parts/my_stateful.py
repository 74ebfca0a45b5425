"""A stateful algorithm from outside: clients go on with the momentum of their last round."""

import tensorflow as tf

from tff_lm.learning.algorithms.algorithm import Algorithm, ClientReport
from tff_lm.learning.registry import ALGORITHMS


@ALGORITHMS.register("remembering")
class Remembering(Algorithm):
    """Kept: the last change; half of it is sent again."""

    def initial_kept(self):
        return tuple(tf.zeros(variable.shape) for variable in self.variables)

    def client_step(self, client, shared, kept):
        del shared
        result = client.train(client.fresh_optimizer(self.client_optimizer))
        change = [new + 0.5 * old for new, old in zip(client.change(), kept, strict=True)]
        update, row = client.upload(change, result)
        return ClientReport(update, row, kept=update.values)
