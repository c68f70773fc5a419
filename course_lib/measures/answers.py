"""What a model without exits answered on a split: students, TF-IDF. Small, so that all seeds can be kept."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from safetensors.numpy import load_file
from safetensors.torch import save_file

from course_lib.measures.comparison import Contender, static
from course_lib.measures.trace import trace_file
from course_lib.paths import ANSWERS


@dataclass(frozen=True)
class Answers:
    """One seed's answers.

    Fields:
        predictions, labels: [N], class numbers.
        flops: counted for one text, on average.
        layers: how many a text runs through; NaN where there are none.
    """

    predictions: np.ndarray
    labels: np.ndarray
    flops: float
    layers: float = float("nan")

    @property
    def accuracy(self) -> float:
        return float((self.predictions == self.labels).mean())

    def save(self, path: Path) -> None:
        """Writes one safetensors file; the two numbers go into its header."""
        path.parent.mkdir(parents=True, exist_ok=True)
        arrays = {"predictions": self.predictions, "labels": self.labels}
        tensors = {name: torch.from_numpy(np.asarray(array, np.int16)) for name, array in arrays.items()}
        save_file(tensors, path, metadata={"cost": json.dumps([self.flops, self.layers])})

    @classmethod
    def load(cls, path: Path) -> "Answers":
        """Reads what `save` wrote.

        Raises:
            FileNotFoundError: no such file.
        """
        if not path.is_file():
            raise FileNotFoundError(f"no answers at {path}; `course train` leaves them there")
        with safe_open(path, framework="np") as file:
            flops, layers = json.loads(file.metadata()["cost"])
            return cls(file.get_tensor("predictions"), file.get_tensor("labels"), flops, layers)


def load_answers(name: str, split: str, folder: Path = ANSWERS) -> list[Answers]:
    """The answers of a recipe's seeds, by number; of a recipe without seeds, one."""
    files = sorted(folder.glob(trace_file(name, 0, split, folder).name.replace("seed0", "seed*")))
    return [Answers.load(path) for path in files or [trace_file(name, None, split, folder)]]


def contender(name: str, answers: Sequence[Answers]) -> Contender:
    """The seeds of one model as a contender."""
    right = np.stack([each.predictions == each.labels for each in answers])
    return static(name, right, answers[0].flops, answers[0].layers)


def save_right(path: Path, right: Mapping[str, np.ndarray]) -> None:
    """Writes which texts each of many networks answered rightly: title -> [N], True or False."""
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({title: torch.from_numpy(np.asarray(each, bool)) for title, each in right.items()}, path)


def load_right(name: str, seed: int, folder: Path = ANSWERS) -> dict[str, np.ndarray]:
    """What `save_right` wrote for one seed of a pruning study, on the test split.

    Raises:
        FileNotFoundError: no such file.
    """
    path = trace_file(name, seed, "test", folder)
    if not path.is_file():
        raise FileNotFoundError(
            f"no answers at {path}; `course train {name} --seed {seed}` leaves them there"
        )
    return load_file(path)
