"""The rows and curves of the paper, as changes to a preset: table -> row -> {dotted key: value}.

configs/paper.py applies them at the paper's scale, configs/chat_paper.py at this machine's.
Learning rates are those of the scale's own preset for the model, not tuned by row. A row that names
no model is about `transformer_large`; `--config.model.name=` changes it.
"""

from collections.abc import Callable, Mapping
from typing import TypeVar

import ml_collections

from tff_lm.config import ConfigError
from tff_lm.config.option import Value, nearest

T = TypeVar("T")
Row = Mapping[str, Value]

LARGE = ("transformer_large", "conformer_large")


def _upload(codec: str) -> Row:
    return {"upload.codec": codec}


def _download(codec: str) -> Row:
    return {"download.codec": codec}


def _uniform(bits: int) -> Row:
    # A range for 1,024 values costs 1/16 bit each. With one range for a whole tensor, the rows of
    # rare words drown in the noise of the others, and Adam makes full steps of it.
    return _upload(f"uniform(bits={bits}, bucket=1024)")


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
    **{f"download_{b}": _download(f"uniform(bits={b})") for b in (16, 12, 10, 8, 6)},
    **{f"upload_{b}": _uniform(b) for b in (16, 12, 8, 6, 4, 2, 1)},
    "upload_8_tensor": _upload("uniform(bits=8)"),
    **{f"upload_rotated_{b}": _upload(f"rotated(uniform(bits={b}))") for b in (8, 6, 4, 2, 1)},
    "upload_terngrad": _upload("terngrad"),
    "upload_qsgd_4_entropy": _upload("entropy(qsgd(bits=4))"),
    "upload_rotated_4_entropy": _upload("rotated(entropy(uniform(bits=4)))"),
    **{f"upload_eden_{b}": _upload(f"eden(bits={b})") for b in (4, 3, 2)},
    "upload_drive": _upload("drive"),
    "upload_drive_scaled": _upload("scaled(drive)"),
}

PARTIAL: Mapping[str, Row] = {
    "full": {},
    **{
        f"{policy}_{fraction:.0%}".removesuffix("%"): _partial(policy, fraction)
        for policy in ("fixed", "per_round", "per_client_per_round", "rolling")
        for fraction in (0.8, 0.6, 0.4, 0.2, 0.1)
    },
}

# What `bin.pretrain` leaves there; configs/paper.py and configs/chat_paper.py say how.
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
    "lora_8_top_k": {**_LORA, **_upload("top_k(fraction=0.25)")},
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
    "efficient_20x": _upload("rotated(uniform(bits=4))"),
    "efficient_40x": _upload("eden(bits=2)"),
    "efficient_70x": _upload("scaled(drive)"),
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
            **_download("uniform(bits=8)"),
        }
        for model in LARGE
        for name, upload in _EFFICIENT.items()
    },
}


TABLES: Mapping[str, Mapping[str, Row]] = {
    "combination": COMBINATION,
    "models": MODELS,
    "optimizers": OPTIMIZERS,
    "partial": PARTIAL,
    "quantization": QUANTIZATION,
    "transfer": TRANSFER,
}

# The row of a table that is named without one.
_DEFAULTS = {
    "combination": "transformer_large_efficient",
    "models": "transformer_large",
    "optimizers": "fed_adam",
    "partial": "per_client_per_round_40",
    "quantization": "upload_8",
    "transfer": "all",
}


def preset(
    base: Callable[[str], ml_collections.ConfigDict], name: str
) -> ml_collections.ConfigDict:
    """A row of a table, applied to what `base` has for its model.

    Args:
      base: a model's name -> the preset of a scale.
      name: "table/row", or "table" for its usual row.

    Raises:
      ConfigError: if there is no such table or row.
    """
    table, _, row = name.partition("/")
    rows = _found("table", table, TABLES)
    row = row or _DEFAULTS[table]
    changes = dict(_found(f"row of {table}", row, rows))
    config = base(str(changes.get("model.name", "transformer_large")))
    config.experiment = row
    config.update_from_flattened_dict(changes)
    return config


def _found(kind: str, name: str, things: Mapping[str, T]) -> T:
    if name not in things:
        hint = nearest(name, things) or f"; there are {', '.join(things)}"
        raise ConfigError(f"there is no {kind} {name!r}{hint}")
    return things[name]
