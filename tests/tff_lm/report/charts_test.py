"""The figures of plots, read back from matplotlib."""

import collections
import pathlib

import numpy as np
from absl.testing import absltest
from matplotlib.colors import to_hex

from tests.tff_lm.report import samples
from tff_lm.report import experiments, plots, runs
from tff_lm.report.charts import clients, codec_errors, curves, frontier, style


def experiment(name, *, seeds=(0, 1), **figures):
    found = []
    for seed in seeds:
        summary = samples.summary(name, seed, **figures)
        path = pathlib.Path(f"{name}-{seed}.json")
        curve = tuple(
            runs.Point(
                entry["round"],
                entry["validation_token_perplexity"],
                entry["upload_bytes_total"],
                entry["download_bytes_total"],
                entry["seconds_total"],
            )
            for entry in summary["curve"]
        )
        found.append(runs.Run(name, path, summary, curve))
    return experiments.by_name(found)[0]


def lines(figure):
    return {line.get_label(): line for line in figure.axes[0].get_lines()}


def curved(shown, baseline, all_of_them, progress=curves.BY_ROUND):
    return curves.Curves(shown, baseline, all_of_them, progress, all_of_them)


def colours(figure):
    """Colour and marker by the first word of a legend's label."""
    axes = figure.axes[0]
    drawn = [*axes.get_lines(), *axes.containers]
    points = {each.get_label().split(" ")[0]: getattr(each, "lines", [each])[0] for each in drawn}
    return {
        name: (to_hex(each.get_color()), each.get_marker())
        for name, each in points.items()
        if name[0] != "_"
    }


