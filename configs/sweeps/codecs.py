"""Codecs for upload and download against float32."""

from configs._paper_rows import QUANTIZATION
from configs.sweeps import common
from tff_lm.sweep import Sweep


def get_sweep() -> Sweep:
    return Sweep(
        title="Codecs on the chat task",
        description="The small Transformer with equal rounds, cohorts and learning rates; only "
        "what travels differs. `uniform_8` has a range for each 1,024 values; `scaled` divides a "
        "matrix by the sizes of its rows and columns first. Both keep the noise small where "
        "updates are small: FedAdam makes full steps of whatever it finds there, rows of rare "
        "words first of all. Seconds do not compare: the runs shared the machine, and `float32` "
        "and `drive_1` were suspended for a while.",
        base={"model.name": "transformer_small", **common.length(100)},
        runs={
            "float32": {},
            "uniform_8": QUANTIZATION["upload_8"],
            "uniform_8_tensor": QUANTIZATION["upload_8_tensor"],
            "rotated_4": QUANTIZATION["upload_rotated_4"],
            "rotated_4_entropy": QUANTIZATION["upload_rotated_4_entropy"],
            "eden_2": QUANTIZATION["upload_eden_2"],
            "drive_1": QUANTIZATION["upload_drive"],
            "drive_1_scaled": QUANTIZATION["upload_drive_scaled"],
            "download_8": QUANTIZATION["download_8"],
            "download_8_drive_1": {
                **QUANTIZATION["download_8"],
                **QUANTIZATION["upload_drive"],
            },
        },
        seeds=(0, 1),
        baseline="float32",
        columns=(
            "seeds",
            "token_perplexity",
            "perplexity_change",
            "word_perplexity",
            "top1_accuracy",
            "upload_per_client",
            "upload_reduction",
            "download_per_client",
            "download_reduction",
            "rounds",
        ),
    )
