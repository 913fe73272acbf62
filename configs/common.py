"""Every field of every config, once, with its default and one comment.

A config file calls `get_config` here, then states its differences. Values are
JSON types only, so that `WORKDIR/config.json` reloads to the same config.
Fields under `model`, `objective` and `loss_weights` belong to the system: they
are keyword arguments of its networks and of its objective.
"""

import importlib

from ml_collections import ConfigDict


def get_config() -> ConfigDict:
  """The defaults; what belongs to a system is empty."""
  c = ConfigDict()
  c.system = ""  # key of sginpaint.systems.SYSTEMS
  c.seed = 0  # of parameters, data order, augmentation and training masks
  c.steps = 200_000  # length of the training
  c.batch_size = 8  # global: over all devices and processes
  c.accumulate = 1  # parts that a batch is cut into, to need less memory
  c.remat = "none"  # none | convolutions | blocks | generator: see remat.py
  c.dtype = "float32"  # of the computation: float32 | bfloat16
  c.ema_decay = 0.0  # of the generator's running average; 0 = none kept
  c.init_from = ConfigDict()  # {"generator/<submodule>": workdir}
  c.dry_run = False  # compile the step, print its memory and FLOPs, and stop
  c.model = ConfigDict()  # {"generator": {...}, "discriminator": {...}}
  c.objective = ConfigDict()  # constants of the paper's equations
  c.loss_weights = ConfigDict(
    {"generator": {}, "discriminator": {}}
  )  # one weight per term; a list [[step, weight], ...] changes it at steps
  c.data = _data()
  c.masks = _masks()
  c.teacher = _teacher()
  c.optimizer = _optimizer()
  c.checkpoint = _checkpoint()
  c.log = _log()
  c.eval = _eval()
  return c


def _data() -> ConfigDict:
  c = ConfigDict()
  c.name = "synthetic_scenes"  # folder | tfds | synthetic_scenes | ffhq, ...
  c.path = ""  # folder: the folder; tfds: the prepared directory; else a cache
  c.builder_config = ""  # of a tfds builder, "64" for synthetic_scenes at 64 px
  c.image_size = 256  # side of the square that networks see, pixels
  c.resize = "stretch"  # stretch | shorter_side (keeps the aspect, then crops)
  c.crop = "center"  # center | random (of what `shorter_side` leaves over)
  c.crop_size = 1.0  # side of the crop / shorter side
  c.flip = True  # mirror half of the training examples
  c.labels = ""  # folder of label maps to train on | none (those are unused)
  c.keep_attributes = ()  # names of those to use, in this order; none = all
  c.train_split = "train"  # trained on
  c.validation_split = "validation"  # looked at while training
  c.test_split = "test"  # evaluated
  c.threads = 4  # that decode and augment
  c.classes = ()  # filled from the data set when training starts
  c.attributes = ()  # names; filled from the data set when training starts
  return c


def _masks() -> ConfigDict:
  c = ConfigDict()
  c.irregular = 1.0  # share of stroke holes (shares need not sum to 1)
  c.center = 0.0  # share of centred squares
  c.rectangle = 0.0  # share of random rectangles
  c.irregular_ratio = (0.01, 0.6)  # hole area / picture area
  c.center_size = 0.5  # side of the square / side of the picture
  c.rectangle_size = (0.3125, 0.625)  # sides / side of the picture
  c.path = ""  # folder of mask files instead of the above
  c.white_is_hole = True  # polarity of the files
  return c


def _teacher() -> ConfigDict:
  c = ConfigDict()
  c.path = ""  # workdir of the classifier that teaches; "" = no teacher
  c.mode = "precomputed"  # precomputed | online
  c.features = ""  # folder of precomputed features; "" = <path>/features/<data>
  c.layer = "layer2"  # whose output is taught
  c.input_scale = 2  # teacher input side / image_size
  c.dtype = "bfloat16"  # of the stored features: bfloat16 | int8
  c.flip = "both"  # stored: both orientations | mirror (of one, approximate)
  return c


