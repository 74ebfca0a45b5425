"""`bin.evaluate`: a trained model's figures on a split, with their spread over its people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tff_lm import config as config_lib
from tff_lm import figures
from tff_lm.commands import train
from tff_lm.evaluations import names
from tff_lm.evaluations.registry import VALIDATION
from tff_lm.program import evaluation, resume
from tff_lm.program.interrupt import Interrupts
from tff_lm.run_folder.checkpoints import CheckpointStore
from tff_lm.run_folder.workdir import Workdir


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
      RunError: if there is no such checkpoint.
      Interrupted: after a signal.
    """
    config = config_lib.read_json(workdir.config)
    try:
        config.evaluation.names, name = names.find(config.evaluation.names, wanted)
    except ValueError as error:
        raise config_lib.ConfigError(f"--evaluation: {error}") from error
    with Interrupts():
        store = CheckpointStore(workdir.checkpoints)
        chosen = resume.choose(store, checkpoint)
        with build(config, workdir) as experiment:
            resume.restore_from(experiment, store, chosen)
            chosen_evaluation = evaluation.find(experiment, name)
            split = split or chosen_evaluation.final_split
            evaluation.check_split(experiment, split)
            measured = evaluation.over_clients(experiment, chosen_evaluation, split)
    print(f"{workdir.root}: {config.model.name} after round {chosen.round}")
    if name != VALIDATION:
        print(f"{name}: {chosen_evaluation.division}")
    for measure_name, (found, spread) in measured.items():
        about = split if measure_name in (VALIDATION, split) else f"{measure_name}, {split}"
        print(table(about, found, spread))
    return 0


def table(about: str, found: Mapping[str, float], spread: Mapping[str, Sequence[float]]) -> str:
    """The figures of all clients together, beside percentiles of their own; `about` is its head."""
    shown = [figures.FIGURES[name] for name in spread]
    width = max(len(figure.label) for figure in shown) + 2
    columns = ["all", *(f"{percent}%" for percent in figures.PERCENTILES)]
    lines = [
        f"{about}: {found['clients']:,.0f} clients, {found['examples']:,.0f} sentences, "
        f"{found['words']:,.0f} words, {found['tokens']:,.0f} sub-words, of which "
        f"{found['unk_tokens']:,.0f} are unknown and {found['eos_tokens']:,.0f} end a sentence",
        " " * width + "".join(f"{column:>12}" for column in columns) + "  of the clients",
    ]
    for figure in shown:
        cells = [figure.text(value) for value in (found[figure.name], *spread[figure.name])]
        lines.append(f"{figure.label:<{width}}" + "".join(f"{cell:>12}" for cell in cells))
    return "\n".join(lines)
