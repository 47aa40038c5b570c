"""The full MNIST: four files in IDX format, downloaded once, checked, and parted as published.

What is served here are small stand-ins in `idx/`, as many images and labels as the real files hold,
of 2×3 pixels: image i has the pixels (i + 40 row + 7 column) mod 251 and the label i mod 10, with
i + 1 in place of i in the files of the test part.
"""

import functools
import gzip
import hashlib
import http.server
import socket
import threading
from pathlib import Path

import numpy as np
import pytest

from lrlab import tasks
from lrlab.tasks import mnist

FILES = Path(__file__).parent / "idx"


@pytest.fixture
def server():
    asked = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            super().do_GET()

        def log_message(self, *_):
            pass

    handler = functools.partial(Handler, directory=str(FILES))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}/", asked
        running.shutdown()


@pytest.fixture(autouse=True)
def stand_in(tmp_path, monkeypatch):
    hashes = {
        name: hashlib.sha256((FILES / f"{name}-ubyte.gz").read_bytes()).hexdigest()
        for name in mnist._FULL
    }
    monkeypatch.setattr(mnist, "_FULL", hashes)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1")
    mnist._full.cache_clear()
    yield
    mnist._full.cache_clear()


def pixels(n, shift):
    i, row, column = np.ogrid[shift : n + shift, 0:2, 0:3]
    return (i + 40 * row + 7 * column) % 251


def test_the_stand_ins_are_in_the_published_format():
    heads = {
        name: gzip.decompress((FILES / f"{name}-ubyte.gz").read_bytes())[:8] for name in mnist._FULL
    }
    for name, head in heads.items():
        magic, count = int.from_bytes(head[:4], "big"), int.from_bytes(head[4:], "big")
        assert magic == (2051 if "images" in name else 2049)
        assert count == (60_000 if "train" in name else 10_000)


def test_the_files_become_three_parts_in_their_order_scaled_by_the_training_part(
    server, monkeypatch
):
    monkeypatch.setattr(mnist, "_MIRROR", server[0])
    data = tasks.get("mnist", source="full", n_train=50_000).data()
    assert data.sizes() == {"train": 50_000, "validation": 10_000, "test": 10_000}
    train, test = pixels(60_000, 0) / 255, pixels(10_000, 1) / 255
    mean, spread = train[:50_000].mean(), train[:50_000].std()
    for part, values in (
        (data.train, train[:50_000]),
        (data.validation, train[50_000:]),
        (data.test, test),
    ):
        assert part[0].shape[1:] == (1, 2, 3)
        np.testing.assert_allclose(part[0][:, 0].numpy(), (values - mean) / spread, atol=1e-6)
    assert data.validation[1][:3].tolist() == [0, 1, 2]
    assert data.test[1][:3].tolist() == [1, 2, 3]


def test_what_was_downloaded_once_is_not_downloaded_again(server, monkeypatch):
    monkeypatch.setattr(mnist, "_MIRROR", server[0])
    mnist._full()
    mnist._full.cache_clear()
    mnist._full()
    assert sorted(server[1]) == sorted(f"/{name}-ubyte.gz" for name in mnist._FULL)


def test_a_file_with_another_hash_is_refused_and_not_kept(server, monkeypatch, tmp_path):
    monkeypatch.setattr(mnist, "_MIRROR", server[0])
    monkeypatch.setitem(mnist._FULL, "train-images-idx3", "0" * 64)
    with pytest.raises(ValueError, match=r"^train-images-idx3-ubyte.gz has another hash than"):
        tasks.get("mnist", source="full").data()
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_without_a_network_one_sentence_says_what_is_missing(monkeypatch):
    with socket.socket() as taken:  # bound and not listening: nobody answers there
        taken.bind(("127.0.0.1", 0))
        monkeypatch.setattr(mnist, "_MIRROR", f"http://127.0.0.1:{taken.getsockname()[1]}/")
        with pytest.raises(ValueError, match=r"needs a network at its first use$"):
            tasks.get("mnist", source="full").data()
