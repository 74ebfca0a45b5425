"""Finds the settings that keep a client's traffic in a round within a budget, without training.

    python -m bin.plan --model=transformer_large --upload_mb=2 --download_mb=20

A megabyte is a million bytes. With a measured speed it also tells what a whole run would cost:

    python -m bin.plan --model=lstm_large --rounds=3000 --clients=200 --tokens=11900 --speed_of=FILE
"""

import math
import pathlib
from collections.abc import Sequence

from absl import flags

from tff_lm import paths
from tff_lm.commands import failures
from tff_lm.config import ConfigError, command_line
from tff_lm.planner.request import POLICIES, Request

_MODEL = flags.DEFINE_string("model", None, "name of the model")
_VOCABULARY_SIZE = flags.DEFINE_integer("vocabulary_size", 4000, "rows of its embedding")
_UPLOAD_MB = flags.DEFINE_float("upload_mb", math.inf, "most of a client in a round")
_DOWNLOAD_MB = flags.DEFINE_float("download_mb", math.inf, "most of a client in a round")
_POLICY = flags.DEFINE_string(
    "policy", "per_client_per_round", f"of partial training, one of {', '.join(POLICIES)}"
)
_FRACTIONS = flags.DEFINE_list("fractions", ["1", "0.6", "0.4", "0.2", "0.1"], "trained, offered")
_INCLUDE = flags.DEFINE_string(
    "include", "", "regular expression: variables that may be frozen, such as feed_forward; all"
)
_ROWS = flags.DEFINE_integer("rows_shown", 8, "most settings in a table", lower_bound=1)

_ROUNDS = flags.DEFINE_integer("rounds", 3000, "of the run whose cost is told", lower_bound=1)
_CLIENTS = flags.DEFINE_integer("clients", 200, "in a round; noise averages out", lower_bound=1)
_TOKENS = flags.DEFINE_float("tokens", None, "of a client in a round", lower_bound=1)
_SPEED = flags.DEFINE_float("tokens_per_second", None, "of a machine", lower_bound=1e-9)
_SPEED_OF = flags.DEFINE_string("speed_of", None, "a summary.json to read that speed from")


def main(arguments: Sequence[str]) -> int:
    """Prints what fits; a mistake, or nothing that fits, is one line and exit code 2."""
    command_line.refuse_positional(arguments)
    request = Request(
        model=command_line.required(_MODEL),
        vocabulary_size=_VOCABULARY_SIZE.value,
        upload_bytes=1e6 * _UPLOAD_MB.value,
        download_bytes=1e6 * _DOWNLOAD_MB.value,
        policy=_POLICY.value,
        fractions=_fractions(),
        clients=_CLIENTS.value,
        include=_INCLUDE.value,
    )
    speed = _speed(request.model)
    # Only now, since these import TensorFlow.
    from tff_lm.planner import cost, plan, table

    found = plan.plan(request)
    print(table.render(found, _ROWS.value))
    if speed:
        run = cost.Run(_ROUNDS.value, _CLIENTS.value, _TOKENS.value, speed)
        print(f"\n{cost.render(run, found)}")
    return 0


def _fractions() -> list[float]:
    try:
        return [float(text) for text in _FRACTIONS.value]
    except ValueError as error:
        raise ConfigError(f"--fractions: {error}") from None


def _speed(model: str) -> float | None:
    """Tokens per second of a machine, if a cost is asked for."""
    if _SPEED.value and _SPEED_OF.value:
        raise ConfigError("--tokens_per_second and --speed_of exclude each other; give one")
    speed = _SPEED.value
    if _SPEED_OF.value:
        from tff_lm.planner import speed as speeds

        speed = speeds.measured(pathlib.Path(paths.resolve(_SPEED_OF.value)), model)
    if speed and not _TOKENS.value:
        raise ConfigError("--tokens is missing: a client's tokens in a round, which the cost needs")
    return speed


if __name__ == "__main__":
    failures.run(main)
