"""What a request is refused with."""

from sginpaint.errors import UserError


class Refusal(UserError):
  """A request that is not served, with the status that says why.

  A plain `UserError` is answered with 400.
  """

  def __init__(self, status: int, message: str):
    super().__init__(message)
    self.status = status
