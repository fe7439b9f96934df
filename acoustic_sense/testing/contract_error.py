"""Contract error: what a `check_*` function raises, and the small assertions they share."""

from acoustic_sense.errors import PluginError


class ContractError(PluginError, AssertionError):
    """A component does not keep its contract; the message says which promise and how."""


def require(holds: bool, where: str, problem: str) -> None:
    """Raise ContractError with `where` and `problem` unless `holds`."""
    if not holds:
        raise ContractError(f"{where}: {problem}")
