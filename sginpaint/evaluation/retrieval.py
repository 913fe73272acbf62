"""Mean average precision of retrieval: a fill should find what the truth finds.

Li et al. (IJCNN 2019), section IV-D and table III. All clean pictures of a
split are the gallery. A query is one of them, which is taken out of the
gallery. What its clean version ranks first is relevant, as many pictures as its
ground truth has; the filled version is scored by the average precision of its
own ranking. So no label says which pictures are relevant, only how many.

How many is said by `config.eval.retrieval_groups`, the pictures of the query's
group without itself:

- none: there are no groups, and 10 are relevant;
- folder: pictures in one folder form a group (Caltech256 as it is published);
- the path of a CSV file, for Paris and Oxford. Its first line names the columns
  `picture` (id below the folder of the pictures, or the bare stem where only
  one has it), `group`, and, if not every picture is a query, `query` (1 or 0):

    picture,group,query
    all_souls_000013,all_souls,1
    all_souls_000026,all_souls,0

  Pictures that are not listed, or whose group is empty, are in the gallery
  only; lines of pictures that the split lacks are counted in the log.
"""

import collections
import csv
import logging
import pathlib
from collections.abc import Mapping, Sequence

import chex
import numpy as np

from sginpaint.data.folder_layout import find_by_name
from sginpaint.data.text_files import opened_text
from sginpaint.errors import UserError

RELEVANT = 10  # without ground truth
_FIELD = "config.eval.retrieval_groups"
_BLOCK = 2**23  # distances that are ranked at once
_LOG = logging.getLogger(__name__)


def normalised(features: chex.Array) -> np.ndarray:
  """float32 [N, F], rows of length 1; rows of zeros stay what they are."""
  chex.assert_rank(features, 2)
  rows = np.asarray(features, np.float32)
  length = np.linalg.norm(rows, axis=1, keepdims=True)
  return rows / np.where(length > 0, length, 1.0)


def average_precisions(
  clean: np.ndarray,
  filled: Mapping[str, np.ndarray],
  gallery: np.ndarray,
  *,
  own: np.ndarray,
  relevant: np.ndarray,
) -> dict[str, np.ndarray]:
  """Scores filled queries by what their clean versions find.

  Args:
    clean: float [B, F], features of the clean queries.
    filled: {method: float [B, F]}, of the same queries as methods fill them.
    gallery: float [N, F], of the clean pictures.
    own: int [B], positions of the queries in the gallery, taken out of it.
    relevant: int [B], how many pictures count as relevant; 0 = no query.

  Returns:
    {method: float64 [B]}, NaN for what is no query. Of pictures at one
    distance the first in the gallery ranks first.
  """
  found: dict[str, list[np.ndarray]] = {method: [] for method in filled}
  rows = max(_BLOCK // len(gallery), 1)
  for start in range(0, len(clean), rows):
    block = slice(start, start + rows)
    ranked = _ranking(clean[block], gallery, own[block])
    wanted = np.zeros(ranked.shape, bool)
    first = np.arange(len(gallery)) < relevant[block, None]
    np.put_along_axis(wanted, ranked, first, axis=1)
    for method, features in filled.items():
      ranking = _ranking(features[block], gallery, own[block])
      hits = np.take_along_axis(wanted, ranking, axis=1)
      found[method].append(_average_precision(hits))
  return {method: np.concatenate(parts) for method, parts in found.items()}


def _ranking(
  queries: np.ndarray, gallery: np.ndarray, own: np.ndarray
) -> np.ndarray:
  """int [B, N], the gallery from the nearest; a query's own picture last."""
  # Squared, and without the query's own length, which moves all alike.
  distance = (gallery**2).sum(axis=1) - 2.0 * queries @ gallery.T
  distance[np.arange(len(queries)), own] = np.inf
  return np.argsort(distance, axis=1, kind="stable")


def _average_precision(hits: np.ndarray) -> np.ndarray:
  """Of rankings bool [B, N], the mean precision at the relevant ranks."""
  precision = np.cumsum(hits, axis=1) / np.arange(1, hits.shape[1] + 1)
  number = hits.sum(axis=1)
  total = (precision * hits).sum(axis=1)
  return np.where(number > 0, total / np.maximum(number, 1), np.nan)


def relevant_numbers(ids: Sequence[str], groups: str) -> np.ndarray:
  """How many pictures are relevant for each query.

  Args:
    ids: of all pictures of the split.
    groups: `config.eval.retrieval_groups`, see the module.

  Returns:
    int [N], 0 where a picture is no query, at most N - 1.

  Raises:
    UserError: the groups are none of what the module says, or say nothing of
      the pictures of the split.
  """
  if groups == "none":
    return np.full(len(ids), min(RELEVANT, len(ids) - 1))
  if groups == "folder":
    named = [str(pathlib.PurePosixPath(i).parent) for i in ids]
    if set(named) == {"."}:
      raise UserError(
        f"{_FIELD}=folder: the pictures lie in no subfolders; sort them into "
        "some, or name a CSV file"
      )
    members, queries = named, np.ones(len(ids), bool)
  else:
    members, queries = _read(groups, ids)
  sizes = collections.Counter(members)
  others = [sizes[group] - 1 if group else 0 for group in members]
  return np.array(others) * queries


def _read(path: str, ids: Sequence[str]) -> tuple[list[str], np.ndarray]:
  """Group of each picture, "" = none, and bool [N], which are queries."""
  named = f"{_FIELD}={path}"
  if not pathlib.Path(path).is_file():
    raise UserError(f"{named}: no such file; write none, folder or a CSV file")
  names = _names(ids)
  groups, queries, lost = [""] * len(ids), np.zeros(len(ids), bool), 0
  with opened_text(pathlib.Path(path)) as file:
    lines = csv.DictReader(file)
    if not {"picture", "group"} <= set(lines.fieldnames or ()):
      raise UserError(f"{named}: the first line must name picture and group")
    for line in lines:
      position = find_by_name(line["picture"] or "", names)
      if position is None:
        lost += 1
        continue
      asked = (line.get("query") or "1").strip()
      if asked not in ("0", "1"):
        raise UserError(
          f"{named}, line {lines.line_num}: query is {asked!r}; write 1 or 0"
        )
      groups[position] = (line["group"] or "").strip()
      queries[position] = asked == "1"
  if not queries.any():
    raise UserError(f"{named}: names no query among the pictures of the split")
  if lost:
    _LOG.warning("%s: %d lines name no picture of the split", named, lost)
  return groups, queries


def _names(ids: Sequence[str]) -> dict[str, int]:
  """{id or bare stem that only one picture has: position}."""
  stems = [pathlib.PurePosixPath(i).name for i in ids]
  counts = collections.Counter(stems)
  alone = {s: i for i, s in enumerate(stems) if counts[s] == 1}
  return alone | {name: i for i, name in enumerate(ids)}
