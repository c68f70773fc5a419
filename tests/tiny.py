"""Tiny random models and texts that tests share: real classes, sizes that cost nothing."""

from pathlib import Path

import torch
from datasets import ClassLabel, Dataset, DatasetDict, Features, Value
from torch import nn
from transformers import BertForMaskedLM, GPT2Model, PreTrainedModel
from transformers.models.distilbert.modeling_distilbert import TransformerBlock
from transformers.models.gpt2.modeling_gpt2 import GPT2Block

from course_lib.models.checkpoints import save_checkpoint
from course_lib.models.decoder import ExitDecoderConfig, ExitDecoderForCausalLM
from course_lib.models.fastbert import FastBertConfig, FastBertForSequenceClassification
from course_lib.texts.tokenizers import train_characters

SIZES = {
    "vocab_size": 60,
    "hidden_size": 16,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "max_position_embeddings": 24,
    "exit_hidden_size": 8,
    "initializer_range": 0.5,  # large, so that exits disagree and leave at different layers
}


def tiny_fastbert(num_hidden_layers=4, num_labels=3, seed=0, **changes) -> FastBertForSequenceClassification:
    """A FastBERT with random weights, in evaluation mode."""
    torch.manual_seed(seed)
    config = FastBertConfig(
        num_hidden_layers=num_hidden_layers, num_labels=num_labels, **{**SIZES, **changes}
    )
    return FastBertForSequenceClassification(config).eval()


def tiny_model(
    model_class: type[PreTrainedModel], num_hidden_layers=4, dropout=0.0, seed=0, **changes
) -> PreTrainedModel:
    """Any model of transformers with random weights, in evaluation mode; all its dropout rates are one."""
    torch.manual_seed(seed)
    sizes = {**SIZES, "hidden_dim": 32, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2, **changes}
    model = model_class(model_class.config_class(num_hidden_layers=num_hidden_layers, **sizes))
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = dropout
    return model.eval()


