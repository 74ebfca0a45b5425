"""Results of runs that never were: figures follow from the arguments, none of them is round."""

from __future__ import annotations

import json
import pathlib

PARAMETERS = 4_070_400
CLIENTS, EVERY = 6, 20
MODEL_BYTES = 4 * PARAMETERS
WITH_END = 0.8


def summary(experiment, seed, *, perplexity=120.0, reduction=1.0, rounds=300, **changes):
    """A summary.json: `perplexity` on test, `reduction` of upload against float32.

    `perplexity` is the headline's, without end of sentence; with it, it is WITH_END of that.
    """
    perplexity += 0.37 * seed
    upload = MODEL_BYTES / reduction
    split = {
        "keyboard_perplexity": perplexity,
        "token_perplexity": WITH_END * perplexity,
        "word_perplexity_without_eos": 4.8 * perplexity,
        "word_perplexity": 3.1 * perplexity,
        "keyboard_top1_accuracy": 0.134,
        "top1_accuracy": 0.187,
        **{
            f"{name}_p{percent}": value * factor
            for name, value in (
                ("keyboard_perplexity", perplexity),
                ("token_perplexity", WITH_END * perplexity),
            )
            for percent, factor in ((10, 0.75), (50, 1.01), (90, 1.49))
        },
    }
    return {
        "task": "chat",
        "model": "transformer_small",
        "algorithm": "fed_adam",
        "rounds": rounds,
        "clients_per_round": CLIENTS,
        "seed": seed,
        "experiment": experiment,
        "command": f"python -m bin.train --config=configs/chat.py --config.seed={seed}",
        "parameters": PARAMETERS,
        "test": split,
        "validation": split,
        "communication": {
            "upload_bytes": upload * CLIENTS * rounds,
            "upload_bytes_per_client": upload,
            "upload_reduction": reduction,
            "download_bytes": MODEL_BYTES * CLIENTS * rounds,
            "download_bytes_per_client": float(MODEL_BYTES),
            "download_reduction": 1.0,
        },
        "tokens_per_second": 4929.9,
        "training_seconds": 1.41 * rounds,
        "peak_memory_bytes": 2481537024,
        "curve": curve(perplexity, upload, rounds),
        **changes,
    }


def of_earlier_version(found):
    """The summary as versions before `tff_lm.figures` wrote it."""

    def split(values):
        return {
            name: value
            for name, value in values.items()
            if not name.startswith("keyboard") and not name.endswith("without_eos")
        }

    return {**found, "test": split(found["test"]), "validation": split(found["validation"])}


def curve(perplexity, upload, rounds):
    """Evaluations every EVERY rounds; the perplexity falls like a power law to its end."""
    return [
        {
            "round": number,
            "validation_token_perplexity": perplexity * ((rounds + 2) / (number + 2)) ** 0.7,
            "validation_word_perplexity": 5 * perplexity,
            "upload_bytes_total": upload * CLIENTS * number,
            "download_bytes_total": MODEL_BYTES * CLIENTS * number,
            "tokens_total": 7000 * number,
            "seconds_total": 1.41 * number,
        }
        for number in range(0, rounds + 1, EVERY)
    ]


def write(folder, results):
    """Writes summaries as copies into `folder`, as a sweep does."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for each in results:
        path = folder / f"{each['experiment']}-seed_{each['seed']}.json"
        path.write_text(json.dumps(each))


def codec_rows():
    """Rows as the codec benchmark prints them."""
    return [
        {
            "family": family,
            "codec": f"{family} {bits}",
            "bits_per_parameter": bits + 0.013,
            "entropy_bound": None if family == "eden" else bits - 0.5,
            "relative_squared_error": scale * 4.0**-bits,
            "encode_ms": 30.0 * bits,
            "decode_ms": 20.0,
            "share_of_training": 0.01 * bits,
        }
        for family, scale in (("uniform", 30.0), ("rotated uniform", 4.0), ("eden", 1.4))
        for bits in (1, 2, 4, 8)
    ]


def codec_benchmark():
    """What the codec benchmark prints."""
    return {
        "model": "transformer_large",
        "precision": "float32",
        "tokens": 1517,
        "training_seconds": 2.5,
        "codecs": codec_rows(),
    }
