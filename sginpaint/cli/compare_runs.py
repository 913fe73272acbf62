"""The part of `compare` that needs data and networks: see there."""

import argparse
import dataclasses
import pathlib
import re
from collections.abc import Mapping, Sequence

import jax
from ml_collections import ConfigDict

from sginpaint import checkpoints
from sginpaint.cli.contestants import (
  BASELINE,
  CHECKPOINT,
  EVALUATION,
  Given,
)
from sginpaint.cli.evaluate import open_split
from sginpaint.data.splits import Split
from sginpaint.errors import UserError
from sginpaint.evaluation import pairing, stored, study, study_page
from sginpaint.evaluation.comparison import (
  Comparison,
  Contestant,
  check_alike,
  compare,
)
from sginpaint.evaluation.contestants import (
  Entrant,
  export,
  score,
  show,
  with_ratios,
)
from sginpaint.evaluation.given import load_baseline
from sginpaint.evaluation.manifest import Manifest
from sginpaint.evaluation.perceptual_metrics import Observer, load_networks
from sginpaint.evaluation.picture_folder import load_folder
from sginpaint.evaluation.protocols import get_protocol
from sginpaint.evaluation.report_compare import chosen_pictures, write_page
from sginpaint.evaluation.report_curves import points
from sginpaint.evaluation.results import ALL, Panel
from sginpaint.evaluation.served import output_names
from sginpaint.files import write_atomically, write_json

EVALUATIONS = "evaluations"


@dataclasses.dataclass(frozen=True)
class _Arena:
  """Where all are evaluated; with nothing to evaluate, nothing."""

  entrants: Mapping[str, Entrant]
  split: Split
  manifest: Manifest

  def show(self, indices: Sequence[int]) -> dict[str, Mapping[int, Panel]]:
    """{method: {index: panel}}."""
    return {
      name: show(entrant, self.split, self.manifest, indices)
      for name, entrant in self.entrants.items()
    }


def run(
  given: Sequence[Given],
  common: ConfigDict | None,
  configs: Mapping[str, ConfigDict],
  options: argparse.Namespace,
) -> int:
  """Compares, or writes the study.

  Args:
    given: what is compared.
    common: says which pictures and holes; None = all are evaluated already.
    configs: {name: config} of the checkpoints.
    options: flags of `compare`.

  Returns:
    0.

  Raises:
    UserError: see `compare.main`.
  """
  if jax.process_count() > 1:
    raise UserError(
      "compare: runs in one process; evaluate under the launcher with one "
      "--manifest, then compare finds that"
    )
  output = pathlib.Path(options.output)
  read = {
    one.name: Contestant(one.name, one.source, stored.read(one.path))
    for one in given
    if one.kind == EVALUATION
  }
  arena = None
  if common is not None:
    arena = _open(given, common, configs, options, read)
  if options.study:
    return _study(given, arena, options)
  if options.export:
    return _export(arena, output)
  found = dict(read)
  if arena is not None:
    for folder, entrant in folders_of(arena.entrants).items():
      found[entrant.name] = score(
        entrant, arena.split, arena.manifest, output / EVALUATIONS / folder
      )
  comparison = compare(
    [found[one.name] for one in given],
    seed=options.seed,
    resamples=options.resamples,
  )
  _write(comparison, arena, output)
  print(to_text(comparison))
  print(f"written to {output / 'report.html'}")
  return 0


def _open(
  given: Sequence[Given],
  common: ConfigDict,
  configs: Mapping[str, ConfigDict],
  options: argparse.Namespace,
  read: Mapping[str, Contestant],
) -> _Arena:
  """Checks everything, then writes the manifest down."""
  split = open_split(common, options.split)
  manifest = pairing.manifest_of(split, common, count=common.eval.count)
  get_protocol(common.eval.protocol).check(common, split, manifest)
  manifest = with_ratios(manifest)
  path = pathlib.Path(options.output) / "manifest.jsonl"
  common = common.copy_and_resolve_references()
  _check_read(read, common, split, manifest)
  for config in (common, *configs.values()):
    config.eval.manifest = str(path)
  entrants = {
    one.name: _enter(one, common, configs, split, manifest, options.weights)
    for one in given
    if one.kind != EVALUATION
  }
  origin = {
    "data": common.data.name,
    "split": split.name,
    "split_fingerprint": split.fingerprint,
    "mask_set_hash": manifest.set_hash,
  }
  write_atomically(path, pairing.jsonl(manifest, origin))
  return _Arena(entrants, split, manifest)


def _check_read(
  read: Mapping[str, Contestant],
  common: ConfigDict,
  split: Split,
  manifest: Manifest,
) -> None:
  """Evaluations made elsewhere are of the same pairs, or refused at once."""
  if not read:
    return
  asked = {
    "protocol": common.eval.protocol,
    "guidance": common.eval.guidance,
    "provenance": {
      "split_fingerprint": split.fingerprint,
      "manifest_hash": manifest.hash,
    },
    "networks": Observer(*load_networks(common)).describe(0, 0),
  }
  for contestant in read.values():
    like = dataclasses.replace(
      contestant,
      source="this comparison",
      stored=dataclasses.replace(contestant.stored, metrics=asked),
    )
    check_alike([like, contestant])


