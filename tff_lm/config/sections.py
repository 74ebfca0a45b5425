"""The table of sections: which dataclass of options stands under which name.

A preset (configs/*.py) starts from `default_config()` and changes a few of these; the command line
changes more with `--config.SECTION.NAME=VALUE`. `python -m bin.train --help` prints them all. A
file that `extensions` names adds a section of its own by `add_section`.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping

from tff_lm import options
from compression.options import AggregationOptions, DownloadOptions, UploadOptions
from tasks.options import TaskOptions
from tff_lm.central.options import PretrainOptions
from tff_lm.config.option import Option
from tff_lm.learning.options import AlgorithmOptions, PartialOptions, ScheduleOptions
from tff_lm.models.options import LoraOptions, ModelOptions
from tff_lm.options import option
from tff_lm.program.options import CheckpointOptions, EvaluationOptions, FederatedOptions
from tff_lm.runtime.options import RuntimeOptions
from tff_lm.warm_start.options import WarmStartOptions


@dataclasses.dataclass(frozen=True)
class RunOptions:
    """The run itself; these keys have no section."""

    seed: int = option(0, "of everything random: initial weights, cohorts, order, noise", minimum=0)
    experiment: str = option("", "the run's name in reports", fixed=False)
    extensions: str = option(
        "",
        "your Python files or modules that register models, codecs, ...; separated by commas",
        fixed=False,
    )


@dataclasses.dataclass(frozen=True)
class Section:
    """Attributes: its options; what it is about, if not what they say; the "{unit}" in its help."""

    options_class: type
    about: str = ""
    unit: str = ""

    @property
    def summary(self) -> str:
        return self.about or options.summary(self.options_class)


# In the order of `--help`; "" has the keys without a section.
SECTIONS: dict[str, Section] = {
    "": Section(RunOptions),
    "task": Section(TaskOptions),
    "model": Section(ModelOptions),
    "federated": Section(FederatedOptions),
    "algorithm": Section(AlgorithmOptions),
    "server_schedule": Section(
        ScheduleOptions, "factor on the server's learning rate, by round", "round"
    ),
    "client_schedule": Section(
        ScheduleOptions, "factor on the clients' learning rate, by round", "round"
    ),
    "local_schedule": Section(
        ScheduleOptions,
        "factor on the clients' learning rate, by local step within a round",
        "step",
    ),
    "partial": Section(PartialOptions),
    "warm_start": Section(WarmStartOptions),
    "lora": Section(LoraOptions),
    "pretrain": Section(PretrainOptions),
    "upload": Section(UploadOptions),
    "download": Section(DownloadOptions),
    "aggregation": Section(AggregationOptions),
    "evaluation": Section(EvaluationOptions),
    "checkpoint": Section(CheckpointOptions),
    "runtime": Section(RuntimeOptions),
}


def add_section(name: str, options_class: type) -> None:
    """Makes the options of a dataclass keys of the configuration, as NAME.FIELD.

    Raises:
      ValueError: if other options have that name.
    """
    known = SECTIONS.get(name)
    if known is not None and known.options_class is not options_class:
        raise ValueError(f"there is a section {name!r} already; choose another name")
    SECTIONS[name] = Section(options_class)


def of_section(name: str) -> Mapping[str, Option]:
    """The options of a section by the names of their fields."""
    return _described(name, SECTIONS[name])


def by_key() -> Mapping[str, Option]:
    """Every option by its dotted key, section by section."""
    return _by_key(tuple(SECTIONS.items()))


@functools.cache
def _described(name: str, section: Section) -> Mapping[str, Option]:
    found = {}
    for field_name, field in options.fields(section.options_class):
        described = {each.name: getattr(field, each.name) for each in dataclasses.fields(field)}
        described["help"] = field.help.replace("{unit}", section.unit)
        found[field_name] = Option(**described, key=f"{name}.{field_name}".lstrip("."))
    return found


@functools.lru_cache(maxsize=4)
def _by_key(table: tuple[tuple[str, Section], ...]) -> Mapping[str, Option]:
    return {
        option.key: option
        for name, section in table
        for option in _described(name, section).values()
    }
