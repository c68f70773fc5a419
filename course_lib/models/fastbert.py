"""FastBERT (Liu et al. 2020): a BERT with a classifier after every layer.

The last classifier is the *teacher*, the others are *students*. A sentence leaves the network at the
first student whose uncertainty is below the *speed* threshold; the teacher answers for the rest.

Shapes: B sentences, T tokens, C classes, L layers, H hidden size, E exit size.
Checked against `transformers.BertModel` for the layers, and against the paper's own counting for cost.
"""

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn.functional import cross_entropy, scaled_dot_product_attention
from transformers import (
    AutoConfig,
    AutoModelForSequenceClassification,
    BertConfig,
    BertModel,
    BertPreTrainedModel,
    initialization,
)
from transformers.masking_utils import create_bidirectional_mask
from transformers.modeling_outputs import SequenceClassifierOutput
from transformers.utils import ModelOutput
from transformers.utils.generic import can_return_tuple

from course_lib.models.exit_rule import Speed, thresholds, uncertainty
from course_lib.models.inputs import (
    check_others,
    check_precision,
    check_prediction,
    check_task,
    checked_types,
    class_numbers,
    padding_mask,
)

STAGES = ("finetune", "distill", "joint")
DIRECTIONS = ("student||teacher", "teacher||student")


class FastBertConfig(BertConfig):
    """A BertConfig and the exits' sizes.

    Fields:
        exit_hidden_size: E, the width of an exit (the paper: 128 beside H = 768).
        exit_num_heads: heads of an exit's self-attention (official code: 2).
        exit_initializer_range: standard deviation of an exit's initial weights; `initializer_range` if it is
            None. An exit is narrow: with BERT's 0.02 its answers hardly depend on the sentence, and a
            pre-trained backbone waits for it in vain.
        max_tokens: texts are cut after so many; where the positions end if it is None.
        sentence_pairs: whether it was trained on pairs of texts, so that one alone is no question to it.
        kl_direction: "student||teacher" (paper, equation 5) or "teacher||student" (official code).
    """

    model_type = "fastbert"

    exit_hidden_size: int = 128
    exit_num_heads: int = 2
    exit_initializer_range: float | None = None
    max_tokens: int | None = None
    sentence_pairs: bool = False
    kl_direction: str = "student||teacher"


class Exit(nn.Module):
    """One classifier: narrow linear -> self-attention over the tokens -> linear -> linear.

    Figure 2 of the paper. The answer is read off the first token ([CLS]), so only that token asks
    (query) while all tokens answer (key, value): the same result at a fraction of the cost.
    """

    def __init__(self, config: FastBertConfig):
        super().__init__()
        width, heads = config.exit_hidden_size, config.exit_num_heads
        if width % heads:
            raise ValueError(f"exit_hidden_size {width} is not a multiple of exit_num_heads {heads}")
        self.heads = heads
        self.narrow = nn.Linear(config.hidden_size, width)
        self.query = nn.Linear(width, width)
        self.key_value = nn.Linear(width, 2 * width)
        self.attention_output = nn.Linear(width, width)
        self.dense = nn.Linear(width, width)
        self.classifier = nn.Linear(width, config.num_labels)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)
        for part in self.children():
            if isinstance(part, nn.Linear):
                part.initializer_range = config.exit_initializer_range  # see _init_weights

    def forward(self, hidden: torch.Tensor, attention_mask: torch.Tensor | None = None) -> torch.Tensor:
        """hidden [B, T, H], attention_mask [B, T] (True = a token, not padding) -> logits [B, C]."""
        x = self.narrow(hidden).tanh()  # [B, T, E]
        query = self.query(x[:, :1]).unflatten(-1, (self.heads, -1)).transpose(1, 2)  # [B, heads, 1, E/heads]
        key_value = self.key_value(x).unflatten(-1, (2, self.heads, -1))  # [B, T, 2, heads, E/heads]
        key, value = key_value.transpose(1, 3).unbind(2)  # each [B, heads, T, E/heads]

        mask = None if attention_mask is None else attention_mask[:, None, None, :]  # [B, 1, 1, T]
        x = scaled_dot_product_attention(query, key, value, attn_mask=mask)
        x = self.attention_output(x.flatten(1))  # [B, E]

        x = self.dense(x).tanh()
        return self.classifier(self.dropout(x) if self.training else x)  # [B, C]


