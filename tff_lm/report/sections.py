"""From a group of runs to a section of a report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tff_lm.report import claims, experiments, plots, presentation, table_columns, tables
from tff_lm.report.collect import Group
from tff_lm.report.document import Block, Charts, Commands, Prose, Section
from tff_lm.report.experiments import Experiment
from tff_lm.report.targets import Target, end_of
from tff_lm.sweep import Sweep
from tff_lm.sweep.plan import pretraining_commands

# What holds for all sections.
NOTE = (
    "Figures are means over seeds ± their standard deviation over seeds (n - 1). Test perplexity "
    "is that of a sub-word, of all test clients together; it and the first guess are a keyboard's, "
    "that is without end of sentence and unknown pieces, unless they say “with end of sentence”. "
    "Bytes are measured on what was packed; “less than f32” "
    "is against sending the whole model as float32 in that direction. “To the baseline” is the "
    "relative difference in test perplexity (a keyboard's where both runs have it), taken seed by "
    "seed. Seconds are those of training "
    "alone, without evaluations, on the machine of the run; “uploaded” and “downloaded” count all "
    "clients together."
)
_NOTE_TARGETS = (
    "Read off the perplexities on the run's fixed sample of validation clients, a mean over the "
    "seeds that did. Between two evaluations the logarithm of the perplexity, bytes and seconds "
    "are taken to be linear in the round."
)

_NOTE_CLAIMS = (
    "Means over the seeds that both runs have. A claim holds if it does with each of at least two."
)


def of(group: Group) -> Section:
    """Tables, plots and commands of a group's experiments, as its sweep file wants them shown.

    Raises:
      ConfigError: if the sweep file asks for what the runs do not have.
    """
    declared = presentation.load(group)
    sweep = declared or Sweep(title=group.name, description="")
    found = experiments.by_name(group.runs, list(sweep.runs))
    baseline = experiments.find(found, sweep.baseline)
    blocks = [
        *_prose(sweep.description.strip()),
        *_prose(f"The baseline is `{baseline.name}`." if baseline else ""),
        *_tables(sweep, found, baseline),
        *_plots(group.name, found, baseline),
        _commands(group, found, declared),
    ]
    return Section(group.name, sweep.title, tuple(blocks))


def _prose(text: str) -> list[Block]:
    return [Prose(text)] if text else []


def _tables(
    sweep: Sweep, found: Sequence[Experiment], baseline: Experiment | None
) -> Iterator[Block]:
    measured = [f"{name}.token_perplexity" for name in table_columns.evaluations_of(found)]
    chosen = sweep.columns or (*table_columns.RESULTS, *measured)
    judged = claims.table(sweep.claims, found)
    if judged.rows:
        yield judged
        yield Prose(_NOTE_CLAIMS)
    yield tables.results("Results", found, chosen, baseline)
    yield tables.results("Cost", found, table_columns.COSTS, baseline)
    with_curve = [each for each in found if all(run.curve for run in each.runs)]
    chosen_targets = [Target(perplexity) for perplexity in sweep.target_perplexities]
    ends = [end_of(each) for each in with_curve if each.name in sweep.target_experiments]
    for target in [*chosen_targets, *ends]:
        yield tables.to_reach(target, with_curve, baseline)
    if chosen_targets or ends:
        yield Prose(_NOTE_TARGETS)


def _plots(name: str, found: Sequence[Experiment], baseline: Experiment | None) -> Iterator[Charts]:
    charts = tuple(plots.of(name, found, baseline))
    if charts:
        yield Charts(charts)


def _commands(group: Group, found: Sequence[Experiment], declared: Sweep | None) -> Commands:
    lines = [
        run.command or f"# {run.experiment}, seed {run.seed}: its version did not record it"
        for experiment in found
        for run in experiment.runs
    ]
    each = "the run" if len(lines) == 1 else f"each of the {len(lines)} runs"
    if not declared:
        return Commands(f"Commands: {each}", tuple(lines))
    starts = ", what they start from" if declared.pretrainings else ""
    summary = f"Commands: the whole sweep{starts}, and {each} by itself"
    return Commands(summary, (*_of_sweep(group, declared), *lines))


def _of_sweep(group: Group, sweep: Sweep) -> Iterator[str]:
    yield "# All of them:"
    yield presentation.command(group)
    if sweep.pretrainings:
        yield "# What they start from, by itself:"
        yield from pretraining_commands(sweep)
    yield "# Each by itself:"
