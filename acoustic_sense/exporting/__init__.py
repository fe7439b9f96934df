"""Exporting: a dataset of takes in formats that other programs read."""

from acoustic_sense.exporting.ampl import AmplExport, export_ampl
from acoustic_sense.exporting.sofa import SofaExport, export_sofa

__all__ = ["AmplExport", "SofaExport", "export_ampl", "export_sofa"]
