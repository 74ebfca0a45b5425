import numpy as np
from absl.testing import absltest

from tff_lm.program import traffic


class TrafficTest(absltest.TestCase):
    def test_sums_all_parts_and_passes(self):
        one = {
            "distributor": {"download_bits": np.int64(80), "download_bits_per_variable": [80]},
            "client_work": {
                "per_client": np.zeros([3, 2]),
                "gradient_aggregator": {"upload_bits": np.int64(160)},
                "state_distributor": {"download_bits": np.int64(8)},
            },
            "aggregator": {"upload_bits": np.int64(2**41), "clients": 3},
            "finalizer": (),
        }
        two = {"client_work": {"per_client": np.zeros([2, 2])}, "distributor": {"download_bits": 8}}
        found = traffic.round_bytes([one, two])
        self.assertEqual(found["upload_bytes"], 20 + 2**38)
        self.assertEqual(found["download_bytes"], 3 * 11 + 2)


if __name__ == "__main__":
    absltest.main()
