"""The lessons: built from their sources, and the checks of their exercises."""
