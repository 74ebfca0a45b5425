"""What partial training saves: seconds a round by policy and fraction, against full training.

    python -m benchmarks.partial --models=transformer_large --precisions=bfloat16 [--json]

All variants of a model take turns on one worker, round by round on the same clients and batches, so
that their ratios do not drift with the machine (see to it that nothing else runs). A variant is
`policy@fraction`, for the policy `fixed` also `fixed_bottom_up@fraction`. The server is FedAdam's.
"""

import dataclasses
import json
import statistics
import sys
from collections.abc import Sequence

from absl import app, flags, logging
from tqdm import tqdm

from benchmarks import measures
from benchmarks.jobs import JOBS, Job
from tff_lm.learning.options import PartialOptions

_PRECISIONS = ("bfloat16", "float32")
_POLICIES = ("fixed", "fixed_bottom_up", "per_round", "per_client_per_round", "rolling")

_MODELS = flags.DEFINE_list("models", ["transformer_small", "transformer_large"], "named models")
_PRECISION = flags.DEFINE_list("precisions", list(_PRECISIONS), "of the matrix products")
_POLICY = flags.DEFINE_list("policies", list(_POLICIES), "who trains what")
_FRACTIONS = flags.DEFINE_list("fractions", ["0.6", "0.4", "0.2"], "trained; 1.0 is always there")
_CLIENTS = flags.DEFINE_integer("clients", 4, "clients of a round", lower_bound=1)
_JOB = flags.DEFINE_enum("job", "chat", sorted(JOBS), "which batches")
_ROUNDS = flags.DEFINE_integer("rounds", 5, "measured rounds; the median counts", lower_bound=1)
_UPLOAD = flags.DEFINE_string("upload", "identity", "codec of the updates")
_JSON = flags.DEFINE_bool("json", False, "end with one line of JSON")

_FULL = "full@1.0"


@dataclasses.dataclass(frozen=True)
class Setting:
    """What the variants that are compared have in common."""

    model: str
    precision: str


def _variants() -> dict[str, PartialOptions]:
    """The options by name, full training first."""
    variants = {_FULL: PartialOptions()}
    for policy in _POLICY.value:
        name = policy.removesuffix("_bottom_up")
        order = "random" if name == policy else "bottom_up"
        for fraction in _FRACTIONS.value:
            options = PartialOptions(name, float(fraction), order=order)
            variants[f"{policy}@{fraction}"] = options
    return variants


def _measure(
    setting: Setting, variants: dict[str, PartialOptions], job: Job
) -> dict[str, list[float]]:
    """Seconds of each measured round, by variant."""
    with measures.local_runtime() as runtime:
        processes = {
            name: measures.build_resident(
                runtime,
                job,
                setting.model,
                setting.precision,
                measures.FED_ADAM,
                options,
                _UPLOAD.value,
            )
            for name, options in tqdm(variants.items(), "compiling", leave=False)
        }
        return measures.take_turns(processes, job.orders(1), _ROUNDS.value)


def _table(setting: Setting, medians: dict[str, float], tokens: int) -> str:
    full = medians[_FULL]
    work = f"{_CLIENTS.value} clients, {tokens:,} tokens a round"
    lines = [
        f"{setting.model}, {setting.precision}: {work}",
        f"{'':30}{'seconds':>9}{'of full':>9}",
        *(f"{name:30}{value:9.2f}{value / full:9.1%}" for name, value in medians.items()),
    ]
    return "\n".join(lines)


def main(argv: Sequence[str]) -> None:
    """Measures, prints a table for each model and precision."""
    if len(argv) > 1:
        raise app.UsageError(f"Unexpected argument {argv[1]!r}; flags begin with --.")
    for flag, known in ((_PRECISION, _PRECISIONS), (_POLICY, _POLICIES)):
        if unknown := set(flag.value) - set(known):
            raise app.UsageError(f"--{flag.name}={min(unknown)}: use {', '.join(known)}.")
    try:
        variants = _variants()
    except ValueError as error:
        raise app.UsageError(str(error)) from error
    logging.set_verbosity(logging.WARNING)  # TFF's compiler tells of every graph.
    job = Job.named(_JOB.value, _CLIENTS.value)
    tokens = job.tokens(1)
    report = []
    for setting in [Setting(m, p) for m in _MODELS.value for p in _PRECISION.value]:
        seconds = _measure(setting, variants, job)
        medians = {name: statistics.median(values) for name, values in seconds.items()}
        print(_table(setting, medians, tokens), end="\n\n")
        sys.stdout.flush()
        report.append({**dataclasses.asdict(setting), "seconds_per_round": seconds})
    if _JSON.value:
        print(json.dumps({"clients": _CLIENTS.value, "tokens": tokens, "settings": report}))


if __name__ == "__main__":
    app.run(main)
