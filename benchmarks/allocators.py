"""What a worker's memory allocator does to the speed of rounds.

    python -m benchmarks.allocators --model=transformer_small --clients=8 --rounds=7

One worker for each allocator; they take turns, round by round on the same clients and batches, so
that their ratios do not drift with the machine (see to it that nothing else runs). Allocators that
are not installed are left out.
"""

import contextlib
import pathlib
import statistics
from collections.abc import Mapping, Sequence

from absl import app, flags, logging
from tqdm import tqdm

from benchmarks import measures
from benchmarks.jobs import JOBS, Job

_MODEL = flags.DEFINE_string("model", "transformer_small", "a named model")
_PRECISION = flags.DEFINE_enum("precision", "bfloat16", ["float32", "bfloat16"], "of the products")
_CLIENTS = flags.DEFINE_integer("clients", 8, "clients of a round", lower_bound=1)
_JOB = flags.DEFINE_enum("job", "peers", sorted(JOBS), "which batches")
_ROUNDS = flags.DEFINE_integer("rounds", 5, "measured rounds; the median counts", lower_bound=1)

_LIBRARIES = pathlib.Path("/usr/lib/x86_64-linux-gnu")
_GLIBC = "glibc"
# Changes to the environment that `tff_lm.runtime.processes.allocator` gives a worker.
_ALLOCATORS: Mapping[str, Mapping[str, str]] = {
    _GLIBC: {"LD_PRELOAD": "", "GLIBC_TUNABLES": ""},
    "glibc_large_pages": {"LD_PRELOAD": ""},
    "tcmalloc": {
        "LD_PRELOAD": str(_LIBRARIES / "libtcmalloc_minimal.so.4"),
        "TCMALLOC_MAX_TOTAL_THREAD_CACHE_BYTES": str(1 << 30),
        "TCMALLOC_RELEASE_RATE": "0",
    },
    "jemalloc": {
        "LD_PRELOAD": str(_LIBRARIES / "libjemalloc.so.2"),
        "MALLOC_CONF": "narenas:2,dirty_decay_ms:-1,muzzy_decay_ms:-1,lg_tcache_max:23",
    },
    "mimalloc": {"LD_PRELOAD": str(_LIBRARIES / "libmimalloc.so.2")},
}


def _installed() -> dict[str, Mapping[str, str]]:
    """The allocators whose library is there."""
    return {
        name: environment
        for name, environment in _ALLOCATORS.items()
        if not environment["LD_PRELOAD"] or pathlib.Path(environment["LD_PRELOAD"]).exists()
    }


def _measure(job: Job) -> dict[str, list[float]]:
    """Seconds of each measured round, by allocator."""
    with contextlib.ExitStack() as stack:
        processes = {}
        for name, environment in tqdm(_installed().items(), "compiling", leave=False):
            runtime = stack.enter_context(measures.local_runtime(environment=environment))
            processes[name] = measures.build_resident(
                runtime, job, _MODEL.value, _PRECISION.value, measures.FED_AVG
            )
        return measures.take_turns(processes, job.orders(1), _ROUNDS.value)


def main(argv: Sequence[str]) -> None:
    """Measures and prints a table."""
    if len(argv) > 1:
        raise app.UsageError(f"Unexpected argument {argv[1]!r}; flags begin with --.")
    logging.set_verbosity(logging.WARNING)  # TFF's compiler tells of every graph.
    job = Job.named(_JOB.value, _CLIENTS.value)
    seconds = _measure(job)
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    print(f"{_MODEL.value}, {_PRECISION.value}, job {_JOB.value}")
    print(f"{'':20}{'tokens/s':>10}{'x glibc':>10}")
    for name, value in medians.items():
        print(f"{name:20}{job.tokens(1) / value:10,.0f}{medians[_GLIBC] / value:10.2f}")


if __name__ == "__main__":
    app.run(main)
