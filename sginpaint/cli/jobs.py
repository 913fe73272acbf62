"""Which picture goes with which mask into which output file.

Masks are paired by name: `x.jpg` with `x.png`, `x_mask.png` or
`x_mask001.png`. With one mask the output is named after the picture; with
several, after each mask. A label map is named like its mask, or like the
picture for all of its masks. Folders are not searched in depth. Whatever can be
found out without decoding is checked here, before anything is written.
"""

import collections
import dataclasses
import logging
import os
import pathlib
import re
import sys
from collections.abc import Iterable, Sequence
from typing import TypeVar

from sginpaint import images
from sginpaint.cli.paths import check_writable
from sginpaint.errors import UserError

T = TypeVar("T")

_log = logging.getLogger(__name__)
_SHOWN = 5  # names in a message


@dataclasses.dataclass(frozen=True)
class Job:
  """One picture to fill.

  Attributes:
    image: the picture.
    mask: white where it is to be filled.
    output: file to write.
    segmentation: label map that guides the filling, or None.
  """

  image: pathlib.Path
  mask: pathlib.Path
  output: pathlib.Path
  segmentation: pathlib.Path | None = None


def plan_jobs(
  image: str,
  mask: str,
  output: str,
  *,
  segmentation: str | None = None,
  lossy: bool = False,
  flags: tuple[str, str] = ("--image", "--mask"),
) -> list[Job]:
  """Pairs files and checks them.

  Args:
    image: file or folder.
    mask: file (for every picture) or folder.
    output: file, or folder where `image` is one or it ends in "/".
    segmentation: label map, file (for every picture) or folder.
    lossy: allows JPEG output.
    flags: what messages call `image` and `mask`.

  Raises:
    UserError: something is missing, does not fit or would be overwritten.
  """
  pictures = list_pictures(flags[0], image)
  masks = list_pictures(flags[1], mask)
  if pathlib.Path(image) == pathlib.Path(mask) and pathlib.Path(image).is_dir():
    pictures, masks = _split_folder(pictures)
  pairs = _pair(pictures, masks, flags[1], mask)
  maps = {}
  if segmentation:
    labels = list_pictures("--segmentation", segmentation)
    maps = _pair(pictures, labels, "--segmentation", segmentation)
  folder = _output_folder(output, many=pathlib.Path(image).is_dir())
  jobs = []
  for picture in pictures:
    suffix = _output_suffix(picture, lossy=lossy)
    for partner in pairs[picture]:
      stem = (partner if len(pairs[picture]) > 1 else picture).stem
      target = folder / (stem + suffix) if folder else pathlib.Path(output)
      guide = None
      if segmentation:
        guide = _map_of(partner, picture, maps[picture], segmentation)
      jobs.append(Job(picture, partner, target, guide))
  if not folder and len(jobs) > 1:
    raise UserError(
      f"--output={output}: {len(jobs)} pictures to write; give a folder"
    )
  _check(jobs, lossy=lossy)
  return jobs


def list_pictures(flag: str, text: str) -> list[pathlib.Path]:
  """The picture that `text` names, or those of the folder, by name.

  Raises:
    UserError: no such file or folder, or no picture in it; names `flag`.
  """
  path = pathlib.Path(text)
  if not os.path.exists(text):  # pathlib takes "" for the current folder
    raise UserError(f"{flag}={text}: no such file or folder")
  if not path.is_dir():
    return [path]
  try:
    found = sorted(
      p
      for p in path.iterdir()
      if p.suffix.lower() in images.INPUT_SUFFIXES
      and not p.name.startswith(".")
      and p.is_file()
    )
  except OSError as e:
    raise UserError(f"{flag}={text}: cannot be read ({e.strerror})") from e
  if not found:
    raise UserError(f"{flag}={text}: no pictures in this folder")
  return found


def _split_folder(
  files: Sequence[pathlib.Path],
) -> tuple[list[pathlib.Path], list[pathlib.Path]]:
  """Pictures and masks that lie in the same folder."""
  stems = {p.stem for p in files}
  is_mask = lambda p: (
    p.stem != _without_mask(p.stem) and (_without_mask(p.stem) in stems)
  )
  return [p for p in files if not is_mask(p)], [p for p in files if is_mask(p)]


