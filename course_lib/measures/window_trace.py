"""WindowTrace: every exit's answer to every window of every document, computed once.

What `read_until_certain` would do at any pair of thresholds follows from it without running the network
again: accuracy, windows, tokens, layers, FLOPs.

Shapes: L layers, W windows, D documents, C classes.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import torch

from course_lib.measures.trace import ExitTrace, all_answers, load_arrays, save_arrays
from course_lib.models.exit_rule import Speed, uncertainty
from course_lib.models.fastbert import FastBertConfig
from course_lib.models.read_until_certain import check_enough, evidence, pooled
from course_lib.texts.windows import windows


@dataclass(frozen=True)
class Reading:
    """What is read of each document at one pair of thresholds.

    Fields:
        predictions: [D], class numbers.        right: [D].        accuracy: their share.
        windows_read, tokens_read: [D].
        layers: [D], layers of all its windows together.
        flops: [D], counted, with exits and attention products.
        exit_layer: [W], 1..L, and 0 for windows that are not read.
    """

    predictions: np.ndarray
    right: np.ndarray
    accuracy: float
    windows_read: np.ndarray
    tokens_read: np.ndarray
    layers: np.ndarray
    flops: np.ndarray
    exit_layer: np.ndarray


@dataclass(frozen=True)
class WindowTrace:
    """The answers of all exits to all windows.

    Fields:
        probabilities: [L, W, C] float32.
        labels: [D].        lengths: [W], tokens with [CLS] and [SEP].
        document: [W], the number of the document a window is of, rising from 0; none is left out.
        config: the model's, for counting FLOPs.
        measure: the uncertainty that decides.        pool: how windows are pooled (see `evidence`).
            These two are not saved: `dataclasses.replace` asks the trace by others.
    """

    probabilities: np.ndarray
    labels: np.ndarray
    lengths: np.ndarray
    document: np.ndarray
    config: FastBertConfig
    measure: str = "entropy"
    pool: str = "mean"

    def __post_init__(self):
        evidence(torch.ones(1), self.pool)  # refuses a pool that is unknown
        steps = np.diff(self.document)
        if len(self.document) == 0 or self.document[0] != 0 or not np.isin(steps, (0, 1)).all():
            raise ValueError("windows must be numbered by their documents, 0, 0, 1, …, none left out")
        if self.document[-1] + 1 != len(self.labels):
            raise ValueError(f"windows of {self.document[-1] + 1} documents, but {len(self.labels)} labels")
        self.windows  # noqa: B018  refuses what ExitTrace refuses

    @classmethod
    def of(cls, model, tokenizer, rows, tokens: int, overlap: int = 0) -> "WindowTrace":
        """Runs `model` at full depth over all windows of `rows` (a Dataset with text and label).

        Raises:
            ValueError: there are no rows, or as `windows`.
        """
        if len(rows) == 0:
            raise ValueError("a trace needs at least one document, but there are no rows")
        found = windows(rows, tokenizer, tokens, overlap)
        lengths = np.array([len(each["input_ids"]) for each in found.encoded])
        probabilities = all_answers(model, tokenizer, found.encoded)
        return cls(probabilities, np.array(rows["label"][:]), lengths, found.document, model.config)

    def save(self, path: Path) -> None:
        """Writes one safetensors file; the model's config goes into its header."""
        names = ("probabilities", "labels", "lengths", "document")
        save_arrays(path, {name: getattr(self, name) for name in names}, self.config)

    @classmethod
    def load(cls, path: Path) -> "WindowTrace":
        """Reads what `save` wrote.

        Raises:
            FileNotFoundError: no such file.
            ValueError: the file is not such a trace, or damaged.
        """
        if not Path(path).is_file():
            raise FileNotFoundError(f"no trace of windows at {path}; WindowTrace.of(...).save(path) makes it")
        try:
            arrays, config = load_arrays(path)
            return cls(config=config, **arrays)
        except Exception as error:  # safetensors, JSON and config each raise their own
            raise ValueError(f"{path} is not a readable trace of windows ({error})") from None

    # --- reading -----------------------------------------------------------------------------------

    @cached_property
    def windows(self) -> ExitTrace:
        """The windows as if each were a text of its own, with the class of its document."""
        labels = self.labels[self.document]
        return ExitTrace(self.probabilities, labels, self.lengths, self.config, self.measure)

    @cached_property
    def starts(self) -> np.ndarray:
        """[D], the first window of each document."""
        return np.flatnonzero(np.diff(self.document, prepend=-1))

    @cached_property
    def sizes(self) -> np.ndarray:
        """[D], how many windows each document has."""
        return np.bincount(self.document)

    @cached_property
    def _flops_per_layer(self) -> np.ndarray:
        return self.windows._flops_per_layer  # [W], a layer with its exit

    def at(self, enough: float, speed: Speed) -> Reading:
        """What is read where windows leave at `speed`, and reading stops below `enough`.

        Raises:
            ValueError: a threshold outside [0, 1] or NaN.
        """
        check_enough(enough)
        exit_layer, answers, doubts = self._pooled_at(speed)
        return self._stopped(enough, exit_layer, answers, doubts)

    def grid(self, enoughs: np.ndarray, speeds: np.ndarray) -> dict[str, np.ndarray]:
        """Every pair of thresholds: enoughs [E], speeds [S] -> means over the documents, each [E, S].

        Keys: accuracy, windows_read, tokens_read, layers, flops.
        """
        keys = ("accuracy", "windows_read", "tokens_read", "layers", "flops")
        found = {key: np.zeros((len(enoughs), len(speeds))) for key in keys}
        for column, speed in enumerate(speeds):
            running = self._pooled_at(float(speed))
            for row, enough in enumerate(enoughs):
                check_enough(enough)
                reading = self._stopped(enough, *running)
                for key in keys:
                    found[key][row, column] = np.mean(getattr(reading, key))
        return found

    def chosen(self, count: int, part: str = "head") -> "WindowTrace":
        """The same documents, but only `count` windows of each: its first, its last, or half of both.

        Raises:
            ValueError: `count` below 1, or an unknown part.
        """
        if count < 1:
            raise ValueError(f"count must be at least 1, not {count}")
        place = np.arange(len(self.document)) - self.starts[self.document]  # [W], from 0
        left = self.sizes[self.document] - place  # [W], with this one
        kept = {
            "head": place < count,
            "tail": left <= count,
            "both": (place < count - count // 2) | (left <= count // 2),
        }
        if part not in kept:
            raise ValueError(f"part must be one of {', '.join(kept)}, not {part!r}")
        only = kept[part]
        return replace(
            self,
            probabilities=self.probabilities[:, only],
            lengths=self.lengths[only],
            document=self.document[only],
        )

    def at_depth(self, depth: int) -> np.ndarray:
        """[D], whether all windows together are right where the exit at `depth` (1..L) answers for each."""
        return self._running(np.full(len(self.document), depth)).argmax(-1)[self._ends] == self.labels

    @cached_property
    def _ends(self) -> np.ndarray:
        return self.starts + self.sizes - 1  # [D], the last window of each document

    def _running(self, exit_layer: np.ndarray) -> np.ndarray:
        """What the windows up to each one answer together [W, C], where they leave at `exit_layer` [W]."""
        own = self.probabilities[exit_layer - 1, np.arange(len(exit_layer))]  # [W, C]
        running = evidence(torch.from_numpy(own), self.pool).numpy()
        for start, end in zip(self.starts, self._ends, strict=True):
            running[start : end + 1] = running[start : end + 1].cumsum(0)
        return pooled(torch.from_numpy(running), self.pool).numpy()

    def _pooled_at(self, speed: Speed) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """-> exit layers [W], what the windows up to each one answer together [W, C], its uncertainty [W]."""
        exit_layer = self.windows.at(speed).exit_layer
        answers = self._running(exit_layer)
        return exit_layer, answers, uncertainty(torch.from_numpy(answers).log(), self.measure).numpy()

    def _stopped(
        self, enough: float, exit_layer: np.ndarray, answers: np.ndarray, doubts: np.ndarray
    ) -> Reading:
        stops = np.where(doubts < enough, np.arange(len(doubts)), self._ends[self.document])
        last = np.minimum.reduceat(stops, self.starts)  # [D], the last window that is read
        read = np.arange(len(doubts)) <= last[self.document]  # [W]
        predictions = answers[last].argmax(-1)
        right = predictions == self.labels

        def summed(values: np.ndarray) -> np.ndarray:
            return np.add.reduceat(np.where(read, values, 0), self.starts)

        return Reading(
            predictions=predictions,
            right=right,
            accuracy=float(right.mean()),
            windows_read=last - self.starts + 1,
            tokens_read=summed(self.lengths),
            layers=summed(exit_layer),
            flops=summed(exit_layer * self._flops_per_layer),
            exit_layer=np.where(read, exit_layer, 0),
        )
