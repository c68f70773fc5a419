"""The explorer: one HTML page that runs the course's networks without a kernel.

Its sources lie in `explorer/` (JavaScript, styles); here is what packs the networks and builds the page.
"""