def _optimizer() -> ConfigDict:
  c = ConfigDict()
  for player in ("generator", "discriminator"):
    c[player] = ConfigDict()
    c[player].name = "adam"  # adam | sgd
    c[player].learning_rate = 1e-4  # before the schedule
    c[player].b1 = 0.0  # of Adam, first moment; of SGD, the momentum
    c[player].b2 = 0.9  # of Adam, second moment
    c[player].eps = 1e-8  # ... outside the root
    c[player].weight_decay = 0.0  # > 0: AdamW; of SGD, part of the gradient
  c.schedule = "constant"  # constant | steps | linear | cosine | poly (^0.9)
  c.boundaries = ()  # steps: where the rate is multiplied by `decay`
  c.decay = 0.1  # factor at each boundary
  c.decay_from = 0.5  # linear: share of the training before the fall to 0
  c.warmup = 0  # steps of linear warm-up
  c.clip_norm = 0.0  # of the global gradient norm; 0 = no clipping
  c.frozen = ()  # "generator/<submodule>" that keep their values
  return c


def _checkpoint() -> ConfigDict:
  c = ConfigDict()
  c.every = 1000  # steps between saves
  c.keep = 3  # newest ones kept
  c.keep_every = 0  # also keep each multiple of this step; 0 = none
  c.best = ""  # also keep the best by this score, e.g. hole_psnr; "" = none
  return c


def _log() -> ConfigDict:
  c = ConfigDict()
  c.every = 100  # steps between lines of the log
  c.images_every = 1000  # steps between picture grids in TensorBoard; 0 = none
  return c


def _eval() -> ConfigDict:
  c = ConfigDict()
  c.every = 0  # steps between evaluations in the training; 0 = none
  c.in_loop_count = 64  # pictures of the validation split for these
  c.protocol = "standard"  # a name in sginpaint/evaluation/protocols.py
  c.manifest = ""  # a manifest.jsonl whose pairs are evaluated, and no others
  c.masks = "irregular"  # irregular | center | rectangle | folder of masks
  c.irregular_ratio = (0.01, 0.6)  # spread evenly over its six buckets
  c.white_is_hole = True  # polarity of mask files
  c.guidance = "predicted"  # none | predicted | truth | others
  c.count = 0  # pictures evaluated; 0 = all of the split
  c.batch_size = 8  # pictures that a device evaluates at once
  c.seed = 0  # of the pairing of pictures and masks
  c.baselines = ("mean_color", "telea", "navier_stokes")  # scored beside
  c.feature_network = "none"  # of FID, KID, IDS: none | workdir | random:<seed>
  c.lpips_network = "none"  # of LPIPS: none | workdir | random:<seed>
  c.analyses = ()  # hole_segmentation, calibration, scales, controllability
  c.segmenter = "none"  # none | workdir: reads the filled pictures
  c.classifier = "none"  # none | workdir: names attributes of filled pictures
  c.guide_judges = False  # let these two be networks that guided the training
  c.retrieval_network = "none"  # of retrieval: none | workdir | random:<seed>
  c.retrieval_groups = "none"  # ground truth: none | folder (of files) | a CSV
  c.edits = 1  # per picture, tried by the analysis `controllability`
  c.panels = 24  # pictures in the report
  c.outputs = ("prior",)  # intermediates shown beside them, where they exist
  return c


def parse_arg(
  arg: str | None, *, data: str = "synthetic_scenes"
) -> tuple[bool, str]:
  """Splits the text behind `configs/<name>.py:`.

  Args:
    arg: comma-separated, `quick` and `data=<recipe>` in any order.
    data: recipe used where the text names none.

  Returns:
    (quick, name of the data recipe).

  Raises:
    ValueError: a word is neither.
  """
  quick = False
  for word in filter(None, (arg or "").split(",")):
    if word == "quick":
      quick = True
    elif word.startswith("data="):
      data = word.removeprefix("data=")
    else:
      raise ValueError(
        f"config argument {word!r} is not known; use quick or data=<recipe>"
      )
  return quick, data


def apply_data(config: ConfigDict, name: str) -> None:
  """Lays the recipe `configs/data/<name>.py` over `config.data`."""
  try:
    recipe = importlib.import_module(f"configs.data.{name}")
  except ModuleNotFoundError as e:
    raise ValueError(f"no data recipe configs/data/{name}.py") from e
  config.data.update(recipe.get_config())
