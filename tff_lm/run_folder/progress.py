"""What a user sees while a run goes on: one bar over the whole run, one line an evaluation."""

from __future__ import annotations

import math
import sys
from typing import TextIO

import tqdm

from tff_lm import figures


class Progress:
    """A bar over rounds on a terminal; plain lines, and few of them, in a log file."""

    def __init__(self, rounds: int, done: int, stream: TextIO | None = None) -> None:
        """`stream`: standard error by default."""
        self._stream = stream = stream or sys.stderr
        self._bar = tqdm.tqdm(
            total=rounds,
            initial=done,
            unit="round",
            file=stream,
            disable=not stream.isatty(),
            dynamic_ncols=True,
            # The slow first round (the worker traces its graphs) must not spoil the estimate.
            smoothing=0.1,
        )

    def round_done(
        self,
        *,
        loss: float,
        keyboard_perplexity: float,
        tokens_per_second: float,
        upload_bytes_per_client: float,
        upload_reduction: float,
        rejected: float = 0.0,
    ) -> None:
        """One round on. `loss` in nats a token, the reduction against the full model in float32."""
        perplexities = {
            "keyboard_perplexity": keyboard_perplexity,
            "token_perplexity": perplexity(loss),
        }
        text = (
            f"loss {loss:.3f}, perplexity "
            f"{figures.with_headline(perplexities, 'token_perplexity')}, "
            f"{tokens_per_second:,.0f} tokens/s"
        )
        if upload_bytes_per_client:
            text += (
                f", {human_bytes(upload_bytes_per_client)} up a client "
                f"({upload_reduction:.1f}x less)"
            )
        if rejected:
            text += f", {rejected:.0f} clients rejected"
        self._bar.set_postfix_str(text, refresh=False)
        self._bar.update(1)

    def say(self, line: str) -> None:
        """Prints a line without disturbing the bar."""
        if self._bar.disable:
            print(line, file=self._stream, flush=True)
        else:
            self._bar.write(line, file=self._stream)

    def close(self) -> None:
        """Leaves the bar as it stands."""
        self._bar.close()


def perplexity(nats: float) -> float:
    """exp(nats), infinite where a float overflows."""
    return math.exp(nats) if nats < 700.0 else math.inf


def human_bytes(count: float) -> str:
    """A number of bytes in decimal units: "16.3 MB"."""
    for unit in ("B", "kB", "MB", "GB"):
        if abs(count) < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} TB"
