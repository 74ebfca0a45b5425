"""A stateless algorithm from outside: clients send half of what they learned."""

from tff_lm.learning.algorithms.algorithm import ClientReport
from tff_lm.learning.algorithms.fed_avg import FedAvg
from tff_lm.learning.registry import ALGORITHMS


@ALGORITHMS.register("half_hearted")
class HalfHearted(FedAvg):
    """FedAvg of halved changes."""

    def client_step(self, client, shared, kept):
        del shared, kept
        result = client.train(client.fresh_optimizer(self.client_optimizer), self.hooks(client))
        return ClientReport(*client.upload([0.5 * change for change in client.change()], result))
