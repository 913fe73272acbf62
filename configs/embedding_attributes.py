"""The attribute embedding of the boosted GAN: a classifier that meets holes.

  python train.py --config=configs/embedding_attributes.py:quick \
    --workdir=runs/embedding_attributes
  python evaluate.py --workdir=runs/embedding_attributes --split=validation

A ResNet-50 with binary cross-entropy on pictures half of which have a hole, for
at use it reads corrupted ones. `config.objective` makes that cross-entropy of
ASL (gamma_negative = 4, margin = 0.05), and `holes=False` trains on whole
pictures. The evaluation scores both, `--step=best` the checkpoint that is best
by the mAP on corrupted pictures of the validation split: it is looked for in
the training, and is the one that the boosted GAN takes.

ImageNet's weights are a start for all but the head:

  python -m sginpaint convert --model resnet50 \
    --input resnet50-0676ba61.pth --output runs/resnet50
  ... --config.init_from.generator/-fc=runs/resnet50

`quick` is a small one at 64x64, of two minutes on a CPU core.
"""

from ml_collections import ConfigDict

from configs import classifier_resnet50, common


def get_config(arg: str = "") -> ConfigDict:
  quick, _ = common.parse_arg(arg)
  c = classifier_resnet50.get_config(arg)
  c.init_from = ConfigDict({"generator/-fc": "none"})
  c.objective.gamma_negative = 0.0
  c.objective.margin = 0.0
  embed(c, quick=quick)
  c.checkpoint.best = "corrupted_map"
  if quick:
    c.steps = 600
    c.ema_decay = 0.99
  return c


def embed(c: ConfigDict, *, quick: bool) -> None:
  """Size and holes of the boosted GAN, in half of the training pictures."""
  c.objective.holes = True
  c.objective.pseudo_labels = "none"  # none | workdir: its word for labels
  c.objective.confidence = 0.9  # of a pseudo label, at least
  c.masks.irregular, c.masks.rectangle = 0.0, 1.0
  c.data.image_size = 64 if quick else 256
  if quick:
    c.data.builder_config = "64"
  c.checkpoint.every = c.eval.every = 200 if quick else 2000
  c.eval.masks = "rectangle"
  c.eval.in_loop_count = 128 if quick else 1000


def refine(c: ConfigDict, source: str, *, quick: bool) -> None:
  """Goes on from `source`, which labels the data, at a tenth of the rate."""
  c.init_from = ConfigDict({"generator": source})
  c.objective.pseudo_labels = source
  c.checkpoint.best, c.eval.every = "", 0  # nothing labelled to look at
  c.optimizer.generator.learning_rate /= 10
  c.optimizer.warmup = 0
  c.steps = 200 if quick else 20_000
