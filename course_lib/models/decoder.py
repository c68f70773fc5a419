"""A decoder with an exit after every layer: FastBERT's idea carried to text generation.

The network is a GPT-2 (pre-norm layers, learned positions) under GPT-2's weight names. All exits share its
final norm and its language-model head, as in CALM (Schuster et al. 2022) and LayerSkip (Elhoushi et al.
2024). Between a layer and that norm stands a translator of its own, one linear map with a residual
connection, as in the Tuned Lens (Belrose et al. 2023): it begins as the identity and learns from the last
layer's answers while everything else is frozen. That is FastBERT's self-distillation, with tokens in the
place of classes.

Shapes: B texts, T tokens, H hidden size, V tokens in the vocabulary, L layers, N tokens that are predicted.
Checked against `transformers.GPT2LMHeadModel`: with all layers both give the same logits.
"""

import torch
from torch import nn
from torch.nn.functional import cross_entropy
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    Cache,
    DynamicCache,
    GenerationMixin,
    GPT2Config,
    GPT2Model,
    GPT2PreTrainedModel,
    initialization,
)
from transformers.masking_utils import create_causal_mask
from transformers.modeling_outputs import CausalLMOutputWithPast
from transformers.utils.generic import can_return_tuple

from course_lib.models.fastbert import DIRECTIONS, STAGES, self_distillation_loss
from course_lib.models.inputs import check_precision

NOT_A_TOKEN = -100  # a label that nothing is to be learned from: padding


class ExitDecoderConfig(GPT2Config):
    """A GPT2Config and what concerns the exits.

    Fields:
        exits_per_step: how many early exits are trained in one step, drawn anew each time (LayerSkip rotates
            them likewise: with a large vocabulary the head costs as much as several layers); all if None.
        kl_direction: as in FastBertConfig. "teacher||student" is the Tuned Lens' as well, and what is wanted
            here: of many tokens that may follow, a student must not be certain of one where the teacher
            is not.
    """

    model_type = "exit-decoder"

    exits_per_step: int | None = None
    kl_direction: str = "teacher||student"


class Translator(nn.Module):
    """An early layer's states in the last layer's words: h + A h + b, with A and b zero at first."""

    def __init__(self, size: int):
        super().__init__()
        self.change = nn.Linear(size, size)
        self.change.begins_at_zero = True  # see _init_weights

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        """[..., H] -> [..., H]"""
        return hidden + self.change(hidden)


