"""The warm start that a configuration asks for."""

from __future__ import annotations

import pathlib
import re
from collections.abc import Callable, Mapping, Sequence

import ml_collections

from tff_lm import paths
from tasks.vocabulary import Vocabulary
from tff_lm.config import ConfigError
from tff_lm.learning.weights import Partition
from tff_lm.models.lora import is_adapter
from tff_lm.program.contracts import Runtime
from tff_lm.run_folder.checkpoints import CheckpointStore
from tff_lm.run_folder.workdir import Workdir
from tff_lm.warm_start import frozen, matching, report, sources

_BODY = "^(block|lstm)_"
# Options of the model that no weight tells -> the variables that mean something else under another
# value.
_MEANING = {
    "positions": "/attention/",
    "qk_norm": "/attention/",
    "value_residual": "/attention/",
    "local_mixing": "/attention/",
    "activation": "/feed_forward",
    "norm": _BODY,
    "biases": _BODY,
    "subtract_input": _BODY,
    "logit_cap": _BODY,
    "unigram_bias": _BODY,
    "embedding_scale": "^embedding/",
}


def find(
    config: ml_collections.ConfigDict, workdir: Workdir, partition: Partition, own: Vocabulary
) -> matching.Match | None:
    """Reads and matches the weights that a run begins with.

    Returns:
      None if the run starts from its own initial weights, or has begun already.

    Raises:
      ConfigError: if the weights do not fit.
    """
    options = config.warm_start
    if not options.checkpoint or CheckpointStore(workdir.checkpoints).any_whole():
        return None
    source = sources.read(pathlib.Path(paths.resolve(options.checkpoint)), options.which)
    shapes = {
        name: shape
        for name, shape in zip(partition.names, partition.shapes, strict=True)
        if not is_adapter(name)
    }
    target = matching.Target(shapes, own)
    found = matching.match(source, target, options.include, options.vocabulary)
    _check_options(found, config.model)
    is_frozen = frozen.frozen(config)
    _check_frozen(found, [name for name, shape in shapes.items() if is_frozen(name, shape)])
    return found


def beginning(
    runtime: Runtime,
    found: matching.Match | None,
    weight_leaves: Mapping[str, str],
    say: Callable[[str], None] = print,
    copies: Mapping[str, str] | None = None,
) -> Callable[[], None]:
    """What brings a runtime to the state before round 1 (`Experiment.begin`).

    Args:
      runtime: Federated or central.
      found: Which variables start with which values; None if all start with their initial ones.
      weight_leaves: The name of each model weight -> the name of its array in the state.
      say: Is told what was loaded.
      copies: The names of other arrays in the state that begin equal to one of a weight -> its.
    """
    if found is None:
        return runtime.initialize

    def begin() -> None:
        runtime.initialize()
        arrays = runtime.state_arrays()
        shapes = {name: arrays[leaf].shape for name, leaf in weight_leaves.items()}
        for name in found.loaded:
            leaf = weight_leaves[name]
            arrays[leaf] = found.value(name, arrays[leaf])
        for copy, leaf in (copies or {}).items():
            arrays[copy] = arrays[leaf]
        runtime.restore(arrays)
        say(report.table(found, shapes))

    return begin


def _check_options(found: matching.Match, own: ml_collections.ConfigDict) -> None:
    """Raises ConfigError if weights were trained in a model that makes something else of them."""
    for option, pattern in _MEANING.items():
        ours = own[option]
        theirs = found.source.options.get(option, ours)
        concerned = [name for name in found.loaded if re.search(pattern, name)]
        if theirs != ours and concerned:
            raise ConfigError(
                f"warm_start: {concerned[0]} in {found.source.origin} was trained with "
                f"model.{option}={theirs!r}, not {ours!r}; set --config.model.{option}={theirs}, "
                "or leave such variables out by warm_start.include"
            )


def _check_frozen(found: matching.Match, frozen: Sequence[str]) -> None:
    for name in frozen:
        if name not in found.loaded or name in found.rows:
            raise ConfigError(
                f"{name} is frozen, by warm_start.freeze or by lora, and would stay at random "
                "initial values: it is not loaded, or not for all pieces; widen warm_start.include "
                "or freeze less"
            )
