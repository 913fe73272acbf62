"""Evaluates on one process and on several, with interruptions, and compares.

  python -m tests.evaluation.processes --workdir=DIR [--count=1000]

A tiny SGE-Net, an attribute classifier and a segmenter, all of random values,
are evaluated on pictures of 32 pixels: on one device, on eight, on two
processes of four, and on two processes of four that are killed half-way and
begun again, once as they were and once as one process. Prints how long each
took; exits with 1 unless every file is the same, byte for byte.

Between CPUs that holds for equal numbers of XLA's threads, by which products
are summed in parts: as many as cores, or as devices where these are more. Here
there are always eight.
"""

import argparse
import os
import pathlib
import signal
import subprocess
import sys
import time

import jax

from sginpaint import checkpoints
from sginpaint.cli.config_files import parse_config
from sginpaint.data.builders.synthetic_scenes.builder import prepare
from sginpaint.systems import build_system, example_batch
from sginpaint.training import setup

THREADS = {"NPROC": "8"}
SIZE = {"data.builder_config": "32", "data.image_size": "32"}
# Of each: the config, and what makes it small or asks more of its evaluation.
SYSTEMS = {
  "fills": (
    "configs/sge_net.py:quick",
    {
      "model.generator.width": "4",
      "model.generator.dilations": "2,2",
      "model.generator.spade_hidden": "4",
      "model.discriminator.widths": "4,4,4,4",
      "model.discriminator.scales": "1",
      "eval.masks": "irregular",
      "eval.analyses": "hole_segmentation,calibration,scales",
    },
  ),
  "names": ("configs/embedding_attributes.py:quick", {}),
  "labels": ("configs/embedding_segmentation.py:quick", {}),
}
FILES = ("metrics.json", "per_image.csv", "manifest.jsonl")


def save_untrained(workdir, name, data, **fields):
  """A workdir with random values; `fields` are overrides."""
  file, options = SYSTEMS[name]
  config = parse_config(
    file, SIZE | {"data.path": str(data)} | options | fields
  )
  setup.load_data(config)
  variables = jax.jit(build_system(config).init)(
    jax.random.key(0), example_batch(config)
  )
  checkpoints.save_generator(str(workdir), config, 1, variables["generator"])
  return str(workdir)


def command(workdir, output, *, processes=1, devices=1):
  """Words, and variables of the environment, of an evaluation."""
  words = ["evaluate", f"--workdir={workdir}", f"--output={output}"]
  flags = os.environ.get("XLA_FLAGS", "")
  virtual = f"--xla_force_host_platform_device_count={devices}"
  if processes == 1:
    return words, {"XLA_FLAGS": f"{flags} {virtual}"}
  launch = ["launch", f"--processes={processes}", f"--devices={devices}", "--"]
  return [*launch, *words], {}


def start(workdir, output, **layout):
  words, env = command(workdir, output, **layout)
  return subprocess.Popen(
    [sys.executable, "-m", "sginpaint", *words],
    env=os.environ | THREADS | env,
    stdout=subprocess.DEVNULL,
    stderr=subprocess.PIPE,
    text=True,
  )


def finish(process):
  told = process.communicate()[1]
  assert process.returncode == 0, told


def kill_half_way(process, output, units):
  """Kills one process of two when half of the records are there."""
  while len(list(output.glob("partial/*/*.msgpack"))) < units // 2:
    assert process.poll() is None, process.stderr.read()
    time.sleep(0.02)
  path = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children")
  os.kill(int(path.read_text().split()[1]), signal.SIGKILL)
  process.communicate()
  assert process.returncode == 1
  return len(list(output.glob("partial/*/*.msgpack")))


def texts(output):
  return {
    file: (output / file).read_bytes()
    for file in FILES
    if (output / file).is_file()
  }


def compare(workdir, units):
  """Whether all ways of evaluating a workdir give the same files."""
  one = {"processes": 1, "devices": 1}
  two = {"processes": 2, "devices": 4}
  ways = {
    "one": (None, one),
    "eight": (None, {"processes": 1, "devices": 8}),
    "two": (None, two),
    "two, killed": (two, two),
    "two, killed, one": (two, one),
  }
  found = {}
  for name, (first, layout) in ways.items():
    output = workdir / name.replace(", ", "_")
    if first:
      kept = kill_half_way(start(workdir, output, **first), output, units)
      print(f"  killed with {kept} of {units} units", flush=True)
    begin = time.monotonic()
    finish(start(workdir, output, **layout))
    found[name] = texts(output)
    same = found[name] == found["one"]
    seconds = time.monotonic() - begin
    print(f"  {name}: {seconds:.0f} s, same: {same}", flush=True)
  return all(files == found["one"] for files in found.values())


def main(argv):
  parser = argparse.ArgumentParser(description=__doc__)
  parser.add_argument("--workdir", type=pathlib.Path, required=True)
  parser.add_argument("--count", type=int, default=1000)
  parser.add_argument("--batch", type=int, default=16)
  parser.add_argument("--systems", nargs="+", default=list(SYSTEMS))
  options = parser.parse_args(argv)
  data = options.workdir / "data"
  counts = {"train": 8, "validation": 8, "test": options.count}
  prepare(str(data), 32, examples=counts, progress=False)
  units = -(-options.count // options.batch)
  same = True
  for name in options.systems:
    print(f"{name}: {options.count} pictures, {units} units", flush=True)
    workdir = options.workdir / name
    fields = {"eval.batch_size": str(options.batch)}
    save_untrained(workdir, name, data, **fields)
    same &= compare(workdir, units)
  return int(not same)


if __name__ == "__main__":
  sys.exit(main(sys.argv[1:]))
