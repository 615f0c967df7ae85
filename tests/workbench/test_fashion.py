"""What `design` chooses for Fashion-MNIST, trained on all of it."""

import pytest
from benchmarks import datasets

import netwright as nw


@pytest.mark.slow
def test_ten_minutes_on_fashion_mnist(tmp_path):
    train, test = datasets.fashion_mnist()
    made = nw.design(train, test=test, time="10min", out=tmp_path / "fashion")
    network = made.verdict["network"]
    print(network)
    assert network["score"] >= 0.92, network
