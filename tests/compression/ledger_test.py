import json

import numpy as np
from absl.testing import absltest

from compression.ledger import CommunicationLedger


def measured(direction, bits):
    return {
        f"{direction}_bits": np.int64(sum(bits)),
        f"{direction}_bits_per_variable": np.array(bits, np.int64),
    }


class LedgerTest(absltest.TestCase):
    def test_two_rounds_by_hand(self):
        ledger = CommunicationLedger(num_parameters=1000, variable_names=["embedding", "bias"])
        first = ledger.record_round(
            4, [measured("upload", [12000, 4000])], [measured("download", [8000, 32])]
        )
        self.assertEqual(first["communication.upload_bytes"], 2000)
        self.assertEqual(first["communication.upload_bytes_per_client"], 500)
        self.assertEqual(first["communication.upload_reduction"], 8.0)  # 4 * 4000 / 2000
        self.assertEqual(first["communication.download_bytes"], 4 * 1004)
        self.assertEqual(first["communication.download_bytes_per_client"], 1004)
        self.assertAlmostEqual(first["communication.download_reduction"], 4000 / 1004)
        second = ledger.record_round(
            2, [measured("upload", [0, 8000])], [measured("download", [8000, 0])]
        )
        self.assertEqual(second["communication.upload_bytes"], 1000)
        self.assertEqual(second["communication.total.upload_bytes"], 3000)
        self.assertEqual(second["communication.total.download_bytes"], 4016 + 2000)
        self.assertEqual(second["communication.total.upload_bytes_per_client"], 500)
        self.assertEqual(second["communication.total.upload_reduction"], 6 * 4000 / 3000)
        self.assertEqual(
            ledger.by_variable(),
            {
                "embedding": {"upload_bytes": 1500, "download_bytes": 4000 + 2000},
                "bias": {"upload_bytes": 1500, "download_bytes": 16},
            },
        )

    def test_further_channels_count(self):
        ledger = CommunicationLedger(1000)
        metrics = ledger.record_round(
            2, [{"upload_bits": 800}, {"upload_bits": 1600}], [{"download_bits": 8}] * 3
        )
        self.assertEqual(metrics["communication.upload_bytes"], 300)
        self.assertEqual(metrics["communication.download_bytes"], 6)

    def test_constants_are_charged_to_newcomers(self):
        ledger = CommunicationLedger(1000, ["kernel", "frozen"])
        measurement = measured("download", [80, 0]) | measured("first_download", [0, 8000])
        for newcomers, expected in ((4, 40 + 4000), (1, 40 + 1000), (0, 40)):
            metrics = ledger.record_round(
                4, [measured("upload", [32])], [measurement, measured("download", [0])], newcomers
            )
            self.assertEqual(metrics["communication.download_bytes"], expected)
        self.assertEqual(metrics["communication.total.download_bytes"], 120 + 5000)
        self.assertEqual(
            ledger.by_variable(),
            {
                "kernel": {"upload_bytes": 12, "download_bytes": 120},
                "frozen": {"upload_bytes": 0, "download_bytes": 5000},
            },
        )
        with self.assertRaisesRegex(ValueError, "5 newcomers in a cohort of 4"):
            ledger.record_round(4, [measured("upload", [0])], [measurement], 5)

    def test_state_survives_json(self):
        ledger = CommunicationLedger(10**7)
        big = measured("upload", [2**40, 8])  # beyond int32 and float32
        ledger.record_round(3, [big], [measured("download", [80, 8])])
        resumed = CommunicationLedger(10**7)
        resumed.restore(json.loads(json.dumps(ledger.state())))
        self.assertEqual(resumed.totals(), ledger.totals())
        for each in (ledger, resumed):
            each.record_round(1, [big], [measured("download", [80, 8])])
        self.assertEqual(resumed.totals(), ledger.totals())
        self.assertEqual(resumed.by_variable(), ledger.by_variable())
        self.assertEqual(ledger.totals()["communication.total.upload_bytes"], 2**38 + 2)

    def test_a_round_of_nobody(self):
        metrics = CommunicationLedger(10).record_round(
            0, [{"upload_bits": 0}], [{"download_bits": 320}]
        )
        self.assertEqual(metrics["communication.download_bytes"], 0)
        self.assertEqual(metrics["communication.upload_reduction"], 0.0)

    def test_unmeasured_parts_are_refused(self):
        with self.assertRaisesRegex(ValueError, "download measurements without 'download_bits'"):
            CommunicationLedger(10).record_round(1, [{"upload_bits": 8}], [()])
        with self.assertRaisesRegex(ValueError, "num_parameters = 0"):
            CommunicationLedger(0)


if __name__ == "__main__":
    absltest.main()
