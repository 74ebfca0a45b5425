"""Whether a run may go on under a configuration, on this machine.

What a machine decides is part of a run: its config.json holds the precision that "auto" came to,
for the same run in another arithmetic would be another run.
"""

from __future__ import annotations

import ml_collections

from tff_lm import config as config_lib
from tff_lm.config import ConfigError
from tff_lm.experiment import precision
from tff_lm.run_folder.workdir import Workdir


def agreed(config: ml_collections.ConfigDict, workdir: Workdir) -> ml_collections.ConfigDict:
    """The configuration with which the run in `workdir` begins or goes on.

    A run of an earlier version, in whose config.json "auto" stands, is taken for one of this
    machine.

    Args:
      config: validated.
      workdir: the run's folder.

    Returns:
      A copy in which nothing is left to the machine.

    Raises:
      ConfigError: if `config` is not the one that the run has begun with.
    """
    own = _definite(config)
    if not workdir.config.exists():
        return own
    begun = _definite(config_lib.read_json(workdir.config))
    before, after = begun.runtime.precision, own.runtime.precision
    if before != after and config.runtime.precision == precision.AUTO:
        raise ConfigError(
            f"runtime.precision is {before!r} in the run at {workdir.root}, and {after!r} is what "
            f"this processor computes in by itself; go on with --config.runtime.precision={before} "
            "or choose another --workdir"
        )
    config_lib.check_resumable(begun, own, str(workdir.root))
    return own


def _definite(config: ml_collections.ConfigDict) -> ml_collections.ConfigDict:
    chosen = precision.resolve(config.runtime.precision)
    return config_lib.changed(config, {"runtime.precision": chosen})
