"""Tokenizers: nothing is lost, BERT's frame is there, saving changes nothing."""

import pytest
from transformers import AutoTokenizer

from course_lib.texts.reviews import reviews
from course_lib.texts.shape import canonical
from course_lib.texts.tokenizers import SPECIAL_TOKENS, train_characters, train_pieces, train_poem_characters

MAKERS = {"pieces": train_pieces, "characters": train_characters}
TEXT = "房间很干净，但是服务太差！"


@pytest.fixture(scope="module", params=MAKERS)
def tokenizer(request):
    return MAKERS[request.param](reviews()["train"]["text"][:1500], vocab_size=4000, max_length=128)


def test_special_tokens_have_berts_numbers(tokenizer):
    assert tokenizer.convert_tokens_to_ids(SPECIAL_TOKENS) == [0, 1, 2, 3, 4]
    assert tokenizer.pad_token_id == 0


def test_tokens_put_together_are_the_text(tokenizer):
    assert "".join(tokenizer.tokenize(TEXT)) == canonical(TEXT)
    ids = tokenizer(TEXT)["input_ids"]
    assert ids[0] == tokenizer.cls_token_id and ids[-1] == tokenizer.sep_token_id


def test_width_case_and_white_space_do_not_count(tokenizer):
    assert tokenizer("ＨＰ 笔记本")["input_ids"] == tokenizer("hp笔记本")["input_ids"]


def test_long_texts_are_cut(tokenizer):
    assert len(tokenizer(TEXT * 50, truncation=True)["input_ids"]) == 128


def test_saved_and_loaded(tokenizer, tmp_path):
    tokenizer.save_pretrained(tmp_path)
    again = AutoTokenizer.from_pretrained(tmp_path)
    for text in reviews()["test"]["text"][:200]:
        assert again(text)["input_ids"] == tokenizer(text)["input_ids"]


def test_pieces_are_longer_than_characters():
    texts = reviews()["train"]["text"][:1500]
    pieces, characters = train_pieces(texts, 4000), train_characters(texts, 4000)
    held_out = reviews()["test"]["text"][:200]
    assert sum(len(pieces.tokenize(text)) for text in held_out) < 0.85 * sum(
        len(characters.tokenize(text)) for text in held_out
    )


def test_a_vocabulary_smaller_than_the_characters_is_refused():
    with pytest.raises(ValueError, match="at least 11, .* not 10"):
        train_pieces(["很好很好", "太差了！"], vocab_size=10)


def test_a_decoders_characters_read_as_they_were_written(tmp_path):
    poem = "床前明月光，疑是地上霜。"
    train_poem_characters([poem], max_length=30).save_pretrained(tmp_path)
    tokenizer = AutoTokenizer.from_pretrained(tmp_path)
    ids = tokenizer("床前 明月光, 疑是地上霜.")["input_ids"]
    assert ids[0] == tokenizer.bos_token_id and tokenizer.eos_token_id not in ids, (
        "a prompt is open at its end"
    )
    assert tokenizer.decode(ids, skip_special_tokens=True) == poem
    assert tokenizer("山")["input_ids"] == [tokenizer.bos_token_id, tokenizer.unk_token_id]
