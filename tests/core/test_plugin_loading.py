"""Plugin loading: a broken plugin is reported by name and stage, and never stops the others."""

import subprocess
import sys
import types
from importlib.metadata import EntryPoint

import numpy as np
import pytest

from acoustic_sense import load_plugins
from acoustic_sense.config import Config
from acoustic_sense.contracts import SignalSource
from acoustic_sense.errors import PluginError, UnknownPluginError
from acoustic_sense.hookspecs import hookimpl
from acoustic_sense.plugin_loading import (
    DISABLED_VARIABLE,
    PluginManager,
    PluginRecord,
    load_registry,
)


class Hum(SignalSource):
    genre = "tone"

    def generate(self, duration_s, sample_rate_hz, speaker_count, generator):
        time_s = np.arange(round(duration_s * sample_rate_hz)) / sample_rate_hz
        return np.tile(np.sin(300 * time_s), (speaker_count, 1)).astype(np.float32)


def plugin_registering(*pairs, hook="register_signal_sources"):
    """Return a plugin object whose hook registers the given names and classes."""

    def implementation(register):
        for name, component in pairs:
            register(name, component)

    plugin = types.ModuleType("plugin")
    setattr(plugin, hook, hookimpl(implementation))
    return plugin


def load(plugin, name="mine", manager=None):
    """Register a plugin object with a manager; return its record and the manager."""
    manager = manager or PluginManager()
    record = PluginRecord(name, "my-distribution", "1.0", "my_module")
    manager.plugins.append(record)
    manager.register(plugin, record)
    return record, manager


def test_registers_components_with_their_owner():
    record, manager = load(plugin_registering(("hum", Hum)))
    assert record.status == "ok"
    assert manager.signal_sources["hum"] is Hum
    owner = manager.signal_sources.registration("hum")
    assert (owner.plugin, owner.distribution, owner.version) == ("mine", "my-distribution", "1.0")


def test_the_second_owner_of_a_name_is_refused_and_both_are_named():
    _, manager = load(plugin_registering(("hum", Hum)), "first")
    record, _ = load(plugin_registering(("hum", Hum), ("own", Hum)), "second", manager)
    assert record.status == "failed: component"
    assert "'first'" in record.failures[0].message
    assert "'second'" in record.failures[0].message
    assert "own" in manager.signal_sources
    assert manager.signal_sources.registration("hum").plugin == "first"


def test_a_hook_that_raises_registers_nothing_and_leaves_the_other_hooks():
    plugin = plugin_registering(("hum", Hum))

    def register_features(register):
        register("half-done", Hum)
        raise ValueError("no\nmore")

    plugin.register_features = hookimpl(register_features)
    record, manager = load(plugin)
    assert record.status == "failed: call"
    assert record.failures[0].message == "register_features: ValueError: no"
    assert "Traceback" in record.failures[0].details
    assert list(manager.features) == []
    assert "hum" in manager.signal_sources


def test_a_hook_that_exits_is_reported():
    def exiting(register):
        sys.exit(3)

    plugin = types.ModuleType("plugin")
    plugin.register_tasks = hookimpl(exiting)
    record, _ = load(plugin)
    assert record.failures[0].stage == "call"


def test_an_unknown_hook_is_refused_with_a_suggestion():
    record, _ = load(plugin_registering(hook="register_signal_source"))
    assert record.status == "failed: hooks"
    assert "did you mean 'register_signal_sources'?" in record.failures[0].message


def test_a_wrong_signature_is_refused():
    plugin = types.ModuleType("plugin")
    plugin.register_tasks = hookimpl(lambda registry, extra: None)
    record, _ = load(plugin)
    assert record.status == "failed: hooks"
    assert "(registry, extra)" in record.failures[0].message


def test_a_plugin_without_hooks_is_refused():
    record, _ = load(types.ModuleType("plugin"))
    assert record.status == "failed: hooks"
    assert "implements no hook" in record.failures[0].message


def test_one_module_under_two_entry_points_keeps_the_first():
    plugin = plugin_registering(("hum", Hum))
    _, manager = load(plugin, "first")
    record, _ = load(plugin, "second", manager)
    assert record.status == "failed: hooks"
    assert manager.signal_sources.registration("hum").plugin == "first"


class NotAComponent:
    pass


class Unfinished(SignalSource):
    pass


class LaxConfig(Config):
    model_config = {"extra": "allow"}


class Lax(Hum):
    Config = LaxConfig


class OddConfig(Hum):
    Config = dict


class BareConfig(Config):
    level: float = 1.0


class Bare(Hum):
    Config = BareConfig


@pytest.mark.parametrize(
    ("component", "message"),
    [
        (NotAComponent, "is not a subclass of acoustic_sense.contracts.SignalSource"),
        (Hum(), "is not a subclass of acoustic_sense.contracts.SignalSource"),
        (Unfinished, "does not implement generate"),
        (OddConfig, "its Config is not a subclass"),
        (Lax, "must stay frozen and refuse unknown keys"),
        (Bare, "Config fields without a description: level"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_component_that_is_not_sound_is_refused(component, message):
    record, manager = load(plugin_registering(("odd", component), ("hum", Hum)))
    assert record.status == "failed: component"
    assert message in record.failures[0].message
    assert list(manager.signal_sources) == ["hum"]


@pytest.mark.parametrize("name", ["", None, 3])
def test_a_component_needs_a_name(name):
    record, _ = load(plugin_registering((name, Hum)))
    assert "needs a name" in record.failures[0].message


def test_a_module_that_is_not_there_fails_at_import_with_its_traceback():
    manager = PluginManager()
    record = manager.load(EntryPoint("gone", "no_such_module_at_all", "acoustic_sense"))
    assert record.status == "failed: import"
    assert "no_such_module_at_all" in record.failures[0].message
    assert "Traceback" in record.failures[0].details


def test_a_disabled_plugin_is_not_imported(monkeypatch):
    monkeypatch.setenv(DISABLED_VARIABLE, "mel_stack, pose")
    manager = load_plugins()
    status = {plugin.name: plugin.status for plugin in manager.plugins}
    assert status["mel_stack"] == status["pose"] == "disabled"
    assert "mel-stack" not in manager.features
    monkeypatch.delenv(DISABLED_VARIABLE)
    assert "mel-stack" in load_plugins().features


def test_one_kind_is_loaded_without_the_others():
    alone = load_registry("signal_sources")
    assert dict(alone) == dict(load_plugins().signal_sources)
    program = (
        "import sys\n"
        "from acoustic_sense.plugin_loading import load_registry\n"
        "assert 'generated-music' in load_registry('signal_sources')\n"
        "print('torch' in sys.modules)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert ended.stdout.strip() == "False"


def test_strict_loading_raises_naming_plugin_distribution_and_stage(monkeypatch):
    _, manager = load(plugin_registering(hook="register_nothing"))
    monkeypatch.setattr("acoustic_sense.plugin_loading._load", lambda disabled: manager)
    with pytest.raises(PluginError, match=r"'mine' \(my-distribution\) failed at hooks: unknown"):
        load_plugins(strict=True)
    assert load_plugins() is manager


def test_everything_that_ships_loads():
    manager = load_plugins(strict=True)
    assert {plugin.status for plugin in manager.plugins} == {"ok"}


def test_an_unknown_name_suggests_the_closest():
    with pytest.raises(UnknownPluginError, match="unknown feature 'mel-stak'; did you mean 'mel-s"):
        load_plugins().features["mel-stak"]
    with pytest.raises(UnknownPluginError, match="unknown task 'zzz'; known: "):
        load_plugins().tasks["zzz"]
