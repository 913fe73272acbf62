"""The tables of a ladder as Markdown that also reads well as plain text."""

from collections.abc import Sequence

from sginpaint.evaluation.ladder import TRUE_MAP, Row, Spread, Table
from sginpaint.evaluation.protocols import PROTOCOLS

_HASH_SHOWN = 16  # of 64 digits
_NONE = "-"


def to_markdown(tables: Sequence[Table]) -> str:
  """A heading, the rows and what was measured for each table, and a legend."""
  parts = ["# Ladder"]
  for table in tables:
    masks = table.masks
    title = "Without holes" if masks == "none" else f"Holes: {masks}"
    parts += [f"## {title}", _grid(table), _statement(table)]
  return "\n\n".join([*parts, _legend(tables)]) + "\n"


def _legend(tables: Sequence[Table]) -> str:
  compared = " or ".join(dict.fromkeys(table.compared for table in tables))
  text = (
    "Scores are means over seeds ± their sample standard deviation. `vs row "
    f"above` is {compared} minus that of the row above under the same seed, "
    "`± pictures` its standard error over pictures."
  )
  if any(row.name.endswith(TRUE_MAP) for t in tables for row in t.rows):
    text += (
      f" `{TRUE_MAP.strip()}` marks the checkpoints of the row above, told the "
      "true segmentation, which their maps know of; no other row is compared "
      "with them."
    )
  return text


def _statement(table: Table) -> str:
  facts = [
    f"Protocol {table.protocol}",
    f"{table.count:,} pictures of {table.data}, split {table.split}",
    f"masks {table.masks}",
    f"guidance {table.guidance}",
  ]
  if table.manifest_hash:
    facts.append(f"manifest {table.manifest_hash[:_HASH_SHOWN]}")
  return ", ".join(facts) + "."


def _grid(table: Table) -> str:
  header = ["row", "parameters", "steps", "seeds", *table.measures]
  header += ["vs row above", "± pictures"]
  lines = [header, *(_cells(row, table) for row in table.rows)]
  widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
  # Numbers are compared by their last digits: to the right.
  rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
  lines.insert(1, rule)
  return "\n".join(_line(cells, widths) for cells in lines)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
  name = cells[0].ljust(widths[0])
  rest = [c.rjust(w) for c, w in zip(cells[1:], widths[1:], strict=True)]
  return f"| {' | '.join([name, *rest])} |"


def _cells(row: Row, table: Table) -> list[str]:
  error = row.picture_error
  digits = _digits(table, table.compared, row.difference) + 1
  return [
    row.name,
    _NONE if row.parameters is None else f"{row.parameters:,}",
    _NONE if row.steps is None else f"{row.steps:,}",
    str(len(row.seeds) or _NONE),
    *(
      _text(spread, f".{_digits(table, name, spread)}f")
      for name, spread in ((n, row.scores.get(n)) for n in table.measures)
    ),
    _text(row.difference, f"+.{digits}f"),
    _NONE if error is None else f"{error:.{digits}f}",
  ]


def _digits(table: Table, measure: str, spread: Spread | None) -> int:
  """After the point: as the protocol says, else enough for four."""
  protocol = PROTOCOLS.get(table.protocol)
  for known in protocol.measures if protocol else ():
    if known.name == measure:
      return known.digits
  return 2 if spread and abs(spread.mean) >= 10 else 4


def _text(spread: Spread | None, form: str) -> str:
  if spread is None:
    return _NONE
  text = f"{spread.mean:{form}}"
  if spread.deviation is None:
    return text
  return f"{text} ± {spread.deviation:{form.removeprefix('+')}}"