@dataclass
class ExitOutput(ModelOutput):
    """What `predict` returns.

    Fields:
        logits: [B, C], of the exit at which each sentence left.
        exit_layer: [B], that exit's depth, 1..L.
        uncertainty: [B], of that exit's answer.
    """

    logits: torch.Tensor | None = None
    exit_layer: torch.Tensor | None = None
    uncertainty: torch.Tensor | None = None


class FastBertForSequenceClassification(BertPreTrainedModel):
    """BERT's encoder (under BERT's weight names) and L exits.

    `from_pretrained` takes any BERT encoder, by folder or hub name; its exits then start untrained. It loads
    the precision that the folder names; to train, ask it for `dtype=torch.float32`.
    `forward` runs the full depth, for training, `Trainer` and `pipeline`; `predict` exits early.
    Every sentence has one class of C, and begins with its first token: padding stands on the right.
    The auto classes of transformers know it once this module is imported; `import course_lib` alone does
    not import it.

    Raises:
        ValueError: an unknown `kl_direction`, or a `problem_type` or `num_labels` of another task.
    """

    config_class = FastBertConfig

    def __init__(self, config: FastBertConfig):
        super().__init__(config)
        if config.kl_direction not in DIRECTIONS:
            raise ValueError(f"kl_direction must be one of {DIRECTIONS}, not {config.kl_direction!r}")
        check_task(config)
        self.bert = BertModel(config, add_pooling_layer=False)
        self.exits = nn.ModuleList(Exit(config) for _ in range(config.num_hidden_layers))
        self.stage = "finetune"
        self.post_init()

    @torch.no_grad()
    def _init_weights(self, module: nn.Module) -> None:
        """Random weights where none were loaded; exits with a spread of their own."""
        super()._init_weights(module)
        if (spread := getattr(module, "initializer_range", None)) is not None:
            initialization.normal_(module.weight, std=spread)

    # --- training ----------------------------------------------------------------------------------

    def set_stage(self, stage: str) -> "FastBertForSequenceClassification":
        """Chooses what trains, and freezes the rest.

        - "finetune": backbone and teacher, on labels (paper, section 3.2.2).
        - "distill": the students alone, on the teacher's answers; backbone and teacher are frozen and
          stay in evaluation mode, so that their answers carry no dropout noise (section 3.2.3).
        - "joint": backbone and all exits at once, on labels: the paper's ablation without distillation.

        Raises:
            ValueError: unknown stage, or the model is in training mode and half precision.
        """
        if stage not in STAGES:
            raise ValueError(f"stage must be one of {STAGES}, not {stage!r}")
        self.stage = stage
        self.bert.requires_grad_(stage != "distill")
        self.exits[:-1].requires_grad_(stage != "finetune")
        self.exits[-1].requires_grad_(stage != "distill")
        if self.training:
            check_precision(self)
        return self.train(self.training)

    def train(self, mode: bool = True) -> "FastBertForSequenceClassification":
        super().train(mode)
        if self.stage == "distill":
            self.bert.eval()
            self.exits[-1].eval()
        return self

    @can_return_tuple
    def forward(
        self,
        input_ids: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        token_type_ids: torch.Tensor | None = None,
        labels: torch.Tensor | None = None,
        stage: str | None = None,
        num_items_in_batch: torch.Tensor | int | None = None,
        **others: object,
    ) -> SequenceClassifierOutput:
        """Runs all layers.

        Args:
            input_ids, attention_mask, token_type_ids: [B, T]; sentences are padded on the right.
            labels: [B] or [B, 1] class numbers; not needed to distil.
            stage: overrides `set_stage`'s choice of the loss for this call.
            num_items_in_batch: how many sentences the loss is averaged over; B if not given. `Trainer` tells
                it here when it adds up the gradients of several batches.
            others: what transformers may pass without asking for anything (None or False).

        Returns:
            `logits` [B, C] of the teacher, and `loss` where labels or the stage allow one; as a tuple where
            `return_dict=False` asks for that.

        Raises:
            ValueError: unknown stage, or `stage="distill"` where `set_stage` chose another: then backbone and
                teacher are not frozen, and the students' loss would train them; padding on the left; labels
                that are not one class for each sentence; an argument that FastBERT does not know; or weights
                in half precision in training mode.
        """
        check_others(others)
        if input_ids is None:
            raise ValueError("forward needs input_ids")
        if self.training and torch.is_grad_enabled():
            check_precision(self)
        if labels is not None:
            check_task(self.config)
            labels = class_numbers(labels, len(input_ids))
        logits, loss = self._logits_and_loss(
            input_ids, attention_mask, token_type_ids, labels, stage or self.stage
        )
        if loss is not None and num_items_in_batch is not None:
            loss = loss * (len(input_ids) / num_items_in_batch)
        return SequenceClassifierOutput(loss=loss, logits=logits)

    def _logits_and_loss(self, input_ids, attention_mask, token_type_ids, labels, stage):
        """-> logits [B, C] of the teacher, and the mean loss of the stage; None without labels."""
        if stage not in STAGES:
            raise ValueError(f"stage must be one of {STAGES}, not {stage!r}")
        if stage == "distill" and self.stage != "distill":
            raise ValueError(
                f"the stage is {self.stage!r}, so backbone and teacher are not frozen: call "
                'set_stage("distill") first'
            )
        if stage == "distill":
            logits = self.layer_logits(input_ids, attention_mask, token_type_ids)  # [L, B, C]
            loss = self_distillation_loss(logits[:-1], logits[-1], self.config.kl_direction)
            return logits[-1], loss
        if stage == "joint" and labels is not None:
            logits = self.layer_logits(input_ids, attention_mask, token_type_ids)
            loss = torch.stack([cross_entropy(answer, labels) for answer in logits]).mean()
            return logits[-1], loss

        *_, (hidden, mask) = self.layer_states(input_ids, attention_mask, token_type_ids)
        logits = self.exits[-1](hidden, mask)
        return logits, None if labels is None else cross_entropy(logits, labels)

    def layer_logits(
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        token_type_ids: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Every exit's answer: [B, T] token ids -> [L, B, C]; the last is the teacher's."""
        states = self.layer_states(input_ids, attention_mask, token_type_ids)
        return torch.stack(
            [exit(hidden, mask) for exit, (hidden, mask) in zip(self.exits, states, strict=True)]
        )

    # --- adaptive inference ------------------------------------------------------------------------

    @torch.no_grad()
    def predict(
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        speed: Speed = 0.5,
        measure: str = "entropy",
        token_type_ids: torch.Tensor | None = None,
    ) -> ExitOutput:
        """Adaptive inference: a sentence leaves at the first exit that is certain enough.

        Those that leave are taken out of the batch, and the rest is trimmed to its longest sentence, so
        the layers above compute less. The answers are those of one sentence at a time.

        Args:
            input_ids, attention_mask, token_type_ids: [B, T]; sentences are padded on the right.
            speed: a student exits where uncertainty < speed. 0 = the full model. One number, or one for
                each of the L - 1 students.
            measure: see `uncertainty`.

        Raises:
            ValueError: no sentence, padding on the left, speed outside [0, 1] or NaN, or the model is in
                training mode or traced.
        """
        check_prediction(self, input_ids, speed)
        limits = thresholds(speed, self.config.num_hidden_layers)
        hidden, mask = self._embed(input_ids, attention_mask, token_type_ids)
        layer_mask = self._layer_mask(hidden, mask)

        waiting = torch.arange(len(input_ids), device=hidden.device)  # the sentences still in the network
        left: list[ExitOutput] = []  # those that left, exit by exit
        numbers = []  # and which sentences of the batch they are
        last = self.config.num_hidden_layers
        for depth, (layer, exit) in enumerate(zip(self.bert.encoder.layer, self.exits, strict=True), 1):
            hidden = layer(hidden, layer_mask)  # [waiting, T, H]
            logits = exit(hidden, mask)  # [waiting, C]
            doubt = uncertainty(logits, measure)  # [waiting]

            leaves = doubt < limits[depth - 1] if depth < last else torch.ones_like(doubt, dtype=torch.bool)
            leaving = leaves.tolist()
            if not any(leaving):
                continue
            output = ExitOutput(logits, torch.full_like(waiting, depth), doubt)
            if all(leaving):
                left.append(output)
                numbers.append(waiting)
                break
            left.append(ExitOutput(*(part[leaves] for part in output.to_tuple())))
            numbers.append(waiting[leaves])
            hidden, waiting = hidden[~leaves], waiting[~leaves]
            if mask is not None:
                hidden, mask = _trim(hidden, mask[~leaves])
                layer_mask = self._layer_mask(hidden, mask)
        if len(left) == 1:
            return left[0]
        order = torch.cat(numbers).argsort()
        return ExitOutput(
            *(torch.cat(parts)[order] for parts in zip(*(each.to_tuple() for each in left), strict=True))
        )

    # --- the layers --------------------------------------------------------------------------------

    def layer_states(self, input_ids, attention_mask, token_type_ids):
        """The states after each layer: L pairs of hidden [B, T, H] and mask [B, T] (None = no padding)."""
        # Frozen layers need no gradient; saving it makes distillation several times cheaper.
        with torch.set_grad_enabled(torch.is_grad_enabled() and self.stage != "distill"):
            hidden, mask = self._embed(input_ids, attention_mask, token_type_ids)
            layer_mask = self._layer_mask(hidden, mask)
            states = []
            for layer in self.bert.encoder.layer:
                hidden = layer(hidden, layer_mask)
                states.append((hidden, mask))
        return states

    def _embed(self, input_ids, attention_mask, token_type_ids):
        """-> hidden [B, T, H], and the mask [B, T] as booleans, None where there is no padding."""
        self.warn_if_padding_and_no_attention_mask(input_ids, attention_mask)
        mask = padding_mask(input_ids, attention_mask)
        types = checked_types(self.config, input_ids, token_type_ids)
        return self.bert.embeddings(input_ids, token_type_ids=types), mask

    def _layer_mask(self, hidden, mask):
        """The mask in the form that BERT's layers take."""
        if mask is None:
            return None
        if self.config._attn_implementation == "sdpa":
            return mask[:, None, None, :]  # [B, 1, 1, T]: it is broadcast, which costs nothing
        return create_bidirectional_mask(self.config, hidden, mask)


def self_distillation_loss(students: torch.Tensor, teacher: torch.Tensor, direction: str) -> torch.Tensor:
    """The sum over the students of a KL divergence, averaged over the sentences (equations 5 and 6).

    Args:
        students: logits [L-1, B, C].
        teacher: logits [B, C]; no gradient flows into them.
        direction: "student||teacher", sum p_s log(p_s / p_t), as the paper prints it (an uncertain
            student is punished where the teacher is certain), or "teacher||student", sum p_t log(p_t /
            p_s), as the official code computes it (and as Hinton's distillation).
    """
    log_student = students.log_softmax(-1)
    log_teacher = teacher.detach().log_softmax(-1).expand_as(log_student)
    if direction == "student||teacher":
        divergence = (log_student.exp() * (log_student - log_teacher)).sum(-1)  # [L-1, B]
    elif direction == "teacher||student":
        divergence = (log_teacher.exp() * (log_teacher - log_student)).sum(-1)
    else:
        raise ValueError(f"direction must be one of {DIRECTIONS}, not {direction!r}")
    return divergence.mean(1).sum()


def _trim(hidden: torch.Tensor, mask: torch.Tensor):
    """Cuts off the columns that are padding in every sentence: [B, T, H] -> [B, T', H]."""
    longest = int(mask.any(0).nonzero()[-1]) + 1
    return hidden[:, :longest], mask[:, :longest]


AutoConfig.register("fastbert", FastBertConfig)
AutoModelForSequenceClassification.register(FastBertConfig, FastBertForSequenceClassification)
