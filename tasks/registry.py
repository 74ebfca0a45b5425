"""The corpora, by name: each file that has one registers it; none is imported here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tff_lm.registry import Registry

if TYPE_CHECKING:
    from tasks.corpus import Corpus

CORPORA: Registry[Corpus] = Registry("task", "CORPORA", "tasks")
