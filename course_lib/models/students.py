"""A static student: a part of its teacher's layers, and the teacher's answers to learn from.

After DistilBERT (Sanh et al. 2019, section 3), the rival of a network that is cut: the student begins with
some of the teacher's layers and goes on pre-training with three losses. Ours differs in two points from the
official code: the layers are those of `every_other` (there 1, 3, 5, 8, 10 and 12 of 12), and the teacher's
answers are looked at where tokens are hidden (there on all tokens, unless it is told otherwise).
"""

import torch
from torch.nn.functional import cosine_embedding_loss, cross_entropy, kl_div
from transformers import BertForMaskedLM, PreTrainedTokenizerFast

from course_lib.models.masked_lm import MaskedLanguageModel
from course_lib.models.pruning import every_other, prune

WEIGHTS = {"distillation": 5.0, "masked": 2.0, "cosine": 1.0}  # of the losses, in the official code
TEMPERATURE = 2.0


def new_student(teacher: BertForMaskedLM, num_hidden_layers: int) -> BertForMaskedLM:
    """A student that begins as the teacher cut to evenly spaced layers."""
    return prune(teacher, every_other(teacher.config.num_hidden_layers, num_hidden_layers))


class StudentLanguageModel(MaskedLanguageModel):
    """Trains a student on hidden tokens, beside its teacher, which stays as it is.

    The loss is a weighted sum of three: to answer as the teacher does (both distributions softened by
    `TEMPERATURE`), to guess the hidden tokens, and to point the last layer's states where the teacher's
    point. The first two are taken on the hidden tokens, the third on all.
    """

    def __init__(self, bert: BertForMaskedLM, tokenizer: PreTrainedTokenizerFast, teacher: BertForMaskedLM):
        super().__init__(bert, tokenizer)
        self.teacher = [teacher.eval().requires_grad_(False)]  # in a list: not trained, not saved

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """input_ids, attention_mask: [B, T] -> the weighted sum (nats, but for the cosine's part)."""
        seen, asked = self.hide(input_ids)
        real = attention_mask.bool()
        scores, states = self._answer(self.bert, seen, attention_mask, asked)
        with torch.no_grad():
            (teacher,) = self.teacher
            taught, targets = self._answer(teacher.to(seen.device), seen, attention_mask, asked)
        losses = {
            "distillation": TEMPERATURE**2
            * kl_div(
                (scores / TEMPERATURE).log_softmax(-1),
                (taught / TEMPERATURE).softmax(-1),
                reduction="batchmean",
            ),
            "masked": cross_entropy(scores, input_ids[asked]),
            "cosine": cosine_embedding_loss(states[real], targets[real], torch.ones(1, device=states.device)),
        }
        return sum(WEIGHTS[name] * loss for name, loss in losses.items())

    @staticmethod
    def _answer(bert: BertForMaskedLM, seen, attention_mask, asked) -> tuple[torch.Tensor, torch.Tensor]:
        """-> scores of the hidden tokens [asked tokens, V], the last layer's states [B, T, H]."""
        states = bert.bert(seen, attention_mask).last_hidden_state
        return bert.cls(states[asked]), states
