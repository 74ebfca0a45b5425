"""What the paper's combination uploads, before anything is trained."""

import functools
import math
import re

import numpy as np
from absl.testing import absltest, parameterized

from configs import _paper_rows, stackoverflow
from tff_lm.config import read
from tff_lm.experiment import settings
from tff_lm.learning.options import PartialOptions
from tff_lm.models import build_model
from tff_lm.planner.draws import draws, partition_of
from tff_lm.planner.payloads import payload_bits

# A tenth without a number in the name.
FACTORS = {
    name: int((re.search(r"_(\d+)x$", name) or (None, 10))[1])
    for name in _paper_rows.COMBINATION
    if "efficient" in name
}


def shapes_of(model, config):
    model_fn = functools.partial(build_model, model, config.task.vocabulary_size)
    return model_fn, partition_of(model_fn).shapes


class PaperRowsTest(parameterized.TestCase):
    @parameterized.parameters(*FACTORS)
    def test_a_row_uploads_as_much_less_than_the_large_lstm_as_it_says(self, row):
        config = _paper_rows.preset(stackoverflow.get_config, f"combination/{row}")
        model_fn, shapes = shapes_of(config.model.name, config)
        bits = payload_bits(shapes, settings.codec(config, "upload"), config.upload.min_elements)
        mean = draws(model_fn, read(config, PartialOptions, "partial")).mean(np.asarray(bits))
        _, lstm = shapes_of("lstm_large", config)
        saving = 32 * sum(map(math.prod, lstm)) / mean
        self.assertGreaterEqual(saving, FACTORS[row])
        self.assertLess(saving, 1.1 * FACTORS[row])


if __name__ == "__main__":
    absltest.main()