def tiny_decoder(num_hidden_layers=4, seed=0, **changes) -> ExitDecoderForCausalLM:
    """A decoder with exits and random weights, in evaluation mode."""
    torch.manual_seed(seed)
    sizes = {"vocab_size": 40, "hidden_size": 16, "num_attention_heads": 2, "max_position_embeddings": 32}
    tokens = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
    dropout = {"resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0}
    config = ExitDecoderConfig(
        num_hidden_layers=num_hidden_layers,
        **{**sizes, **tokens, **dropout, "initializer_range": 0.4, **changes},
    )
    return ExitDecoderForCausalLM(config).eval()


def by_hand(model: PreTrainedModel, ids: torch.Tensor, runs: torch.Tensor) -> torch.Tensor:
    """The last states [B, T, H] of a BERT, RoBERTa, DistilBERT or GPT-2 whose layers run in part.

    `runs` [L, 2] tells for each layer whether its attention and its feed-forward run; `ids` [B, T] have
    no padding. The layers are written out from their smallest modules, without dropout.
    """
    base = model.base_model
    if isinstance(base, GPT2Model):
        hidden, layers = base.wte(ids) + base.wpe(torch.arange(ids.shape[1])), base.h
    else:
        hidden = base.embeddings(ids)
        layers = base.transformer.layer if hasattr(base, "transformer") else base.encoder.layer
    for layer, (attends, feeds) in zip(layers, runs.tolist(), strict=True):
        if attends:
            hidden = attention_half(layer, hidden)
        if feeds:
            hidden = feed_forward_half(layer, hidden)
    return base.ln_f(hidden) if isinstance(base, GPT2Model) else hidden


def attention_half(layer: nn.Module, hidden: torch.Tensor) -> torch.Tensor:
    if isinstance(layer, GPT2Block):
        return hidden + layer.attn(layer.ln_1(hidden))[0]
    if isinstance(layer, TransformerBlock):  # DistilBERT
        return layer.sa_layer_norm(hidden + layer.attention(hidden)[0])
    output = layer.attention.output
    return output.LayerNorm(hidden + output.dense(layer.attention.self(hidden)[0]))


def feed_forward_half(layer: nn.Module, hidden: torch.Tensor) -> torch.Tensor:
    if isinstance(layer, GPT2Block):
        return hidden + layer.mlp.c_proj(layer.mlp.act(layer.mlp.c_fc(layer.ln_2(hidden))))
    if isinstance(layer, TransformerBlock):
        return layer.output_layer_norm(hidden + layer.ffn.lin2(layer.ffn.activation(layer.ffn.lin1(hidden))))
    return layer.output.LayerNorm(hidden + layer.output.dense(layer.intermediate(hidden)))


def tiny_batch(lengths: list[int], seed=0) -> tuple[torch.Tensor, torch.Tensor]:
    """Random token ids [B, T] and their mask, padded on the right to the longest of `lengths`."""
    draw = torch.Generator().manual_seed(seed)
    ids = torch.randint(5, SIZES["vocab_size"], (len(lengths), max(lengths)), generator=draw)
    mask = (torch.arange(max(lengths))[None] < torch.tensor(lengths)[:, None]).long()
    return ids * mask, mask


def tiny_corpus(texts: int = 60) -> DatasetDict:
    """Sentences whose class is told by one character, in three splits."""
    draw = torch.Generator().manual_seed(7)
    signs = "好坏"
    features = Features(text=Value("string"), label=ClassLabel(names=["good", "bad"]))

    def rows(number: int) -> Dataset:
        labels = torch.randint(2, (number,), generator=draw).tolist()
        fillers = [
            "".join(chr(0x4E00 + code) for code in torch.randint(20, (size,), generator=draw).tolist())
            for size in torch.randint(1, 8, (number,), generator=draw).tolist()
        ]
        found = [f"{filler}{signs[label]}" for filler, label in zip(fillers, labels, strict=True)]
        return Dataset.from_dict({"text": found, "label": labels}, features=features)

    return DatasetDict(train=rows(texts), validation=rows(20), test=rows(20))


def tiny_tokenizer(corpus: DatasetDict):
    """A character tokenizer for `corpus`."""
    return train_characters(corpus["train"]["text"], vocab_size=60, max_length=24)


def tiny_fastbert_folder(folder: Path) -> Path:
    """A FastBERT with random weights and a tokenizer, saved with its checksums."""
    tokenizer = tiny_tokenizer(tiny_corpus())
    save_checkpoint(folder, tiny_fastbert(2, vocab_size=len(tokenizer)), tokenizer)
    return folder


def tiny_backbone_folder(folder: Path, layers: int = 4) -> Path:
    """A masked language model with random weights and a tokenizer, saved as the course saves its own."""
    tokenizer = train_characters(["第0123456789条很好太差"], vocab_size=60, max_length=24)
    bert = tiny_model(BertForMaskedLM, num_hidden_layers=layers, vocab_size=len(tokenizer))
    save_checkpoint(folder, bert, tokenizer)
    return folder


def tiny_pairs(questions: int = 60) -> DatasetDict:
    """Does the passage hold the character that the question is? Each question with two passages."""
    draw = torch.Generator().manual_seed(11)
    features = Features(
        text=Value("string"), text_pair=Value("string"), label=ClassLabel(names=["no", "yes"])
    )

    def rows(number: int) -> Dataset:
        columns = {"text": [], "text_pair": [], "label": []}
        for asked in torch.randint(20, (number,), generator=draw).tolist():
            size = int(torch.randint(2, 9, (1,), generator=draw))
            others = [code for code in torch.randperm(20, generator=draw).tolist() if code != asked][:size]
            place = int(torch.randint(size, (1,), generator=draw))
            for label in (0, 1):
                held = [asked if label and n == place else code for n, code in enumerate(others)]
                columns["text"].append(chr(0x4E00 + asked))
                columns["text_pair"].append("".join(chr(0x4E00 + code) for code in held))
                columns["label"].append(label)
        return Dataset.from_dict(columns, features=features)

    return DatasetDict(train=rows(questions), validation=rows(20), test=rows(20))
