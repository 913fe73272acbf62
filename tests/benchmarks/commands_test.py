"""Every benchmark prints one JSON object; two are run, as small as they get."""

import functools
import importlib
import json
import pathlib

import jax
import pytest

from benchmarks import command, machine
from sginpaint.errors import UserError
from tests.training.small import flags

_FOLDER = pathlib.Path(command.__file__).parent
COMMANDS = sorted(
  path.stem
  for path in _FOLDER.glob("*.py")
  if "if __name__" in path.read_text()
)

every_command = pytest.mark.parametrize("name", COMMANDS)


def _module(name):
  return importlib.import_module(f"benchmarks.{name}")


def _run(name, argv, capsys):
  module = _module(name)
  assert command.run(module._parser(), module.measure, argv) == 0
  return json.loads(capsys.readouterr().out)


@pytest.fixture
def small_peak(monkeypatch):
  """A matrix product of milliseconds."""
  product = functools.partial(machine.matrix_peak, size=64, repeats=2)
  monkeypatch.setattr(machine, "matrix_peak", product)


@every_command
def test_command_is_called_as_its_module(name):
  parser = _module(name)._parser()
  assert parser.prog == f"python -m benchmarks.{name}"
  assert parser.parse_args([]).repeats >= 5


@every_command
def test_readme_lists_the_command(name):
  assert f"`{name} " in (_FOLDER / "README.md").read_text()


@every_command
def test_too_few_repeats_are_refused(name):
  module = _module(name)
  with pytest.raises(UserError, match="--repeats=0"):
    command.run(module._parser(), module.measure, ["--repeats=0"])


def test_train_step_reports_all_it_promises(small_peak, tmp_path, capsys):
  cache = jax.config.jax_compilation_cache_dir
  result = _run("train_step", [*flags("nowhere"), "--repeats=2"], capsys)
  assert jax.config.jax_compilation_cache_dir == cache
  step = result["step_seconds"]
  assert step["repeats"] == 2
  assert step["min"] <= step["median"] <= step["max"]
  assert result["images_per_second"] == pytest.approx(4 / step["median"])
  rate = result["flops_per_device"] / step["median"]
  peak = result["matrix_peak"]["flops_per_second"]
  assert result["share_of_peak"] == pytest.approx(rate / peak)
  assert result["machine"]["jax"] == jax.__version__
  parts = dict(result["start_seconds"])
  assert parts.pop("trace_and_compile_from_cache") > 0
  assert parts.pop("to_first_step") == pytest.approx(sum(parts.values()))
  memory = result["memory"]
  assert memory["peak"]["bytes"] > memory["compiled"]["total"] > 0


def test_profile_knows_what_it_traced(capsys):
  result = _run("profile", [*flags("nowhere"), "--repeats=2"], capsys)
  total = result["operation_seconds"]
  assert total > 0
  for groups in ("kinds", "parts", "layers"):
    rows = result[groups].values()
    assert sum(row["seconds"] for row in rows) == pytest.approx(total)
    assert sum(row["share"] for row in rows) == pytest.approx(1)
  assert result["kinds"]["convolution"]["flops_per_second"] > 0
  assert {"forward", "gradient"} <= set(result["parts"])
  assert any(name.startswith("Generator/") for name in result["layers"])
  longest = [row["seconds"] for row in result["longest"]]
  assert longest == sorted(longest, reverse=True)


def test_input_pipeline_reads_the_pictures_it_makes(capsys):
  argv = ["--config=configs/spl.py:quick", "--count=8", "--side=32"]
  argv += ["--config.batch_size=4", "--config.data.image_size=16"]
  result = _run("input_pipeline", [*argv, "--repeats=2"], capsys)
  assert (result["files"], result["batch_size"]) == (8, 4)
  rates = result["images_per_second"]
  assert set(rates) == {"decoding", "resizing", "pipeline"}
  assert min(rates.values()) > 0
  assert result["delivered_of_decoding"]["repeats"] == 2


def test_convolutions_are_kept_and_little_else(capsys):
  policies = "none,convolutions,generator"
  argv = [*flags("nowhere"), f"--policies={policies}"]
  rows = _run("memory", argv, capsys)["policies"]
  kept = [rows[name]["kept"] for name in policies.split(",")]
  sizes = [row["bytes_per_picture"] for row in kept]
  assert sizes[0] > sizes[1] > 2 * sizes[2] > 0
  fits = [row["largest_batch"]["16 GiB"] for row in kept[:2]]
  assert fits == sorted(fits)
  assert kept[2]["largest_batch"] is None


def test_random_pictures_are_no_white_noise():
  from benchmarks.pictures import random_pictures

  pictures = random_pictures(2, 64).astype(float)
  steps = abs(pictures[:, 1:] - pictures[:, :-1]).mean()
  # Of independent values steps would be as large as between any two pixels.
  distances = abs(pictures[:, 1:] - pictures[:, :-1, ::-1]).mean()
  assert 0.05 * distances < steps < 0.8 * distances


def _checkout(folder):
  (folder / "benchmarks").mkdir(parents=True)
  (folder / "benchmarks/setups.py").touch()
  return folder


def test_before_after_times_both_checkouts(tmp_path, monkeypatch, capsys):
  # A step takes a millisecond there and two here.
  worker = """
import pathlib, sys
print(0, flush=True)
slow = pathlib.Path("train.py").exists()
for line in sys.stdin:
  print(int(line) * (0.002 if slow else 0.001), flush=True)
"""
  monkeypatch.setattr(_module("before_after"), "_WORKER", worker)
  before = _checkout(tmp_path / "before")
  result = _run("before_after", [f"--before={before}", "--configs=spl"], capsys)
  timed = result["configs"]["spl"]
  assert timed["before_seconds"]["median"] == pytest.approx(0.001)
  assert timed["before_over_after"]["median"] == pytest.approx(0.5)


@pytest.mark.parametrize("what", ["--before=nowhere", "--configs=x,y"])
def test_before_after_tells_what_is_wrong(what, tmp_path, monkeypatch):
  module = _module("before_after")
  monkeypatch.setattr(module, "_WORKER", "raise SystemExit(3)")
  flags = [f"--before={_checkout(tmp_path / 'before')}", what]
  with pytest.raises(UserError, match="give a checkout|a worker ended in"):
    command.run(module._parser(), module.measure, flags)
