"""Every setting that the planner knows, with its exact bytes."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from compression.options import DownloadOptions, UploadOptions
from compression.registry import codec_of
from tff_lm.config.option import Value
from tff_lm.learning.options import PartialOptions
from tff_lm.models.protocol import ModelFn
from tff_lm.planner.catalogue import DOWNLOADS, UPLOADS
from tff_lm.planner.draws import Draws, draws, partition_of
from tff_lm.planner.payloads import payload_bits
from tff_lm.planner.quality import fidelity


@dataclasses.dataclass(frozen=True)
class Offer:
    """One setting of one direction.

    Attributes:
      label: the codec.
      fraction: of the parameters, sent on average.
      mean_bytes: that a client sends or receives in a round, on average over its draws.
      worst_bytes: the most that any client can come to.
      error: the proxy of `quality`.
      overrides: the options to set, by dotted key.
    """

    label: str
    fraction: float
    mean_bytes: float
    worst_bytes: int
    error: float
    overrides: Mapping[str, Value]


def upload_offers(
    model_fn: ModelFn,
    policy: str,
    fractions: Sequence[float],
    clients: int,
    *,
    include: str = "",
    min_elements: int = UploadOptions.min_elements,
    min_size: int = PartialOptions.min_size,
) -> list[Offer]:
    """Every codec with every fraction that the model allows.

    Args:
      model_fn: makes the model.
      policy: of partial training, where the fraction is below 1.
      fractions: of the parameters, trained.
      clients: in a round's cohort, over which noise averages out.
      include: regular expression; variables that it does not find always train.
      min_elements: smaller variables are sent as float32.
      min_size: smaller matrices always train.
    """
    shapes = partition_of(model_fn).shapes
    sizes = np.array([math.prod(shape) for shape in shapes])
    options_of = functools.partial(PartialOptions, include=include, min_size=min_size)
    chosen: dict[str, Value] = {"partial.policy": policy}
    if include:
        chosen["partial.include"] = include
    parts = list(_parts(model_fn, options_of, chosen, fractions))
    offers = []
    for choice in UPLOADS:
        codec = codec_of(choice.expression)
        bits = payload_bits(shapes, codec, min_elements)
        for part, overrides in parts:
            sent = part.mean(sizes) / sizes.sum()
            offers.append(
                Offer(
                    label=choice.label,
                    fraction=sent,
                    mean_bytes=part.mean(bits) / 8,
                    worst_bytes=part.worst(bits) // 8,
                    error=fidelity(codec).error(clients, policy, sent),
                    overrides={**choice.overrides("upload"), **overrides},
                )
            )
    return offers


def download_offers(
    model_fn: ModelFn,
    *,
    min_elements: int = DownloadOptions.min_elements,
) -> list[Offer]:
    """Every codec; a client downloads the whole model, whatever it trains."""
    shapes = partition_of(model_fn).shapes
    offers = []
    for choice in DOWNLOADS:
        codec = codec_of(choice.expression)
        count = int(payload_bits(shapes, codec, min_elements).sum()) // 8
        error = fidelity(codec).error(clients=1)  # all of them decode one payload
        offers.append(Offer(choice.label, 1.0, count, count, error, choice.overrides("download")))
    return offers


def _parts(
    model_fn: ModelFn,
    options_of: Callable[..., PartialOptions],
    chosen: Mapping[str, Value],
    fractions: Sequence[float],
) -> Iterator[tuple[Draws, dict[str, Value]]]:
    """What is trained, and the options that say so, for each fraction that the model allows."""
    for fraction in sorted(set(fractions), reverse=True):
        if fraction == 1.0:
            yield draws(model_fn, options_of()), {}
            continue
        try:
            part = draws(model_fn, options_of(policy=chosen["partial.policy"], fraction=fraction))
        except ValueError:  # what always trains is more than that, or there is no large matrix
            continue
        yield part, {**chosen, "partial.fraction": fraction}
