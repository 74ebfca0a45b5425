"""From a run's folder back into the run: its last whole checkpoint, and whether it fits."""

from __future__ import annotations

from tff_lm.program.checkpoints import CheckpointStore
from tff_lm.program.contracts import Experiment
from tff_lm.program.errors import RunError

NOT_BEGUN = -1


def restore(experiment: Experiment, store: CheckpointStore) -> int:
    """Brings the runtime to the newest whole checkpoint, or to the start of a run.

    Returns:
      The number of rounds done, or NOT_BEGUN where there is no checkpoint.

    Raises:
      RunError: if the checkpoint belongs to another vocabulary than the task's.
    """
    checkpoint = store.latest()
    if checkpoint is None:
        experiment.runtime.initialize()
        return NOT_BEGUN
    if checkpoint.meta["vocabulary_hash"] != experiment.vocabulary_hash:
        raise RunError(
            f"checkpoint {store.path(checkpoint.round)} was trained with another vocabulary than "
            "the task has now; restore the task's data or choose another --workdir"
        )
    experiment.runtime.restore(checkpoint.arrays)
    return checkpoint.round


def save(
    experiment: Experiment, store: CheckpointStore, round_number: int, score: float | None
) -> None:
    """Writes the runtime's state as the checkpoint of a round; raises RunError if it cannot."""
    store.save(
        round_number,
        experiment.runtime.state_arrays(),
        {
            "score": score,
            "vocabulary_hash": experiment.vocabulary_hash,
            "weight_leaves": dict(experiment.weight_leaves),
        },
    )
