"""Options of the training program: rounds, evaluations, checkpoints."""

from __future__ import annotations

import dataclasses

from tff_lm.options import option


@dataclasses.dataclass(frozen=True)
class FederatedOptions:
    """Rounds, cohorts and local training."""

    rounds: int = option(100, "rounds of training", minimum=0, fixed=False)
    clients_per_round: int = option(8, "clients in a round's cohort", minimum=1)
    examples_per_client: int = option(160, "sentences of a client in a round", minimum=1)
    batch_size: int = option(16, "sentences in a batch", minimum=1)
    max_length: int = option(
        30, "sub-words of a row; a longer sentence is several", minimum=2, maximum=512
    )
    local_epochs: int = option(1, "passes of a client over its sentences", minimum=1)
    local_steps: int = option(0, "most steps of a client in a round; 0: all", minimum=0)


@dataclasses.dataclass(frozen=True)
class EvaluationOptions:
    """When and on whom the model is measured."""

    every: int = option(
        10, "rounds between evaluations; 0: only at the end", minimum=0, fixed=False
    )
    names: str = option("validation", "what is measured, such as validation, adapted")
    clients: int = option(16, "validation clients of these, a fixed sample", minimum=1)
    examples_per_client: int = option(0, "sentences of a client; 0: all", minimum=0)
    batch_size: int = option(64, "sentences in a batch", minimum=1)
    central_perplexity: float = option(
        0.0,
        "reached by central training, with end of sentence: a line in the plots; 0: unknown",
        minimum=0,
        fixed=False,
    )


@dataclasses.dataclass(frozen=True)
class CheckpointOptions:
    """What a run can be resumed from."""

    every: int = option(10, "rounds between checkpoints", minimum=1, fixed=False)
    keep: int = option(2, "latest ones kept, beside the best", minimum=1, fixed=False)
