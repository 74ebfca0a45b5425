"""`--config=FILE --config.SECTION.NAME=VALUE` by ml_collections' config_flags, with short errors.

config_flags gives the convention (a preset file whose `get_config()` is overridden by flags); this
module adds what it lacks: our keys are checked against the schema, with the nearest names, before
absl sees them, and whatever goes wrong ends with one line on stderr and exit code 2.
"""

from __future__ import annotations

import os
import re
import sys
import textwrap
from collections.abc import Callable, Iterable, Sequence
from typing import NoReturn

import ml_collections
from absl import app, flags, logging
from ml_collections import config_flags

from tff_lm.config import python_file, schema, tree
from tff_lm.config.option import ConfigError

EXIT_CODE = 2

_OVERRIDE = re.compile(r"--?(no)?config\.([^=]+)(?:=(.*))?$", re.DOTALL)
_CONFIG = re.compile(r"--?config(?:=(.*))?$", re.DOTALL)


def define_config(flag_values: flags.FlagValues = flags.FLAGS) -> flags.FlagHolder:
    """Defines the --config flag of a program."""
    return config_flags.DEFINE_config_file(
        "config", None, "preset file, such as configs/chat.py", flag_values=flag_values
    )


def run(main: Callable[[Sequence[str]], int | None]) -> NoReturn:
    """Parses the flags, runs `main(positional arguments)` and exits with what it returns.

    A ConfigError of `main` ends as one of the parser does: one line, exit code 2.
    """

    def guarded(argv: Sequence[str]) -> int | None:
        try:
            return main(argv[1:])
        except ConfigError as error:
            fail(error)

    try:
        sys.exit(app.run(guarded, flags_parser=parse))
    except BrokenPipeError:
        # The reader of our output has seen enough (`| head`): Python's own note would follow.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


def parse(argv: Sequence[str]) -> list[str]:
    """Parses `argv` into absl's FLAGS; ends the program with one line on what is wrong."""
    if any(argument in ("--help", "-h", "-help", "--helpshort") for argument in argv[1:]):
        print(help_text(sys.modules["__main__"].__doc__ or ""))
        sys.exit(0)
    preset = ""
    try:
        check_overrides(argv[1:])
        argv, preset = _resolve_preset(argv)
        arguments = flags.FLAGS(argv)
    # A preset is the user's Python: any exception at all can come out of it.
    except Exception as error:  # pylint: disable=broad-exception-caught
        fail(python_file.describe(error, preset))
    if flags.FLAGS["verbosity"].using_default_value:
        # absl would show TFF's compiler at work; a user wants warnings only.
        flags.FLAGS.verbosity = logging.WARNING
    return arguments


def value(holder: flags.FlagHolder) -> ml_collections.ConfigDict:
    """The validated configuration of a parsed --config flag; raises ConfigError."""
    if holder.value is None:
        raise ConfigError("--config is missing: name a preset, such as --config=configs/chat.py")
    if not isinstance(holder.value, ml_collections.ConfigDict):
        raise ConfigError(
            "--config: get_config() must return tff_lm.config.default_config(), changed"
        )
    return tree.validate(holder.value)


def required(holder: flags.FlagHolder) -> str:
    """The value of a text flag that must be given; raises ConfigError."""
    if not holder.value:
        raise ConfigError(f"--{holder.name} is missing: {flags.FLAGS[holder.name].help}")
    return holder.value


def refuse_positional(arguments: Sequence[str]) -> None:
    """Raises ConfigError for an argument without dashes, which absl would let pass unread."""
    if arguments:
        raise ConfigError(f"{arguments[0]!r} is no flag: settings read --config.SECTION.NAME=VALUE")


def check_overrides(arguments: Iterable[str]) -> None:
    """Raises ConfigError for the first `--config.KEY=VALUE` with an unknown key or bad value."""
    arguments = list(arguments)
    for index, argument in enumerate(arguments):
        if argument == "--":
            return
        match = _OVERRIDE.match(argument)
        if not match:
            continue
        negated, key, text = match.groups()
        option = tree.find_option(key)
        if option.type is bool and (negated or text is None):
            continue
        if text is None and index + 1 < len(arguments):
            text = arguments[index + 1]
        if text is None:
            raise ConfigError(f"{key} has no value: write --config.{key}={option.default}")
        option.parse(text)


def help_text(usage: str) -> str:
    """The usage of a program, its own flags, and the table of configuration keys."""
    own = flags.FLAGS.get_key_flags_for_module(sys.argv[0])
    preset = [flags.FLAGS["config"]] if "config" in flags.FLAGS else []
    lines = [usage.strip(), "", "Flags:"]
    lines += [f"  --{flag.name:<32} {flag.help}" for flag in preset + own]
    if not preset:
        return "\n".join(lines)
    for section, summary in {"": "", **schema.SECTIONS}.items():
        lines.append(
            f"\n{section}: {summary}" if section else "\nConfiguration (--config.KEY=VALUE):"
        )
        for option in schema.OPTIONS:
            if option.key.rpartition(".")[0] == section:
                choices = f" ({', '.join(option.choices)})" if option.choices else ""
                text = f"{option.help}{choices} [{option.default!r}]"
                lines += textwrap.wrap(
                    text,
                    width=100,
                    initial_indent=f"  {option.key:<34} ",
                    subsequent_indent=" " * 37,
                )
    return "\n".join(lines)


def fail(message: object) -> NoReturn:
    """Prints one line on stderr and exits with code 2."""
    print(f"error: {' '.join(str(message).split())}", file=sys.stderr)
    sys.exit(EXIT_CODE)


def _resolve_preset(argv: Sequence[str]) -> tuple[list[str], str]:
    """Makes the preset's path absolute (`bazel run` starts elsewhere than its user).

    Returns `argv` with that path in it, and the path ("" if no preset is named).
    """
    resolved, preset = list(argv), ""
    for index, argument in enumerate(resolved):
        match = _CONFIG.match(argument)
        if not match:
            continue
        separate = match.group(1) is None
        if separate and index + 1 == len(resolved):
            raise ConfigError("--config is missing its file, such as --config=configs/chat.py")
        # "file.py:variant" hands `variant` to get_config: config_flags' convention.
        name, colon, variant = (resolved[index + 1] if separate else match.group(1)).partition(":")
        try:
            preset = python_file.existing(name, "configs")
        except ConfigError as error:
            raise ConfigError(f"--config: {error}") from None
        text = f"{preset}{colon}{variant}"
        resolved[index + separate] = text if separate else f"--config={text}"
    return resolved, preset
