"""Looks for what is wrong with data before a training does.

`check_dataset` and `check_masks` read everything once and return a `Report`:
findings, each an error, a warning or a note with the first examples by name and
the mend, and a verdict.
"""

from sginpaint.data.checks.dataset import check_dataset
from sginpaint.data.checks.findings import Report
from sginpaint.data.checks.masks import check_masks

__all__ = ["Report", "check_dataset", "check_masks"]
