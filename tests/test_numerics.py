import os
import subprocess
import sys

import pytest
import torch

from lrlab import numerics


def python(code, **variables):
    clean = {k: v for k, v in os.environ.items() if k not in numerics.PORTABLE}
    command = [sys.executable, "-W", "error", "-c", code]
    return subprocess.run(
        command, env=clean | variables, capture_output=True, text=True, check=True, timeout=60
    )


@pytest.mark.parametrize("profile", numerics.PROFILES)
def test_numpy_loads_without_a_word_where_features_are_missing(profile):
    # Warnings are errors here, and no processor has all the features that are disabled.
    code = (
        "import numpy._core._multiarray_umath as u\n"
        "import os\n"
        "asked = os.environ.get('NPY_DISABLE_CPU_FEATURES', '').split()\n"
        "assert set(asked) <= set(u.__cpu_dispatch__), (asked, u.__cpu_dispatch__)\n"
        "assert not any(u.__cpu_features__.get(name) for name in asked)"
    )
    done = python(code, **numerics.environment(profile))
    assert (done.stdout, done.stderr) == ("", "")


@pytest.mark.parametrize("profile", numerics.PROFILES)
def test_a_process_knows_the_profile_it_was_started_with(profile):
    done = python("from lrlab import numerics as n; print(n.profile()['name'])")
    assert done.stdout == "native\n"
    variables = numerics.environment(profile)
    done = python("from lrlab import numerics as n; print(n.profile()['name'])", **variables)
    assert done.stdout == f"{profile}\n"


def test_one_changed_variable_makes_another_profile():
    changed = numerics.environment("portable") | {"OMP_NUM_THREADS": "2"}
    assert numerics.profile(changed)["name"] == "native"
    assert numerics.profile(changed)["OMP_NUM_THREADS"] == "2"


def test_elsewhere_than_on_x86_only_the_threads_are_pinned(monkeypatch):
    monkeypatch.setattr("platform.machine", lambda: "arm64")
    assert set(numerics.environment("portable").values()) == {"1"}


def test_an_unknown_profile_is_refused_by_name():
    with pytest.raises(ValueError, match="got 'fast'"):
        numerics.environment("fast")


def test_the_tests_themselves_run_under_a_profile():
    name = os.environ.get("LRLAB_TEST_PROFILE", "portable")
    assert numerics.profile()["name"] == name
    if os.environ.get("ATEN_CPU_CAPABILITY"):  # elsewhere than on x86 there is none
        widest = {"portable": ("AVX2", "DEFAULT"), "foreign": ("DEFAULT",)}[name]
        assert torch.backends.cpu.get_cpu_capability() in widest
