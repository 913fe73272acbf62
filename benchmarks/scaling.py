"""Time, cost and bottleneck of a large training, from measured numbers.

  python -m benchmarks.scaling train_step.json input_pipeline.json ...

The files hold what the other benchmarks printed on the machine to plan for, in
any order; docs/scaling.md explains the arithmetic. What was not measured is
null. Where no such machine is at hand, `--flops` takes an accelerator to reach
so many FLOP/s, of those that were counted. Every accelerator is taken to be as
quick among many as alone but for the sum of the gradients, which is counted at
`--link` bytes per second and not hidden behind other work: a bound from above.
"""

import argparse
import json
import math
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

from ml_collections import ConfigDict

from benchmarks import command
from sginpaint.data.feature_format import DTYPES, VIEWS, bytes_per_picture
from sginpaint.errors import UserError

PICTURES = {"places365_standard": 1_803_460, "places365_challenge": 8_026_628}
DEVICES = (8, 64, 256)
KINDS = ("train_step", "input_pipeline", "precompute", "checkpoint")
SPL_FEATURES = (64, 64, 152)  # of a 256x256 picture: layer2 of TResNet-L

Results = Mapping[str, Mapping[str, Any]]


def read_results(paths: Sequence[str]) -> dict[str, dict[str, Any]]:
  """{benchmark: its JSON object}.

  Raises:
    UserError: a file is missing, holds something else, or two say the same.
  """
  results: dict[str, dict[str, Any]] = {}
  for path in paths:
    try:
      result = json.loads(pathlib.Path(path).read_text())
      name = result["benchmark"]
    except (OSError, ValueError, KeyError, TypeError) as e:
      raise UserError(f"{path}: not the output of a benchmark ({e})") from e
    if name not in KINDS:
      raise UserError(f"{path}: of {name}; give those of {', '.join(KINDS)}")
    if name in results:
      raise UserError(f"{path}: a second result of {name}; give one of each")
    results[name] = result
  return results


def store_bytes(
  pictures: int, shape: Sequence[int] = SPL_FEATURES
) -> dict[str, dict[str, int]]:
  """Bytes of the teacher-feature store: {dtype: {views: bytes}}."""
  views = {"both": VIEWS, "mirror": VIEWS[:1]}
  return {
    dtype: {
      name: pictures * bytes_per_picture(shape, dtype=dtype, views=kept)
      for name, kept in views.items()
    }
    for dtype in DTYPES
  }


def all_reduce_seconds(size: float, devices: int, link: float) -> float:
  """Seconds that a ring takes to sum `size` bytes over `devices`.

  Args:
    size: bytes of the gradients on each device.
    devices: in the ring.
    link: bytes per second that each device sends.
  """
  return 2 * (devices - 1) / devices * size / link


def scale(
  results: Results, *, devices: int, pictures: int, options: Mapping[str, float]
) -> dict[str, Any]:
  """One row of the table: a training on so many accelerators.

  Args:
    results: of `read_results`; needs "train_step".
    devices: accelerators.
    pictures: of the data set.
    options: "epochs", "price" (of an accelerator for an hour), "link" (bytes
      per second), "devices_per_host", "cores_per_host", "disk" (bytes per
      second of each host), "bytes_per_example"; "flops" and "batch" of an
      accelerator that was not measured.

  Returns:
    Seconds of a step and its parts, pictures per second, hours, device hours,
    cost, and what a host has to deliver: cores that decode, bytes it reads.
    "bottleneck" is the slowest of devices, input and disk.
  """
  step = results["train_step"]
  per_device, compute = _step_on_one(step, options)
  trained = sum(
    n for name, n in step["parameters"].items() if not name.startswith("frozen")
  )
  reduce = all_reduce_seconds(4 * trained, devices, options["link"])
  limits = {"devices": devices * per_device / (compute + reduce)}
  hosts = math.ceil(devices / options["devices_per_host"])
  one_core = _pictures_per_core(results)
  if one_core is not None:
    limits["input"] = hosts * options["cores_per_host"] * one_core
  limits["disk"] = hosts * options["disk"] / options["bytes_per_example"]
  bottleneck = min(limits, key=lambda name: limits[name])
  rate = limits[bottleneck]
  hours = options["epochs"] * pictures / rate / 3600
  return {
    "accelerators": devices,
    "pictures": pictures,
    "global_batch": round(devices * per_device),
    "step_seconds": compute + reduce,
    "all_reduce_share": reduce / (compute + reduce),
    "limits_images_per_second": limits,
    "bottleneck": bottleneck,
    "next_bottleneck": _second(limits),
    "images_per_second": rate,
    "hours": hours,
    "accelerator_hours": hours * devices,
    "cost": hours * devices * options["price"] if options["price"] else None,
    "decoding_cores_per_host": _cores(limits["devices"], hosts, one_core),
    # The teacher's FLOPs are not counted.
    "precompute_hours": None
    if options["flops"]
    else _precompute_hours(results, pictures, devices),
  }


