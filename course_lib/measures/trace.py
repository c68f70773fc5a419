"""ExitTrace: every exit's answer to every sentence of a split, computed once.

Any speed's accuracy, depth, cost and histogram follow from it without running the network again, so a
slider can move through them freely.

Shapes: L layers, N sentences, C classes, S speeds.
"""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from transformers import DataCollatorWithPadding

from course_lib.measures.cost import flops, full_flops
from course_lib.models.exit_rule import MEASURES, Speed, thresholds, uncertainty
from course_lib.models.fastbert import FastBertConfig
from course_lib.paths import TRACES
from course_lib.texts.batches import LengthBuckets, encode


@dataclass(frozen=True)
class Exits:
    """Where the sentences leave at one speed.

    Fields:
        exit_layer: [N], 1..L.          predictions: [N], class numbers.
        accuracy: share in [0, 1].      mean_layer: layers a sentence, on average.
        flops_speedup: counted FLOPs of the plain model / those spent, exits included.
        histogram: [L], how many sentences left at each layer.
    """

    exit_layer: np.ndarray
    predictions: np.ndarray
    accuracy: float
    mean_layer: float
    flops_speedup: float
    histogram: np.ndarray


@dataclass(frozen=True)
class ExitTrace:
    """The answers of all exits on one split.

    Fields:
        probabilities: [L, N, C] float32.
        labels: [N].        lengths: [N], tokens with [CLS] and [SEP].
        config: the model's, for counting FLOPs.
        measure: the uncertainty that decides (see `uncertainty`). It is not saved: a trace serves all
            measures, and `dataclasses.replace(trace, measure=...)` asks it by another one.
    """

    probabilities: np.ndarray
    labels: np.ndarray
    lengths: np.ndarray
    config: FastBertConfig
    measure: str = "entropy"

    def __post_init__(self):
        layers, sentences, _ = self.probabilities.shape
        if layers != self.config.num_hidden_layers:
            raise ValueError(f"{layers} layers of answers, but the model has {self.config.num_hidden_layers}")
        if not len(self.labels) == len(self.lengths) == sentences:
            raise ValueError(
                f"{sentences} sentences, but {len(self.labels)} labels and {len(self.lengths)} lengths"
            )
        if sentences == 0:
            raise ValueError("a trace needs at least one sentence")
        if self.measure not in MEASURES:
            raise ValueError(f"measure must be one of {', '.join(MEASURES)}, not {self.measure!r}")

    # --- making, saving, loading -------------------------------------------------------------------

    @classmethod
    def of(cls, model, tokenizer, rows, tokens_per_batch: int = 4096) -> "ExitTrace":
        """Runs `model` at full depth over `rows` (a Dataset with text, or text and text_pair, and label).

        Raises:
            ValueError: there are no rows, or the tokenizer pads on the left.
        """
        if len(rows) == 0:
            raise ValueError("a trace needs at least one sentence, but there are no rows")
        encoded = encode(rows, tokenizer)
        lengths = np.array([len(each["input_ids"]) for each in encoded])
        probabilities = all_answers(model, tokenizer, encoded, tokens_per_batch)
        return cls(probabilities, np.array(rows["label"]), lengths, model.config)

    def save(self, path: Path) -> None:
        """Writes one safetensors file; the model's config goes into its header."""
        arrays = {name: getattr(self, name) for name in ("probabilities", "labels", "lengths")}
        save_arrays(path, arrays, self.config)

    @classmethod
    def load(cls, path: Path) -> "ExitTrace":
        """Reads what `save` wrote.

        Raises:
            FileNotFoundError: no such file.
            ValueError: the file is not a trace, or damaged.
        """
        remedy = f"`course evaluate --model MODEL --data DATA --split SPLIT --save {path}` makes it"
        if not Path(path).is_file():
            raise FileNotFoundError(f"no trace at {path}; {remedy}")
        try:
            arrays, config = load_arrays(path)
            return cls(config=config, **arrays)
        except Exception as error:  # safetensors, JSON and config each raise their own
            raise ValueError(f"{path} is not a readable trace ({error}); {remedy} again") from None

    # --- reading -----------------------------------------------------------------------------------

    @cached_property
    def uncertainties(self) -> np.ndarray:
        """[L, N] in [0, 1], by `measure`. Logarithms of probabilities are logits, too."""
        return uncertainty(torch.from_numpy(self.probabilities).log(), self.measure).numpy()

    @cached_property
    def accuracy_by_layer(self) -> np.ndarray:
        """[L], each exit's accuracy on all sentences."""
        return self._correct.mean(1)

    @cached_property
    def _correct(self) -> np.ndarray:
        return self.probabilities.argmax(-1) == self.labels  # [L, N]

    @cached_property
    def _full_flops(self) -> float:
        return float(full_flops(self.config, self.lengths).sum())

    @cached_property
    def _flops_per_layer(self) -> np.ndarray:
        """[N], one layer with its exit."""
        return flops(self.config, self.lengths, 1)

    def at(self, speed: Speed) -> Exits:
        """Where every sentence leaves at one speed (or at one threshold for each student)."""
        layers = len(self.probabilities)
        limits = np.array(thresholds(speed, layers), dtype=np.float32)
        leaves = np.ones_like(self.uncertainties, dtype=bool)  # [L, N]; the last layer always answers
        leaves[:-1] = self.uncertainties[:-1] < limits[:, None]
        first = leaves.argmax(0)  # [N], 0-based
        predictions = self.probabilities[first, np.arange(len(first))].argmax(-1)
        return Exits(
            exit_layer=first + 1,
            predictions=predictions,
            accuracy=float((predictions == self.labels).mean()),
            mean_layer=float((first + 1).mean()),
            flops_speedup=self._full_flops / float(((first + 1) * self._flops_per_layer).sum()),
            histogram=np.bincount(first, minlength=layers),
        )

    def sweep(self, speeds: np.ndarray) -> dict[str, np.ndarray]:
        """The whole trade-off curve: speeds [S] -> accuracy, mean_layer, flops_speedup, each [S].

        A sentence has left by layer l at every speed above the least uncertainty seen up to l. So each
        (sentence, layer) covers one interval of speeds, and adding up intervals gives all speeds at
        once: N x L sorted look-ups, instead of N x L x S comparisons.
        """
        speeds = np.asarray(speeds, dtype=np.float32)
        if not ((speeds >= 0) & (speeds <= 1)).all():
            raise ValueError(f"speeds lie in [0, 1], not {speeds.min()} .. {speeds.max()}")
        order = np.argsort(speeds)
        ordered = speeds[order]
        correct, layer, spent = np.zeros((3, len(speeds)))
        end = np.full(len(self.labels), len(speeds))  # [N] first speed at which an earlier exit answers
        least = np.full(len(self.labels), np.inf, dtype=np.float32)
        last = len(self.probabilities) - 1
        for depth in range(last + 1):
            least = np.minimum(least, self.uncertainties[depth])
            # At the last layer every remaining speed leaves.
            start = np.searchsorted(ordered, least, side="right") if depth < last else np.zeros_like(end)
            start = np.minimum(start, end)
            correct += _added_up(start, end, self._correct[depth], len(speeds))
            layer += _added_up(start, end, np.full(len(end), depth + 1.0), len(speeds))
            spent += _added_up(start, end, (depth + 1) * self._flops_per_layer, len(speeds))
            end = start
        back = np.argsort(order)
        sentences = len(self.labels)
        return {
            "accuracy": (correct / sentences)[back],
            "mean_layer": (layer / sentences)[back],
            "flops_speedup": (self._full_flops / spent)[back],
        }

    def budget(self, max_loss: float) -> float:
        """The speed that saves most while it loses at most `max_loss` (a share, 0.01 = one point).

        Ask it of a validation trace, then use the speed on new texts. Speeds are tried in steps of
        0.001; the loss is against the teacher, the last exit.

        Raises:
            ValueError: `max_loss` is negative or NaN.
        """
        if not max_loss >= 0:
            raise ValueError(f"max_loss must be at least 0, not {max_loss}")
        speeds = np.linspace(0, 1, 1001)
        curve = self.sweep(speeds)
        allowed = curve["accuracy"] >= self.accuracy_by_layer[-1] - max_loss - 1e-9
        return float(speeds[np.where(allowed, curve["flops_speedup"], 0).argmax()])


