"""Toys that contend: evaluated on the same pictures and holes, once each."""

import dataclasses

from sginpaint.evaluation import contestants, pairing
from sginpaint.evaluation.contestants import Entrant, with_ratios
from tests.evaluation.toy import PlainSystem, labelled_split, load_toy

COUNT = 7


class Arena:
  """Toys that share a manifest; each is evaluated once."""

  def __init__(self, root, **fields):
    self.root, self.split = root, labelled_split(COUNT)
    toy = load_toy(PlainSystem(), **fields)
    self.config = toy.config
    made = pairing.manifest_of(self.split, self.config, count=0)
    self.manifest = with_ratios(made)
    path = root / "manifest.jsonl"
    origin = dict.fromkeys(
      ("data", "split", "split_fingerprint", "mask_set_hash")
    )
    path.write_text(pairing.jsonl(self.manifest, origin))
    self.config.eval.manifest = str(path)

  def toy(self, name, off):
    loaded = load_toy(PlainSystem(off=off))
    loaded = dataclasses.replace(
      loaded, config=self.config, hash=f"{off}" * 8, workdir=""
    )
    return Entrant(name, name, loaded)

  def score(self, entrant):
    folder = self.root / "evaluations" / entrant.name
    return contestants.score(
      entrant, self.split, self.manifest, folder, progress=False
    )

  def show(self, entrant):
    return contestants.show(
      entrant, self.split, self.manifest, self.manifest.indices
    )
