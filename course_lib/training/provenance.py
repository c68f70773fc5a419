"""What a run is made of: its recipe, its data, and the weights it begins with."""

import hashlib
import json
from pathlib import Path

from course_lib.models.backbones import find_model
from course_lib.models.folders import MANIFEST
from course_lib.models.packed import PACKED

BEGINS_WITH = ("start", "teacher", "backbone")  # the keys of a recipe that name a checkpoint


def identity(recipe: dict, data: object) -> str:
    """What a run is made of, as a SHA-256: recipe, fingerprint of the data, and weights it begins with."""
    parts = [recipe, data]
    for name in filter(None, (recipe.get(key) for key in BEGINS_WITH)):
        manifest = Path(find_model(name)) / MANIFEST
        parts.append(manifest.read_text("utf-8") if manifest.is_file() else name)
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


def begins_with(recipe: dict) -> dict[str, str]:
    """The checkpoints that a run begins with, each with the SHA-256 of its weights ("" if nobody knows)."""
    found = {}
    for name in filter(None, (recipe.get(key) for key in BEGINS_WITH)):
        manifest = Path(find_model(name)) / MANIFEST
        checksums = json.loads(manifest.read_text("utf-8")) if manifest.is_file() else {}
        found[name] = checksums.get("model.safetensors") or checksums.get(PACKED, "")
    return found
