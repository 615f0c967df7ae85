import torch
from hypothesis import given
from hypothesis import strategies as st

from netwright.train.batches import Batches


@given(st.integers(2, 200), st.integers(2, 64), st.integers(0, 100))
def test_an_epoch_shows_each_row_at_most_once_and_leaves_out_less_than_a_quarter_batch(rows, size, seed):
    batches = Batches(rows, size, seed)
    seen = torch.cat([batches[step] for step in range(batches.per_epoch)])
    assert len(seen.unique()) == len(seen)
    assert rows - len(seen) < max(2, batches.batch_size // 4)


@given(st.integers(2, 100), st.integers(2, 20), st.lists(st.integers(0, 500), min_size=1, max_size=10))
def test_a_step_has_the_same_rows_whatever_was_asked_before(rows, size, steps):
    batches = Batches(rows, size, 3)
    for step in steps:
        assert torch.equal(batches[step], Batches(rows, size, 3)[step])


def test_epochs_and_seeds_differ():
    a, b = Batches(100, 100, 0), Batches(100, 100, 1)
    assert not torch.equal(a[0], a[1])
    assert not torch.equal(a[0], b[0])
