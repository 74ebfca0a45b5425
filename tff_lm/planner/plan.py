"""From a request to the settings that fit it."""

from __future__ import annotations

import dataclasses
import functools
import math
import re
from collections.abc import Sequence

from tff_lm.config import ConfigError
from tff_lm.models import build_model
from tff_lm.planner.draws import partition_of
from tff_lm.planner.offers import Offer, download_offers, upload_offers
from tff_lm.planner.request import Request
from tff_lm.run_folder.progress import human_bytes


@dataclasses.dataclass(frozen=True)
class Plan:
    """What fits, best first.

    Attributes:
      request: what was asked.
      parameters: of the model.
      uploads: settings of the upload that keep every client within the budget.
      downloads: settings of the download.
    """

    request: Request
    parameters: int
    uploads: Sequence[Offer]
    downloads: Sequence[Offer]

    @property
    def model_bytes(self) -> int:
        """The whole model in float32, what a client moves either way without any of this."""
        return 4 * self.parameters


def plan(request: Request) -> Plan:
    """Finds all settings that fit.

    Raises:
      ConfigError: if none does; it names the smallest possible number of bytes. Also if
        `include` matches nothing.
    """
    model_fn = functools.partial(build_model, request.model, request.vocabulary_size)
    names = partition_of(model_fn).names
    if not any(re.search(request.include, name) for name in names):
        raise ConfigError(
            f"--include={request.include} matches no variable of {request.model}; "
            f"they are called {', '.join(names)}"
        )
    uploads = upload_offers(
        model_fn, request.policy, request.fractions, request.clients, include=request.include
    )
    downloads = download_offers(model_fn)
    return Plan(
        request,
        sum(math.prod(shape) for shape in partition_of(model_fn).shapes),
        fitting(uploads, request.upload_bytes, "upload_mb"),
        fitting(downloads, request.download_bytes, "download_mb"),
    )


def fitting(offers: Sequence[Offer], limit: float, flag: str) -> list[Offer]:
    """Offers of at most `limit` bytes for any client, by error, then by bytes.

    Raises:
      ConfigError: if there is none.
    """
    fit = [offer for offer in offers if offer.worst_bytes <= limit]
    if not fit:
        least = min(offers, key=lambda offer: offer.worst_bytes)
        raise ConfigError(
            f"--{flag}: nothing fits into {human_bytes(limit)}; the smallest possible is "
            f"{human_bytes(least.worst_bytes)} ({least.label}, {least.fraction:.0%} trained), "
            f"--{flag}={math.ceil(least.worst_bytes / 1e4) / 100:g}"
        )
    return sorted(fit, key=lambda offer: (offer.error, offer.mean_bytes))
