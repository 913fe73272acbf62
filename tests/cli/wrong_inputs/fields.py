"""Wrong fields, and wrong config files."""

from tests.cli.wrong_inputs.rows import TRAIN, Row


def _fields(*rows: tuple[str, str]) -> list[Row]:
  """Rows of a field of a training: (FIELD=VALUE, mend)."""
  return [
    (given, f"{TRAIN} --config.{given}", (given.partition("=")[0], mend))
    for given, mend in rows
  ]


FIELDS: list[Row] = [
  *_fields(
    ("stepz=1", "did you mean --config.steps?"),
    ("data.baselines=x", "did you mean --config.eval.baselines?"),
    ("model=x", "no such field"),
    ("steps=ten", "write a whole number"),
    ("steps=0", "give at least 1"),
    ("data.flip=perhaps", "write true or false"),
    ("seed=-1", "give numbers in [0, "),
    ("batch_size=-2", "give at least 1"),
    ("accumulate=3", "batch_size=4"),
    ("remat=x", "choose from none, convolutions"),
    ("dtype=float16", "choose from float32, bfloat16"),
    ("ema_decay=1.5", "give numbers in [0, 1)"),
    ("system=x", "choose from backbone, boosted_gan"),
    ("system=espa", "config.objective is of another system"),
    ("model.generator.width=0", "give at least 1"),
    ("model.discriminator.widths=", "give numbers"),
    ("objective.delta=nan", "give a finite number"),
    ("data.name=x", "choose from synthetic_scenes, folder"),
    ("data.image_size=30", "give a multiple of 8"),
    ("data.crop_size=0.5", "shorter_side"),
    ("masks.irregular=0", "give one of irregular, center, rectangle"),
    ("masks.irregular_ratio=0.6,0.1", "the smaller one first"),
    ("masks.irregular_ratio=0.1", "write 2 numbers, as in 0.01,0.6"),
    ("masks.center_size=3", "give numbers in (0, 1]"),
    ("optimizer.generator.b2=1", "give numbers in [0, 1)"),
    ("optimizer.schedule=x", "constant, steps, linear"),
    ("optimizer.frozen=generator/x", "generator/decoder"),
    ("checkpoint.best=hole_psnr", "set config.eval.every"),
    ("teacher.mode=x", "choose from precomputed, online"),
  ),
  (
    "model.generator.fusion=x",
    f"{TRAIN} --config.model.generator.fusion=x",
    ("config.model: fusion 'x'", "use 'spade' or 'concat'"),
  ),
  ("value is missing", f"{TRAIN} --config.steps", ("write --config.steps=",)),
  ("no config", "train --workdir=run", ("--config", "train --help")),
  (
    "config not there",
    "train --config=no.py --workdir=run",
    ("no.py: no such",),
  ),
  (
    "config is a folder",
    "train --config=data --workdir=run",
    ("data: no such",),
  ),
  (
    "config is text",
    "train --config=text.txt --workdir=run",
    ("not a Python",),
  ),
  ("syntax", "train --config=syntax.py --workdir=run", ("syntax.py", "line 1")),
  (
    "no get_config",
    "train --config=nothing.py --workdir=run",
    ("choose anoth",),
  ),
  (
    "no ConfigDict",
    "train --config=none.py --workdir=run",
    ("none.py", "return"),
  ),
  (
    "misspelt in a config file",
    "train --config=misspelt.py --workdir=run",
    ("misspelt.py: config.stepz", "did you mean --config.steps?"),
  ),
  (
    "misspelt section in a config file",
    "train --config=misspelt_section.py --workdir=run",
    ("misspelt_section.py, line 4", "optimiser"),
  ),
  (
    "section lacks in a config file",
    "train --config=unread.py --workdir=run",
    ("has no config.log.", "configs.common.get_config()"),
  ),
  (
    "config file raises",
    "train --config=raises.py --workdir=run",
    ("raises.py, line 4", "undefined", "mend the file"),
  ),
  (
    "unknown variant",
    "train --config=CONFIGS/spl.py:quik --workdir=run",
    ("'quik'", "use quick or data=<recipe>"),
  ),
  (
    "unknown recipe",
    "train --config=CONFIGS/spl.py:data=x --workdir=run",
    ("no data recipe configs/data/x.py",),
  ),
]
