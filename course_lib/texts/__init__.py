"""The texts: corpora, the made-up worlds, tokenizers, batches."""
