"""An experiment without TensorFlow: a state that depends on every round's clients, in memory."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from tff_lm import figures
from compression.ledger import CommunicationLedger
from tff_lm.client_order import ClientOrder
from tff_lm.config import default_config
from tff_lm.evaluations import names
from tff_lm.program.contracts import Clients, Evaluation, Experiment

CLIENTS = Clients(
    train=[f"train{i}" for i in range(9)],
    validation=[f"validation{i}" for i in range(4)],
    test=[f"test{i}" for i in range(3)],
    unseen=[f"unseen{i}" for i in range(2)],
)
PARAMETERS = 10
UPLOAD_BYTES, DOWNLOAD_BYTES = 40, 80  # a client and round
TOKENS = 100  # a client
# As `tasks.report.figures` has it.
DATA = {
    "people": {"train": 9, "validation": 4, "test": 3},
    "sentences": {"train": 90, "validation": 40, "test": 30},
    "words": None,
    "sub_words": {"train": 1000, "validation": 400, "test": 300},
    "max_length": 30,
    "long_sentences": 2,
    "unknown_share": 0.02,
    "cut_share": 0.0,
    "left_out": {"not JSON": 3},
    "unreadable_rows": 3,
    "first_unreadable": "mine.jsonl:7: not JSON",
}


def config(**changes):
    """The default configuration at a size for tests; keys with "__" for the dot."""
    values = {
        "federated__rounds": 6,
        "federated__clients_per_round": 3,
        "evaluation__every": 2,
        "evaluation__clients": 2,
        "checkpoint__every": 2,
        **changes,
    }
    result = default_config()
    for key, value in values.items():
        section, leaf = key.split("__")
        result[section][leaf] = value
    return result


class FakeRuntime:
    """The weights move by a hash of each round's specs; the loss falls with the rounds."""

    def __init__(
        self, before_round: Callable[[int], None] = lambda number: None, frozen_bytes: int = 0
    ):
        self.weights = None
        self.step = 0
        self.orders: list[list[str]] = []
        self._before_round = before_round
        self._distributor = {"download_bits": 8 * DOWNLOAD_BYTES}
        if frozen_bytes:
            self._distributor["first_download_bits"] = 8 * frozen_bytes

    def initialize(self) -> None:
        self.weights = np.zeros(PARAMETERS)
        self.step = 0

    def next(self, orders: Sequence[ClientOrder]):
        self._before_round(self.step + 1)
        texts = [order.encode() for order in orders]
        self.orders.append(texts)
        digest = hashlib.sha256(" ".join(texts).encode()).digest()
        self.weights = self.weights * 0.5 + np.frombuffer(digest[:PARAMETERS], np.uint8)
        self.step += 1
        return {
            "distributor": self._distributor,
            "client_work": {"per_client": np.full((len(orders), 1), self.loss)},
            "aggregator": {"upload_bits": 8 * UPLOAD_BYTES * len(orders)},
        }

    @property
    def loss(self) -> float:
        return 5.0 / (1 + self.step) + 1e-6 * float(self.weights.sum())

    def state_arrays(self):
        return {"weights": self.weights.copy(), "finalizer/step": np.int64(self.step)}

    def restore(self, arrays) -> None:
        self.weights = np.array(arrays["weights"])
        self.step = int(arrays["finalizer/step"])


def summarise(per_client: np.ndarray) -> dict[str, float]:
    loss = float(np.mean(per_client))
    clients = len(per_client)
    # A tenth of the targets end a sentence, always guessed right; one of a hundred is unknown.
    sums = {
        "tokens": TOKENS,
        "nats": loss * TOKENS,
        "top1": 0.2 * TOKENS,
        "top3": 0.3 * TOKENS,
        "eos_tokens": 10,
        "eos_nats": 0.1 * loss,
        "eos_top1": 10,
        "eos_top3": 10,
        "unk_tokens": 1,
        "unk_nats": 2.0 * loss,
        "unk_top1": 0,
        "unk_top3": 1,
        "words": 80,
        "examples": 10,
    }
    found = figures.of({name: float(clients * value) for name, value in sums.items()})
    return {
        **found,
        # Free of rounding.
        "loss": loss,
        "token_perplexity": float(np.exp(loss)),
        **{
            percentile: found[name]
            for name in figures.recorded(figures.SPREAD)
            for percentile in figures.percentile_names(name).values()
        },
        "padding_fraction": 0.5,
        "clients": float(clients),
        "update_norm": 1.0,
        "non_finite_clients": 0.0,
    }


# A client's loss falls by this factor when it adapts.
ADAPTATION = 0.9
# The loss on text from elsewhere is higher by this one.
UNSEEN = 1.1


def evaluations(config, runtime: FakeRuntime) -> list[Evaluation]:
    """Those of `evaluation.names`; "adapted" measures before the adaptation as well.

    With `task.unseen`, "unseen" is one of them.
    """

    def rows(specs, factor):
        return np.full((len(specs), 1), factor * runtime.loss)

    def adapted(split, specs):
        return [rows(specs, ADAPTATION), rows(specs, 1.0)]

    known = {
        "validation": Evaluation(
            "validation",
            ("validation",),
            "validation",
            "test",
            "all sentences",
            lambda split, specs: [rows(specs, 1.0)],
        ),
        "adapted": Evaluation(
            "adapted", ("adapted", "adapted_before"), "validation", "test", "two halves", adapted
        ),
        "unseen": Evaluation(
            "unseen",
            ("unseen",),
            "unseen",
            "unseen",
            "all sentences",
            lambda split, specs: [rows(specs, UNSEEN)],
        ),
    }
    wanted = [*names.parse(config.evaluation.names), *(["unseen"] if config.task.unseen else [])]
    return [known[name] for name in wanted]


def experiment(
    config,
    runtime: FakeRuntime,
    vocabulary_hash: str = "abc",
    data_hash: str = "def",
    passes: int = 1,
) -> Experiment:
    return Experiment(
        config=config,
        clients=CLIENTS,
        runtime=runtime,
        begin=runtime.initialize,
        longest_first=sorted,
        evaluations=evaluations(config, runtime),
        summarise=summarise,
        passes=passes,
        ledger=CommunicationLedger(PARAMETERS),
        unigram=lambda: dict.fromkeys(figures.QUALITY, 321.0),
        vocabulary_hash=vocabulary_hash,
        data_hash=data_hash,
        weight_leaves={"layer/kernel": "weights"},
        facts={"parameters": PARAMETERS, "versions": {}, "data": DATA},
    )


def builder(runtime: FakeRuntime, **changes):
    """A `build` for `commands.train.train`."""

    @contextlib.contextmanager
    def build(config, workdir) -> Iterator[Experiment]:
        yield experiment(config, runtime, **changes)

    return build