class ChartsTest(absltest.TestCase):
    def test_curves_are_means_over_seeds(self):
        base, other = experiment("base"), experiment("other", perplexity=130.0, reduction=10.0)
        drawn = curved([other, base], base, [base, other]).draw()
        found = lines(drawn)
        self.assertEqual(list(found), ["other", "base"])
        self.assertEqual(to_hex(found["base"].get_color()), style.INK)
        mean = [
            (one.token_perplexity + two.token_perplexity) / 2
            for one, two in zip(other.runs[0].curve, other.runs[1].curve, strict=True)
        ]
        self.assertSequenceEqual(list(found["other"].get_ydata()), mean)
        self.assertSequenceEqual(list(found["other"].get_xdata()), range(0, 301, 20))

    def test_curves_by_bytes_begin_where_something_was_sent(self):
        one = experiment("one", seeds=(0,), reduction=2.0)
        for progress, each_round in (
            (curves.BY_UPLOAD, samples.MODEL_BYTES * samples.CLIENTS / 2),
            (curves.BY_BYTES, samples.MODEL_BYTES * samples.CLIENTS * 1.5),
        ):
            line = lines(curved([one], None, [one], progress).draw())["one"]
            places = [each_round * number for number in range(20, 301, 20)]
            self.assertSequenceEqual(list(line.get_xdata()), places)

    def test_parts_of_curves_have_the_same_axes(self):
        all_of_them = [
            experiment(f"e{index}", perplexity=100.0 + index, reduction=1.0 + index)
            for index in range(3)
        ]
        for progress in (curves.BY_ROUND, curves.BY_UPLOAD):
            drawn = [curved([each], None, all_of_them, progress) for each in all_of_them]
            limits = {each.draw().axes[0].get_ylim() for each in drawn}
            self.assertLen(limits, 1)
        self.assertLen({each.draw().axes[0].get_xlim() for each in drawn}, 1)

    def test_frontier_is_what_nothing_beats(self):
        places = [(4.0, 10.0), (1.0, 30.0), (2.0, 30.0), (3.0, 20.0), (5.0, 11.0)]
        self.assertEqual(frontier.frontier(places), [(1.0, 30.0), (3.0, 20.0), (4.0, 10.0)])

    def test_frontier_has_every_experiment_at_its_place(self):
        base, other = experiment("base"), experiment("other", perplexity=130.0, reduction=10.0)
        self.assertTrue(frontier.has_place(base))
        self.assertFalse(frontier.has_place(experiment("none", communication={})))
        found = frontier.draw([base, other], base, [base, other]).axes[0].containers
        places = [tuple(each.lines[0].get_xydata()[0]) for each in found]
        upload = float(samples.MODEL_BYTES)
        self.assertEqual([each.get_label() for each in found], ["base", "other"])
        curve = lines(curved([other], base, [base, other]).draw())["other"]
        self.assertEqual(found[1].lines[0].get_color(), curve.get_color())
        for place, wanted in zip(places, [(upload, 120.185), (upload / 10, 130.185)], strict=True):
            self.assertAlmostEqual(place[0], wanted[0])
            self.assertAlmostEqual(place[1], wanted[1])

    def test_clients_from_the_10th_to_the_90th_percentile(self):
        one = experiment("one", seeds=(0,), perplexity=100.0)
        self.assertTrue(clients.has_place(one))
        self.assertFalse(clients.has_place(experiment("none", test={"token_perplexity": 1.0})))
        summary = samples.of_earlier_version(one.runs[0].summary)
        old = experiments.by_name([runs.Run("old", one.runs[0].source, summary, ())])
        axes = clients.draw([one, *old], None, [one, *old]).axes[0]
        bar = axes.collections[0].get_segments()[0].tolist()
        np.testing.assert_allclose(bar, [[60, 0], [119.2, 0]])
        self.assertEndsWith(axes.get_xlabel(), "perplexity,\nwith end of sentence")
        axes = clients.draw([one], None, [one]).axes[0]
        self.assertEqual(axes.collections[0].get_segments()[0].tolist(), [[75, 0], [149, 0]])
        self.assertEqual(axes.get_xlabel(), "of a person: test perplexity")
        self.assertEqual(axes.get_lines()[0].get_xydata().tolist(), [[101.0, 0.0]])

    def test_codec_errors_by_bits(self):
        found = lines(codec_errors.draw(samples.codec_rows()))
        self.assertEqual(found["eden"].get_xydata()[1].tolist(), [2.013, 1.4 / 16])
        self.assertLen(found, 4)

    def test_many_lines_are_shared_out(self):
        base = experiment("base")
        others = [experiment(f"e{index:02}") for index in range(14)]
        charts = list(plots.of("s", [base, *others], base))
        names = [chart.name for chart in charts]
        self.assertEqual(names[:3], ["s_by_round_1", "s_by_round_2", "s_by_round_3"])
        labels = [label for chart in charts[:3] for label in lines(chart.draw())]
        self.assertEqual(labels.count("base"), 3)
        self.assertCountEqual(set(labels) - {"base"}, [each.name for each in others])
        self.assertEqual(labels[:7], ["base", "e00", "e01", "e02", "e03", "e04", "e05"])
        self.assertLen(set(names), len(names))

    def test_of_very_many_the_best_are_drawn(self):
        base = experiment("base", perplexity=200.0)
        others = [experiment(f"e{index:02}", perplexity=150.0 - index) for index in range(25)]
        charts = list(plots.of("s", [base, *others], base))
        labels = {label for chart in charts[:3] for label in lines(chart.draw())}
        self.assertEqual(labels, {"base", *(f"e{index}" for index in range(15, 25))})
        self.assertIn("(the best 10 on validation)", charts[0].title)

    def test_central_training_is_drawn_by_round_alone(self):
        rounds = [
            {
                "round": number,
                "validation_token_perplexity": 100.0 / (1 + number),
                "upload_bytes_total": 0,
                "download_bytes_total": 0,
                "seconds_total": float(number),
            }
            for number in range(3)
        ]
        (chart,) = plots.of("s", [experiment("a", curve=rounds, test={})], None)
        self.assertEqual(chart.name, "s_by_round")
        ticks = chart.draw().axes[0].get_xticks()
        self.assertEqual([tick for tick in ticks if tick % 1], [])

    def test_a_run_looks_the_same_in_all_charts_of_a_section(self):
        nothing_sent = {
            "upload_bytes_per_client": 0.0,
            "upload_bytes": 0.0,
            "download_bytes_per_client": 0.0,
        }
        found = [experiment(f"e{index}", seeds=(0,)) for index in range(7)]
        found[1] = experiment("e1", seeds=(0,), curve=[])
        found[2] = experiment("e2", seeds=(0,), communication=nothing_sent)
        looks = collections.defaultdict(set)
        for chart in plots.of("s", found, found[3]):
            for name, look in colours(chart.draw()).items():
                looks[name].add(look)
        self.assertSameElements(looks, [each.name for each in found])
        for name, seen in looks.items():
            self.assertLen(seen, 1, msg=name)
        self.assertEqual(looks["e3"], {(style.INK, "x")})
        # The bars of people have their experiment's colour, too.
        axes = clients.draw(found[4:6], found[3], found).axes[0]
        bars = [to_hex(colour) for colour in axes.collections[0].get_colors()]
        self.assertEqual(bars, [colour for n in ("e4", "e5") for colour, _ in looks[n]])

    def test_neighbours_in_a_plot_differ_in_colour(self):
        found = [experiment(f"e{index}", seeds=(0,)) for index in range(12)]
        for left_out in (0, 4, 7):
            found[left_out] = experiment(f"e{left_out}", seeds=(0,), curve=[])
            for chart in plots.of("s", found, None):
                if "_by_" in chart.name:
                    seen = [colour for colour, _ in colours(chart.draw()).values()]
                    self.assertLen(set(seen), len(seen), msg=chart.name)
            found[left_out] = experiment(f"e{left_out}", seeds=(0,))

    def test_what_lies_above_the_axis_is_said(self):
        low, high = experiment("low", perplexity=100.0), experiment("high", perplexity=650.0)
        drawn = curved([low, high], None, [low, high]).draw()
        self.assertEqual(list(lines(drawn)), ["low", "high (above 600)"])
        (axes,) = drawn.axes
        self.assertLess(axes.get_ylim()[1], 650.0)
        self.assertEqual(
            axes.get_ylabel(),
            "validation perplexity,\nwith end of sentence\n(not shown: above 600)",
        )
        flat = experiment("flat", perplexity=100.0, rounds=10)
        self.assertNotIn("not shown", curved([flat], None, [flat]).draw().axes[0].get_ylabel())

    def test_no_plot_without_figures(self):
        self.assertEmpty(list(plots.of("s", [experiment("a", curve=[], test={})], None)))


if __name__ == "__main__":
    absltest.main()
