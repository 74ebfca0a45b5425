import itertools
import re

import numpy as np
from absl.testing import absltest, parameterized

from tff_lm.report.charts import style, ticks

# Machado et al. 2009, table 1, severity 1.0; on linear RGB.
_SIGHTS = {
    "all cones": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "tritanopia": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}
_TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def linear(colour):
    value = np.array([int(colour[start : start + 2], 16) for start in (1, 3, 5)]) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def lab(rgb):
    xyz = _TO_XYZ @ np.clip(rgb, 0, 1) / [0.9505, 1, 1.089]
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def contrast(one, other):
    low, high = sorted(_TO_XYZ[1] @ linear(colour) for colour in (one, other))
    return (high + 0.05) / (low + 0.05)


def draw():
    figure = style.figure(["a"])
    axes = figure.subplots()
    axes.plot([1, 2, 300], [1, 2, 3], label="a & b", **style.series(0))
    ticks.scale(axes, "x", 1, 300, "{:.0f} B".format)
    style.legend(figure, ["a"])
    return figure


class StyleTest(parameterized.TestCase):
    @parameterized.parameters(
        (style.SERIES, "#ffffff"),
        (style.SERIES_IN_THE_DARK, "#14171b"),
    )
    def test_colours_can_be_told_apart_and_seen(self, colours, ground):
        for name, sight in _SIGHTS.items():
            for one, other in itertools.combinations(colours, 2):
                distance = np.linalg.norm(lab(sight @ linear(one)) - lab(sight @ linear(other)))
                self.assertGreater(distance, 24.0, msg=f"{name}: {one} and {other}")
        for colour in colours:
            self.assertGreater(contrast(colour, ground), 3.0, msg=colour)

    def test_lines_differ_in_colour_and_marker_together(self):
        many = [tuple(sorted(style.series(index).items())) for index in range(20)]
        self.assertLen(set(many), 20)

    def test_same_figure_same_bytes(self):
        self.assertEqual(style.png(draw), style.png(draw))
        self.assertEqual(style.svg(draw, "a"), style.svg(draw, "a"))
        self.assertTrue(style.png(draw).startswith(b"\x89PNG"))

    def test_the_svg_follows_the_page_and_needs_nothing_else(self):
        text = style.svg(draw, "a")
        self.assertStartsWith(text, "<svg viewBox=")
        self.assertNotRegex(text, "https?:|@import|xmlns")
        self.assertIn("stroke: var(--series-0)", text)
        self.assertNotIn(style.INK, text)
        self.assertIn(">a &amp; b</text>", text)
        self.assertIn(">100 B</text>", text)

    def test_ids_of_two_plots_in_a_page_differ(self):
        ids = [set(re.findall(r' id="([^"]*)"', style.svg(draw, name))) for name in "ab"]
        self.assertNotEmpty(ids[0])
        self.assertEmpty(ids[0] & ids[1])


if __name__ == "__main__":
    absltest.main()
