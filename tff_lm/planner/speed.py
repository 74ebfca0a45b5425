"""The measured speed of a model, from the summary of a run."""

from __future__ import annotations

import json
import pathlib

from tff_lm.config import ConfigError


def measured(summary: pathlib.Path, model: str) -> float:
    """`tokens_per_second` of a run's summary.json.

    Raises:
      ConfigError: if the file cannot be read, is of another model, or has no speed.
    """
    try:
        figures = json.loads(summary.read_text())
    except (OSError, ValueError) as error:
        raise ConfigError(f"--speed_of: {summary} is no summary.json ({error})") from error
    if figures.get("model") != model:
        raise ConfigError(f"--speed_of: {summary} is of {figures.get('model')}, not of {model}")
    if not figures.get("tokens_per_second"):
        raise ConfigError(f"--speed_of: {summary} has no tokens_per_second; train at least a round")
    return float(figures["tokens_per_second"])
