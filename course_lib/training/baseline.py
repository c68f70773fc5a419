"""What a model without a network reaches: TF-IDF of character n-grams and logistic regression."""

import time
from pathlib import Path

from datasets import DatasetDict
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from course_lib.measures.records import write_record
from course_lib.paths import RUNS
from course_lib.texts.shape import canonical, fingerprint


def tfidf_baseline(corpus: DatasetDict):
    """The fitted scikit-learn pipeline: character 1- to 3-grams, C = 10."""
    model = make_pipeline(
        TfidfVectorizer(analyzer="char", ngram_range=(1, 3), sublinear_tf=True, preprocessor=canonical),
        LogisticRegression(C=10, max_iter=1000),
    )
    return model.fit(list(corpus["train"]["text"]), list(corpus["train"]["label"]))


def train_baseline(corpus: DatasetDict, name: str, runs: Path = RUNS) -> dict:
    """Fits it on the training split and leaves the run record data/runs/<name>.json."""
    start = time.perf_counter()
    model = tfidf_baseline(corpus)
    accuracy = {
        split: float(model.score(list(corpus[split]["text"]), list(corpus[split]["label"])))
        for split in ("validation", "test")
    }
    return write_record(
        name,
        {
            "recipe": {"name": name, "model": "TF-IDF of character 1-3-grams, logistic regression, C = 10"},
            "data": fingerprint(corpus),
            "metrics": accuracy,
            "seconds": round(time.perf_counter() - start),
        },
        runs,
    )
