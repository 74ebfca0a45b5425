"""Every option of an experiment: the one place where names, defaults and help are written.

A preset (configs/*.py) starts from `default_config()` and changes a few of these; the command line
changes more with `--config.SECTION.NAME=VALUE`. `python -m bin.train --help` prints this table.
Names of models, algorithms and the like are repeated here so that a typo is answered before
TensorFlow is imported; a test holds them against the registries.
"""

from __future__ import annotations

from tff_lm.config.option import Option

TASKS = ("chat", "lm1b", "plain_text", "shakespeare", "sotu", "stackoverflow", "text")
MODELS = (
    "lstm_small",
    "transformer_small",
    "lstm_large",
    "transformer_large",
    "conformer_large",
    "lstm_tiny",
    "transformer_tiny",
    "conformer_tiny",
)
SCALE_INVARIANT_MODELS = tuple(name for name in MODELS if not name.startswith("conformer"))
POSITIONS = ("sinusoidal", "rotary")
ALGORITHMS = (
    "fed_avg",
    "fed_avg_m",
    "fed_adam",
    "fed_yogi",
    "fed_adagrad",
    "fed_prox",
    "mime",
    "mime_lite",
    "scaffold",
)
OPTIMIZERS = ("sgd", "momentum", "adam", "yogi", "adagrad")
WEIGHTINGS = ("tokens", "examples", "uniform")
POLICIES = ("full", "fixed", "per_round", "per_client_per_round", "rolling")
ORDERS = ("random", "bottom_up")
SCHEDULES = ("constant", "linear", "cosine", "exponential", "inverse_square_root")
CODECS = (
    "identity",
    "float16",
    "bfloat16",
    "uniform",
    "qsgd",
    "terngrad",
    "drive",
    "eden",
    "top_k",
    "random_k",
    "tfmot_uniform",
)
# Codecs of a few levels, which an entropy coder can pack; those of them that no rotation precedes.
LEVEL_CODECS = ("uniform", "qsgd", "terngrad", "drive", "eden")
UNROTATED_CODECS = ("uniform", "qsgd", "terngrad")
VOCABULARIES = ("same", "transfer")
PRECISIONS = ("auto", "float32", "bfloat16")

SECTIONS = {
    "task": "whose text is learned, and how it is cut into sub-words",
    "model": "the architecture",
    "federated": "rounds, cohorts and local training",
    "algorithm": "optimizers at the clients and at the server",
    "server_schedule": "factor on the server's learning rate, by round",
    "client_schedule": "factor on the clients' learning rate, by round",
    "local_schedule": "factor on the clients' learning rate, by local step within a round",
    "partial": "which variables a client trains and uploads",
    "warm_start": "which weights of another training a run begins with",
    "lora": "low-rank corrections that train in the place of the model's matrices",
    "pretrain": "central training, by bin.pretrain",
    "upload": "how clients send their updates",
    "download": "how the server sends its model",
    "evaluation": "when and on whom the model is measured",
    "checkpoint": "what a run can be resumed from",
    "runtime": "where and how rounds are computed",
}


def _schedule(section: str, unit: str) -> tuple[Option, ...]:
    return (
        Option(f"{section}.name", "constant", "shape after the warm-up", choices=SCHEDULES),
        Option(f"{section}.warmup", 0, f"{unit}s of linear growth up to 1", minimum=0),
        Option(f"{section}.decay", 0, f"{unit}s in which a decay reaches its end", minimum=0),
        Option(f"{section}.final_factor", 0.0, "the end of a decay", minimum=0, maximum=1),
    )


