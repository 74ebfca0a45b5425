"""A model from outside: nothing between embedding and logits but a dropout."""

from tff_lm.models.layers import Dropout, SubLayer
from tff_lm.models.registry import MODELS, Architecture


class Bigram(SubLayer):
    """[N, d] -> [N, d]."""

    def __init__(self, *, width, dropout, seed, precision):
        del width, seed
        super().__init__("bigram", precision)
        self.dropout = Dropout("bigram/dropout", dropout)

    def call(self, x, context):
        return self.dropout(x, context)


MODELS.register("bigram_tiny")(Architecture(Bigram, {"width": 16}, attends=False))
