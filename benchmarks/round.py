"""How fast a round is: stock TFF, this runtime, and a plain training loop, in one run.

    python -m benchmarks.round --model=transformer_large --clients=8 [--job=peers] [--json]

Every measurement runs in a process of its own, one after another, with nothing else on the machine
(see to that). A rate counts real target tokens; padding is not counted. Compare ratios within a
run: absolute figures drift with the machine.
"""

import functools
import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence

from absl import app, flags, logging
from tqdm import tqdm

from benchmarks.jobs import JOBS, Job

_MODEL = flags.DEFINE_string("model", "transformer_large", "a named model")
_CLIENTS = flags.DEFINE_integer("clients", 8, "clients of a round", lower_bound=1)
_JOB = flags.DEFINE_enum("job", "chat", sorted(JOBS), "which batches")
_ROUNDS = flags.DEFINE_integer("rounds", 3, "measured rounds; the median counts", lower_bound=1)
_JSON = flags.DEFINE_bool("json", False, "end with one line of JSON")
_ONLY = flags.DEFINE_list("only", [], "measure these alone; default: all")
_MEASURE = flags.DEFINE_string("measure", "", "internal: measure this in this process")

Measure = Callable[[Job, str, int], dict[str, float]]

_CORES = len(os.sched_getaffinity(0))
_COHORTS = (8, 32, 128)


def _one_thread() -> dict[str, str]:
    names = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS")
    return dict.fromkeys(names, "1")


def _measurements() -> dict[str, Measure]:
    """Name -> measurement, to be called in a process of its own."""
    from benchmarks import measures as m

    def cohort(clients: int) -> Measure:
        # One round is enough for memory, and 128 clients take a while.
        return lambda job, model, _: m.resident(Job.named(_JOB.value, clients), model, 1)

    measurements: dict[str, Measure] = {
        "matmul": lambda job, model, rounds: m.matmul_gflops(),
        "stock": m.stock,
        "stock_bucketed": m.stock_bucketed,
        "resident_float32": m.resident,
        "resident_bfloat16": functools.partial(m.resident, precision="bfloat16"),
        "bare_float32": m.bare,
        "bare_bfloat16": functools.partial(m.bare, precision="bfloat16"),
        "two_workers_float32": functools.partial(m.resident, workers=2),
        "fixed_stock": lambda job, model, rounds: m.stock_adam(job.first_batch(), model, rounds),
        "fixed_resident": lambda job, model, rounds: m.resident(
            job.first_batch(), model, rounds, options=m.FED_ADAM
        ),
        "fixed_training": lambda job, model, rounds: m.bare(job.first_batch(), model, rounds),
    }
    return measurements | {f"cohort_{clients}": cohort(clients) for clients in _COHORTS}


NAMES = (
    "matmul",
    "stock",
    "stock_bucketed",
    "resident_float32",
    "resident_bfloat16",
    "bare_float32",
    "bare_bfloat16",
    "two_workers_float32",
    "fixed_stock",
    "fixed_resident",
    "fixed_training",
    *(f"cohort_{clients}" for clients in _COHORTS),
)


def _start(name: str, environment: dict[str, str]) -> subprocess.Popen:
    arguments = [f"--{f.name}={f.value}" for f in (_MODEL, _CLIENTS, _JOB, _ROUNDS)]
    command = [sys.executable, "-m", "benchmarks.round", f"--measure={name}", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, env={**os.environ, **environment})


def _finish(process: subprocess.Popen) -> dict[str, float]:
    output, _ = process.communicate()
    if process.returncode:
        sys.exit(f"{' '.join(process.args)} failed; its messages are above.")  # type: ignore
    return json.loads(output.splitlines()[-1])


def _measure_apart(name: str) -> dict[str, float]:
    """Measures in another process; a plain loop also in one process a core, the better counts."""
    result = _finish(_start(name, {}))
    if not name.startswith("bare_") or _CORES == 1:
        return result
    apart = list(map(_finish, [_start(name, _one_thread()) for _ in range(_CORES)]))
    together = sum(one["tokens_per_second"] for one in apart)
    if together <= result["tokens_per_second"]:
        return result | {"processes": 1.0}
    memory = sum(one["peak_memory_bytes"] for one in apart)
    return {"tokens_per_second": together, "processes": _CORES, "peak_memory_bytes": memory}


