"""A command line in this process: real absl flags, on a flag registry of its own."""

import contextlib
import io
import sys
from unittest import mock

from absl import flags

from tff_lm.config import command_line


def parse(*arguments):
    """Parses the flags of a program such as bin.train; nothing runs.

    Returns:
      (config or None, stdout and stderr, exit code or None).
    """
    values = flags.FlagValues()
    flags.DEFINE_integer("verbosity", -1, "absl's own", flag_values=values)
    flags.DEFINE_string("workdir", None, "bin.train's", flag_values=values)
    argv = ["train", *arguments]
    out, err = io.StringIO(), io.StringIO()
    with (
        mock.patch.object(flags, "FLAGS", values),
        mock.patch.object(sys, "argv", argv),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        holder = command_line.define_config(values)
        try:
            command_line.parse(argv)
            return command_line.value(holder), out.getvalue() + err.getvalue(), None
        except SystemExit as end:
            return None, out.getvalue() + err.getvalue(), end.code
        except command_line.ConfigError as error:
            return None, f"error: {error}\n", command_line.EXIT_CODE
