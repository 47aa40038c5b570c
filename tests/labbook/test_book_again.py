"""A build of what changed shows a reader what a build from nothing would, page by page."""

import functools
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from entry_maker import rewrite_claims, write_entry

ROOT = Path(__file__).parents[2]
TOC = """\
format: jb-book
root: book/intro
parts:
  - caption: The log
    chapters:
      - file: book/claims
      - file: book/log/index
        sections:
          - glob: "book/log/2*"
        options: { reversed: true }
  - caption: Guide
    chapters:
      - file: book/first
      - file: book/package
      - file: book/references
"""
PAGES = {
    "intro": "# A small laboratory\n\n```{answer}\n```\n\n```{newest-entries}\n```\n",
    "claims": "# The ledger\n\n```{ledger}\n```\n",
    "log/index": "# The log\n\n## One subject\n\n```{entries-of}\ndemo\n```\n\n"
    "## All of them\n\n```{all-entries}\n```\n",
    "first": "# First\n\nSee {doc}`claims` and {doc}`log/2030-01-01-demo`, "
    "{cite:t}`smith2017cyclical`.\n\n```python\nx = 1\n```\n",
    "package": "# Package\n\n```{eval-rst}\n.. automodule:: lrlab.checks\n```\n",
    "references": "# References\n\n```{bibliography}\n:all:\n```\n",
}
Pages = dict[str, bytes]
# Sphinx and the extensions of others are loaded once; each build is a fork of that process, which
# then loads the package of the laboratory, as it is by then, and does what the command line does.
RENDERER = """\
import contextlib, importlib, json, os, runpy, sys

late = ("jupyter_book.config", "myst_nb.sphinx_ext", "numpy", "PIL.Image", "PIL.WebPImagePlugin")
for name in ("sphinx.application", "sphinx.builders.html", *late, *sys.argv[1:]):
    importlib.import_module(name)
assert not any(name.partition(".")[0] == "lrlab" for name in sys.modules)
for line in sys.stdin:
    root, package, arguments = json.loads(line)
    if not (pid := os.fork()):
        os.chdir(root)
        os.environ["PYTHONPATH"] = package
        sys.path[0] = package
        sys.argv = ["lrlab", "book", *arguments]
        for number, name in enumerate(("stdin", "stdout", "stderr")):
            flags = os.O_RDWR | os.O_CREAT | os.O_TRUNC
            os.dup2(os.open(os.devnull if number == 0 else f"_build.{name}", flags), number)
        code = 1
        try:
            runpy.run_module("lrlab.cli", run_name="__main__")
        except SystemExit as end:
            code = end.code or 0
        finally:
            with contextlib.suppress(OSError):
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(code)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
"""


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package, with what it was compiled to, so that a test may change it."""
    folder = tmp_path_factory.mktemp("package")
    shutil.copytree(ROOT / "lrlab", folder / "lrlab")
    return folder


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, package: Path) -> Path:
    """A small laboratory, built."""
    root = tmp_path_factory.mktemp("laboratory")
    shutil.copy(ROOT / "_config.yml", root)
    (root / "_toc.yml").write_text(TOC)
    (root / "notebooks").mkdir()
    (root / "book").mkdir()
    sources = (ROOT / "book" / "references.bib").read_text("utf-8").split("\n@")
    few = [text for text in sources if "{smith20" in text]
    (root / "book" / "references.bib").write_text("\n@".join(["", *few]), "utf-8")
    write_entry(root)
    write_entry(root, "other", title="Another page", date="2030-01-02")
    write_entry(root, "steady", title="What nothing here changes", date="2029-12-31")
    for name, text in PAGES.items():
        path = root / "book" / f"{name}.md"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    assert render(root, package).returncode == 0
    return root


@pytest.fixture
def laboratory(built: Path, package: Path, tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    """Both of them, to be changed where they lie: in another folder, everything is built anew.

    Afterwards they are as they were.
    """
    kept = {folder: shutil.copytree(folder, tmp_path / folder.name) for folder in (built, package)}
    yield built, package
    for folder, copy in kept.items():
        shutil.rmtree(folder)
        shutil.move(copy, folder)


@functools.cache
def renderer() -> subprocess.Popen[str]:
    settings = yaml.safe_load((ROOT / "_config.yml").read_text())["sphinx"]["config"]
    extensions = settings["extensions"]
    others = [name for name in extensions if not name.startswith("lrlab")]
    return subprocess.Popen(
        [sys.executable, "-c", RENDERER, *others],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.fixture(scope="module", autouse=True)
def renderer_ends() -> Iterator[None]:
    yield
    with renderer():
        renderer.cache_clear()


def render(root: Path, package: Path, *arguments: str) -> subprocess.CompletedProcess:
    process = renderer()
    assert process.stdin and process.stdout
    print(json.dumps([str(root), str(package), arguments]), file=process.stdin, flush=True)
    code = int(process.stdout.readline())
    said, warned = ((root / f"_build.{name}").read_text() for name in ("stdout", "stderr"))
    return subprocess.CompletedProcess(["lrlab", "book", *arguments], code, said, warned)


def seen(root: Path) -> Pages:
    """All that a reader may be shown; what links say of the age of a style sheet is not shown."""
    html = root / "_build" / "html"
    return {
        path.relative_to(html).as_posix(): re.sub(rb"\?v=[0-9a-f]{8}", b"", path.read_bytes())
        for path in sorted(html.rglob("*"))
        if path.is_file() and path.name != ".buildinfo"
    }


def added(root: Path, package: Path) -> None:
    write_entry(root, "new", title="A new page", date="2030-01-03")


def changed(root: Path, package: Path) -> None:
    path = root / "book" / "log" / "2030-01-01-demo.ipynb"
    path.write_text(path.read_text().replace("# A demonstration", "# A changed title"))


def other_claims(root: Path, package: Path) -> None:
    path = root / "book" / "log" / "2030-01-01-demo.ipynb"
    rewrite_claims(path, lambda claim: claim.update(statement="Another statement"))


def removed(root: Path, package: Path) -> None:
    for path in (root / "book" / "log").glob("2030-01-02-other.*"):
        path.unlink()


def superseded(root: Path, package: Path) -> None:
    why = {"entry": "2030-01-01-demo", "reason": "Ten seeds."}
    write_entry(root, date="2030-01-04", entry="2030-01-04-demo", supersedes=why)


def record(root: Path, package: Path) -> None:
    path = root / "book" / "log" / "2030-01-01-demo.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"seconds": 99.0}, indent=1))


def docstring(root: Path, package: Path) -> None:
    path = package / "lrlab" / "checks.py"
    path.write_text(path.read_text().replace('"""', '"""Zebrafinches. ', 1))


def front_page(root: Path, package: Path) -> None:
    path = root / "book" / "intro.md"
    path.write_text(path.read_text().replace("# A small", "# The smallest"))


def reference(root: Path, package: Path) -> None:
    path = root / "book" / "references.bib"
    path.write_text(path.read_text().replace("Cyclical", "Recurring"))


Change = Callable[[Path, Path], None]
CHANGES = [[added, front_page], [removed, record, reference], [superseded, docstring]]


@pytest.mark.slow
@pytest.mark.parametrize(
    "changes",
    [*CHANGES, [changed, other_claims]],
    ids=lambda changes: "-".join(change.__name__ for change in changes),
)
def test_what_changed_is_built_as_from_nothing(
    laboratory: tuple[Path, Path], changes: list[Change]
):
    root, code = laboratory
    before = seen(root)
    for change in changes:
        change(root, code)
    done = render(root, code)
    assert done.returncode == 0, done.stderr
    pages, anew = map(int, re.findall(r"(\d+) pages, (\d+) of them read anew", done.stdout)[0])
    assert 0 < anew < pages
    again = seen(root)
    assert again != before
    assert render(root, code, "--cold").returncode == 0
    cold = seen(root)
    assert again.keys() == cold.keys()
    assert [name for name in cold if again[name] != cold[name]] == []


@pytest.mark.slow
def test_where_its_address_is_set_pages_say_where_they_are(laboratory):
    root, package = laboratory
    settings = root / "_config.yml"
    settings.write_text(settings.read_text().replace('baseurl: ""', "baseurl: https://a.test/lab"))
    done = render(root, package)
    assert done.returncode == 0, done.stderr
    html, page = root / "_build" / "html", "book/log/2030-01-01-demo.html"
    head = (html / page).read_text().partition("</head>")[0]
    assert f'<link rel="canonical" href="https://a.test/lab/{page}" />' in head
    assert f'<meta property="og:url" content="https://a.test/lab/{page}" />' in head
    assert '<meta property="og:title" content="A demonstration" />' in head
    picture = re.search(r'property="og:image" content="https://a.test/lab/([^"]+)"', head)
    assert picture and (html / picture[1]).is_file()
    assert f"https://a.test/lab/{page}</loc>" in (html / "sitemap.xml").read_text()
    assert "https://a.test/lab/sitemap.xml" in (html / "robots.txt").read_text()
    assert 'action="https://a.test/lab/search.html"' in (html / "404.html").read_text()
    assert f"https://a.test/lab/{page}" in (html / "book/log/atom.xml").read_text()


@pytest.mark.slow
def test_only_what_changed_is_read_and_a_failure_is_not_forgotten(laboratory):
    root, package = laboratory
    assert ", 0 of them read anew," in render(root, package).stdout
    (root / "book" / "first.md").write_text("# First\n\n{doc}`nowhere`\n")
    for _ in range(2):
        failed = render(root, package)
        assert failed.returncode == 1
        assert "nowhere" in failed.stderr
