"""What a model without a network reaches: TF-IDF of character n-grams and logistic regression."""

import time
from pathlib import Path

import numpy as np
from datasets import Dataset, DatasetDict
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from course_lib.measures.answers import Answers
from course_lib.measures.records import write_record
from course_lib.measures.trace import trace_file
from course_lib.paths import ANSWERS, RUNS
from course_lib.texts.batches import is_pairs
from course_lib.texts.shape import canonical, fingerprint


def tfidf_baseline(corpus: DatasetDict):
    """The fitted scikit-learn pipeline: character 1- to 3-grams, C = 10."""
    model = make_pipeline(
        TfidfVectorizer(analyzer="char", ngram_range=(1, 3), sublinear_tf=True, preprocessor=canonical),
        LogisticRegression(C=10, max_iter=1000),
    )
    return model.fit(_texts(corpus["train"]), list(corpus["train"]["label"]))


def train_baseline(corpus: DatasetDict, name: str, runs: Path = RUNS, folder: Path = ANSWERS) -> dict:
    """Fits it on the training split and leaves answers and the run record data/runs/<name>.json."""
    start = time.perf_counter()
    model = tfidf_baseline(corpus)
    found = {split: answers_of(model, corpus[split]) for split in ("validation", "test")}
    for split, answers in found.items():
        answers.save(trace_file(name, None, split, folder))
    return write_record(
        name,
        {
            "recipe": {"name": name, "model": "TF-IDF of character 1-3-grams, logistic regression, C = 10"},
            "data": fingerprint(corpus),
            "metrics": {split: answers.accuracy for split, answers in found.items()},
            "seconds": round(time.perf_counter() - start),
        },
        runs,
    )


def answers_of(model, rows: Dataset) -> Answers:
    """What the pipeline answers on a split. FLOPs: a multiplication and an addition for every n-gram of a
    text and every row of coefficients; finding the n-grams is no floating-point work."""
    texts = _texts(rows)
    counted = model[:-1].transform(texts)  # [N, n-grams], sparse
    flops = 2 * counted.nnz / len(texts) * len(model[-1].coef_)
    return Answers(model[-1].predict(counted), np.array(rows["label"]), float(flops))


def _texts(rows: Dataset) -> list[str]:
    """A pair becomes one text: n-grams know nothing of what its halves have to do with each other, so what is
    reached then is what the texts give away one by one."""
    if not is_pairs(rows):
        return list(rows["text"])
    return [f"{first}\n{second}" for first, second in zip(rows["text"], rows["text_pair"], strict=True)]
