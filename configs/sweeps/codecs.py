"""Codecs for upload and download against float32."""

from configs.sweeps import common
from tff_lm.program.sweep import Sweep


def get_sweep() -> Sweep:
    return Sweep(
        title="Codecs on the chat task",
        description="The small Transformer with equal rounds, cohorts and learning rates; only "
        "what travels differs.",
        base={"model.name": "transformer_small", **common.length(100)},
        runs={
            "float32": {},
            "uniform_8": common.UPLOAD_8,
            "rotated_4": common.UPLOAD_ROTATED_4,
            "rotated_4_entropy": {**common.UPLOAD_ROTATED_4, "upload.entropy": True},
            "eden_2": {"upload.codec": "eden", "upload.bits": 2},
            "drive_1": common.UPLOAD_DRIVE,
            "download_8": common.DOWNLOAD_8,
            "download_8_drive_1": {**common.DOWNLOAD_8, **common.UPLOAD_DRIVE},
        },
        seeds=(0, 1),
        baseline="float32",
    )
