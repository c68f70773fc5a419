"""The trainings: one loop, recipes, one file a stage, studies, and `run`."""
