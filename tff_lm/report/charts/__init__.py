"""Plots of reports: matplotlib figures, for a page (SVG that follows its colours) or a file."""
