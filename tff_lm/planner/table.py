"""A plan for the screen."""

from __future__ import annotations

import math
import shlex
from collections.abc import Iterator, Sequence

from tff_lm.config import find_option
from tff_lm.planner.offers import Offer
from tff_lm.planner.plan import Plan
from tff_lm.run_folder.progress import human_bytes
from tff_lm.run_folder.repeating_command import override_flags

_HEAD = f"  {'codec':<24}{'sent':>6}{'mean':>10}{'at most':>10}{'bits each':>11}{'less':>8}"
_NOTES = """\
Bytes are exact: the codecs' own, on the shapes of the model's variables; "at most" is what no
client of any round exceeds, and what must fit. "sent" is the share of the parameters that a
client trains and uploads on average, "bits each" the mean number of bits for each parameter of
the whole model, "less" the reduction against the model in float32. "error" is a proxy to sort by,
for normal values: the squared error of the mean over a cohort, in which noise averages out and
bias does not, relative to a client's update (download: to the model). Only a training can tell
what it costs in perplexity. Entropy coding is left out: its bytes depend on the update. A client
of the policy "fixed" downloads what is frozen only once. Mime and SCAFFOLD exchange more than is
counted."""


def render(plan: Plan, rows: int) -> str:
    """Both tables, with the flags of each setting, and the command that trains with the first ones.

    Args:
      plan: what fits.
      rows: most settings of each table.
    """
    request = plan.request
    best = plan.uploads[0], plan.downloads[0]
    lines = [
        f"{request.model}: {plan.parameters:,} parameters at a vocabulary of "
        f"{request.vocabulary_size:,}, {human_bytes(plan.model_bytes)} in float32",
        *_table("upload", plan, plan.uploads, request.upload_bytes, rows),
        *_table("download", plan, plan.downloads, request.download_bytes, rows),
        "",
        f"The first of both: {_less(plan, best[0])} less upload, {_less(plan, best[1])} less "
        "download.",
        f"  {train_command(plan)}",
        "",
        _NOTES,
    ]
    return "\n".join(lines)


def train_command(plan: Plan) -> str:
    """Trains with the first setting of both directions, at the preset's rates for the model."""
    values = {
        "task.vocabulary_size": plan.request.vocabulary_size,
        **plan.uploads[0].overrides,
        **plan.downloads[0].overrides,
    }
    changed = {key: value for key, value in values.items() if value != find_option(key).default}
    preset = f"--config=configs/chat.py:{plan.request.model}"
    words = [preset, "--workdir=runs/plan", *override_flags(changed)]
    return f"python -m bin.train {shlex.join(words)}"


def _table(
    direction: str, plan: Plan, offers: Sequence[Offer], limit: float, rows: int
) -> Iterator[str]:
    within = "" if math.isinf(limit) else f" within {human_bytes(limit)}"
    shown = "all shown" if len(offers) <= rows else f"the first {rows} shown"
    yield f"\n{direction} of a client in a round{within}: {len(offers)} settings, {shown}"
    yield f"{_HEAD}{'error':>9}"
    for offer in offers[:rows]:
        yield (
            f"  {offer.label:<24}{offer.fraction:>6.0%}{human_bytes(offer.mean_bytes):>10}"
            f"{human_bytes(offer.worst_bytes):>10}"
            f"{8 * offer.mean_bytes / plan.parameters:>11.2f}{_less(plan, offer):>8}"
            f"{offer.error:>9.2g}"
        )
        yield f"    {shlex.join(override_flags(offer.overrides)) or '(the default)'}"


def _less(plan: Plan, offer: Offer) -> str:
    return f"{plan.model_bytes / offer.mean_bytes:.1f}x"
