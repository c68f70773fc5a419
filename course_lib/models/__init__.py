"""The models: FastBERT, LayerDrop, pruning, students, and the files they live in."""
