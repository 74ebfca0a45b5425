"""TFF's own runtime in tests. It leaves its workers behind; here they end.

The tests of one process share TFF's default context, and with it a worker: a test must never end
a process that it did not start.
"""

import atexit
import contextlib
from collections.abc import Callable, Iterator, Sequence

import psutil
import tensorflow_federated as tff


def _workers() -> set[psutil.Process]:
    children = psutil.Process().children(recursive=True)
    return {child for child in children if child.name() == "worker_binary"}


@atexit.register
def _end_workers() -> None:
    for worker in _workers():
        worker.kill()


@contextlib.contextmanager
def own_worker() -> Iterator[None]:
    """TFF's default context with a worker of its own, which ends with the block."""
    before = _workers()
    context = tff.backends.native.create_sync_local_cpp_execution_context()
    with tff.framework.get_context_stack().install(context):
        try:
            yield
        finally:
            # TFF's context expects to reap its worker itself, once it is collected.
            for worker in _workers() - before:
                worker.kill()


def run_split(computation: Callable, arguments: Sequence, groups: int) -> object:
    """Runs `computation` as TFF does on several workers: clients in groups, then merged."""
    context = tff.backends.native.create_mergeable_comp_execution_context(
        [tff.backends.native.create_async_local_cpp_execution_context()], num_subrounds=groups
    )
    with tff.framework.get_context_stack().install(context):
        return computation(*arguments)
