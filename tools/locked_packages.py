"""Which labels stand for the packages of requirements.txt, and which names they are imported by."""

import collections
import re
from collections.abc import Collection, Mapping


def locked(requirements: str) -> set[str]:
    """Returns the labels of the packages in a lock (`@pypi//absl_py`)."""
    names = re.findall(r"^([\w.-]+)==", requirements, flags=re.MULTILINE)
    return {pypi_label(name) for name in names}


def pypi_label(distribution: str) -> str:
    """Returns the label of a package (`@pypi//absl_py` of `absl-py`)."""
    return f"@pypi//{re.sub(r'[-.]', '_', distribution).lower()}"


def provided_by(
    distributions: Mapping[str, Collection[str]], labels: Collection[str]
) -> dict[str, list[str]]:
    """Returns the labels of the locked packages by the names that are imported.

    Args:
      distributions: what is installed, as `importlib.metadata.packages_distributions` has it.
      labels: those of the lock.
    """
    found: dict[str, list[str]] = collections.defaultdict(list)
    for name, providers in distributions.items():
        for label in sorted({pypi_label(each) for each in providers}.intersection(labels)):
            found[name].append(label)
    return dict(found)
