"""A plain PyTorch loop on the job of `benchmarks.round --job=peers`: how fast this machine is.

    python -m benchmarks.bare_torch --model=transformer_large --clients=4

Other simulators (Flower, pfl-research, FedJAX) were measured elsewhere; their figures move with
this loop, so a machine is compared by it. Batches are padded to their longest sentence, then all to
one length: more arithmetic, but oneDNN compiles a kernel for each shape only once.
PyTorch is not among this project's requirements: run it where `torch` lies next to them.
"""

# bazel: unlocked = torch

import json
import math
import statistics
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from absl import app, flags

from benchmarks.jobs import LEARNING_RATE, MAX_LENGTH, Job
from tff_lm.models.registry import MODELS

_MODEL = flags.DEFINE_string("model", "transformer_large", "a named Transformer")
_CLIENTS = flags.DEFINE_integer("clients", 4, "clients of a round", lower_bound=1)
_ROUNDS = flags.DEFINE_integer("rounds", 3, "measured rounds; the median counts", lower_bound=1)
_VOCABULARY = 4000


def _network(name: str) -> Any:
    import torch
    from torch import nn

    sizes = MODELS[name].sizes
    width, heads = sizes["width"], sizes["heads"]

    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.norm_1, self.norm_2 = nn.LayerNorm(width), nn.LayerNorm(width)
            self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
            self.up, self.down = (
                nn.Linear(width, sizes["hidden"]),
                nn.Linear(sizes["hidden"], width),
            )

        def forward(self, x):
            batch, length, _ = x.shape
            split = self.qkv(self.norm_1(x)).view(batch, length, 3, heads, width // heads)
            q, k, v = split.permute(2, 0, 3, 1, 4)
            mixed = nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
            x = x + self.out(mixed.transpose(1, 2).reshape(batch, length, width))
            return x + self.down(torch.relu(self.up(self.norm_2(x))))

    class Decoder(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.table = nn.Parameter(torch.randn(_VOCABULARY, width) * width**-0.5)
            self.blocks = nn.ModuleList([Block() for _ in range(sizes["layers"])])
            self.norm = nn.LayerNorm(width)
            angles = torch.arange(64)[:, None] * 10000.0 ** (
                -torch.arange(width // 2)[None] / (width // 2)
            )
            self.register_buffer("positions", torch.cat([angles.sin(), angles.cos()], 1))

        def forward(self, ids):
            x = self.table[ids] * math.sqrt(width) + self.positions[: ids.shape[1]]
            for block in self.blocks:
                x = block(x)
            return self.norm(x) @ self.table.T

    return Decoder()


def _tokens_per_second(precision: str, batches: list[tuple[np.ndarray, np.ndarray]]) -> float:
    import torch

    network = _network(_MODEL.value)
    optimizer = torch.optim.SGD(network.parameters(), LEARNING_RATE)
    tensors = [(torch.tensor(x).long(), torch.tensor(y).long()) for x, y in batches]

    def run() -> None:
        for x, y in tensors:
            optimizer.zero_grad(set_to_none=True)
            with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16"):
                logits = network(x)
            loss = torch.nn.functional.cross_entropy(
                logits.flatten(0, 1).float(), y.flatten(), ignore_index=0
            )
            loss.backward()
            optimizer.step()

    run()
    times = []
    for _ in range(_ROUNDS.value):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return sum(int(np.count_nonzero(y)) for _, y in batches) / statistics.median(times)


def _widened(ids: np.ndarray) -> np.ndarray:
    """int32[B, T] -> int32[B, MAX_LENGTH], padded with 0."""
    return np.pad(ids, [(0, 0), (0, MAX_LENGTH - ids.shape[1])])


def main(argv: Sequence[str]) -> None:
    """Prints real target tokens per second, in float32 and under bfloat16 autocast."""
    if len(argv) > 1:
        raise app.UsageError(f"Unexpected argument {argv[1]!r}; flags begin with --.")
    longest = list(Job.named("peers", _CLIENTS.value).arrays(1))
    paddings = {"longest": longest, "fixed": [(_widened(x), _widened(y)) for x, y in longest]}
    rates = {
        f"{precision}_{padding}": round(_tokens_per_second(precision, batches), 1)
        for precision in ("float32", "bfloat16")
        for padding, batches in paddings.items()
    }
    print(json.dumps({"model": _MODEL.value, "bare_torch_tokens_per_second": rates}))


if __name__ == "__main__":
    app.run(main)
