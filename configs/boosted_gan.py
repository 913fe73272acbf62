"""The boosted GAN: attributes and segmentation guide and judge (IJCNN 2019).

  python train.py --config=configs/embedding_attributes.py:quick \\
    --workdir=runs/embedding_attributes
  python train.py --config=configs/embedding_segmentation.py:quick \\
    --workdir=runs/embedding_segmentation
  python train.py --config=configs/boosted_gan.py:quick \\
    --workdir=runs/boosted_gan

Li et al., arXiv 1908.04503: 256x256, a rectangle of 80 to 160 pixels each way;
beta 0.01, lambda_a = lambda_s = 0.1. The paper names no optimiser, batch or
length; Adam(0.5, 0.999) at 2e-4 is that of Reed et al. and pix2pix. `quick` is
narrow, at 64x64, for a laptop, with a tenth of beta for the global judge alone:
after 1,500 steps hole-PSNR is 19.2 dB on validation, with a tenth for all three
18.5, with a bottleneck of 8x8 instead of 4x4 too 17.8, there with all
of beta 17.5.

The two embeddings are to have met holes. No label of this data set is used:
where it has none, the networks' own names count; where it has others than they
know, --config.data.keep_attributes chooses among its attributes, and
--config.data.labels=none leaves its classes out.

`attributes=<lambda_a>` and `segmentation=<lambda_s>` behind the colon set these
weights; with 0 there is no such discriminator. configs/tables/ has the
settings of the paper's table II:

  python -m sginpaint ladder --workdir=runs/table2 --masks rectangle \\
    --configs $(cat configs/tables/boosted_gan_2.txt)

and with $(sed s/:/:quick,/ configs/tables/boosted_gan_2.txt) the quick ones.
boosted_gan_attributes.py, boosted_gan_segmentation.py and
boosted_gan_neither.py tell generator and discriminators less.
"""

from collections.abc import Collection

from ml_collections import ConfigDict

from configs import common

BETA = 0.01
_EMBEDDINGS = {"attributes": "classifier", "segmentation": "segmenter"}


def get_config(arg: str = "", *, without: Collection[str] = ()) -> ConfigDict:
  """Neither generator nor discriminators are told of the judges `without`."""
  lambdas, rest = _split(arg, without)
  quick, data = common.parse_arg(rest)
  c = common.get_config()
  c.system = "boosted_gan"
  c.model.generator = ConfigDict(
    {
      "widths": (64, 128, 256, 256, 256),  # of the encoder, a halving between
      "dilations": (2, 4, 8),  # in the middle
      "decoder_widths": (256, 128, 64, 32),  # after each doubling
      "attributes_input": True,  # tell it the attributes
      "segmentation_input": True,  # ... the segmentation
      "mask_input": True,  # ... where the hole is
    }
  )
  c.model.discriminator = ConfigDict(
    {
      "widths": (64, 128, 256, 512, 512, 512),  # down to 4x4
      "hidden": 1024,  # size of the fully connected layer
    }
  )
  c.objective.classifier = "runs/embedding_attributes"  # a workdir | none
  c.objective.segmenter = "runs/embedding_segmentation"  # a workdir | none
  c.loss_weights.generator = ConfigDict({"image": 1.0, "global": BETA})
  c.loss_weights.discriminator = ConfigDict({"global": 1.0})
  for judge, weight in lambdas.items():
    weigh(c, judge, weight)
  c.data.resize = "shorter_side"
  c.data.crop = "random"
  c.masks.rectangle, c.masks.irregular = 1.0, 0.0
  c.batch_size = 16
  for player in ("generator", "discriminator"):
    c.optimizer[player].learning_rate = 2e-4
    c.optimizer[player].b1 = 0.5
    c.optimizer[player].b2 = 0.999
  c.eval.masks = "rectangle"
  c.eval.outputs = ("segmentation", "confidence")
  c.eval.analyses = ("hole_segmentation",)
  common.apply_data(c, data)
  if quick:
    make_quick(c)
  for judge in without:
    _leave_out(c, judge)
  return c


def weigh(c: ConfigDict, judge: str, weight: float) -> None:
  """lambda_a ("attributes") or lambda_s ("segmentation"); 0 = no such judge."""
  c.model.discriminator[judge] = weight > 0  # whether it exists
  for player, scale in (("generator", BETA), ("discriminator", 1.0)):
    terms = c.loss_weights[player]
    if weight > 0:
      terms[judge] = scale * weight
    elif judge in terms:
      del terms[judge]


def _leave_out(c: ConfigDict, judge: str) -> None:
  weigh(c, judge, 0)
  c.model.generator[f"{judge}_input"] = False
  c.objective[_EMBEDDINGS[judge]] = "none"
  if judge == "segmentation":
    c.eval.outputs = ()
    c.eval.analyses = ()


def make_quick(c: ConfigDict) -> None:
  """A few minutes on two CPU cores, at 64x64."""
  c.data.image_size = 64
  c.data.builder_config = "64"
  c.model.generator.widths = (16, 32, 64, 128, 128)
  c.model.generator.dilations = (2,)  # 4 would reach outside of 4x4
  c.model.generator.decoder_widths = (128, 64, 32, 16)
  c.model.discriminator.widths = (16, 32, 64, 64)  # down to 4x4
  c.model.discriminator.hidden = 128
  c.loss_weights.generator["global"] = 0.1 * BETA
  for player in ("generator", "discriminator"):
    c.optimizer[player].learning_rate = 1e-3
  c.optimizer.warmup = 20
  c.batch_size = 8
  c.steps = 4000
  c.checkpoint.every = 500
  c.log.every = 50
  c.eval.batch_size = 16


def _split(arg: str, without: Collection[str]) -> tuple[dict[str, float], str]:
  """(lambdas, the other words) of what stands behind the colon."""
  lambdas, rest = {"attributes": 0.1, "segmentation": 0.1}, []
  for word in (arg or "").split(","):
    name, _, value = word.partition("=")
    if name not in lambdas:
      rest.append(word)
      continue
    if name in without:
      raise ValueError(
        f"{word}: this config leaves {name} out; use configs/boosted_gan.py"
      )
    try:
      lambdas[name] = float(value)
    except ValueError:
      lambdas[name] = -1.0
    if not 0 <= lambdas[name] < float("inf"):
      raise ValueError(f"{word}: write a number, at least 0, behind =")
  return lambdas, ",".join(rest)
