"""What the runs of a sweep were to show, and whether they do."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from tff_lm.report import experiments, headline
from tff_lm.report.document import Cell, Column, Table
from tff_lm.report.experiments import Experiment
from tff_lm.report.runs import Run
from tff_lm.report.table_columns import NOTHING
from tff_lm.sweep import Claim

_UPLOAD = "communication.upload_bytes_per_client"

_HEAD = ("claim", "test perplexity, to the other's", "upload, less than the other", "seeds")
_VERDICT = Column("does it hold?", is_number=False)


@dataclasses.dataclass(frozen=True)
class _Evidence:
    """Figures of a claim's two experiments, by the seeds that both have.

    Attributes:
      ratios: test perplexity / the other's.
      savings: the other's upload of a client and round / the upload.
    """

    ratios: tuple[float, ...]
    savings: tuple[float, ...]


def table(claims: Sequence[Claim], found: Sequence[Experiment]) -> Table:
    """A row a claim that runs speak to: what is claimed, what was measured, is it enough."""
    columns = (Column(_HEAD[0], is_number=False), *map(Column, _HEAD[1:]), _VERDICT)
    judged = [(claim, _evidence(claim, found)) for claim in claims]
    rows = tuple(_row(claim, evidence) for claim, evidence in judged if evidence.ratios)
    return Table("Claims", columns, rows)


def verdict(claim: Claim, evidence: _Evidence) -> str:
    """Whether the claim holds, in words, by the evidence of at least one seed.

    It does if it holds with each of at least two seeds, and does not if it fails with each of them.
    """
    seeds = list(zip(evidence.ratios, evidence.savings, strict=True))
    good = sum(
        ratio <= claim.perplexity_at_most and saving >= claim.upload_less_by
        for ratio, saving in seeds
    )
    if len(seeds) == 1:
        return "with one seed" if good else "not with one seed"
    if good == len(seeds):
        return "yes"
    return f"with {good} of {len(seeds)} seeds" if good else "no"


def _row(claim: Claim, evidence: _Evidence) -> tuple[Cell, ...]:
    return (
        Cell(_words(claim)),
        _mean(evidence.ratios, "{:.3f}x"),
        _mean(evidence.savings, "{:.1f}x"),
        Cell(str(len(evidence.ratios)), len(evidence.ratios)),
        Cell(verdict(claim, evidence)),
    )


def _words(claim: Claim) -> str:
    less = 1.0 - claim.perplexity_at_most
    perplexity = f"{less:.0%} lower perplexity than" if less else "no higher perplexity than"
    upload = f", at {claim.upload_less_by:g}x less upload" if claim.upload_less_by else ""
    return f"{claim.run}: {perplexity} {claim.against}{upload}"


def _evidence(claim: Claim, found: Sequence[Experiment]) -> _Evidence:
    run, against = (experiments.find(found, name) for name in (claim.run, claim.against))
    if run is None or against is None:
        return _Evidence((), ())
    theirs = {each.seed: each for each in against.runs}
    pairs = [(each, theirs[each.seed]) for each in run.runs if each.seed in theirs]
    return _Evidence(
        tuple(_perplexities(mine, base) for mine, base in pairs),
        tuple(_ratio(base.figure(_UPLOAD), mine.figure(_UPLOAD)) for mine, base in pairs),
    )


def _perplexities(mine: Run, base: Run) -> float:
    key = f"test.{headline.perplexity((mine, base)).name}"
    return _ratio(mine.figure(key), base.figure(key))


def _ratio(numerator: float | None, denominator: float | None) -> float:
    # A run that diverged has no perplexity: no claim holds with it.
    return numerator / denominator if numerator and denominator else float("nan")


def _mean(values: Sequence[float], form: str) -> Cell:
    found = experiments.spread(values)
    return Cell(form.format(found.mean), found.mean) if found else Cell(NOTHING)
