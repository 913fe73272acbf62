"""What HLO text says of its operations, against programs written by hand."""

import jax
import jax.numpy as jnp
import pytest

from benchmarks import hlo

# A forward convolution in a fusion, a library's, a product in a loop.
PROGRAM = """\
HloModule jit_step, is_scheduled=true

%fused (p0: f32[2,8,8,3], p1: f32[3,3,3,5]) -> f32[2,8,8,5] {
  %p0 = f32[2,8,8,3]{3,2,1,0} parameter(0)
  %p1 = f32[3,3,3,5]{3,2,1,0} parameter(1)
  %inner = f32[2,8,8,5]{3,2,1,0} convolution(%p0, %p1), \
window={size=3x3 pad=1_1x1_1}, dim_labels=b01f_01io->b01f
  ROOT %twice = f32[2,8,8,5]{3,2,1,0} add(%inner, %inner)
}

%moved (p2: f32[2,8,8,3]) -> f32[3,8,8,2] {
  %p2 = f32[2,8,8,3]{3,2,1,0} parameter(0)
  ROOT %turned = f32[3,8,8,2]{3,2,1,0} transpose(%p2), dimensions={3,1,2,0}
}

%body (p3: (s32[], f32[4,6], f32[6,7])) -> (s32[], f32[4,6], f32[6,7]) {
  %p3 = (s32[], f32[4,6]{1,0}, /*index=2*/f32[6,7]{1,0}) parameter(0)
  %left = f32[4,6]{1,0} get-tuple-element(%p3), index=1
  %right = f32[6,7]{1,0} get-tuple-element(%p3), index=2
  %dot.1 = f32[4,7]{1,0} dot(%left, %right), lhs_contracting_dims={1}, \
rhs_contracting_dims={0}, metadata={op_name="jit(step)/optimizer/dot_general"}
}

ENTRY %main (a: f32[2,8,8,3], b: f32[3,3,3,5]) -> f32[2,8,8,5] {
  %a = f32[2,8,8,3]{3,2,1,0} parameter(0)
  %b = f32[3,3,3,5]{3,2,1,0} parameter(1)
  %fusion.7 = f32[2,8,8,5]{3,2,1,0} fusion(%a, %b), kind=kLoop, \
calls=%fused, metadata={op_name="jit(step)/jvp(Generator)/conv_0/add"}
  %fusion.8 = f32[3,8,8,2]{3,2,1,0} fusion(%a), kind=kLoop, calls=%moved
  %while.2 = (s32[], f32[4,6]{1,0}, f32[6,7]{1,0}) while(%t), \
condition=%c, body=%body
  %sum = f32[5]{0} reduce(%fusion.7, %zero), dimensions={0,1,2}, to_apply=%r, \
metadata={op_name="jit(step)/transpose(jvp(Generator))/conv_0/reduce_sum"}
  ROOT %call.1 = f32[2,8,8,5]{3,2,1,0} custom-call(%a, %b), \
custom_call_target="__cudnn$convForward"
}
"""


@pytest.mark.parametrize(
  ("name", "kind", "part", "source"),
  [
    ("fusion.7", "convolution", "forward", "Generator/conv_0/add"),
    ("fusion.8", "movement", "other", ""),
    ("dot.1", "matrix product", "other", "optimizer/dot_general"),
    ("sum", "reduction", "gradient", "Generator/conv_0/reduce_sum"),
    ("call.1", "convolution", "other", ""),
    ("twice", "elementwise", "other", ""),
  ],
)
def test_operation_is_named(name, kind, part, source):
  operation = hlo.read_operations(PROGRAM)[name]
  assert (operation.kind, operation.part, operation.source) == (
    kind,
    part,
    source,
  )


def test_loops_are_told_by_what_they_hold():
  operations = hlo.read_operations(PROGRAM)
  assert "while.2" not in operations
  assert operations["dot.1"].shape == "f32[4,7]"


def test_flops_by_hand():
  operations = hlo.read_operations(PROGRAM)
  assert operations["fusion.7"].flops == 2 * (2 * 8 * 8 * 5) * (3 * 3 * 3)
  assert operations["dot.1"].flops == 2 * (4 * 7) * 6
  assert operations["sum"].flops == 0


def test_flops_of_a_compiled_program_are_xlas():
  # No padding: XLA leaves out the products with padded zeros, we count them.
  def run(x, kernel, matrix):
    y = jax.lax.conv_general_dilated(
      x, kernel, (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC")
    )
    return y.reshape(-1, 5) @ matrix

  shapes = [(2, 9, 9, 3), (3, 3, 3, 5), (5, 4)]
  arguments = [jax.ShapeDtypeStruct(s, jnp.float32) for s in shapes]
  compiled = jax.jit(run).lower(*arguments).compile()
  entry = hlo.read_operations(compiled.as_text())
  # Inside of a fusion operations have names, too, but are never traced.
  convolutions = max(o.flops for o in entry.values() if o.kind == "convolution")
  products = max(o.flops for o in entry.values() if o.kind == "matrix product")
  assert convolutions + products == pytest.approx(
    compiled.cost_analysis()["flops"], rel=0.01
  )
