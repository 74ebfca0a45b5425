"""Files of the user that register models, codecs, sections of options and so on."""

from __future__ import annotations

from tff_lm import paths, registry
from tff_lm.config.option import ConfigError


def load(names: str) -> None:
    """Imports the extensions that the key `extensions` names; a second time does nothing.

    Args:
      names: separated by commas: dotted names of modules, or paths of Python files, relative to
        where the user is.

    Raises:
      ConfigError: if one is not there or fails.
    """
    parts = [part.strip() for part in names.split(",")]
    resolved = [paths.resolve(part) if part.endswith(".py") else part for part in parts]
    try:
        registry.load_extensions(",".join(resolved))
    except registry.ExtensionError as error:
        raise ConfigError(str(error)) from error
