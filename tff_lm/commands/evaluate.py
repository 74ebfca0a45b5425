"""`bin.evaluate`: a trained model's figures on a split, with their spread over its people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tff_lm import config as config_lib
from tff_lm.commands import failures, train
from tff_lm.evaluations import names
from tff_lm.evaluations.registry import VALIDATION
from tff_lm.program import evaluation, resume
from tff_lm.program.interrupt import Interrupted, Interrupts
from tff_lm.run_folder.checkpoints import CheckpointStore
from tff_lm.run_folder.workdir import Workdir

_LABELS = {
    "token_perplexity": "perplexity of a sub-word",
    "word_perplexity": "perplexity of a word",
    "bits_per_word": "bits per word",
    "top1_accuracy": "first guess right",
    "top3_accuracy": "one of three guesses right",
}
_FORMATS = {"top1_accuracy": "{:.2%}", "top3_accuracy": "{:.2%}", "bits_per_word": "{:,.3f}"}


def measure(
    workdir: Workdir,
    split: str | None,
    checkpoint: str,
    build: train.Builder = train.build_real,
    *,
    wanted: str = VALIDATION,
) -> int:
    """Prints the figures of a run's model on a split.

    Args:
      workdir: the run's folder.
      split: whose text it is measured on; None: the one that the evaluation ends a run with.
      checkpoint: "latest", "best" or a round.
      build: makes the experiment.
      wanted: the name of one of the run's evaluations, or the expression of another one.

    Returns:
      The exit code.

    Raises:
      ConfigError: if there is no run in `workdir`, or no such evaluation.
    """
    config = config_lib.read_json(workdir.config)
    try:
        config.evaluation.names, name = names.find(config.evaluation.names, wanted)
    except ValueError as error:
        raise config_lib.ConfigError(f"--evaluation: {error}") from error
    with Interrupts():
        try:
            store = CheckpointStore(workdir.checkpoints)
            chosen = resume.choose(store, checkpoint)
            with build(config, workdir) as experiment:
                resume.restore_from(experiment, store, chosen)
                chosen_evaluation = evaluation.find(experiment, name)
                split = split or chosen_evaluation.final_split
                evaluation.check_split(experiment, split)
                measured = evaluation.over_clients(experiment, chosen_evaluation, split)
        except Interrupted as interrupted:
            return interrupted.exit_code
        except failures.FAILURES as error:
            return failures.explain(error)
    print(f"{workdir.root}: {config.model.name} after round {chosen.round}")
    if name != VALIDATION:
        print(f"{name}: {chosen_evaluation.division}")
    for measure_name, (figures, spread) in measured.items():
        about = split if measure_name in (VALIDATION, split) else f"{measure_name}, {split}"
        print(table(about, figures, spread))
    return 0


def table(about: str, figures: Mapping[str, float], spread: Mapping[str, Sequence[float]]) -> str:
    """The figures of all clients together, beside percentiles of their own; `about` is its head."""
    columns = ["all", *(f"{percentile}%" for percentile in evaluation.PERCENTILES)]
    lines = [
        f"{about}: {figures['clients']:,.0f} clients, {figures['examples']:,.0f} sentences, "
        f"{figures['words']:,.0f} words, {figures['tokens']:,.0f} sub-words",
        " " * 28 + "".join(f"{column:>14}" for column in columns) + "  of the clients",
    ]
    for name, label in _LABELS.items():
        text = _FORMATS.get(name, "{:,.2f}")
        cells = [text.format(value) for value in (figures[name], *spread[name])]
        lines.append(f"{label:<28}" + "".join(f"{cell:>14}" for cell in cells))
    return "\n".join(lines)