@torch.no_grad()
def all_answers(model, tokenizer, encoded: list[dict], tokens_per_batch: int = 4096) -> np.ndarray:
    """Runs `model` at full depth over rows that `encode` gave: the probabilities [L, N, C], float32.

    Raises:
        ValueError: the tokenizer pads on the left.
    """
    collate = DataCollatorWithPadding(tokenizer)
    model.eval()
    shape = (model.config.num_hidden_layers, len(encoded), model.config.num_labels)
    probabilities = np.zeros(shape, dtype=np.float32)
    for batch in LengthBuckets([len(each["input_ids"]) for each in encoded], tokens_per_batch, seed=0):
        inputs = collate([encoded[index] for index in batch]).to(model.device)
        probabilities[:, batch] = model.layer_logits(**inputs).float().softmax(-1).cpu().numpy()
    return probabilities


def save_arrays(path: Path, arrays: dict[str, np.ndarray], config: FastBertConfig) -> None:
    """One safetensors file, with the model's config in its header."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    tensors = {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in arrays.items()}
    # Where the model lay on the machine that made the trace is nobody's business.
    said = {key: value for key, value in config.to_dict().items() if key != "_name_or_path"}
    save_file(tensors, path, metadata={"config": json.dumps(said)})


def load_arrays(path: Path) -> tuple[dict[str, np.ndarray], FastBertConfig]:
    """What `save_arrays` wrote."""
    with safe_open(path, framework="pt") as file:
        config = FastBertConfig.from_dict(json.loads(file.metadata()["config"]))
    return {name: tensor.numpy() for name, tensor in load_file(path).items()}, config


def trace_file(name: str, seed: int | None, split: str, folder: Path = TRACES) -> Path:
    """Where the trace of a recipe lies: of the seed whose checkpoint is kept (None), or of another one."""
    return folder / f"{name}{'' if seed is None else f'-seed{seed}'}-{split}.safetensors"


def load_traces(name: str, split: str, folder: Path = TRACES) -> list[ExitTrace]:
    """The traces of a recipe's seeds: the one whose checkpoint is kept first, then the others by number.

    Raises:
        FileNotFoundError: there is none.
    """
    kept = trace_file(name, None, split, folder)
    others = sorted(folder.glob(trace_file(name, 0, split, folder).name.replace("seed0", "seed*")))
    if not kept.is_file() and others:
        return [ExitTrace.load(path) for path in others]
    return [ExitTrace.load(path) for path in (kept, *others)]


def _added_up(start: np.ndarray, end: np.ndarray, value: np.ndarray, size: int) -> np.ndarray:
    """Adds value[n] to every position of [start[n], end[n]) -> [size]."""
    ups = np.bincount(start, weights=value, minlength=size + 1)
    downs = np.bincount(end, weights=value, minlength=size + 1)
    return np.cumsum(ups - downs)[:size]
