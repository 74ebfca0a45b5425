"""Whether memory stays flat: many rounds of a tiny model, with the size of both processes.

    python -m benchmarks.soak --rounds=300 --output=soak.png

Everything of a real run takes part: client data read and batched in the worker, local training,
8-bit uploads, evaluation, and copies of the server state. Draws the resident memory of this process
and of the worker by round, and prints how much each grew after round 50.
"""

import json
import pathlib
import statistics
import tempfile
from collections.abc import Sequence

import ml_collections
import psutil
from absl import app, flags, logging
from tqdm import tqdm

from tff_lm import paths
from tff_lm.client_order import ClientOrder
from tff_lm.config import default_config
from tff_lm.experiment.federated import build_experiment
from tff_lm.program import sampling
from tff_lm.program.contracts import Experiment
from tff_lm.run_folder.workdir import Workdir

_ROUNDS = flags.DEFINE_integer("rounds", 300, "Rounds to run.", lower_bound=100)
_OUTPUT = flags.DEFINE_string("output", "soak.png", "The picture.")
_CSV = flags.DEFINE_string("csv", None, "Also write the sizes to this file.")

_SETTLED_ROUND = 50
_WINDOW = 20  # rounds whose median counts, at both ends
_EVALUATE_EVERY, _COPY_EVERY = 25, 10
_MEGABYTE = 1 << 20

Sizes = dict[str, list[float]]


def _config() -> ml_collections.ConfigDict:
    config = default_config()
    config.task.name = "chat"
    config.model.name = "transformer_tiny"
    config.federated.clients_per_round = 4
    config.federated.examples_per_client = 16
    config.upload.codec = "uniform"
    config.runtime.precision = "float32"
    return config


def _run_round(experiment: Experiment, round_number: int) -> None:
    config, clients = experiment.config, experiment.clients
    cohort = sampling.cohort(
        clients.train,
        config.federated.clients_per_round,
        seed=config.seed,
        round_number=round_number,
    )
    experiment.runtime.next([ClientOrder(config.seed, round_number, client) for client in cohort])
    if round_number % _EVALUATE_EVERY == 0:
        orders = [ClientOrder(config.seed, 0, client) for client in clients.test[:4]]
        experiment.evaluations[0].rows("test", orders)
    if round_number % _COPY_EVERY == 0:
        experiment.runtime.state_arrays()


def _measure(rounds: int) -> Sizes:
    """Runs the rounds; returns resident megabytes after each, of this process and the worker."""
    sizes: Sizes = {"python": [], "worker": []}
    with (
        tempfile.TemporaryDirectory() as folder,
        build_experiment(_config(), Workdir(pathlib.Path(folder))) as experiment,
    ):
        experiment.runtime.initialize()
        here = psutil.Process()
        worker = next(
            child for child in here.children(recursive=True) if child.name() == "worker_binary"
        )
        for round_number in tqdm(range(1, rounds + 1), unit="round"):
            _run_round(experiment, round_number)
            for name, process in (("python", here), ("worker", worker)):
                sizes[name].append(process.memory_info().rss / _MEGABYTE)
    return sizes


def _growth(sizes: Sequence[float]) -> float:
    """Growth since the settled round, as a fraction: medians of a window at both ends."""
    settled = statistics.median(sizes[_SETTLED_ROUND : _SETTLED_ROUND + _WINDOW])
    return statistics.median(sizes[-_WINDOW:]) / settled - 1.0


def _draw(sizes: Sizes, path: pathlib.Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(8, 4), layout="constrained")
    for name, values in sizes.items():
        label = f"{name} ({_growth(values):+.1%} since round {_SETTLED_ROUND})"
        axes.plot(range(1, len(values) + 1), values, label=label)
    axes.axvline(_SETTLED_ROUND, color="grey", linewidth=0.8, linestyle="--")
    axes.set(xlabel="round", ylabel="resident memory (MB)", ylim=(0, None), title="Memory by round")
    axes.legend()
    figure.savefig(path, dpi=120)


def main(arguments: Sequence[str]) -> None:
    """Runs the soak and prints one line of JSON last."""
    if len(arguments) > 1:
        raise app.UsageError(f"Unexpected argument {arguments[1]!r}.")
    logging.set_verbosity(logging.WARNING)
    sizes = _measure(_ROUNDS.value)
    _draw(sizes, pathlib.Path(paths.resolve(_OUTPUT.value)))
    if _CSV.value:
        rows = zip(sizes["python"], sizes["worker"], strict=True)
        lines = ["round,python_mb,worker_mb"]
        lines += [f"{i},{python:.1f},{worker:.1f}" for i, (python, worker) in enumerate(rows, 1)]
        pathlib.Path(paths.resolve(_CSV.value)).write_text("\n".join(lines) + "\n")
    report = {
        "rounds": _ROUNDS.value,
        "growth_since_round_50": {name: round(_growth(mb), 4) for name, mb in sizes.items()},
        "megabytes": {name: round(mb[-1], 1) for name, mb in sizes.items()},
    }
    print(json.dumps(report))


if __name__ == "__main__":
    app.run(main)
