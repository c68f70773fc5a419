"""What a FastBERT cannot be asked: each is refused in one sentence that says what to do instead.

Taken without a word, each of these gives wrong answers: padding on the left, arguments that only another
BERT knows, token types of another shape, labels of another task, weights too coarse to be trained.

Shapes: B sentences, T tokens.
"""

from collections.abc import Mapping

import torch
from torch import nn
from transformers import PreTrainedConfig
from transformers.utils.import_utils import is_tracing

HALF_PRECISION = (torch.float16, torch.bfloat16)
TAKES = ("input_ids", "attention_mask", "token_type_ids", "labels", "stage")
INSTEAD = {  # what to do, where somebody who is used to another BERT asks `forward` for more
    "position_ids": "positions are counted from the first token, so pad on the right",
    "output_hidden_states": "`layer_states` gives the states after each layer",
    "output_attentions": "its layers do not keep their attention",
}


def check_task(config: PreTrainedConfig) -> None:
    """FastBERT gives a sentence one class of several.

    Raises:
        ValueError: the config is made for another task.
    """
    if config.problem_type not in (None, "single_label_classification"):
        raise ValueError(
            f"FastBERT gives a sentence one class of several, and problem_type={config.problem_type!r} is "
            "another task; if that is only what the backbone was trained for, give problem_type=None"
        )
    if config.num_labels < 2:
        raise ValueError(f"FastBERT needs at least 2 classes, not num_labels={config.num_labels}")


def check_precision(model: nn.Module) -> None:
    """AdamW's 1e-8 is 0 in float16, so that one step makes NaN of the weights; bfloat16 loses small steps.

    Raises:
        ValueError: a weight that is to be trained has half precision.
    """
    for name, parameter in model.named_parameters():
        if parameter.requires_grad and parameter.dtype in HALF_PRECISION:
            raise ValueError(
                f"{name} is {parameter.dtype}: half precision cannot be trained. Load the model with "
                "from_pretrained(..., dtype=torch.float32), or call model.float()"
            )


def check_others(others: Mapping[str, object]) -> None:
    """transformers passes many arguments as None or False; those ask for nothing.

    Raises:
        ValueError: one asks for something.
    """
    for name, value in others.items():
        if value is not None and value is not False:
            instead = INSTEAD.get(name, f"it takes {', '.join(TAKES)}")
            raise ValueError(f"FastBERT's forward does not know {name!r}: {instead}")


def class_numbers(labels: torch.Tensor, sentences: int) -> torch.Tensor:
    """Labels [B] or [B, 1], whole numbers of any size -> [B], as cross-entropy takes them.

    Raises:
        ValueError: they are no class numbers, or not one for each sentence.
    """
    if labels.is_floating_point() or labels.numel() != sentences:
        raise ValueError(
            f"labels must be whole numbers, one class for each of the {sentences} sentences, not "
            f"{labels.dtype} {list(labels.shape)}"
        )
    return labels.flatten().long()


def padding_mask(input_ids: torch.Tensor, attention_mask: torch.Tensor | None) -> torch.Tensor | None:
    """The attention mask [B, T] as booleans; None where nothing is padding, which is faster.

    What is traced, exported or compiled serves other batches too, so there the mask always stays.

    Raises:
        ValueError: it has not the shape of the tokens, or a sentence begins with padding.
    """
    if attention_mask is None:
        return None
    if attention_mask.shape != input_ids.shape:
        raise ValueError(
            f"attention_mask must have the shape of input_ids, {list(input_ids.shape)}, not "
            f"{list(attention_mask.shape)}"
        )
    mask = attention_mask.bool()
    if is_tracing(mask):
        return mask
    full = mask.all(0).tolist()  # column by column, so that a device is waited for only once
    if not full[0]:
        raise ValueError(
            "a sentence begins with padding, but FastBERT reads the answer off the first token: pad on the "
            'right (tokenizer.padding_side = "right")'
        )
    return None if all(full) else mask


def checked_types(
    config: PreTrainedConfig, input_ids: torch.Tensor, token_type_ids: torch.Tensor | None
) -> torch.Tensor | None:
    """The token types [B, T] of pairs, as they are given; None, for single texts, means all 0.

    Raises:
        ValueError: they have not the shape of the tokens, or there are more types than the model knows.
    """
    if token_type_ids is None or is_tracing(token_type_ids):
        return token_type_ids
    if token_type_ids.shape != input_ids.shape:
        raise ValueError(
            f"token_type_ids must have the shape of input_ids, {list(input_ids.shape)}, not "
            f"{list(token_type_ids.shape)}"
        )
    low, high = (int(each) for each in token_type_ids.aminmax()) if token_type_ids.numel() else (0, 0)
    if low < 0 or high >= config.type_vocab_size:
        raise ValueError(
            f"token_type_ids must lie in 0..{config.type_vocab_size - 1}, not {low}..{high}: this model "
            "knows no more types; one that knows a single type tells the halves of a pair by separators "
            "alone, so leave token_type_ids out"
        )
    return token_type_ids


def check_prediction(model: nn.Module, input_ids: torch.Tensor, speed: object) -> None:
    """What `predict` decides, it decides anew for every batch; a trace would keep the first one's decisions.

    Raises:
        ValueError: the model is traced or in training mode, there is no sentence, or `speed` is a tensor of
            another kind: transformers has `token_type_ids` in its place.
    """
    if torch.jit.is_tracing() or torch.compiler.is_exporting():
        raise ValueError("predict chooses layers batch by batch and cannot be traced: trace forward instead")
    if isinstance(speed, torch.Tensor) and speed.dim() > 1:
        raise ValueError(
            f"the third argument of predict is the speed, a number or one for each student, not a tensor "
            f"{list(speed.shape)}; token_type_ids goes by name: predict(ids, mask, token_type_ids=types)"
        )
    if model.training:
        raise ValueError("predict needs the model in evaluation mode: call model.eval() first")
    if input_ids.numel() == 0:
        raise ValueError(f"there is nothing to answer: input_ids has the shape {list(input_ids.shape)}")