def _report(results: dict[str, dict[str, float]]) -> dict[str, object]:
    rates = {
        name: round(result["tokens_per_second"], 1)
        for name, result in results.items()
        if "tokens_per_second" in result and not name.startswith(("fixed", "cohort", "two"))
    }
    report: dict[str, object] = {
        "model": _MODEL.value,
        "clients": _CLIENTS.value,
        "job": _JOB.value,
        "tokens_per_second": rates,
    }
    if "matmul" in results:
        report["matmul_gflops"] = {k: round(v, 1) for k, v in results["matmul"].items()}
    if {"fixed_stock", "fixed_resident", "fixed_training"} <= set(results):
        training = results["fixed_training"]["seconds_per_round"]
        report["fixed_seconds_per_round"] = {
            name: round(results[f"fixed_{name}"]["seconds_per_round"] - training, 3)
            for name in ("stock", "resident")
        }
    fixed = {name: result for name, result in results.items() if name.startswith("fixed_")}
    if fixed:
        report["seconds_per_round"] = {
            name: round(result["seconds_per_round"], 3) for name, result in fixed.items()
        }
    report["peak_memory_bytes"] = {
        name: result["peak_memory_bytes"]
        for name, result in results.items()
        if "peak_memory_bytes" in result
    }
    if "two_workers_float32" in results:
        report["seconds_per_round_by_workers"] = (
            {
                "1": round(results["resident_float32"]["seconds_per_round"], 2),
                "2": round(results["two_workers_float32"]["seconds_per_round"], 2),
            }
            if "resident_float32" in results
            else {}
        )
    return report


def _table(report: dict) -> str:
    rates = report["tokens_per_second"]
    base = rates.get("stock")
    lines = [
        f"{report['model']}, {report['clients']} clients a round, job {report['job']!r}, "
        f"{_CORES} cores",
        "",
        f"{'':24}{'tokens/s':>10}{'x stock':>9}{'memory':>10}",
    ]
    for name, rate in rates.items():
        ratio = f"{rate / base:8.2f}x" if base else ""
        memory = report["peak_memory_bytes"][name] / 2**30
        lines.append(f"{name:24}{rate:10,.0f}{ratio:>9}{memory:7.1f} GiB")
    lines.append("")
    for name, unit in (
        ("matmul_gflops", "GFLOP/s of a 2048-cubed product"),
        ("seconds_per_round", "seconds a round of one batch"),
        ("fixed_seconds_per_round", "seconds a round beside training"),
        ("seconds_per_round_by_workers", "seconds a round by workers"),
    ):
        if report.get(name):
            figures = ", ".join(f"{k} {v:,}" for k, v in report[name].items())
            lines.append(f"{unit}: {figures}")
    cohorts = {
        name.removeprefix("cohort_"): f"{value / 2**30:.2f} GiB"
        for name, value in report["peak_memory_bytes"].items()
        if name.startswith("cohort_")
    }
    if cohorts:
        listed = ", ".join(f"{clients}: {memory}" for clients, memory in cohorts.items())
        lines.append(f"peak memory by clients a round: {listed}")
    return "\n".join(lines)


def main(argv: Sequence[str]) -> None:
    """Measures, prints the table."""
    if len(argv) > 1:
        raise app.UsageError(f"Unexpected argument {argv[1]!r}; flags begin with --.")
    logging.set_verbosity(logging.WARNING)  # TFF's compiler tells of every graph.
    if _MEASURE.value:
        job = Job.named(_JOB.value, _CLIENTS.value)
        result = _measurements()[_MEASURE.value](job, _MODEL.value, _ROUNDS.value)
        print(json.dumps(result))
        return
    if unknown := set(_ONLY.value) - set(NAMES):
        raise app.UsageError(f"--only={min(unknown)} is unknown; known are {', '.join(NAMES)}.")
    wanted = [name for name in NAMES if not _ONLY.value or name in _ONLY.value]
    results = {}
    for name in (bar := tqdm(wanted, unit="measurement", leave=False)):
        bar.set_description(name)
        results[name] = _measure_apart(name)
    report = _report(results)
    print(_table(report))
    if _JSON.value:
        print(json.dumps(report))


if __name__ == "__main__":
    app.run(main)
