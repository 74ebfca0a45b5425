"""The two pictures of a run: validation perplexity by round and by uploaded bytes."""

from __future__ import annotations

import pathlib
from collections.abc import Mapping, Sequence

import matplotlib

matplotlib.use("Agg")

import matplotlib.ticker
from matplotlib import pyplot as plt

from tff_lm.run_folder import files
from tff_lm.run_folder.progress import human_bytes

_TRAINING, _VALIDATION, _REFERENCE = "#9db8d2", "#1f4e79", "#b3541e"
_STYLE = {
    "font.size": 10,
    "axes.titlesize": 12,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e3e3e3",
    "legend.frameon": False,
}


def draw(
    rows: Sequence[Mapping[str, float]],
    folder: pathlib.Path,
    *,
    title: str,
    references: Mapping[str, float],
) -> list[pathlib.Path]:
    """Draws `perplexity_by_round.png` and, if anything was uploaded, `perplexity_by_upload.png`.

    Args:
      rows: the rows of metrics.csv.
      folder: where the pictures go.
      title: what was trained, for the head of both.
      references: perplexities to draw as horizontal lines, by label (unigram, central training).

    Returns:
      The files written.
    """
    pictures = {
        "perplexity_by_round.png": ("round", "round", None),
        "perplexity_by_upload.png": (
            "upload_bytes_total",
            "uploaded by all clients together",
            matplotlib.ticker.FuncFormatter(lambda count, _: human_bytes(count)),
        ),
    }
    if not rows[-1]["upload_bytes_total"]:
        del pictures["perplexity_by_upload.png"]
    written = []
    for name, (column, label, formatter) in pictures.items():
        with plt.rc_context(_STYLE):
            figure = _figure(rows, column, label, title, references)
            if formatter:
                figure.axes[0].xaxis.set_major_formatter(formatter)
            with files.atomic(folder / name) as file:
                figure.savefig(file, format="png", dpi=144)
            plt.close(figure)
        written.append(folder / name)
    return written


def _figure(
    rows: Sequence[Mapping[str, float]],
    column: str,
    label: str,
    title: str,
    references: Mapping[str, float],
) -> plt.Figure:
    figure, axes = plt.subplots(figsize=(7.2, 4.2), layout="constrained")
    trained = [row for row in rows if "token_perplexity" in row]
    measured = [row for row in rows if "validation_token_perplexity" in row]
    axes.plot(
        [row[column] for row in trained],
        [row["token_perplexity"] for row in trained],
        color=_TRAINING,
        linewidth=1,
        label="training clients",
    )
    axes.plot(
        [row[column] for row in measured],
        [row["validation_token_perplexity"] for row in measured],
        color=_VALIDATION,
        linewidth=2,
        marker="o",
        markersize=4,
        label="validation clients (unseen people)",
    )
    styles = ("--", ":", "-.")
    for index, (name, perplexity) in enumerate(references.items()):
        style = styles[index % len(styles)]
        axes.axhline(perplexity, color=_REFERENCE, linewidth=1.2, linestyle=style)
        axes.annotate(
            f"{name} {perplexity:,.1f}",
            xy=(1, perplexity),
            xycoords=("axes fraction", "data"),
            xytext=(0, 3),
            textcoords="offset points",
            ha="right",
            color=_REFERENCE,
        )
    axes.set_yscale("log")
    plain = matplotlib.ticker.FuncFormatter(lambda value, _: f"{value:,.0f}")
    axes.yaxis.set_major_formatter(plain)
    # A curve within one decade has no major tick to speak of: label some minor ones.
    axes.yaxis.set_minor_formatter(matplotlib.ticker.LogFormatter(minor_thresholds=(2, 0.5)))
    axes.set_xlabel(label)
    axes.set_ylabel("perplexity of a sub-word,\nwith end of sentence")
    axes.set_title(title)
    axes.legend(loc="best")
    return figure
