"""The page in a real browser: its layout on a phone and a desk, its folds, its sorting."""

# bazel: size = medium
# bazel: tags = local

import html
import json
import pathlib
import re
import shutil
import subprocess

from absl.testing import absltest, parameterized

from tests.tff_lm.report import samples
from tff_lm.report import page, write

_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
# A window has a least width; a frame in it has not.
_FRAME = """<!DOCTYPE html><body style="margin:0">
<iframe id="page" {sandbox} width="{width}" height="2000" style="border:0" srcdoc="{page}"></iframe>
<script>addEventListener("load", () => {{
  const page = document.getElementById("page").contentDocument;
  const measure = () => {{ {script} }};
  document.body.textContent = "<<<" + JSON.stringify(measure()) + ">>>";
}});</script></body>"""
_LAYOUT = """
  page.querySelectorAll("summary").forEach((summary) => summary.click());
  const box = (element) => element.getBoundingClientRect();
  const charts = [...page.querySelectorAll("svg")];
  const inside = (text, chart) =>
    box(text).left >= box(chart).left - 1 && box(text).right <= box(chart).right + 1 &&
    box(text).top >= box(chart).top - 1 && box(text).bottom <= box(chart).bottom + 1;
  const texts = charts.flatMap((chart) => [...chart.querySelectorAll("text")].map((text) => ({
    words: text.textContent, inside: inside(text, chart),
    size: parseFloat(getComputedStyle(text).fontSize) * box(chart).width /
      chart.viewBox.baseVal.width,
  })));
  return {
    needs: page.documentElement.scrollWidth,
    has: page.documentElement.clientWidth,
    columns: new Set(charts.map((chart) => Math.round(box(chart).left))).size,
    ground: getComputedStyle(page.body).backgroundColor,
    texts,
  };
"""
_FOLDS = """
  const height = (element) => Math.round(element.getBoundingClientRect().height);
  const visible = (element) => element.checkVisibility();
  const inside = [...page.querySelectorAll("svg, pre")];
  const summaries = [...page.querySelectorAll("summary")];
  const found = {
    folded: inside.map(visible), summaries: summaries.map(height),
    focused: summaries.map((each) => (each.focus(), page.activeElement === each)),
  };
  summaries.forEach((each) => each.click());
  return { ...found, opened: inside.map(visible) };
"""
_SORTING = """
  const table = page.querySelector("table");
  const column = 1, head = table.tHead.rows[0].cells[column].querySelector("button");
  const shown = () => [...table.tBodies[0].rows].map((row) => row.cells[column].innerText);
  const found = [shown()];
  for (let clicks = 0; clicks < 2; clicks++) { head.click(); found.push(shown()); }
  return found;
"""


class BrowserTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.browser = next(filter(None, map(shutil.which, _BROWSERS)), None)
        if self.browser is None:
            self.skipTest(f"none of {', '.join(_BROWSERS)} is installed")
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        perplexities = {"middle": 125.5, "a_rather_long_name_of_eden_2": 131.25, "least": 99.5}
        results = [
            samples.summary(name, 0, perplexity=value, reduction=index)
            for index, (name, value) in enumerate(perplexities.items(), 1)
        ]
        unknown = samples.summary("unknown", 0)
        unknown["test"]["keyboard_perplexity"] = None
        samples.write(self.folder / "sweep", [*results, unknown])
        self.text = page.render(write.build([self.folder / "sweep"], ["sweep"]))

    def measure(self, script, width, *flags, sandbox=""):
        """What `script` returns of the page in a frame of `width`."""
        frame = self.folder / "frame.html"
        source = html.escape(self.text, quote=True)
        frame.write_text(_FRAME.format(width=width, page=source, script=script, sandbox=sandbox))
        done = subprocess.run(
            [
                self.browser,
                *("--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"),
                f"--user-data-dir={self.folder / 'profile'}",
                f"--window-size={max(width, 500)},2000",
                *flags,
                frame.as_uri(),
            ],
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
        found = re.search("&lt;&lt;&lt;(.*)&gt;&gt;&gt;", done.stdout, re.DOTALL)
        self.assertIsNotNone(found, msg=done.stdout[-500:] + done.stderr[-500:])
        return json.loads(html.unescape(found[1]))

    @parameterized.parameters((390, 1), (1280, 2))
    def test_layout(self, width, columns):
        found = self.measure(_LAYOUT, width)
        self.assertLessEqual(found["needs"], found["has"], msg="the page scrolls sideways")
        self.assertEqual(found["columns"], columns)
        self.assertNotEmpty(found["texts"])
        for text in found["texts"]:
            self.assertTrue(text["inside"], msg=f"{text['words']} is cut off")
            self.assertGreater(text["size"], 8.0, msg=text["words"])

    @parameterized.parameters(390, 1280)
    def test_folds_open_without_the_page_s_script(self, width):
        found = self.measure(_FOLDS, width, sandbox='sandbox="allow-same-origin"')
        self.assertEqual(set(found["folded"]), {False})
        self.assertEqual(set(found["opened"]), {True})
        # High enough for a finger, and reached from the keyboard.
        self.assertGreaterEqual(min(found["summaries"]), 40)
        self.assertTrue(all(found["focused"]))

    def test_dark(self):
        light = self.measure(_LAYOUT, 390, "--blink-settings=preferredColorScheme=1")
        dark = self.measure(_LAYOUT, 390, "--blink-settings=preferredColorScheme=0")
        self.assertEqual(light["ground"], "rgb(255, 255, 255)")
        self.assertEqual(dark["ground"], "rgb(20, 23, 27)")

    def test_shows_the_figures_and_sorts_by_them(self):
        found = self.measure(_SORTING, 1280)
        unknown = "–"  # noqa: RUF001 (as the page has it)
        self.assertEqual(found[0], ["131.25", "99.50", "125.50", unknown])
        self.assertEqual(found[1], ["99.50", "125.50", "131.25", unknown])
        self.assertEqual(found[2], ["131.25", "125.50", "99.50", unknown])


if __name__ == "__main__":
    absltest.main()
