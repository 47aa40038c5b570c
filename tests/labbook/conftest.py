"""Kernels of these tests are forked from one process; `cold_kernels` starts them as users do.

`browser` is Chromium; where there is none its tests are skipped, but fail in CI. `open_alone` opens
a part of a page of the handbook in it.
"""

import os
import shutil
import subprocess
import sys
import time

import pytest

# What the small notebooks import. A module beside a laboratory's notebooks is found as ever.
SERVER = """
import os, sys
from lrlab.labbook.entries import _warm

_warm._LIBRARIES = (
    "ipykernel.kernelapp", "matplotlib.pyplot", "matplotlib_inline.backend_inline", "lrlab.claims"
)
become = _warm._become_a_kernel

def with_own_path(arguments, environment, folder):
    sys.path[1:1] = environment["PYTHONPATH"].split(os.pathsep)
    return become(arguments, environment, folder)

_warm._become_a_kernel = with_own_path
_warm.serve(sys.argv[1])
"""


@pytest.fixture(scope="session", autouse=True)
def warm_kernels(tmp_path_factory):
    """The class of kernels, which asks one process for forks of itself."""
    from jupyter_client.kernelspec import KernelSpec

    from lrlab.labbook.entries import _execute, _kernel, _warm

    folder = tmp_path_factory.mktemp("warm")
    address = folder / "socket"
    environment = _execute.kernel_environment(folder, folder / "told", cache=folder / "store")
    command = [sys.executable, "-P", "-c", SERVER, str(address)]
    launch = [sys.executable, "-I", "-S", _warm.__file__, str(address)]
    options = ["-f", "{connection_file}", "--IPKernelApp.log_level=50"]
    warm = KernelSpec(argv=[*launch, *options], display_name="Python 3", language="python")
    started = []

    def specification(_):
        if not started:
            started.append(subprocess.Popen(command, env=environment, start_new_session=True))
            while not address.exists():
                assert started[0].poll() is None
                time.sleep(0.02)
        return warm

    with pytest.MonkeyPatch.context() as patch:
        cold = _kernel.PinnedKernelManager.kernel_spec
        patch.setattr(_kernel.PinnedKernelManager, "kernel_spec", property(specification))
        yield cold
    for process in started:
        process.terminate()
        process.wait()


@pytest.fixture
def cold_kernels(warm_kernels, monkeypatch):
    from lrlab.labbook.entries import _kernel

    monkeypatch.setattr(_kernel.PinnedKernelManager, "kernel_spec", warm_kernels)


NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]


@pytest.fixture(scope="module")
def browser():
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        reason = "no Chromium on this machine; `make browser` installs it"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield started
        started.close()


@pytest.fixture
def open_alone(browser, tmp_path):
    """Open markup with scripts of the handbook as a file of its own, and expect no error."""
    from lrlab.labbook.site import handbook
    from lrlab.labbook.site._security import protect

    errors = []
    contexts = []

    def open_(title, markup, names, address="", javascript=True, width=1280, scheme="light"):
        scripts = "".join(f'<script src="{(handbook.FILES / n).as_uri()}"></script>' for n in names)
        style = (handbook.FILES / "handbook.css").read_text()
        file = tmp_path / "page.html"
        page = (
            f'<!doctype html><html lang="en" data-theme="{scheme}"><head><meta charset="utf-8">'
            f"<title>{title}</title>"
            f'<meta name="viewport" content="width=device-width"><style>{style}</style></head>'
            f"<body><article><h1>{title}</h1>{markup}</article>{scripts}</body></html>"
        )
        file.write_text(protect(page), encoding="utf-8")
        viewport = {"width": width, "height": 800}
        context = browser.new_context(java_script_enabled=javascript, viewport=viewport)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
        page.goto(file.as_uri() + address)
        return page

    open_.errors = errors
    yield open_
    for context in contexts:
        context.close()
    assert not errors
