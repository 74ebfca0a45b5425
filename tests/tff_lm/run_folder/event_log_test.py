import pathlib

from absl.testing import absltest
from tensorboard.backend.event_processing import event_accumulator

from tff_lm.run_folder.event_log import EventLog


class EventLogTest(absltest.TestCase):
    def test_tensorboard_reads_the_scalars_of_a_resumed_run_once(self):
        folder = pathlib.Path(self.create_tempdir().full_path)
        first = EventLog(folder, first_step=0)
        for number in range(5):
            first.scalars(number, {"training/loss": number, "training/gone": None})
        first.close()
        second = EventLog(folder, first_step=3)
        for number in range(3, 6):
            second.scalars(number, {"training/loss": 10 + number, "nan": float("nan")})
        second.close()
        reader = event_accumulator.EventAccumulator(str(folder))
        reader.Reload()
        self.assertEqual(reader.Tags()["scalars"], ["training/loss"])
        found = [(event.step, event.value) for event in reader.Scalars("training/loss")]
        self.assertEqual(found, [(0, 0), (1, 1), (2, 2), (3, 13), (4, 14), (5, 15)])


if __name__ == "__main__":
    absltest.main()
