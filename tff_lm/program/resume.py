"""From a run's folder back into the run: its last whole checkpoint, and whether it fits."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from tff_lm.program.contracts import Experiment
from tff_lm.run_folder.checkpoints import Checkpoint, CheckpointStore
from tff_lm.run_folder.errors import RunError
from tff_lm.runtime.errors import RuntimeFailure

NOT_BEGUN = -1


def restore(experiment: Experiment, store: CheckpointStore) -> int:
    """Brings the runtime to the newest whole checkpoint, or to the start of a run.

    Returns:
      The number of rounds done, or NOT_BEGUN where there is no checkpoint.

    Raises:
      RunError: if the checkpoint belongs to other text or another vocabulary than the task's.
    """
    checkpoint = store.latest()
    if checkpoint is None:
        experiment.begin()
        return NOT_BEGUN
    restore_from(experiment, store, checkpoint)
    return checkpoint.round


def restore_from(experiment: Experiment, store: CheckpointStore, checkpoint: Checkpoint) -> None:
    """Puts a checkpoint into the runtime; raises RunError if its data or vocabulary are others."""
    # A run of an earlier version does not say what it was trained on.
    trained_on = checkpoint.meta.get("data_hash", experiment.data_hash)
    if trained_on != experiment.data_hash:
        raise RunError(
            f"checkpoint {store.path(checkpoint.round)} was trained on other text than the task "
            f"has now (data {trained_on[:12]}, now {experiment.data_hash[:12]}); put the text of "
            "task.path back as it was or choose another --workdir"
        )
    if checkpoint.meta["vocabulary_hash"] != experiment.vocabulary_hash:
        raise RunError(
            f"checkpoint {store.path(checkpoint.round)} was trained with another vocabulary than "
            "the task has now; restore the task's data or choose another --workdir"
        )
    experiment.runtime.restore(checkpoint.arrays)
    experiment.ledger.restore(checkpoint.meta["ledger"])


def choose(store: CheckpointStore, name: str) -> Checkpoint:
    """The checkpoint called "latest", "best" or by its round; raises RunError if there is none."""
    rounds = store.rounds()
    there = f"there are {', '.join(map(str, rounds))}" if rounds else "the run has none yet"
    if name == "latest":
        latest = store.latest()
        if latest is None:
            damaged = f"none of rounds {', '.join(map(str, rounds))} is whole; restore one"
            raise RunError(f"no checkpoint in {store.folder}: {damaged if rounds else there}")
        return latest
    if name != "best" and not name.isdecimal():
        raise RunError(f"--checkpoint is latest, best or a round, not {name!r}: {there}")
    number = store.best_round() if name == "best" else int(name)
    if number not in rounds:
        raise RunError(f"no checkpoint {name!r} in {store.folder}: {there}")
    return store.load(number)


def choose_best(store: CheckpointStore, name: str) -> Checkpoint:
    """As `choose`; where no checkpoint has a score, the latest one is the best."""
    if name == "best" and store.best_round() is None:
        name = "latest"
    return choose(store, name)


def save(
    experiment: Experiment,
    store: CheckpointStore,
    round_number: int,
    *,
    score: float | None = None,
    arrays: Mapping[str, np.ndarray] | None = None,
) -> None:
    """Writes the checkpoint of a round.

    Args:
      experiment: whose runtime holds the state.
      store: where checkpoints are.
      round_number: how many rounds are done.
      score: of the model, lower is better; None if it was not measured in this round.
      arrays: the state, if it is not to be taken from the runtime.

    Raises:
      RunError: if it cannot be written.
    """
    store.save(
        round_number,
        experiment.runtime.state_arrays() if arrays is None else arrays,
        {
            "score": score,
            "vocabulary_hash": experiment.vocabulary_hash,
            "data_hash": experiment.data_hash,
            "ledger": experiment.ledger.state(),
            "weight_leaves": dict(experiment.weight_leaves),
        },
    )


def rescue(
    experiment: Experiment, store: CheckpointStore, done: int, failure: RuntimeFailure
) -> RunError:
    """Keeps the last state that a failed runtime held, and says what happened.

    Args:
      experiment: whose runtime failed.
      store: where checkpoints are.
      done: the rounds done when the runtime got its state.
      failure: has the state, and after how many calls of `next` since then it was copied.

    Returns:
      The error to raise, for the user.
    """
    rounds, midway = divmod(failure.rounds, experiment.passes)
    reached = max(done, 0) + rounds
    if midway:
        # A state between the passes of a round is none to resume from.
        reached = max(store.rounds(), default=0)
    elif failure.state is not None and reached not in store.rounds():
        save(experiment, store, reached, arrays=failure.state)
    return RunError(
        f"{failure}; log: logs/worker.log. The same command goes on from round {reached}"
    )
