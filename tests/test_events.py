import multiprocessing

from lrlab import events
from lrlab.labbook.entries._told import Reader


def emit_many(path, label):
    events.os.environ[events.VARIABLE] = str(path)
    for i in range(200):
        events.emit("progress", label=label, done=i, total=200)


def test_events_of_several_processes_arrive_whole_and_once(tmp_path):
    path = tmp_path / "events.jsonl"
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=emit_many, args=(path, name)) for name in ("a", "b")]
    for worker in workers:
        worker.start()
    reader, seen = Reader(path), []
    while any(worker.is_alive() for worker in workers):
        seen += reader
    for worker in workers:
        worker.join()
    seen += reader
    assert sorted((e["label"], e["done"]) for e in seen) == [
        (name, i) for name in ("a", "b") for i in range(200)
    ]


def test_half_a_line_waits_until_it_is_complete(tmp_path):
    path = tmp_path / "events.jsonl"
    path.write_text('{"event": "run"}\n{"event": ')
    reader = Reader(path)
    assert list(reader) == [{"event": "run"}]
    assert list(reader) == []
    with path.open("a") as file:
        file.write('"plan"}\n')
    assert list(reader) == [{"event": "plan"}]


def test_nobody_listening_is_no_error(monkeypatch, tmp_path):
    monkeypatch.delenv(events.VARIABLE, raising=False)
    monkeypatch.chdir(tmp_path)
    events.emit("run", key="x")
    assert not events.heard()
    assert list(tmp_path.iterdir()) == []
