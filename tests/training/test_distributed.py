"""Two processes on the CPU (gloo), started by torchrun, train one model with LayerDrop."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from course_lib.models.layerdrop import UNITS

SCRIPT = Path(__file__).with_name("train_distributed.py")
TEXTS = 18  # that script's


@pytest.fixture(scope="module")
def ranks(tmp_path_factory):
    """Unit -> what the two processes wrote."""
    folder = tmp_path_factory.mktemp("ranks")
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--local-addr", "127.0.0.1"]
    path = os.pathsep.join([str(SCRIPT.parents[1]), os.environ["PYTHONPATH"]])  # tests/, where tiny.py is
    environment = {**os.environ, "PYTHONPATH": path, "ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [*torchrun, "--nproc-per-node", "2", SCRIPT, folder],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return {unit: [load_file(folder / f"{unit}-{rank}.safetensors") for rank in (0, 1)] for unit in UNITS}


@pytest.mark.parametrize("unit", UNITS)
def test_both_processes_end_with_the_same_weights(ranks, unit):
    one, other = ranks[unit]
    names = [name for name in one if name.startswith("model.")]
    assert len(names) > 50
    for name in names:
        assert torch.equal(one[name], other[name]), name
    assert torch.equal(one["layers"][1:], other["layers"][1:]), "after every step"
    assert not torch.equal(one["layers"][-1], one["layers"][0])


@pytest.mark.parametrize("unit", UNITS)
def test_both_processes_draw_the_same_sets(ranks, unit):
    one, other = ranks[unit]
    assert torch.equal(one["drawn"], other["drawn"])
    assert len({str(runs.tolist()) for runs in one["drawn"]}) >= 4


@pytest.mark.parametrize("unit", UNITS)
def test_each_process_reads_its_own_texts(ranks, unit):
    one, other = ([set(batch.tolist()) - {0} for batch in rank["texts"]] for rank in ranks[unit])
    assert len(one) == len(other) == 9  # 5 batches an epoch are 3 steps for two processes
    assert all(batch.isdisjoint(its_twin) for batch, its_twin in zip(one, other, strict=True))
    for epoch in range(3):
        steps = slice(3 * epoch, 3 * epoch + 3)
        assert set.union(*one[steps], *other[steps]) == set(range(1, TEXTS + 1))


def test_a_dropped_layer_does_not_move_and_the_others_do(ranks):
    """A gradient of zero instead of none would let AdamW's momentum move it."""
    for rank in ranks["layer"]:
        moved = (rank["layers"][2:] != rank["layers"][1:-1]).flatten(2).any(-1)  # [steps - 1, L]
        assert torch.equal(moved, rank["drawn"][1:])


def test_every_epoch_is_reported_on_both_processes(ranks):
    for rank in ranks["layer"]:
        assert rank["epochs"].tolist() == [1, 2, 3]
