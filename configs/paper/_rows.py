"""The rows and curves of the paper, as changes to a preset: table -> row -> {dotted key: value}.

The presets beside this file apply them at the paper's scale, those of configs/chat_paper at this
machine's; learning rates are those of the scale's own preset for the model, not tuned by row. A row
that names no model is about `transformer_large`; `--config.model.name=` changes it.
"""

from collections.abc import Callable, Mapping

import ml_collections

from tff_lm.config import ConfigError
from tff_lm.config.option import Value, nearest

Row = Mapping[str, Value]

LARGE = ("transformer_large", "conformer_large")


def _codec(section: str, name: str, **options: Value) -> Row:
    return {f"{section}.codec": name, **{f"{section}.{key}": v for key, v in options.items()}}


def _uniform(bits: int) -> Row:
    # A range for 1,024 values costs 1/16 bit each. With one range for a whole tensor, the rows of
    # rare words drown in the noise of the others, and Adam makes full steps of it.
    return _codec("upload", "uniform", bits=bits, bucket=1024)


def _partial(policy: str, fraction: float, **options: Value) -> Row:
    return {
        "partial.policy": policy,
        "partial.fraction": fraction,
        **{f"partial.{key}": value for key, value in options.items()},
    }


MODELS: Mapping[str, Row] = {
    name: {"model.name": name} for name in ("lstm_small", "transformer_small", "lstm_large", *LARGE)
}

QUANTIZATION: Mapping[str, Row] = {
    "float32": {},
    **{f"download_{b}": _codec("download", "uniform", bits=b) for b in (16, 12, 10, 8, 6)},
    **{f"upload_{b}": _uniform(b) for b in (16, 12, 8, 6, 4, 2, 1)},
    "upload_8_tensor": _codec("upload", "uniform", bits=8),
    **{
        f"upload_rotated_{b}": _codec("upload", "uniform", bits=b, rotated=True)
        for b in (8, 6, 4, 2, 1)
    },
    "upload_terngrad": _codec("upload", "terngrad"),
    "upload_qsgd_4_entropy": _codec("upload", "qsgd", bits=4, entropy=True),
    "upload_rotated_4_entropy": _codec("upload", "uniform", bits=4, rotated=True, entropy=True),
    **{f"upload_eden_{b}": _codec("upload", "eden", bits=b) for b in (4, 3, 2)},
    "upload_drive": _codec("upload", "drive"),
    "upload_drive_scaled": _codec("upload", "drive", scaled=True),
}

PARTIAL: Mapping[str, Row] = {
    "full": {},
    **{
        f"{policy}_{fraction:.0%}".removesuffix("%"): _partial(policy, fraction)
        for policy in ("fixed", "per_round", "per_client_per_round", "rolling")
        for fraction in (0.8, 0.6, 0.4, 0.2, 0.1)
    },
}

# What `bin.pretrain` leaves there; the presets of the table say how.
_PRETRAINED: Row = {"warm_start.checkpoint": "runs/pretrain/transformer_large"}
_LORA: Row = {**_PRETRAINED, "lora.rank": 8}

# What a run loads; all that is not named trains as well, but under LoRA.
TRANSFER: Mapping[str, Row] = {
    "scratch": {},
    "all": _PRETRAINED,
    "embeddings": {**_PRETRAINED, "warm_start.include": "embedding"},
    "attention": {**_PRETRAINED, "warm_start.include": "attention"},
    "ffn": {**_PRETRAINED, "warm_start.include": "feed_forward"},
    "lora_8": _LORA,
    "lora_8_top_k": {**_LORA, **_codec("upload", "top_k", fraction=0.25)},
}

# A server's rate and adaptivity of 0 are the algorithm's own: those of a preset are FedAdam's.
_OWN_SERVER: Row = {"algorithm.server_learning_rate": 0.0, "algorithm.server_epsilon": 0.0}

OPTIMIZERS: Mapping[str, Row] = {
    "fed_adam": {},
    "fed_yogi": {"algorithm.name": "fed_yogi"},
    **{
        name: {"algorithm.name": name, **_OWN_SERVER}
        for name in (
            "fed_avg",
            "fed_avg_m",
            "fed_adagrad",
            "fed_prox",
            "mime_lite",
            "mime",
            "scaffold",
        )
    },
    # More local work: a pass more over a client's sentences, and FedProx' pull against the drift.
    **{f"epochs_{n}": {"federated.local_epochs": n} for n in (2, 4)},
    "epochs_4_proximal": {"federated.local_epochs": 4, "algorithm.proximal_mu": 0.01},
}

# The paper's combination uploads a tenth of what the large LSTM does; what follows it goes further,
# by fewer bits a value.
_EFFICIENT: Mapping[str, Row] = {
    "efficient": _uniform(8),
    "efficient_20x": _codec("upload", "uniform", bits=4, rotated=True),
    "efficient_40x": _codec("upload", "eden", bits=2),
    "efficient_70x": _codec("upload", "drive", scaled=True),
}

COMBINATION: Mapping[str, Row] = {
    **{name: MODELS[name] for name in ("lstm_small", "lstm_large")},
    **{
        f"{model}_{name}": {
            **MODELS[model],
            # The paper's 0.4 at 8 bits, with their ranges, is 9.8 times less than the model itself,
            # and 8.8 times less than the large LSTM, which is smaller. The embedding always trains,
            # without which the small model did far worse.
            **_partial("per_client_per_round", 0.34, include="block"),
            **upload,
            **_codec("download", "uniform", bits=8),
        }
        for model in LARGE
        for name, upload in _EFFICIENT.items()
    },
}


def preset(
    base: Callable[[str], ml_collections.ConfigDict], rows: Mapping[str, Row], name: str
) -> ml_collections.ConfigDict:
    """The row `name` of `rows`, applied to what `base` has for its model.

    Raises:
      ConfigError: if there is no such row.
    """
    if name not in rows:
        hint = nearest(name, rows) or f"; there are {', '.join(rows)}"
        raise ConfigError(f"there is no row {name!r}{hint}")
    row = dict(rows[name])
    config = base(str(row.get("model.name", "transformer_large")))
    config.experiment = name
    config.update_from_flattened_dict(row)
    return config
