"""Where published weights come from: project, file, and what vouches for it.

Names of models are those of `python -m sginpaint convert --model`. Nothing is
downloaded: the table tells people what to fetch. Projects are GitHub's; their
pages link the files.
"""

import dataclasses
from collections.abc import Mapping, Sequence


@dataclasses.dataclass(frozen=True)
class File:
  """One published file.

  Attributes:
    project: `owner/name` on GitHub.
    name: of the file, as its project calls it.
    sha256: first digits of it, of every official version; () = not known,
      so that no copy can be told from another file.
  """

  project: str
  name: str
  sha256: tuple[str, ...] = ()


def _torchvision(name: str, *others: str) -> File:
  """torchvision puts the first digits of the sha256 into the name."""
  digits = (n.removesuffix(".pth").rpartition("-")[2] for n in (name, *others))
  return File("pytorch/vision", name, tuple(digits))


_ASL = "Alibaba-MIIL/ASL"
_LPIPS = "richzhang/PerceptualSimilarity"
_VGG16 = _torchvision("vgg16-397923af.pth")

# A model may be spread over several files.
MODELS: Mapping[str, tuple[File, ...]] = {
  "spl_generator": (File("WendongZh/SPL", "a .pth of its README"),),
  # Its authors published the networks, but no weights.
  "espa_autoencoder": (
    File(
      "Mark-Yu1/Interactive-Image-Inpainting",
      "a state dict of the Generator in networks.py",
    ),
  ),
  "tresnet_l": (File(_ASL, "MS_COCO_TRresNet_L_448_86.6.pth"),),
  # What SPL's authors took as teacher.
  "tresnet_l_trunk": (File(_ASL, "Open_ImagesV6_TRresNet_L_448.pth"),),
  "vgg16": (_VGG16,),
  "vgg19": (_torchvision("vgg19-dcbb9e9d.pth"),),
  "resnet50": (_torchvision("resnet50-0676ba61.pth", "resnet50-11ad3fa6.pth"),),
  "inception_fid": (
    File(
      "mseitzer/pytorch-fid",
      "pt_inception-2015-12-05-6726825d.pth",
      ("6726825d",),
    ),
  ),
  "lpips_alex": (
    _torchvision("alexnet-owt-7be5be79.pth"),
    File(_LPIPS, "weights/v0.1/alex.pth", ("df73285e",)),
  ),
  "lpips_vgg": (
    _VGG16,
    File(_LPIPS, "weights/v0.1/vgg.pth", ("a78928a0",)),
  ),
  "bisenet": (File("zllrunning/face-parsing.PyTorch", "79999_iter.pth"),),
  "deeplab_v2": (
    File(
      "kazuto1011/deeplab-pytorch",
      "deeplabv2_resnet101_msc-cocostuff164k-100000.pth",
    ),
  ),
}


def is_official(model: str, sha256: Sequence[str]) -> bool:
  """Whether files of these sha256 are, all together, the published `model`."""
  files = MODELS.get(model, ())
  found = [
    index
    for digest in sha256
    for index, file in enumerate(files)
    if file.sha256 and digest.startswith(file.sha256)
  ]
  return bool(files) and sorted(found) == list(range(len(files)))


def how_to_get(model: str, output: str) -> str:
  """What to fetch and which command makes the workdir `output` of it."""
  files = MODELS[model]
  fetch = " and ".join(
    f"{file.name} from github.com/{file.project}" for file in files
  )
  inputs = " ".join(
    f"--input={'FILE' if ' ' in file.name else file.name.rpartition('/')[2]}"
    for file in files
  )
  return (
    f"fetch {fetch}, then run: python -m sginpaint convert --model={model} "
    f"{inputs} --output={output}"
  )
