"""Keeps TensorFlow's start-up chatter off the terminal.

The C++ side of TensorFlow reads its log level once, when the library is loaded, so this module must
run before `import tensorflow`. `import tff_lm` runs it: every entry point imports `tff_lm` (or a
module of it) first. A variable that is already set wins, so `TF_CPP_MIN_LOG_LEVEL=0 make train`
brings everything back. Worker processes inherit the environment and are silent as well.
"""

import atexit
import logging
import os
import sys
import warnings

# What each variable silences in TensorFlow 2.14 and its companions. Errors still reach the program
# as Python exceptions.
_ENVIRONMENT = {
    # oneDNN, missing CUDA drivers, cuDNN/cuFFT/cuBLAS registered twice, CPU features, TensorRT.
    "TF_CPP_MIN_LOG_LEVEL": "3",
    # gRPC's notes on channels and forks; TFF talks to its worker over gRPC.
    "GRPC_VERBOSITY": "ERROR",
}

# tensorflow_hub still imports pkg_resources, which announces its own removal.
_WARNINGS = ("pkg_resources is deprecated",)


def quiet() -> None:
    """Sets the variables and warning filters above; call it before TensorFlow is imported."""
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    for message in _WARNINGS:
        warnings.filterwarnings("ignore", message=message)
    atexit.register(_release_context)
    # Matplotlib tells of a home that it cannot write to, and then does without.
    logging.getLogger("matplotlib").setLevel(logging.ERROR)


def _release_context() -> None:
    """Lets go of TFF's default runtime while the modules are there that its finalizer calls."""
    if "tensorflow_federated" not in sys.modules:
        return
    from tensorflow_federated.python.core.impl.context_stack import (
        context_stack_impl,
        runtime_error_context,
    )

    nothing = runtime_error_context.RuntimeErrorContext()
    context_stack_impl.context_stack.set_default_context(nothing)
