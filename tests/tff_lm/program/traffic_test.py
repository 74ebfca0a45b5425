import numpy as np
from absl.testing import absltest

from compression.ledger import CommunicationLedger
from tff_lm.program import traffic


def never_asked():
    raise AssertionError("Nothing is sent once: nobody needs to know who is new.")


def metrics(clients, *, up, down, gradient_up=None, state_down=None, once=None, **aggregator):
    work = {"per_client": np.zeros([clients, 2])}
    if gradient_up is not None:
        work["shared_aggregator"] = {"upload_bits": np.int64(gradient_up)}
        work["shared_distributor"] = {"download_bits": np.int64(state_down)}
    return {
        "distributor": {"download_bits": np.int64(down)}
        | ({} if once is None else {"first_download_bits": np.int64(once)}),
        "client_work": work,
        "aggregator": {
            "upload_bits": np.int64(up),
            "upload_bits_per_variable": np.array([up]),
            **aggregator,
        },
        "finalizer": (),
    }


class TrafficTest(absltest.TestCase):
    def test_uploads_are_of_the_cohort_and_downloads_of_one_client(self):
        ledger = CommunicationLedger(10)
        measured = metrics(3, up=240, down=160, relative_squared_error=0.25)
        found = traffic.record(ledger, [measured], never_asked)
        self.assertEqual(found["upload_bytes"], 30)
        self.assertEqual(found["download_bytes"], 60)
        self.assertEqual(found["upload_reduction"], 4.0)
        self.assertEqual(found["upload_error"], 0.25)
        found = traffic.record(ledger, [metrics(2, up=2**41, down=8)], never_asked)
        self.assertEqual(found["upload_bytes_total"], 30 + 2**38)
        self.assertNotIn("upload_error", found)
        self.assertEqual(traffic.totals(ledger)["download_bytes"], 62)
        self.assertEqual(traffic.totals(ledger)["download_bytes_per_client"], 62 / 5)

    def test_everything_of_two_passes_counts_and_its_clients_count_once(self):
        ledger = CommunicationLedger(10, ["kernel"])
        first = metrics(2, up=0, down=80, gradient_up=160, state_down=8)
        second = metrics(2, up=80, down=80, gradient_up=0, state_down=8)
        found = traffic.record(ledger, [first, second], never_asked)
        self.assertEqual(found["upload_bytes"], 30)
        self.assertEqual(found["download_bytes"], 2 * 22)
        self.assertEqual(traffic.totals(ledger)["upload_bytes_per_client"], 15)
        self.assertEqual(ledger.by_variable()["kernel"]["upload_bytes"], 10)

    def test_what_is_sent_once_is_charged_to_newcomers_once_in_all_passes(self):
        ledger = CommunicationLedger(10)
        passes = [metrics(3, up=0, down=16, once=800) for _ in range(2)]
        found = traffic.record(ledger, passes, lambda: 2)
        self.assertEqual(found["download_bytes"], 3 * 2 * 2 + 2 * 100)
        found = traffic.record(ledger, passes, lambda: 0)
        self.assertEqual(found["download_bytes"], 12)
        self.assertEqual(found["download_bytes_total"], 212 + 12)


if __name__ == "__main__":
    absltest.main()