def _enter(
  one: Given,
  common: ConfigDict,
  configs: Mapping[str, ConfigDict],
  split: Split,
  manifest: Manifest,
  weights: str,
) -> Entrant:
  if one.kind == CHECKPOINT:
    loaded = checkpoints.load(one.path, step=one.step, weights=weights)
    loaded = dataclasses.replace(loaded, config=configs[one.name])
    if "image" not in output_names(loaded):
      raise UserError(
        f"{one.source}: is a {loaded.config.system}, which fills no holes; "
        "give systems that do"
      )
    note = f"{loaded.config.system}, step {loaded.step:,}"
    return Entrant(one.name, one.source, loaded, weights, note)
  if one.kind == BASELINE:
    return Entrant(one.name, one.source, load_baseline(one.path, common))
  loaded, said = load_folder(one.path, common, split, manifest)
  return Entrant(
    one.name, one.source, loaded, note=said or "a folder of pictures"
  )


def folders_of(entrants: Mapping[str, Entrant]) -> dict[str, Entrant]:
  """{name of a folder: entrant}; `a b` and `A_b` do not share one."""
  folders: dict[str, Entrant] = {}
  taken: set[str] = set()  # some file systems take A and a for one
  for name, entrant in entrants.items():
    plain = re.sub(r"[^\w.@,-]+", "_", name).strip("_.") or "_"
    folder, n = plain, 1
    while folder.lower() in taken:
      n += 1
      folder = f"{plain}-{n}"
    taken.add(folder.lower())
    folders[folder] = entrant
  return folders


def _write(
  comparison: Comparison, arena: _Arena | None, output: pathlib.Path
) -> None:
  """The page and the tables; comparison.json comes last."""
  panels: dict[str, Mapping[int, Panel]] = {}
  curves = {}
  if arena is not None:
    chosen = chosen_pictures(comparison, arena.manifest)
    panels = arena.show(sorted({i for some in chosen.values() for i in some}))
    for contestant in comparison.contestants:
      entrant = arena.entrants.get(contestant.name)
      if entrant is not None and entrant.loaded.workdir:
        root = pathlib.Path(entrant.loaded.workdir) / "eval"
        curves[contestant.name] = points(root, contestant.metrics)
  else:
    chosen = {}
  write_page(
    output / "report.html", comparison, chosen, panels=panels, curves=curves
  )
  write_atomically(output / "comparison.csv", comparison.to_csv())
  write_json(output / "comparison.json", comparison.to_json())


def _export(arena: _Arena | None, output: pathlib.Path) -> int:
  if arena is None:
    raise UserError("--export: evaluations have no pictures; give a workdir")
  entrant = next(iter(arena.entrants.values()))
  export(entrant.loaded.config, arena.split, arena.manifest, output)
  print(f"{len(arena.manifest.pairs)} pictures written to {output}")
  return 0


def _study(
  given: Sequence[Given], arena: _Arena | None, options: argparse.Namespace
) -> int:
  without = [one.source for one in given if one.kind == EVALUATION]
  if arena is None or without:
    raise UserError(
      f"{without[0]}: an evaluation has no pictures to judge; give the workdir"
    )
  names = [one.name for one in given]
  questions = study.make_questions(
    names, arena.manifest, count=options.questions, seed=options.seed
  )
  panels = arena.show(sorted({q.index for q in questions}))
  path = pathlib.Path(options.output) / "study.html"
  identity = study.identity(questions, arena.manifest)
  study_page.write_study(path, questions, panels, identity=identity)
  print(f"{len(questions)} questions written to {path}")
  return 0


def to_text(comparison: Comparison) -> str:
  """A table for the terminal: means, then differences to the first."""
  shown = comparison.measures
  width = max(len(c.name) for c in comparison.contestants) + 2
  lines = [" " * width + "".join(f"{m.name:>16}" for m in shown)]
  for contestant in comparison.contestants:
    scores = contestant.metrics["metrics"][ALL]
    cells = [
      f"{scores[m.name]:16.4f}" if m.name in scores else f"{'-':>16}"
      for m in shown
    ]
    lines.append(f"{contestant.name:<{width}}" + "".join(cells))
  first, *others = comparison.contestants
  leading = [m for m in shown if not m.per_set]
  for j, contestant in enumerate(others, 1):
    found = comparison.differences[0, j][ALL]
    lines.append(f"{contestant.name} minus {first.name}, 95 % intervals:")
    lines += [
      f"  {m.name:<16}{d.mean:+.4f} [{d.low:+.4f}, {d.high:+.4f}]"
      f"{'' if d.differs else '  not told apart'}"
      for m in leading
      if (d := found.get(m.name)) is not None
    ]
  return "\n".join(lines)