def _step_on_one(
  step: Mapping[str, Any], options: Mapping[str, float]
) -> tuple[float, float]:
  """Pictures on one accelerator, and what it computes on them, in seconds."""
  measured = step["batch_size"] / step["machine"]["devices"]
  if not options["flops"]:
    return measured, step["step_seconds"]["median"]
  flops = step["flops_per_device"] / measured * options["batch"]
  return options["batch"], flops / options["flops"]


def _second(limits: Mapping[str, float]) -> dict[str, Any]:
  """What would hold it up once the slowest were no matter, and from where."""
  ordered = sorted(limits, key=lambda name: limits[name])
  return {
    "name": ordered[1],
    "headroom": limits[ordered[1]] / limits[ordered[0]],
  }


def _pictures_per_core(results: Results) -> float | None:
  if "input_pipeline" not in results:
    return None
  measured = results["input_pipeline"]
  return measured["images_per_second"]["pipeline"] / measured["cores"]


def _cores(rate: float, hosts: int, one_core: float | None) -> int | None:
  return None if one_core is None else math.ceil(rate / hosts / one_core)


def _precompute_hours(
  results: Results, pictures: int, devices: int
) -> float | None:
  if "precompute" not in results:
    return None
  measured = results["precompute"]
  rate = measured["pictures_per_second"] / measured["machine"]["devices"]
  return pictures / (rate * devices) / 3600


def measure(options: argparse.Namespace, config: ConfigDict) -> dict[str, Any]:
  """The tables of docs/scaling.md."""
  del config
  results = read_results(options.files)
  assumed = {name: getattr(options, name) for name in _DEFAULTS} | {
    "bytes_per_example": _bytes_per_example(results, options)
  }
  rows = []
  if "train_step" in results:
    rows = [
      scale(results, devices=n, pictures=count, options=assumed)
      for count in PICTURES.values()
      for n in DEVICES
    ]
  return {
    "measured_on": {n: r["machine"]["device"] for n, r in results.items()},
    "assumed": assumed,
    "trainings": rows,
    "teacher_store_bytes": {
      name: store_bytes(count) for name, count in PICTURES.items()
    },
    "saving_share": results.get("checkpoint", {}).get("share_of_saving"),
  }


def _bytes_per_example(results: Results, options: argparse.Namespace) -> float:
  """Of the picture's file and of one view of its teacher features."""
  picture = results.get("input_pipeline", {}).get("bytes_per_picture", 100e3)
  if options.features not in DTYPES:
    return picture
  return picture + bytes_per_picture(
    SPL_FEATURES, dtype=options.features, views=VIEWS[:1]
  )


# Flag: (default, help).
_DEFAULTS: dict[str, tuple[float, str]] = {
  "epochs": (40, "of the training (SPL on Places2: 40)"),
  "flops": (
    0,
    "FLOP/s taken to be reached, in place of the measured step; 0 = measured",
  ),
  "batch": (8, "pictures on an accelerator, with --flops"),
  "price": (0, "of an accelerator for an hour; 0 = not known"),
  "link": (
    100e9,
    "bytes/s that an accelerator sends to the next",
  ),
  "devices_per_host": (8, "accelerators in a host"),
  "cores_per_host": (96, "CPU cores in a host"),
  "disk": (2e9, "bytes/s that a host reads"),
}


def _parser() -> command.BenchmarkParser:
  parser = command.BenchmarkParser("scaling", __doc__, config="")
  parser.add_argument("files", nargs="*", help="outputs of other benchmarks")
  for name, (default, text) in _DEFAULTS.items():
    flag = "--" + name.replace("_", "-")
    text = f"{text}; default: {default:g}"
    parser.add_argument(flag, type=float, default=default, help=text)
  parser.add_argument(
    "--features",
    default="bfloat16",
    choices=(*DTYPES, "none"),
    help="teacher features read with each picture; default: bfloat16",
  )
  return parser


if __name__ == "__main__":
  command.main(_parser(), measure)
