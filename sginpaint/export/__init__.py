"""Artefacts that fill pictures without this library: JAX and NumPy suffice."""

from sginpaint.export.artefact import write_artefact
from sginpaint.export.programs import MULTIPLE, trace

__all__ = ["MULTIPLE", "trace", "write_artefact"]
