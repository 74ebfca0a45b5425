"""What the comparison of models starts from, and what else was tried for a better start."""

from configs.sweeps import common
from tff_lm.sweep import Sweep

_DESCRIPTION = (
    "AdamW on the same 32,000 sentences of State of the Union addresses, half a pass in 1,000 "
    "steps of 32, in one thread; validation and test are other addresses. Perplexities are after "
    "the last step. `models.py` starts from such runs, which it makes itself.\n\n"
    "What was tried for a better start, each stopped after 250 of the 1,000 steps (`bin.pretrain`"
    " with these flags, and Ctrl-C), validation perplexity on 40 sentences of each address. The "
    "LSTMs stand at 51.0 (large) and 54.0 (small; at a learning rate of 0.006 61.2). The large "
    "Transformer: 69.8 with sinusoidal positions, the same at half the learning rate; 64.3 with "
    "rotary ones, 74.4 at twice the rate. The small one: 83.5 with sinusoidal positions, at 0.006"
    " 73.6; 63.7 with rotary ones. The Conformer, whose convolutions know the order already: 74.8"
    " and, rotary, 73.3. By patches that were not kept: ALiBi beside the sinusoids on the small "
    "Transformer, 75.1, at 0.006 67.3; a quarter of the logits 80.1, or of the initial embeddings"
    " 88.4 (with rotary positions 63.7), on the large one. The large LSTM and the Conformer were "
    "tried at no other rate than 0.002."
)


def get_sweep() -> Sweep:
    return Sweep(
        title="Central pre-training of the models",
        description=_DESCRIPTION,
        config="configs/pretrain_sotu.py",
        runs=common.STARTS,
        columns=("validation_perplexity", "token_perplexity", "word_perplexity", "rounds"),
    )