class ExitDecoderForCausalLM(GPT2PreTrainedModel, GenerationMixin):
    """A GPT-2 with L - 1 early exits.

    `from_pretrained` takes any GPT-2, by folder or hub name; its translators then start as the identity.
    `generate` runs all layers; with `assistant_early_exit=k` it drafts with exit k (see
    `self_speculation.py`, which does the same and keeps the draft's keys and values). `token_exit.py` lets
    each token leave by itself. The auto classes of transformers know it once this module is imported.

    Raises:
        ValueError: an unknown `kl_direction`, or `exits_per_step` outside 1..L-1.
    """

    config_class = ExitDecoderConfig
    _tied_weights_keys = {"lm_head.weight": "transformer.wte.weight"}

    def __init__(self, config: ExitDecoderConfig):
        super().__init__(config)
        students = config.num_hidden_layers - 1
        if config.kl_direction not in DIRECTIONS:
            raise ValueError(f"kl_direction must be one of {DIRECTIONS}, not {config.kl_direction!r}")
        if config.exits_per_step is not None and config.exits_per_step < 1:
            raise ValueError(f"exits_per_step must be at least 1, not {config.exits_per_step}")
        self.transformer = GPT2Model(config)
        self.exits = nn.ModuleList(Translator(config.hidden_size) for _ in range(students))
        self.lm_head = nn.Linear(config.hidden_size, config.vocab_size, bias=False)
        self.stage = "finetune"
        self.post_init()

    @torch.no_grad()
    def _init_weights(self, module: nn.Module) -> None:
        """Random weights where none were loaded; translators begin as the identity."""
        super()._init_weights(module)
        if getattr(module, "begins_at_zero", False):
            initialization.zeros_(module.weight)

    # --- training ----------------------------------------------------------------------------------

    def set_stage(self, stage: str) -> "ExitDecoderForCausalLM":
        """Chooses what trains, and freezes the rest; the names are FastBERT's.

        - "finetune": the plain language model. Its early exits take no part.
        - "distill": the translators alone, on the last layer's answers; what the whole network writes stays
          exactly as it was (FastBERT, section 3.2.3).
        - "joint": the network and all its exits at once, on the text itself, deeper exits counting more
          (LayerSkip's early-exit loss). The network learns to answer early, at a price for the last layer.

        Raises:
            ValueError: unknown stage, or the model is in training mode and half precision.
        """
        if stage not in STAGES:
            raise ValueError(f"stage must be one of {STAGES}, not {stage!r}")
        self.stage = stage
        self.transformer.requires_grad_(stage != "distill")  # and with it the head, which is tied
        self.lm_head.requires_grad_(stage != "distill")
        self.exits.requires_grad_(stage != "finetune")
        if self.training:
            check_precision(self)
        return self.train(self.training)

    def train(self, mode: bool = True) -> "ExitDecoderForCausalLM":
        super().train(mode)
        if self.stage == "distill":
            self.transformer.eval()
        return self

    @can_return_tuple
    def forward(
        self,
        input_ids: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        position_ids: torch.Tensor | None = None,
        past_key_values: Cache | None = None,
        inputs_embeds: torch.Tensor | None = None,
        labels: torch.Tensor | None = None,
        use_cache: bool | None = None,
        logits_to_keep: int = 0,
        stage: str | None = None,
        **others: object,
    ) -> CausalLMOutputWithPast:
        """Runs all layers; or `config.num_hidden_layers` of them, if that was lowered, and leaves there.

        Args:
            input_ids: [B, T]; or `inputs_embeds` [B, T, H].
            attention_mask: [B, the past's length + T], 0 where there is padding.
            labels: [B, T], the tokens themselves (shifted inside), -100 where nothing is to be learned.
            logits_to_keep: how many columns, from the end, get logits; all if 0.
            stage: overrides `set_stage`'s choice of the loss for this call.
            others: what `generate` and `Trainer` pass besides; nothing of it is needed.

        Returns:
            `logits` [B, T, V] of the last layer that ran, `past_key_values`, and `loss` if there are labels.

        Raises:
            ValueError: unknown stage, or "distill" where `set_stage` chose another; or weights in half
                precision in training mode.
        """
        if self.training and torch.is_grad_enabled():
            check_precision(self)
        if use_cache is None:
            use_cache = labels is None and self.config.use_cache
        if use_cache and past_key_values is None:
            past_key_values = DynamicCache(config=self.config)
        states = self.layer_states(input_ids, attention_mask, position_ids, past_key_values, inputs_embeds)
        logits = self.exit_logits(states[-1][:, -logits_to_keep:], len(states))  # -0: all columns
        loss = None
        if labels is not None:
            loss = self._loss(states, logits, labels, stage or self.stage)
        return CausalLMOutputWithPast(loss=loss, logits=logits, past_key_values=past_key_values)

    def layer_states(
        self,
        input_ids: torch.Tensor | None,
        attention_mask: torch.Tensor | None = None,
        position_ids: torch.Tensor | None = None,
        past_key_values: Cache | None = None,
        inputs_embeds: torch.Tensor | None = None,
    ) -> list[torch.Tensor]:
        """The states after each layer, each [B, T, H]; the final norm is not among them."""
        with torch.set_grad_enabled(torch.is_grad_enabled() and self.stage != "distill"):
            network = self.transformer
            hidden = network.wte(input_ids) if inputs_embeds is None else inputs_embeds  # [B, T, H]
            if position_ids is None:
                past = past_key_values.get_seq_length() if past_key_values is not None else 0
                position_ids = torch.arange(past, past + hidden.shape[1], device=hidden.device)[None]
            hidden = network.drop(hidden + network.wpe(position_ids))
            mask = create_causal_mask(self.config, hidden, attention_mask, past_key_values, position_ids)
            states = []
            for layer in network.h[: self.config.num_hidden_layers]:
                hidden = layer(hidden, past_key_values, mask)
                states.append(hidden)
        return states

    def exit_logits(self, hidden: torch.Tensor, depth: int) -> torch.Tensor:
        """States [..., H] after layer `depth` (1..L) -> the exit's logits [..., V]."""
        if depth <= len(self.exits):
            hidden = self.exits[depth - 1](hidden)
        return self.lm_head(self.transformer.ln_f(hidden))

    def _loss(
        self, states: list[torch.Tensor], logits: torch.Tensor, labels: torch.Tensor, stage: str
    ) -> torch.Tensor:
        """The mean loss (nats a token) of a stage over the tokens that are to be predicted."""
        if stage not in STAGES:
            raise ValueError(f"stage must be one of {STAGES}, not {stage!r}")
        if stage == "distill" and self.stage != "distill":
            raise ValueError(
                f'the stage is {self.stage!r}, so the network is not frozen: call set_stage("distill") first'
            )
        asked = labels[:, 1:] != NOT_A_TOKEN  # [B, T-1]
        next_tokens = labels[:, 1:][asked]  # [N]
        last = logits[:, :-1][asked]  # [N, V]
        if stage == "finetune" or len(states) == 1:
            return cross_entropy(last, next_tokens)

        depths = self._exits_of_a_step(len(states) - 1)
        early = [self.exit_logits(states[depth - 1][:, :-1][asked], depth) for depth in depths]
        if stage == "distill":
            loss = self_distillation_loss(torch.stack(early), last, self.config.kl_direction)
            return loss * (len(states) - 1) / len(depths)  # the sum over all exits, in expectation
        losses = [cross_entropy(logits, next_tokens) for logits in [*early, last]]
        shares = torch.tensor([*depths, len(states)], dtype=last.dtype, device=last.device)
        return (torch.stack(losses) * shares).sum() / shares.sum()

    def _exits_of_a_step(self, students: int) -> list[int]:
        """The depths of the early exits that this step trains, drawn with PyTorch's own generator."""
        number = self.config.exits_per_step
        if number is None or number >= students:
            return list(range(1, students + 1))
        return sorted((torch.randperm(students)[:number] + 1).tolist())


AutoConfig.register("exit-decoder", ExitDecoderConfig)
AutoModelForCausalLM.register(ExitDecoderConfig, ExitDecoderForCausalLM)
