import stat

import jax
import pytest

from chainrule.cli.cache import cache_folder, enable_cache, is_private


@pytest.fixture
def settings(monkeypatch, tmp_path):
    """What would be told to JAX, in a home of its own."""
    told = {}
    monkeypatch.setattr(jax.config, "update", told.__setitem__)
    monkeypatch.delenv("CHAINRULE_CACHE", raising=False)
    monkeypatch.delenv("JAX_COMPILATION_CACHE_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return told


def test_the_folder_is_made_for_the_user_alone(settings, tmp_path):
    assert enable_cache()
    folder = tmp_path / "chainrule" / "compiled"
    assert cache_folder() == folder
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert settings["jax_compilation_cache_dir"] == str(folder)


def test_a_folder_that_others_can_write_is_not_used(settings):
    cache_folder().mkdir(parents=True)
    cache_folder().chmod(0o777)
    assert not is_private(cache_folder())
    assert not enable_cache()
    assert not settings


def test_a_link_is_not_followed(settings, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    cache_folder().parent.mkdir()
    cache_folder().symlink_to(elsewhere)
    assert not enable_cache()
    assert not settings


@pytest.mark.parametrize(("name", "value"), [("CHAINRULE_CACHE", "off"), ("JAX_COMPILATION_CACHE_DIR", "/x")])
def test_it_can_be_switched_off_or_placed_elsewhere(settings, monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    assert not enable_cache()
    assert not settings


def test_a_home_that_cannot_be_written_is_no_error(settings, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert not enable_cache()
    assert not settings
