"""Wrong checkpoints, teachers and ways to evaluate."""

from tests.cli.wrong_inputs.rows import (
  EVALUATE,
  EXPORT,
  INPAINT,
  PRECOMPUTE,
  TRAIN,
  Row,
)

CHECKPOINTS: list[Row] = [
  ("no checkpoint", f"{INPAINT} --checkpoint=no", ("=no: no such folder",)),
  ("a file", f"{INPAINT} --checkpoint=text.txt", ("is a file, not the wor",)),
  (
    "no config.json",
    f"{INPAINT} --checkpoint=empty",
    ("holds no config.json",),
  ),
  ("untrained", f"{INPAINT} --checkpoint=untrained", ("train first",)),
  (
    "half-written",
    f"{INPAINT} --checkpoint=half",
    ("half: its", "train again"),
  ),
  ("hollow", f"{INPAINT} --checkpoint=hollow", ("hollow: its", "train again")),
  (
    "config.json cut",
    f"{INPAINT} --checkpoint=cut_json",
    ("restore the file",),
  ),
  (
    "unknown system",
    f"{INPAINT} --checkpoint=other",
    ("future", "choose from"),
  ),
  ("newer", f"{INPAINT} --checkpoint=newer", ("'attention'", "or version")),
  ("other network", f"{INPAINT} --checkpoint=wider", ("of another network",)),
  ("no such step", f"{INPAINT} --step=7", ("step 7", "there are 40000")),
  ("step is a word", f"{INPAINT} --step=last", ("--step", "'last'")),
  ("no best step", f"{INPAINT} --step=best", ("choose one by step",)),
  ("evaluate nothing", "evaluate --workdir=empty", ("empty: no config.json",)),
  (
    "evaluate half",
    f"{EVALUATE} --workdir=half",
    ("half: its", "train again"),
  ),
  ("export half", f"{EXPORT} --checkpoint=half", ("half: its", "train again")),
  (
    "segment with what fills holes",
    "segment --checkpoint=spl --images=a.png --output=out",
    ("--checkpoint=spl: holds a spl", "configs/segmenter.py"),
  ),
  (
    "workdir of another training",
    f"{TRAIN} --workdir=spl",
    ("spl was trained with", "use that or another --workdir"),
  ),
  (
    "workdir whose config.json is cut",
    f"{TRAIN} --workdir=cut_json",
    ("cut_json/config.json: not a config", "restore the file"),
  ),
  ("no teacher", PRECOMPUTE, ("config.teacher.path", "configs/classifier.py")),
  (
    "teacher that fills holes",
    f"{PRECOMPUTE} --config.teacher.path=spl",
    ("config.teacher.path=spl: holds a spl", "configs/classifier.py"),
  ),
  (
    "overwrite and verify",
    f"{PRECOMPUTE} --overwrite --verify",
    ("--overwrite", "leave out --verify"),
  ),
  ("masks", f"{EVALUATE} --masks=x", ("--masks=x", "center, rectangle")),
  ("protocol", f"{EVALUATE} --protocol=x", ("choose from 'standard'",)),
  (
    "manifest",
    f"{EVALUATE} --manifest=no",
    ("--manifest=no", "check the path"),
  ),
  ("manifest of text", f"{EVALUATE} --manifest=text.txt", ("not a manifest",)),
  (
    "count",
    f"{EVALUATE} --config.eval.count=-1",
    ("eval.count=-1", "at least"),
  ),
  ("side", f"{EVALUATE} --config.data.image_size=30", ("a multiple of 8",)),
  (
    "training's field",
    f"{EVALUATE} --config.steps=1",
    ("fixed by the training",),
  ),
  ("guidance", f"{EVALUATE} --config.eval.guidance=x", ("guidance", "truth")),
]
