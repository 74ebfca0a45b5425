"""Reports on finished runs: tables and plots from summary.json files, as a web page or Markdown.

Nothing here but `masks` needs TensorFlow.
"""