def _without_mask(stem: str) -> str:
  return re.sub(r"_mask\d*$", "", stem)


def _pair(
  pictures: Sequence[pathlib.Path],
  partners: Sequence[pathlib.Path],
  flag: str,
  given: str,
) -> dict[pathlib.Path, list[pathlib.Path]]:
  """{picture: its partners}, at least one each.

  Args:
    pictures: to be filled.
    partners: masks or label maps.
    flag: that named the partners.
    given: its value.
  """
  if os.path.isfile(given):
    return {picture: list(partners) for picture in pictures}
  stems = {picture.stem for picture in pictures}
  found = collections.defaultdict(list)
  for partner in partners:
    if partner in pictures:  # a folder of everything, and one picture of it
      continue
    exact = partner.stem in stems
    stem = partner.stem if exact else _without_mask(partner.stem)
    found[stem].append(partner)
  if lacking := [p.name for p in pictures if p.stem not in found]:
    raise UserError(
      f"{flag}={given}: nothing for {_some(lacking)}; name it like the picture"
    )
  unused = [p.name for stem in set(found) - stems for p in found[stem]]
  if unused and len(pictures) > 1:
    _log.warning("%s=%s: no picture for %s", flag, given, _some(sorted(unused)))
  return {picture: found[picture.stem] for picture in pictures}


def _map_of(
  mask: pathlib.Path,
  picture: pathlib.Path,
  maps: Sequence[pathlib.Path],
  given: str,
) -> pathlib.Path:
  """Of a folder the map of this hole, else that of the picture, for all."""
  if not os.path.isdir(given):
    return maps[0]
  named = {path.stem: path for path in maps}
  found = named.get(mask.stem, named.get(picture.stem))
  if found is None:
    raise UserError(
      f"--segmentation={given}: no label map {mask.stem}, only "
      f"{_some([path.name for path in maps])}; name it like {mask}"
    )
  return found


def _some(names: Sequence[str]) -> str:
  more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
  return ", ".join(names[:_SHOWN]) + more


def _output_folder(output: str, *, many: bool) -> pathlib.Path | None:
  """The folder to write to, or None where `output` is a file."""
  path = pathlib.Path(output)
  if not output:
    raise UserError("--output='': empty; give a file or a folder")
  if os.path.isdir(path) or output.endswith("/"):
    return path
  if many and os.path.exists(path):
    raise UserError(f"--output={output}: is a file; give a folder")
  if many and path.suffix.lower() in images.INPUT_SUFFIXES:
    raise UserError(f"--output={output}: --image is a folder; give a folder")
  return path if many else None


def _output_suffix(picture: pathlib.Path, *, lossy: bool) -> str:
  suffix = picture.suffix
  kept = images.LOSSLESS_SUFFIXES + (images.LOSSY_SUFFIXES if lossy else ())
  return suffix if suffix.lower() in kept else ".png"


def _check(jobs: Sequence[Job], *, lossy: bool) -> None:
  outputs = collections.Counter(job.output for job in jobs)
  if twice := [path for path, count in outputs.items() if count > 1]:
    raise UserError(f"{twice[0]}: two pictures would be written there")
  inputs = _resolved(
    path
    for job in jobs
    for path in (job.image, job.mask, job.segmentation)
    if path
  )
  for job in jobs:
    if os.path.isdir(job.output):
      raise UserError(f"{job.output}: is a folder; give a file in it")
    check_writable(job.output)
    if job.output.resolve() in inputs:
      raise UserError(f"{job.output}: is also an input; choose another output")
    header = images.read_header(job.image)
    images.check_output(
      job.output, header.size, bits=header.bits, alpha=False, lossy=lossy
    )
    for other in filter(None, (job.mask, job.segmentation)):
      images.check_size(other, images.read_header(other).size, header.size)


def progress(jobs: Sequence[T]) -> Iterable[T]:
  """Goes through them; of several, a person at a terminal sees a bar."""
  import tqdm

  quiet = len(jobs) == 1 or not sys.stderr.isatty()
  return tqdm.tqdm(jobs, unit="picture", disable=quiet)


def _resolved(paths: Iterable[pathlib.Path]) -> set[pathlib.Path]:
  return {path.resolve() for path in paths}