def _codec(section: str) -> tuple[Option, ...]:
    return (
        Option(f"{section}.codec", "identity", "the code; identity: float32", choices=CODECS),
        Option(f"{section}.bits", 0, "bits a value; 0: the codec's own", minimum=0, maximum=16),
        Option(f"{section}.stochastic", True, "round at random, without bias (uniform)"),
        Option(f"{section}.per_row", False, "one range a row of a matrix (uniform)"),
        Option(
            f"{section}.bucket",
            0,
            "values of one norm or range; 0: its own (qsgd, uniform)",
            minimum=0,
        ),
        Option(f"{section}.fraction", 0.0, "sent; 0: its own (top_k, random_k)", maximum=1),
        Option(
            f"{section}.scale",
            "unbiased",
            "what the scale aims at (drive, eden)",
            choices=("unbiased", "least_squares"),
        ),
        Option(f"{section}.rotated", False, "rotate at random before quantizing"),
        Option(f"{section}.scaled", False, "scale rows and columns to one size before"),
        Option(f"{section}.entropy", False, "pack the levels with an entropy coder"),
        Option(f"{section}.min_elements", 1024, "smaller variables go as float32", minimum=1),
    )


OPTIONS = (
    Option("seed", 0, "of everything random: initial weights, cohorts, order, noise", minimum=0),
    Option("experiment", "", "the run's name in reports", fixed=False),
    # What is learned.
    Option("task.name", "chat", "the corpus", choices=TASKS),
    Option("task.path", "", "file or folder of a corpus that is not a package", fixed=False),
    Option("task.cache_dir", "", "prepared data; default $TFF_LM_CACHE or ~/.cache", fixed=False),
    Option("task.vocabulary_size", 4000, "sub-word pieces", minimum=16),
    Option("task.vocabulary", "", "a task's name, a run's folder or a file; empty: learned"),
    Option("task.lower_case", True, "whether text is lower-cased"),
    Option("task.min_examples", 0, "fewest sentences of a client; 0: the corpus' own", minimum=0),
    Option("task.max_examples", 0, "most sentences of a client; 0: the corpus' own", minimum=0),
    Option("task.max_clients", 0, "most clients of a split; 0: all", minimum=0),
    Option("task.user_column", "user", "column of the user's name (task.name='text')"),
    Option("task.text_column", "text", "column of the text (task.name='text')"),
    Option("model.name", "transformer_small", "architecture and size", choices=MODELS),
    Option("model.dropout", 0.0, "dropout rate while training", minimum=0, maximum=0.95),
    Option("model.scale_invariant", False, "the variant whose scale of weights has no effect"),
    Option("model.positions", "sinusoidal", "how attention tells places", choices=POSITIONS),
    # How it is learned.
    Option("federated.rounds", 100, "rounds of training", minimum=0, fixed=False),
    Option("federated.clients_per_round", 8, "clients in a round's cohort", minimum=1),
    Option("federated.examples_per_client", 160, "sentences of a client in a round", minimum=1),
    Option("federated.batch_size", 16, "sentences in a batch", minimum=1),
    Option("federated.max_length", 30, "sub-words of a sentence", minimum=2, maximum=512),
    Option("federated.local_epochs", 1, "passes of a client over its sentences", minimum=1),
    Option("federated.local_steps", 0, "most steps of a client in a round; 0: all", minimum=0),
    Option("algorithm.name", "fed_adam", "the federated algorithm", choices=ALGORITHMS),
    Option("algorithm.client_learning_rate", 0.5, "of the client optimizer", minimum=0),
    Option(
        "algorithm.server_learning_rate",
        0.0,
        "of the server optimizer; 0: the algorithm's own",
        minimum=0,
    ),
    Option("algorithm.client_optimizer", "sgd", "the clients' optimizer", choices=OPTIMIZERS),
    Option("algorithm.client_momentum", 0.9, "of 'momentum'", minimum=0, maximum=0.9999),
    Option("algorithm.server_momentum", 0.9, "of fed_avg_m", minimum=0, maximum=0.9999),
    Option("algorithm.server_beta_1", 0.9, "of fed_adam and fed_yogi", minimum=0, maximum=0.9999),
    Option("algorithm.server_beta_2", 0.99, "of fed_adam and fed_yogi", minimum=0, maximum=0.9999),
    Option("algorithm.server_epsilon", 0.0, "adaptivity; 0: the algorithm's own", minimum=0),
    Option("algorithm.proximal_mu", 0.0, "FedProx' mu; 0: the algorithm's own", minimum=0),
    Option("algorithm.weighting", "tokens", "a client's weight in the mean", choices=WEIGHTINGS),
    Option("algorithm.clip_norm", 0.0, "most norm of a batch gradient; 0: any", minimum=0),
    *_schedule("server_schedule", "round"),
    *_schedule("client_schedule", "round"),
    *_schedule("local_schedule", "step"),
    Option("partial.policy", "full", "who trains which variables", choices=POLICIES),
    Option("partial.fraction", 1.0, "of all parameters, trained", minimum=0, maximum=1),
    Option("partial.order", "random", "in which policy 'fixed' freezes", choices=ORDERS),
    Option("partial.include", "", "regular expression: variables that may be frozen; all"),
    Option("partial.min_size", 2048, "elements of a matrix that may be frozen", minimum=1),
    # Where it starts.
    Option("warm_start.checkpoint", "", "folder of a run or a SavedModel to load; empty: none"),
    Option("warm_start.which", "best", "of a run's checkpoints: best, latest or a round"),
    Option("warm_start.include", "", "regular expression: variables to load; empty: what fits"),
    Option("warm_start.freeze", "", "regular expression: loaded variables that do not train"),
    Option("warm_start.vocabulary", "same", "or keep shared pieces", choices=VOCABULARIES),
    Option("lora.rank", 0, "of corrections to frozen matrices; 0: none", minimum=0),
    Option("lora.alpha", 16.0, "a correction is multiplied by alpha / rank", minimum=0),
    Option("lora.include", "", "regular expression: matrices that are corrected; empty: all"),
    Option("pretrain.passes", 0, "of bin.pretrain over the text; 0: bin.train", minimum=0),
    Option("pretrain.steps", 0, "most steps of all passes together; 0: all", minimum=0),
    Option("pretrain.steps_per_round", 100, "what is one round of other options", minimum=1),
    Option("pretrain.batch_size", 32, "sentences in a batch", minimum=1),
    Option("pretrain.block_sentences", 20000, "in memory, shuffled together", minimum=1),
    Option("pretrain.learning_rate", 2e-3, "of AdamW, at its highest", minimum=0),
    Option("pretrain.warmup", 200, "steps until then", minimum=0),
    Option("pretrain.decay", "linear", "shape from then to the last step", choices=SCHEDULES),
    Option("pretrain.final_factor", 0.01, "where a decay ends", minimum=0, maximum=1),
    Option("pretrain.weight_decay", 0.01, "of matrices, times the learning rate", minimum=0),
    Option("pretrain.clip_norm", 1.0, "most norm of a gradient; 0: any", minimum=0),
    Option("pretrain.parts", 0, "of a batch, computed at once; 0: the cores", minimum=0),
    # What travels.
    *_codec("upload"),
    Option("upload.measure_error", False, "report the codec's relative squared error"),
    *_codec("download"),
    # What is measured and kept.
    Option("evaluation.every", 10, "rounds between evaluations; 0: only at the end", minimum=0),
    Option("evaluation.names", "validation", "what is measured, such as validation, adapted"),
    Option("evaluation.clients", 16, "validation clients of these, a fixed sample", minimum=1),
    Option("evaluation.examples_per_client", 0, "sentences of a client; 0: all", minimum=0),
    Option("evaluation.batch_size", 64, "sentences in a batch", minimum=1),
    Option(
        "evaluation.central_perplexity",
        0.0,
        "reached by central training, a line in the plots; 0: unknown",
        minimum=0,
        fixed=False,
    ),
    Option("checkpoint.every", 10, "rounds between checkpoints", minimum=1, fixed=False),
    Option("checkpoint.keep", 2, "latest ones kept, beside the best", minimum=1, fixed=False),
    # On what.
    Option("runtime.precision", "auto", "of matrix products", choices=PRECISIONS),
    Option("runtime.workers", "", "host:port,... of bin.worker; empty: this machine", fixed=False),
    Option("runtime.certificates", "certificates", "folder, for runtime.workers", fixed=False),
    Option("runtime.chunk_size", 0, "client updates in memory; 0: auto", minimum=0, fixed=False),
)

BY_KEY = {option.key: option for option in OPTIONS}
