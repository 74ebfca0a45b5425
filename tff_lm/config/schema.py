"""Every option of an experiment: the one place where names, defaults and help are written.

A preset (configs/*.py) starts from `default_config()` and changes a few of these; the command line
changes more with `--config.SECTION.NAME=VALUE`. `python -m bin.train --help` prints this table.
"""

from __future__ import annotations

from tff_lm.config.option import Option

SECTIONS = {
    "task": "whose text is learned, and how it is cut into sub-words",
    "model": "the architecture",
    "federated": "rounds, cohorts and local training",
    "algorithm": "optimizers at the clients and at the server",
    "evaluation": "when and on whom the model is measured",
    "checkpoint": "what a run can be resumed from",
    "runtime": "where and how rounds are computed; never what they compute, but for precision",
}

_MODELS = (
    "lstm_small",
    "transformer_small",
    "lstm_large",
    "transformer_large",
    "conformer_large",
    "lstm_tiny",
    "transformer_tiny",
    "conformer_tiny",
)
_SCHEDULES = ("constant", "linear", "cosine", "inverse_sqrt")

OPTIONS = (
    Option("seed", 0, "seed of everything random: initialization, cohorts, shuffling", minimum=0),
    # --- task
    Option(
        "task.name", "chat", "the corpus", choices=("chat", "shakespeare", "stackoverflow", "text")
    ),
    Option("task.path", "", "file or folder of the corpus, where it is not embedded", fixed=False),
    Option("task.cache_dir", "", "where prepared data is kept (default: ~/.cache)", fixed=False),
    Option("task.vocabulary_size", 4000, "sub-word pieces", minimum=64),
    # --- model
    Option("model.name", "transformer_small", "architecture and size", choices=_MODELS),
    Option("model.dropout", 0.0, "dropout rate while training", minimum=0, maximum=0.95),
    # --- federated
    Option("federated.rounds", 100, "rounds of training", minimum=0, fixed=False),
    Option("federated.clients_per_round", 8, "clients in a round's cohort", minimum=1),
    Option(
        "federated.examples_per_client", 160, "sentences a client trains on, at most", minimum=1
    ),
    Option("federated.batch_size", 16, "sentences in a batch", minimum=1),
    Option("federated.max_length", 30, "sub-words of a sentence, at most", minimum=2, maximum=512),
    Option("federated.local_epochs", 1, "passes of a client over its data in a round", minimum=1),
    # --- algorithm
    Option(
        "algorithm.name",
        "fed_adam",
        "the server's optimizer",
        choices=("fed_avg", "fed_adam", "fed_yogi", "fed_adagrad"),
    ),
    Option("algorithm.client_learning_rate", 0.5, "step of the client optimizer", minimum=0),
    Option("algorithm.server_learning_rate", 0.01, "step of the server optimizer", minimum=0),
    Option("algorithm.client_optimizer", "sgd", "the client's optimizer", choices=("sgd",)),
    Option("algorithm.client_momentum", 0.0, "of the client's SGD", minimum=0, maximum=0.999),
    Option("algorithm.server_momentum", 0.0, "of fed_avg", minimum=0, maximum=0.999),
    Option(
        "algorithm.weighting", "tokens", "of clients", choices=("tokens", "examples", "uniform")
    ),
    Option("algorithm.clip_norm", 0.0, "of a client's gradient; 0 is no clipping", minimum=0),
    # --- evaluation
    Option("evaluation.every", 10, "rounds between evaluations; 0: only at the end", minimum=0),
    Option("evaluation.clients", 16, "validation clients of these; a fixed sample", minimum=1),
    Option(
        "evaluation.central_perplexity",
        0.0,
        "of central training, for the plots; 0: unknown",
        minimum=0,
        fixed=False,
    ),
    # --- checkpoint
    Option(
        "checkpoint.every",
        10,
        "rounds between checkpoints; 0: only at the end",
        minimum=0,
        fixed=False,
    ),
    Option(
        "checkpoint.keep", 2, "latest checkpoints kept, beside the best one", minimum=1, fixed=False
    ),
    # --- runtime
    Option(
        "runtime.precision", "auto", "of the arithmetic", choices=("auto", "float32", "bfloat16")
    ),
    Option("runtime.workers", "", "host:port,host:port; empty: this machine", fixed=False),
    Option(
        "runtime.chunk_size",
        0,
        "clients handed to the worker at once; 0: auto",
        minimum=0,
        fixed=False,
    ),
)

BY_KEY = {option.key: option for option in OPTIONS}
