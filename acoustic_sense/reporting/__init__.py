"""Reports: one self-contained HTML page about a take or about a training run.

Skeletons, plans and charts are a small canvas player and inline SVG of our own, spectrograms are
PNG, sounds FLAC: a page weighs less than a plotting library's script alone, and is readable
without JavaScript except for the moving figures.
"""

from acoustic_sense.reporting.report import Report
from acoustic_sense.reporting.run_page import report_from_run
from acoustic_sense.reporting.take_page import render_report, write_report

__all__ = ["Report", "render_report", "report_from_run", "write_report"]
