"""Ways to cut Chinese text into tokens, all as fast Hugging Face tokenizers.

- `train_pieces`: word pieces (Unigram, Kudo 2018). Frequent words become one token.
- `train_characters`: one token a character, as bert-base-chinese does it. Words must then be
  composed by the network's layers.
- `train_poem_characters`: the same for a decoder, which writes: a text begins with [BOS] and is open at its
  end, and what is decoded reads as it was written.

All are trained on the texts they are given (the training split only) and saved with the model.
"""

from collections import Counter
from collections.abc import Iterable

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

SPECIAL_TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]  # BERT's, in the order of their ids
DECODER_TOKENS = ["[PAD]", "[UNK]", "[BOS]", "[EOS]"]


def train_pieces(
    texts: Iterable[str], vocab_size: int = 8000, max_length: int = 128
) -> PreTrainedTokenizerFast:
    """A Unigram tokenizer of at most `vocab_size` pieces, trained on `texts`.

    Raises:
        ValueError: `vocab_size` is less than the characters of the texts.
    """
    texts = list(texts)
    tokenizer = _bare(models.Unigram())
    # Punctuation stands alone: otherwise a full stop sticks to the word before it.
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\p{P}\p{S}]"), behavior="isolated")
    trainer = trainers.UnigramTrainer(
        vocab_size=vocab_size,
        special_tokens=SPECIAL_TOKENS,
        unk_token="[UNK]",
        max_piece_length=4,  # Chinese words seldom have more characters
        show_progress=False,
    )
    characters = {character for text in texts for character in tokenizer.normalizer.normalize_str(text)}
    least = len(characters) + len(SPECIAL_TOKENS)
    if vocab_size < least:
        raise ValueError(f"vocab_size must be at least {least}, one for each character, not {vocab_size}")
    tokenizer.train_from_iterator(texts, trainer)
    return _with_bert_frame(tokenizer, max_length)


def train_characters(
    texts: Iterable[str], vocab_size: int = 8000, max_length: int = 128
) -> PreTrainedTokenizerFast:
    """A tokenizer of single characters: the most frequent `vocab_size` of `texts`."""
    tokenizer = _bare(models.WordLevel(unk_token="[UNK]"))
    _read_characters(tokenizer, texts, vocab_size, SPECIAL_TOKENS)
    return _with_bert_frame(tokenizer, max_length)


def train_poem_characters(
    texts: Iterable[str], vocab_size: int = 4096, max_length: int = 80
) -> PreTrainedTokenizerFast:
    """A tokenizer of single characters for a decoder: the most frequent `vocab_size` of `texts`.

    Chinese punctuation stays as it is, and half-width commas, full stops and question marks become Chinese.
    [EOS] is no part of the frame, or a prompt could not be written on; `texts.batches.to_the_end` puts it
    there.
    """
    tokenizer = Tokenizer(models.WordLevel(unk_token="[UNK]"))
    widened = [normalizers.Replace(half, full) for half, full in zip(",.?!;", "，。？！；", strict=True)]
    tokenizer.normalizer = normalizers.Sequence([normalizers.Replace(Regex(r"\s+"), ""), *widened])
    _read_characters(tokenizer, texts, vocab_size, DECODER_TOKENS)
    tokenizer.decoder = decoders.Fuse()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[BOS] $A", special_tokens=[("[BOS]", tokenizer.token_to_id("[BOS]"))]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        model_max_length=max_length,
        pad_token="[PAD]",
        unk_token="[UNK]",
        bos_token="[BOS]",
        eos_token="[EOS]",
        padding_side="right",
    )


def _read_characters(tokenizer: Tokenizer, texts: Iterable[str], vocab_size: int, special: list[str]) -> None:
    """Gives the tokenizer its vocabulary: the special tokens, then the most frequent characters."""
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(r"."), behavior="isolated")
    counts = Counter(character for text in texts for character in tokenizer.normalizer.normalize_str(text))
    kept = [character for character, _ in counts.most_common(vocab_size - len(special))]
    vocab = {token: number for number, token in enumerate(special + kept)}
    tokenizer.model = models.WordLevel(vocab, unk_token="[UNK]")


def _bare(model: models.Model) -> Tokenizer:
    """A tokenizer whose text is brought to one width and case first, without white space."""
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFKC(), normalizers.Lowercase(), normalizers.Replace(Regex(r"\s+"), "")]
    )
    return tokenizer


def _with_bert_frame(tokenizer: Tokenizer, max_length: int) -> PreTrainedTokenizerFast:
    """Puts [CLS] before and [SEP] after a text, and names BERT's special tokens for transformers."""
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[(token, tokenizer.token_to_id(token)) for token in ("[CLS]", "[SEP]")],
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        model_max_length=max_length,
        model_input_names=["input_ids", "token_type_ids", "attention_mask"],  # the types tell pairs apart
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
    )
