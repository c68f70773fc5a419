"""A smaller vocabulary for a model that reads a hundred languages and needs two.

Of multilingual-e5-small's 118 million parameters 96 million are word embeddings. The rows of pieces that no
text of the course needs are left out; nothing else changes: a text whose pieces all stay is read as before.
"""

import copy
import json
from collections.abc import Iterable

import torch
from transformers import BertModel, PreTrainedTokenizerFast

from course_lib.models.backbones import quiet
from course_lib.models.e5_package import unigram_tokenizer


def needed_pieces(tokenizer: PreTrainedTokenizerFast, texts: Iterable[str]) -> list[int]:
    """The ids to keep, in order: all special tokens, all pieces of `texts`, every single character, and every
    piece of Chinese characters alone, so that a text typed by somebody is read as before, too."""
    needed = set(tokenizer.all_special_ids)
    texts = list(texts)
    for start in range(0, len(texts), 1000):
        # No limit to the length here: what is cut away for the model may still stand in another text.
        for encoding in tokenizer.backend_tokenizer.encode_batch(texts[start : start + 1000]):
            needed.update(encoding.ids)
    for piece, number in tokenizer.get_vocab().items():
        bare = piece.strip("▁")
        if len(piece) == 1 or (bare and all("㐀" <= character <= "鿿" for character in bare)):
            needed.add(number)
    return sorted(needed)


def cut_vocabulary(
    model: BertModel, tokenizer: PreTrainedTokenizerFast, keep: list[int]
) -> tuple[BertModel, PreTrainedTokenizerFast]:
    """Model and tokenizer with the pieces `keep` alone, renumbered in their order."""
    vocabulary = json.loads(tokenizer.backend_tokenizer.to_str())["model"]["vocab"]  # [piece, score] by id
    pieces = [vocabulary[number][0] for number in keep]
    scores = [vocabulary[number][1] for number in keep]
    config = copy.deepcopy(model.config)
    config.vocab_size, config.pad_token_id = len(keep), pieces.index(tokenizer.pad_token)
    weights = model.state_dict()
    weights["embeddings.word_embeddings.weight"] = weights["embeddings.word_embeddings.weight"][
        torch.tensor(keep)
    ]
    with quiet():
        smaller = BertModel.from_pretrained(None, config=config, state_dict=weights, add_pooling_layer=False)
    return smaller.eval(), unigram_tokenizer(pieces, scores, tokenizer.model_max_length)
