"""Running federated computations in tests, and ending the workers that they start."""

import atexit

import psutil
import tensorflow_federated as tff


def _end_workers():
    for child in psutil.Process().children(recursive=True):
        child.kill()


atexit.register(_end_workers)  # TFF's worker outlives its parent


def run_split(computation, arguments, groups):
    """Runs `computation` as TFF does on several workers: clients in groups, then merged."""
    context = tff.backends.native.create_mergeable_comp_execution_context(
        [tff.backends.native.create_async_local_cpp_execution_context()], num_subrounds=groups
    )
    with tff.framework.get_context_stack().install(context):
        return computation(*arguments)
