"""Labels of axes: none on another, none twice, whatever the data."""

import itertools

from absl.testing import absltest, parameterized
from matplotlib.backends.backend_agg import FigureCanvasAgg

from tff_lm.report.charts import style, ticks
from tff_lm.run_folder.progress import human_bytes


def draw(low, high):
    figure = style.figure(["a"])
    axes = figure.subplots()
    axes.plot([low, high], [low, high], label="a")
    ticks.scale(axes, "x", low, high, human_bytes)
    ticks.scale(axes, "y", low, high, ticks.NUMBER)
    return figure


class TicksTest(parameterized.TestCase):
    @parameterized.parameters(
        (1.0, 1.0),
        (2.22e9, 1.001),
        (1.54e7, 1.1),
        (1.05e10, 2.9),
        (1.54e7, 8.0),
        (2.2e9, 45.0),
        (1.0, 1e6),
    )
    def test_no_two_labels_touch_or_are_the_same(self, low, ratio):
        with style.in_force():
            figure = draw(low, low * ratio)
            ticks.make_room(figure)
            renderer = FigureCanvasAgg(figure).get_renderer()
            figure.draw_without_rendering()
            found = list(ticks.labels(figure.axes[0].xaxis, renderer))
            heights = list(ticks.labels(figure.axes[0].yaxis, renderer))
        self.assertNotEmpty(found)
        self.assertNotEmpty(heights)
        for (text, box), (following, right) in itertools.pairwise(found):
            self.assertGreater(right.x0, box.x1, msg=f"{text} and {following}")
            self.assertNotEqual(text, following)
        for (_, box), (_, above) in itertools.pairwise(heights):
            self.assertGreaterEqual(above.y0, box.y1)

    def test_ticks_that_have_room_stay(self):
        with style.in_force():
            figure = draw(1e6, 2e6)
            before = list(figure.axes[0].get_xticks())
            ticks.make_room(figure)
        self.assertEqual(list(figure.axes[0].get_xticks()), before)


if __name__ == "__main__":
    absltest.main()
