"""What the operations of a compiled program are, read from its HLO text.

A trace names an operation as the compiler did ("fusion.12"); this says of what
kind it is, which layer it came from, and how many FLOPs it does.
"""

import dataclasses
import math
import re
from collections.abc import Iterator, Mapping, Sequence

# Decided by the first of these that an operation holds, however deep.
_KINDS = {
  "convolution": ("convolution",),
  "matrix product": ("dot",),
  "reduction": ("reduce", "reduce-window", "sort", "scatter"),
}
# Of calls into libraries, which are no HLO: by words in their target.
_LIBRARIES = {
  "convolution": ("conv",),
  "matrix product": ("gemm", "matmul", "cublas"),
}
_MOVING = frozenset(
  {
    "bitcast",
    "broadcast",
    "concatenate",
    "constant",
    "copy",
    "copy-done",
    "copy-start",
    "dynamic-slice",
    "dynamic-update-slice",
    "fusion",
    "gather",
    "get-tuple-element",
    "pad",
    "parameter",
    "reshape",
    "reverse",
    "slice",
    "transpose",
    "tuple",
  }
)
# Their bodies are traced themselves.
_CONTAINERS = frozenset(("while", "call", "conditional"))

_COMPUTATION = re.compile(r"^(?:ENTRY )?%?([\w.\-]+) \(.*\{$")
_INSTRUCTION = re.compile(r"^\s*(?:ROOT )?%?([\w.\-]+) = (.+?) ([\w\-]+)\((.*)")
_CALLED = re.compile(r"\bcalls=%?([\w.\-]+)")
_SOURCE = re.compile(r'op_name="([^"]*)"')
_TARGET = re.compile(r'custom_call_target="([^"]*)"')
_DIMENSIONS = re.compile(r"\[([\d,]*)\]")


@dataclasses.dataclass(frozen=True)
class Operation:
  """One operation of a program.

  Attributes:
    kind: convolution | matrix product | reduction | movement | elementwise.
    part: forward | gradient | other (optimisers, masks, metrics).
    source: where it was written: modules and primitive, "/" between them.
    shape: of its result, as HLO writes it.
    flops: of its convolutions and products; zeros that it pads are counted.
  """

  kind: str
  part: str
  source: str
  shape: str
  flops: float


@dataclasses.dataclass(frozen=True)
class _Instruction:
  shape: str
  opcode: str
  rest: str  # of the line: operands and attributes


def read_operations(text: str) -> dict[str, Operation]:
  """Those that a trace of a program can name, by their names.

  Args:
    text: HLO of the compiled program, as `Compiled.as_text` gives it.
  """
  computations: dict[str, dict[str, _Instruction]] = {}
  current: dict[str, _Instruction] = {}
  for line in text.splitlines():
    if header := _COMPUTATION.match(line):
      current = computations[header[1]] = {}
    elif found := _INSTRUCTION.match(line):
      name, shape, opcode, rest = found.groups()
      current[name] = _Instruction(shape, opcode, rest)
  instructions = {n: i for c in computations.values() for n, i in c.items()}
  return {
    name: _describe(instruction, computations, instructions)
    for name, instruction in instructions.items()
    if instruction.opcode not in _CONTAINERS
  }


def _describe(
  instruction: _Instruction,
  computations: Mapping[str, Mapping[str, _Instruction]],
  instructions: Mapping[str, _Instruction],
) -> Operation:
  held = list(_held(instruction, computations))
  found = _SOURCE.search(instruction.rest)
  source = found[1] if found else ""
  part = "other"
  if "transpose(" in source:
    part = "gradient"
  elif "jvp(" in source:
    part = "forward"
  return Operation(
    kind=_kind(held),
    part=part,
    source=_plain(source),
    shape=re.sub(r"\{[^}]*\}", "", instruction.shape),
    flops=sum(_flops(inner, instructions) for inner in held),
  )


def _held(
  instruction: _Instruction,
  computations: Mapping[str, Mapping[str, _Instruction]],
) -> Iterator[_Instruction]:
  """The instruction and all that is fused into it."""
  yield instruction
  if called := _CALLED.search(instruction.rest):
    for inner in computations.get(called[1], {}).values():
      yield from _held(inner, computations)


def _kind(held: Sequence[_Instruction]) -> str:
  opcodes = {instruction.opcode for instruction in held}
  targets = [
    found[1].lower()
    for instruction in held
    if (found := _TARGET.search(instruction.rest))
  ]
  for kind, members in _KINDS.items():
    words = _LIBRARIES.get(kind, ())
    if opcodes.intersection(members) or any(
      word in target for word in words for target in targets
    ):
      return kind
  return "movement" if opcodes <= _MOVING else "elementwise"


def _plain(source: str) -> str:
  """Module path without the names of JAX's transformations around it."""
  words = source.split("/")
  if words and words[0].startswith("jit("):
    words = words[1:]
  return "/".join(re.sub(r"^(?:\w+\()+|\)+$", "", word) for word in words)


def _flops(
  instruction: _Instruction, instructions: Mapping[str, _Instruction]
) -> float:
  """Of one convolution or product; 0 of all else."""
  if instruction.opcode not in ("convolution", "dot"):
    return 0.0
  operands = re.findall(r"%?([\w.\-]+)", instruction.rest.partition(")")[0])
  left, right = (_sides(instructions[name].shape) for name in operands[-2:])
  result = math.prod(_sides(instruction.shape))
  if instruction.opcode == "dot":
    contracted = re.search(
      r"lhs_contracting_dims=\{([\d,]*)\}", instruction.rest
    )
    sides = contracted[1].split(",") if contracted and contracted[1] else []
    return 2.0 * result * math.prod(left[int(i)] for i in sides)
  labels = re.search(r"dim_labels=\w+_(\w+)->", instruction.rest)
  if labels is None:
    return 0.0
  # All of the kernel but its outputs meets each value of the result.
  outputs = right[labels[1].index("o")]
  return 2.0 * result * math.prod(right) / outputs


def _sides(shape: str) -> list[int]:
  found = _DIMENSIONS.search(shape)
  return [int(n) for n in found[1].split(",") if n] if found else []
