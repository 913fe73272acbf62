"""Every case that can be run: {name: function of a golden to its arrays}."""

from collections.abc import Callable
from typing import Any

from tests.parity.cases.bisenet import bisenet
from tests.parity.cases.deeplab import deeplabv2_cocostuff, deeplabv2_voc
from tests.parity.cases.espa_attention import espa_attention
from tests.parity.cases.espa_discriminator import espa_discriminator
from tests.parity.cases.espa_generator import (
  espa_generator_256,
  espa_generator_small,
)
from tests.parity.cases.frechet import metrics_frechet
from tests.parity.cases.inception import inception_fid
from tests.parity.cases.losses import asl_loss
from tests.parity.cases.lpips import lpips_alex, lpips_vgg
from tests.parity.cases.metrics import metrics_image
from tests.parity.cases.primitives import torch_primitives
from tests.parity.cases.resnet import resnet50
from tests.parity.cases.spade_blocks import spade_blocks
from tests.parity.cases.spade_discriminator import spade_discriminator
from tests.parity.cases.spl_discriminator import spl_discriminator
from tests.parity.cases.spl_generator import spl_generator
from tests.parity.cases.spl_norms import spl_norms
from tests.parity.cases.spl_train_step import spl_train_step
from tests.parity.cases.tresnet import (
  spl_tresnet,
  tresnet_l_coco,
  tresnet_l_openimages,
)
from tests.parity.cases.vgg import vgg16, vgg19, vgg19_loss
from tests.parity.golden import Golden

CASES: dict[str, Callable[[Golden], dict[str, Any]]] = {
  case.__name__: case
  for case in (
    asl_loss,
    bisenet,
    deeplabv2_cocostuff,
    deeplabv2_voc,
    espa_attention,
    espa_discriminator,
    espa_generator_256,
    espa_generator_small,
    inception_fid,
    lpips_alex,
    lpips_vgg,
    metrics_frechet,
    metrics_image,
    resnet50,
    spade_blocks,
    spade_discriminator,
    spl_discriminator,
    spl_generator,
    spl_norms,
    spl_train_step,
    spl_tresnet,
    torch_primitives,
    tresnet_l_coco,
    tresnet_l_openimages,
    vgg16,
    vgg19,
    vgg19_loss,
  )
}
