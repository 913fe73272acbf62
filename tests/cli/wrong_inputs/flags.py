"""Wrong commands and flags; those of programs that people start."""

from tests.cli.wrong_inputs.rows import (
  COMPARE,
  CONVERT,
  EXPORT,
  LADDER,
  TRAIN,
  Row,
)

COMMANDS: list[Row] = [
  ("no such command", "trian", ("'trian'", "did you mean train?")),
  ("unknown flag", f"{TRAIN} --worker=3", ("--worker=3", "train --help")),
  (
    "no workdir",
    TRAIN.replace("--workdir=run", ""),
    ("--workdir=DIR is mis",),
  ),
  ("inpaint lacks flags", "inpaint --image=a.png", ("--checkpoint", "--help")),
  ("evaluate lacks flags", "evaluate", ("--workdir", "evaluate --help")),
  ("list of nothing", "list x", ("there are systems, configs",)),
  ("prepare nothing", "prepare x", ("choose from 'ade20k'",)),
  ("prepare without archives", "prepare ffhq", ("--manual-dir is missing",)),
  ("archives not there", "prepare ffhq --manual-dir=no", ("=no: no such",)),
  (
    "archives lack",
    "prepare ffhq --manual-dir=empty",
    ("empty: no pict", "get "),
  ),
  (
    "no workers",
    "prepare ffhq --manual-dir=empty --workers=0",
    ("--workers=0", "give at least 1"),
  ),
  ("nothing to check", "check-data", ("give a FOLDER, --config or --masks",)),
  (
    "check no folder",
    "check-data no",
    ("no: no such folder", "check the path"),
  ),
  ("check no masks", "check-data --masks=no", ("--masks=no", "check the path")),
  (
    "report nowhere",
    "check-data data --json=no/report.json",
    ("--json=no/report.json", "in a folder that is there"),
  ),
  ("nothing to launch", "launch --processes=2", ("-- COMMAND is missing",)),
  ("no process", "launch --processes=0 -- train", ("give at least 1",)),
  (
    "port in use",
    "demo --checkpoint=spl --port=PORT",
    ("in use", "choose anoth"),
  ),
  ("no port", "demo --checkpoint=spl --port=99999", ("99999", "in 0..65535")),
  ("no host", "demo --checkpoint=spl --host=no.invalid", ("no such address",)),
  ("no model", "convert --model=x", ("choose from 'bisenet'",)),
  (
    "no weights",
    f"{CONVERT} --input=no.pth",
    ("no.pth: no such file", "give "),
  ),
  ("text for weights", f"{CONVERT} --input=text.txt", ("is text", "fetch")),
  ("empty weights", f"{CONVERT} --input=empty.pth", ("is empty", "fetch it")),
  (
    "damaged weights",
    f"{CONVERT} --input=bad.safetensors",
    ("is damaged", "fetch it again"),
  ),
  ("size", f"{EXPORT} --size=big", ("--size=big", "as 256x256, or any")),
  ("batch", f"{EXPORT} --batch=0", ("--batch=0", "a number of pictures")),
  ("platform", f"{EXPORT} --platforms=gpu", ("'gpu'", "cpu, cuda, rocm, tpu")),
  ("one to compare", "compare spl", ("got 1", "give 2 to 12")),
  ("names twice", "compare a=spl a=telea", ("a: is there twice", "tell them")),
  ("resamples", f"{COMPARE} --resamples=0", ("--resamples=0", "at least 1")),
  ("no answers", "compare --tally answers.json", ("answers.json", "give what")),
  (
    "evaluation cut short",
    f"{COMPARE} cut_metrics",
    ("cut_metrics", "that evaluate wrote"),
  ),
  ("no seed of rows", f"{LADDER} --seeds=0", ("--seeds=0", "give at least 1")),
  ("seed of rows", f"{LADDER} --config.seed=1", ("--seeds N sets it",)),
  ("masks of rows", f"{LADDER} --masks=x", ("--masks=x", "center, rectangle")),
  (
    "field of rows",
    f"{LADDER} --config.steps=0",
    ("config.steps=0", "at least"),
  ),
]


# Through the programs that people start.
PROGRAMS: list[Row] = [
  (
    "train.py",
    "train.py --config=no.py --workdir=run",
    ("no.py: no such file",),
  ),
  ("evaluate.py", "evaluate.py --workdir=no", ("no: no config.json there",)),
  ("-m", "-m sginpaint inpant", ("did you mean inpaint?",)),
  ("launch", "-m sginpaint launch --processes=2 -- inpant", ("did you mean",)),
]
