"""The pages in a real browser: the study answers itself, the viewer flips."""

import asyncio
import json

import numpy as np
import pytest

from sginpaint.evaluation import evaluator
from sginpaint.evaluation.report import write_report
from sginpaint.evaluation.results import Panel, Row
from sginpaint.evaluation.study import Question
from sginpaint.evaluation.study_page import write_study
from sginpaint.evaluation.study_tally import read_answers, tally
from tests.cli.demo import browser
from tests.evaluation.toy import PlainSystem, load_toy, plain_split

pytestmark = pytest.mark.skipif(not browser.find(), reason="needs Chromium")

KEYS = ["ArrowLeft", "ArrowRight", "b", "ArrowDown", "ArrowLeft"]


def _study(path):
  questions = [
    Question("q1", 0, "a", "b"),
    Question("q2", 0, "b", "a"),
    Question("q3", 0, "a", "b"),
  ]
  row = Row(0, "p", "center", 0.25, {})
  grey = np.full((16, 16, 3), 90, np.uint8)
  panel = Panel(row, grey, np.zeros((16, 16, 1)), {"system": grey}, {})
  panels = {name: {0: panel} for name in "ab"}
  write_study(path, questions, panels, identity="s1")


def _press(key):
  return (
    "(document.querySelector('dialog[open]') || document).dispatchEvent("
    f"new KeyboardEvent('keydown', {{key: {json.dumps(key)}, bubbles: true}}))"
  )


async def _visit(root):
  async with browser.opened((root / "study.html").as_uri(), root) as page:
    await page.until("document.querySelector('#begin') !== null")
    await page.value("document.querySelector('#rater').value = 'Ann'")
    await page.click("#begin")
    for key in KEYS:
      await page.value(_press(key))
    await page.until("!document.querySelector('#end').hidden")
    for kind in ("json", "csv"):
      await page.click(f".tools [data-save={kind}]")
      async with asyncio.timeout(20):
        while not list(root.glob(f"study-Ann-*.{kind}")):
          await asyncio.sleep(0.05)
    await page.call("Page.navigate", url=(root / "report.html").as_uri())
    await page.until("document.querySelector('.strip img') !== null")
    await page.click(".strip figure.peek img")
    await page.until("document.querySelector('dialog').open")
    names = await page.value(
      "[...document.querySelectorAll('.stage b')].map(b => b.textContent)"
    )
    await page.value(_press(" "))
    flipped = await page.value(
      "document.querySelector('.stage').classList.contains('flipped')"
    )
    return names, flipped, page.problems


def test_study_and_viewer(tmp_path):
  _study(tmp_path / "study.html")
  toy = load_toy(PlainSystem(off=8), panels=1)
  evaluation = evaluator.run(toy, plain_split(4), name="A", progress=False)
  write_report(tmp_path / "report.html", evaluations=[evaluation])
  names, flipped, problems = asyncio.run(_visit(tmp_path))
  assert (names, flipped, problems) == (["A", "Truth"], True, [])
  saved = [next(tmp_path.glob(f"study-Ann-*.{k}")) for k in ("json", "csv")]
  answers = read_answers(saved[:1])
  assert answers == read_answers(saved[1:])
  # Left, then right taken back for no difference, then left.
  assert [a.choice for a in answers] == ["left", "same", "left"]
  found = tally(answers).strata["all"]["a", "b"]
  assert (found.wins, found.losses, found.same) == (2, 0, 1)
