"""What the page and the Markdown say is what the summaries hold."""

import html
import html.parser
import json
import os
import pathlib
import re
import statistics

from absl.testing import absltest

from tests.tff_lm.report import samples
from tff_lm.config import ConfigError
from tff_lm.report import markdown, page, write
from tff_lm.sweep import record

_SWEEP = """
from tff_lm.sweep import Sweep

def get_sweep():
    return Sweep(
        title="Codecs & <bits>",
        description="All are **equal** but for the *upload*.",
        runs={"float32": {}, "drive": {}},
        baseline="float32",
        target_perplexities=(130.0, 121.0),
        target_experiments=("drive",),
    )
"""


class Tables(html.parser.HTMLParser):
    """The tables of a page: lists of rows of (text, data-value)."""

    def __init__(self, text):
        super().__init__()
        self.tables, self.tags, self.links, self._cell = [], [], [], None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.tags.append(tag)
        self.links += [attributes[name] for name in ("href", "src") if name in attributes]
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self._cell = ["", attributes.get("data-value")]
            self.tables[-1][-1].append(self._cell)

    def handle_endtag(self, tag):
        if tag in ("td", "th"):
            self._cell = None

    def handle_data(self, data):
        if self._cell is not None:
            self._cell[0] += data


class PageTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        sweeps = self.folder / "configs" / "sweeps"
        sweeps.mkdir(parents=True)
        (sweeps / "codecs.py").write_text(_SWEEP)
        before = os.environ.get("BUILD_WORKING_DIRECTORY")
        os.environ["BUILD_WORKING_DIRECTORY"] = str(self.folder)
        self.addCleanup(self.restore, before)
        self.results = [
            *(samples.summary("drive", seed, perplexity=126.0, reduction=31.0) for seed in (0, 1)),
            *(samples.summary("float32", seed) for seed in (0, 1)),
        ]
        samples.write(self.folder / "results" / "codecs", self.results)
        benchmark = self.folder / "results" / "codecs_benchmark.json"
        benchmark.write_text(json.dumps(samples.codec_benchmark()))
        self.report = write.build([self.folder / "results"], ["results", "--out=a b.html"])

    def restore(self, before):
        del os.environ["BUILD_WORKING_DIRECTORY"]
        if before is not None:
            os.environ["BUILD_WORKING_DIRECTORY"] = before

    def summaries(self, name):
        return [each for each in self.results if each["experiment"] == name]

    def column(self, table, head):
        """{row: (text, value)} of a column."""
        place = [cell[0] for cell in table[0]].index(head)
        return {row[0][0]: tuple(row[place]) for row in table[1:]}

    def test_numbers_in_the_page_are_those_of_the_summaries(self):
        results, cost, to_reach, _, to_end, codecs = Tables(page.render(self.report)).tables
        self.assertEqual(results[0][1][0], "test perplexity")
        end = "with end of sentence"
        for table, head, key, form in (
            (results, "test perplexity", ("test", "keyboard_perplexity"), "{:,.2f}"),
            (results, f"test perplexity, {end}", ("test", "token_perplexity"), "{:,.2f}"),
            (
                results,
                "test perplexity, word",
                ("test", "word_perplexity_without_eos"),
                "{:,.2f}",
            ),
            (results, f"test perplexity, word, {end}", ("test", "word_perplexity"), "{:,.2f}"),
            (results, "first guess right", ("test", "keyboard_top1_accuracy"), "{:.2%}"),
            (results, f"first guess right, {end}", ("test", "top1_accuracy"), "{:.2%}"),
            (results, "parameters", ("parameters",), "{:,.0f}"),
            (
                results,
                "upload, less than f32",
                ("communication", "upload_reduction"),
                "{:.1f}x",
            ),
            (cost, "rounds", ("rounds",), "{:.0f}"),
            (cost, "training, seconds", ("training_seconds",), "{:,.0f}"),
            (cost, "tokens/s", ("tokens_per_second",), "{:,.0f}"),
            (cost, "upload, total", ("communication", "upload_bytes"), None),
            (cost, "download, total", ("communication", "download_bytes"), None),
        ):
            for name, (text, value) in self.column(table, head).items():
                figures = self.summaries(name)
                for part in key:
                    figures = [figure[part] for figure in figures]
                self.assertEqual(float(value), statistics.fmean(figures), msg=(head, name))
                if form:
                    self.assertStartsWith(text, form.format(statistics.fmean(figures)), msg=head)
        drive = [each["test"]["keyboard_perplexity"] for each in self.summaries("drive")]
        self.assertEqual(
            self.column(results, "test perplexity")["drive"][0],
            f"{statistics.fmean(drive):.2f} ± {statistics.stdev(drive):.2f}",
        )
        self.assertEqual(
            self.column(codecs, "relative squared error")["eden 2"], ("0.0875", "0.0875")
        )
        self.assertEqual(self.column(to_reach, "seeds that did")["drive"][0], "2 of 2")
        # Its worst seed's last round: reached by both, and earlier by the better baseline.
        self.assertEqual(self.column(to_end, "seeds that did")["drive"][0], "2 of 2")
        self.assertGreater(float(self.column(to_end, "rounds, to the baseline's")["drive"][1]), 1)

    def test_evaluations_are_columns_by_name(self):
        figures = {"token_perplexity": 99.5, "top1_accuracy": 0.25}
        measured = {"adapted": figures, "unseen": figures}
        samples.write(
            self.folder / "results" / "codecs",
            [{**each, "evaluations": measured} for each in self.results],
        )
        path = self.folder / "configs" / "sweeps" / "codecs.py"
        for columns, head, text in (
            ("", "adapted: test perplexity, with end of sentence", "99.50 ± 0.00"),
            ("", "unseen perplexity, with end of sentence", "99.50 ± 0.00"),
            (
                'columns=("adapted.top1_accuracy",), ',
                "adapted: test first guess right, with end of sentence",
                "25.00%",
            ),
        ):
            path.write_text(_SWEEP.replace("baseline=", f"{columns}baseline=", 1))
            report = write.build([self.folder / "results"], [])
            table = Tables(page.render(report)).tables[0]
            self.assertStartsWith(self.column(table, head)["drive"][0], text)
        path.write_text(
            _SWEEP.replace("baseline=", 'columns=("adpted.top1_accuracy",), baseline=', 1)
        )
        with self.assertRaisesRegex(
            ConfigError, "no column 'adpted.top1_accuracy'; did you mean adapted"
        ):
            write.build([self.folder / "results"], [])

    def test_a_codec_of_any_family_has_its_row(self):
        benchmark = samples.codec_benchmark()
        benchmark["codecs"].append(
            {**benchmark["codecs"][0], "family": "tfmot uniform", "codec": "tfmot uniform 4"}
        )
        (self.folder / "results" / "codecs_benchmark.json").write_text(json.dumps(benchmark))
        report = write.build([self.folder / "results"], [])
        codecs = Tables(page.render(report)).tables[-1]
        self.assertIn("tfmot uniform 4", self.column(codecs, "bits a parameter"))

    def test_figures_that_earlier_versions_counted_otherwise_are_not_mixed_with_ours(self):
        self.assertNotIn("earlier versions", self.report.note)
        end, nothing = "first guess right, with end of sentence", "–"  # noqa: RUF001
        marked = f"{end}, ties counted"
        old = [samples.of_earlier_version(each) for each in self.results]
        # All runs are old, then those of "drive" alone.
        samples.write(self.folder / "results" / "codecs", old)
        report = write.build([self.folder / "results"], [])
        self.assertIn("earlier versions", report.note)
        table = Tables(page.render(report)).tables[0]
        heads = [cell[0] for cell in table[0]]
        self.assertNoCommonElements(heads, ["test perplexity", "first guess right", end])
        self.assertStartsWith(self.column(table, marked)["float32"][0], "18.70%")
        self.assertStartsWith(self.column(table, "to the baseline")["drive"][0], "+4.99 ± ")
        samples.write(self.folder / "results" / "codecs", [*old[:2], *self.results[2:]])
        table = Tables(page.render(write.build([self.folder / "results"], []))).tables[0]
        for head, drive, float32 in (
            (marked, "18.70%", nothing),
            (end, nothing, "18.70%"),
            ("first guess right", nothing, "13.40%"),
        ):
            column = self.column(table, head)
            self.assertStartsWith(column["drive"][0], drive)
            self.assertStartsWith(column["float32"][0], float32)
        self.assertStartsWith(self.column(table, "to the baseline")["drive"][0], "+4.99 ± ")

    def test_what_was_not_reached_is_said(self):
        _, _, _, to_reach, _, _ = Tables(page.render(self.report)).tables
        self.assertEqual(
            to_reach[2],
            [["drive", None], ["0 of 2", "0"], ["> 300", None], *[["–", None]] * 5],  # noqa: RUF001
        )
        self.assertEqual(self.column(to_reach, "seeds that did")["float32"], ("2 of 2", "2"))

    def test_a_sweep_that_is_not_whole_shows_what_was_run(self):
        path = self.folder / "configs" / "sweeps" / "codecs.py"
        more = "{}, 'qsgd': {}}, claims=(Claim('drive', 'float32'), Claim('qsgd', 'drive'),),"
        text = _SWEEP.replace("import Sweep", "import Claim, Sweep").replace("{}},", more)
        path.write_text(text)
        report = write.build([self.folder / "results"], ["results"])
        for made in (page.render(report), markdown.render(report, "images")):
            self.assertIn("drive: no higher perplexity than float32", made)
            self.assertNotIn("qsgd", made.replace("qsgd.py", ""))
        path.write_text(text.replace("Claim('drive', 'float32'), ", ""))
        report = write.build([self.folder / "results"], ["results"])
        self.assertNotIn("claim", page.render(report))

    def test_figures_and_commands_are_folded_away(self):
        for text in (page.render(self.report), markdown.render(self.report, "images")):
            folded = r"<details><summary>(.*?)</summary>(.*?)</details>"
            folds = dict(re.findall(folded, text, re.DOTALL))
            shown = re.sub(folded, "", text, flags=re.DOTALL)
            self.assertNotRegex(shown, "<svg|!\\[|<pre|```|bin.train")
            commands = [summary for summary in folds if summary.startswith("Command")]
            self.assertEqual(
                commands,
                [
                    "Commands: the whole sweep, and each of the 4 runs by itself",
                    "Command: the benchmark that measures this table",
                ],
            )
            figures = [summary for summary in folds if "igure" in summary and summary[0] != "H"]
            # The page has two that Markdown goes without.
            count = 5 if "<svg" in text else 3
            self.assertStartsWith(figures[0], f"{count} figures: validation perplexity by round;")
            self.assertStartsWith(figures[1], "Figure: relative squared error")
            for summary in figures:
                self.assertRegex(folds[summary], "<svg|!\\[")

    def test_a_sweep_file_from_anywhere_is_shown_as_its_record_says(self):
        elsewhere = self.folder / "my sweeps" / "bits.py"
        elsewhere.parent.mkdir()
        elsewhere.write_text(_SWEEP.replace("Codecs &", "My"))
        written = record.Record("my sweeps/bits.py", "/runs/my", "")
        record.write(self.folder / "results" / "codecs", written)
        text = page.render(write.build([self.folder / "results"], ["results"]))
        self.assertIn("<h2>My &lt;bits&gt;</h2>", text)
        self.assertIn("The baseline is <code>float32</code>", text)
        self.assertIn(html.escape(written.command), text)
        elsewhere.unlink()
        text = page.render(write.build([self.folder / "results"], ["results"]))
        self.assertIn("<h2>Codecs &amp; &lt;bits&gt;</h2>", text)
        self.assertIn(
            "bin.sweep --sweep=configs/sweeps/codecs.py --workdir=runs/codecs --collect", text
        )

    def test_an_unknown_target_experiment(self):
        path = self.folder / "configs" / "sweeps" / "codecs.py"
        path.write_text(_SWEEP.replace('("drive",)', '("drivee",)'))
        with self.assertRaisesRegex(ConfigError, "'drivee'.*did you mean drive"):
            write.build([self.folder / "results"], ["results"])

    def test_difference_to_the_baseline(self):
        results = Tables(page.render(self.report)).tables[0]
        change = self.column(results, "to the baseline")
        self.assertEqual(change["float32"][0], "baseline")
        wanted = 100 * ((126.0 / 120.0 + 126.37 / 120.37) / 2 - 1)
        self.assertAlmostEqual(float(change["drive"][1]), wanted)
        self.assertStartsWith(change["drive"][0], "+4.99 ± ")
        saving = self.column(results, "upload, less than the baseline")
        self.assertEqual(saving["drive"][0], "31.0x")
        # Rows in the sweep's order.
        self.assertEqual(list(change), ["float32", "drive"])

    def test_the_page_needs_nothing_but_itself(self):
        text = page.render(self.report)
        found = Tables(text)
        self.assertEqual(set(found.links), {"#codecs", "#codecs_benchmark"})
        self.assertNotRegex(text, r"https?:|@import|url\((?!#)")
        self.assertNoCommonElements(found.tags, ["link", "img", "iframe"])
        self.assertIn("<h2>Codecs &amp; &lt;bits&gt;</h2>", text)
        self.assertIn("All are <strong>equal</strong>", text)
        self.assertIn("python -m bin.report results &#x27;--out=a b.html&#x27;", text)
        for each in self.results:
            self.assertIn(each["command"], text)
        self.assertEqual(found.tags.count("svg"), 6)

    def test_markdown_says_the_same(self):
        text = markdown.render(self.report, "images/results")
        cells = [line.strip("| ").split(" | ") for line in text.splitlines() if line[:2] == "| "]
        tables = Tables(page.render(self.report)).tables
        for row in (row for table in tables for row in table):
            self.assertIn([cell[0] for cell in row], cells)
        self.assertIn("```sh\n# All of them:\npython -m bin.sweep", text)
        self.assertStartsWith(text, "<!-- Generated by `python -m bin.report results ")

    def test_markdown_has_its_plots_beside_it_and_no_others(self):
        docs = self.folder / "docs"
        old = docs / "images" / "results" / "old.png"
        old.parent.mkdir(parents=True)
        old.write_bytes(b"")
        kept = docs / "images" / "kept.png"
        kept.write_bytes(b"")
        arguments = ([self.folder / "results"], docs / "results.md", ["results"])
        write.write(*arguments)
        first = {path.name: path.read_bytes() for path in old.parent.iterdir()}
        linked = re.findall(r"\]\(images/results/(.*?)\)", (docs / "results.md").read_text())
        self.assertCountEqual(first, linked)
        self.assertNotEmpty(linked)
        self.assertTrue(kept.exists())
        write.write(*arguments)
        self.assertEqual(first, {path.name: path.read_bytes() for path in old.parent.iterdir()})

    def test_refuses_other_formats_and_folders(self):
        for name, message in (("a.pdf", "end it in .html or .md"), ("no/a.md", "no folder")):
            with self.assertRaisesRegex(ConfigError, message):
                write.write([self.folder / "results"], self.folder / name, [])

    def test_a_sweep_that_asks_for_what_is_not_there(self):
        path = self.folder / "configs" / "sweeps" / "codecs.py"
        for old, new, message in (
            ('baseline="float32"', 'baseline="float23"', "no run called 'float23'.*float32"),
            ('baseline="float32"', 'columns=("paramters",)', "no column 'paramters'.*parameters"),
            ("return Sweep", "return dict", r"get_sweep\(\) must return"),
        ):
            path.write_text(_SWEEP.replace(old, new))
            with self.assertRaisesRegex(ConfigError, message):
                write.build([self.folder / "results"], [])


if __name__ == "__main__":
    absltest.main()
