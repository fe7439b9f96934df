"""Executable contracts: what a plugin author calls in tests.

Each `check_*` function takes a component class (or an instance) and raises `ContractError`, in
one line, for the first promise of its contract that is not kept. The project's own tests run them
over everything that is registered, and so does `acoustic-sense plugins check`.

Examples:
    A plugin's whole test can be::

        from acoustic_sense.testing import check_feature
        from my_plugin.feature import MyFeature

        def test_keeps_the_contract():
            check_feature(MyFeature)
"""

from acoustic_sense.testing.contract_error import ContractError
from acoustic_sense.testing.encoders import check_encoder
from acoustic_sense.testing.features import check_feature
from acoustic_sense.testing.objectives import check_objective
from acoustic_sense.testing.registered import check_registered, required_settings
from acoustic_sense.testing.signal_sources import check_signal_source
from acoustic_sense.testing.tasks import check_task

__all__ = [
    "ContractError",
    "check_encoder",
    "check_feature",
    "check_objective",
    "check_registered",
    "check_signal_source",
    "check_task",
    "required_settings",
]
