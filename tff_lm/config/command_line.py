"""`--config=FILE --config.SECTION.NAME=VALUE` in the convention of ml_collections' config_flags.

A preset file's `get_config()` gives a configuration, flags change values in it. Keys and values are
checked by the options themselves, with the nearest names, and whatever goes wrong ends with one
line on stderr and exit code 2.
"""

from __future__ import annotations

import re
import sys
import textwrap
from collections.abc import Iterator, Sequence
from typing import NoReturn

import ml_collections
from absl import flags, logging

from tff_lm.config import extensions, old_flags, python_file, sections, tree
from tff_lm.config.option import ConfigError, Value

EXIT_CODE = 2

_OVERRIDE = re.compile(r"--?(no)?config\.([^=]+)(?:=(.*))?$", re.DOTALL)
_CONFIG = re.compile(r"--?config(?:=(.*))?$", re.DOTALL)


class _ConfigFlag(flags.Flag):
    """--config, once parsed: the path of the preset, and the configuration that it came to."""

    config: ml_collections.ConfigDict | None = None


def define_config(flag_values: flags.FlagValues = flags.FLAGS) -> flags.FlagHolder:
    """Defines the --config flag of a program."""
    flag = _ConfigFlag(
        flags.ArgumentParser(),
        flags.ArgumentSerializer(),
        "config",
        None,
        "preset file, such as configs/chat.py",
    )
    return flags.DEFINE_flag(flag, flag_values)


def parse(argv: Sequence[str]) -> list[str]:
    """Parses `argv` into absl's FLAGS; ends the program with one line on what is wrong."""
    try:
        # They add names and sections, which --help lists and which other flags may use.
        extensions.load(_value_of("extensions", argv[1:]))
        if any(argument in ("--help", "-h", "-help", "--helpshort") for argument in argv[1:]):
            print(help_text(sys.modules["__main__"].__doc__ or ""))
            sys.exit(0)
        if "config" not in flags.FLAGS:
            arguments = flags.FLAGS(list(argv))
        else:
            arguments = _parse_with_config(argv)
    except (ConfigError, flags.Error) as error:
        fail(error)
    if flags.FLAGS["verbosity"].using_default_value:
        # absl would show TFF's compiler at work; a user wants warnings only.
        flags.FLAGS.verbosity = logging.WARNING
    return arguments


def value(holder: flags.FlagHolder) -> ml_collections.ConfigDict:
    """The validated configuration of a parsed --config flag; raises ConfigError."""
    flag = flags.FLAGS[holder.name]
    if flag.value is None or flag.config is None:
        raise ConfigError("--config is missing: name a preset, such as --config=configs/chat.py")
    return tree.validate(flag.config)


def required(holder: flags.FlagHolder) -> str:
    """The value of a text flag that must be given; raises ConfigError."""
    if not holder.value:
        raise ConfigError(f"--{holder.name} is missing: {flags.FLAGS[holder.name].help}")
    return holder.value


def refuse_positional(arguments: Sequence[str]) -> None:
    """Raises ConfigError for an argument without dashes, which absl would let pass unread."""
    if arguments:
        raise ConfigError(f"{arguments[0]!r} is no flag: settings read --config.SECTION.NAME=VALUE")


def take_overrides(arguments: Sequence[str]) -> tuple[list[str], dict[str, Value]]:
    """Separates the flags `--config.KEY=VALUE` from the others.

    Returns:
      The other arguments, and the values by dotted key.

    Raises:
      ConfigError: for the first unknown key or bad value.
    """
    others: list[str] = []
    values: dict[str, Value] = {}
    rest = iter(arguments)
    for argument in rest:
        match = _OVERRIDE.match(argument)
        if argument == "--":
            others += [argument, *rest]
        elif match is None:
            others.append(argument)
        else:
            negated, key, text = match.groups()
            values[key] = _override(key, text, bool(negated), rest)
    return others, values


def help_text(usage: str) -> str:
    """The usage of a program, its own flags, and the table of configuration keys."""
    own = flags.FLAGS.get_key_flags_for_module(sys.argv[0])
    preset = [flags.FLAGS["config"]] if "config" in flags.FLAGS else []
    shown = {flag.name: flag for flag in [*preset, *own]}.values()
    lines = [usage.strip(), "", "Flags:"]
    lines += [f"  --{flag.name:<32} {flag.help}" for flag in shown]
    if not preset:
        return "\n".join(lines)
    for name, section in sections.SECTIONS.items():
        lines.append(
            f"\n{name}: {section.summary}" if name else "\nConfiguration (--config.KEY=VALUE):"
        )
        for option in sections.of_section(name).values():
            choices = f" ({', '.join(option.names)})" if option.names else ""
            lines += textwrap.wrap(
                f"{option.help}{choices} [{option.default!r}]",
                width=100,
                initial_indent=f"  {option.key:<34} ",
                subsequent_indent=" " * 37,
            )
    return "\n".join(lines)


def fail(message: object) -> NoReturn:
    """Prints one line on stderr and exits with code 2."""
    print(f"error: {' '.join(str(message).split())}", file=sys.stderr)
    sys.exit(EXIT_CODE)


def _parse_with_config(argv: Sequence[str]) -> list[str]:
    """Parses the flags of a program that has --config; raises ConfigError or absl's Error."""
    preset = _preset(argv[1:])
    # First the preset: an extension that it names may have the keys of other flags.
    config = python_file.load_preset(preset) if preset else None
    others, values = take_overrides(argv[1:])
    arguments = flags.FLAGS([argv[0], *others])
    if config is not None:
        flag = flags.FLAGS["config"]
        flag.value = preset
        flag.config = tree.changed(config, values)
        for line in old_flags.notes(values, flag.config):
            print(line, file=sys.stderr)
    return arguments


def _preset(arguments: Sequence[str]) -> str:
    """The preset that --config names, its path absolute; "" without the flag.

    `bazel run` starts elsewhere than its user.
    """
    rest = iter(arguments)
    found = ""
    for argument in rest:
        match = _CONFIG.match(argument)
        if argument == "--":
            break
        if match:
            text = next(rest, "") if match.group(1) is None else match.group(1)
            if not text:
                raise ConfigError("--config is missing its file, such as --config=configs/chat.py")
            found = text
    if not found:
        return ""
    file, colon, variant = old_flags.preset(found).partition(":")
    try:
        return f"{python_file.existing(file, 'configs')}{colon}{variant}"
    except ConfigError as error:
        raise ConfigError(f"--config: {error}") from None


def _value_of(key: str, arguments: Sequence[str]) -> str:
    """The text that a flag `--config.KEY` has, before anything is checked; "" without it."""
    rest = iter(arguments)
    found = ""
    for argument in rest:
        match = _OVERRIDE.match(argument)
        if match and match.group(2) == key:
            found = next(rest, "") if match.group(3) is None else match.group(3)
    return found


def _override(key: str, text: str | None, negated: bool, rest: Iterator[str]) -> Value:
    """The value of one flag; the next argument is its text if it has none itself."""
    option = tree.find_option(key)
    if option.type is bool and (negated or text is None):
        return not negated
    if text is None:
        text = next(rest, None)
    if text is None:
        raise ConfigError(f"{key} has no value: write --config.{key}={option.default}")
    return option.parse(text)
