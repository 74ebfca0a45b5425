"""Where a federated run starts: from scratch, from pre-trained weights, from a part, with LoRA.

Needs the pre-trained models first:

    for size in small large; do python -m bin.pretrain --config=configs/pretrain_sotu.py \
      --workdir=runs/pretrain/transformer_$size --config.model.name=transformer_$size; done
"""

from configs.sweeps import common
from tff_lm.config.option import Value
from tff_lm.program.sweep import Sweep

_SIZES = ("small", "large")
_LORA = {"lora.rank": 8}
# What each run loads; all that is not named trains as well, but under LoRA.
_STARTS: dict[str, dict[str, Value]] = {
    "all": {},
    "embeddings": {"warm_start.include": "embedding"},
    "attention": {"warm_start.include": "attention"},
    "ffn": {"warm_start.include": "feed_forward"},
    "lora_8": _LORA,
    "lora_8_top_k": {**_LORA, "upload.codec": "top_k", "upload.fraction": 0.25},
}


def get_sweep() -> Sweep:
    runs: dict[str, dict[str, Value]] = {}
    for size in _SIZES:
        model: dict[str, Value] = {"model.name": f"transformer_{size}"}
        source: dict[str, Value] = {
            "warm_start.checkpoint": f"runs/pretrain/transformer_{size}",
            # The last step of a learning rate that has come to its end.
            "warm_start.which": "latest",
        }
        runs[f"{size}_scratch"] = model
        for name, start in _STARTS.items():
            runs[f"{size}_{name}"] = {**model, **source, **start}
    return Sweep(
        title="Where to start",
        description="The Transformers on the chat task, with equal rounds, cohorts and learning "
        "rates: from scratch, from central training on State of the Union addresses, or from a "
        "part of it. Under LoRA corrections of rank 8, norms and biases train and are uploaded; "
        "`top_k` uploads a quarter of each correction (after Kuo et al. 2024).",
        base=common.length(150),
        runs=runs,
        baseline="small_scratch",
    )
