"""The systems' figures: how data goes through the networks as they are built.

Boxes are what a paper would show. Their shapes and parameter counts are not
written here: they are read off the networks (tracing.py), at the published
size.
"""

from collections.abc import Callable, Mapping

from docs.extension.figures import boosted_gan, espa, sge_net, spl

FIGURES: Mapping[str, Callable[[], str]] = {
  "spl": spl.svg,
  "sge_net": sge_net.svg,
  "espa": espa.svg,
  "boosted_gan": boosted_gan.svg,
}
