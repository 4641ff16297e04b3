"""The action table and what is generated from it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tui.action import Context, Danger
from tui.actions import ACTIONS, BY_ID, REACH, actions_in, bindings_for
from tui.app import Console
from tui.asking import ASKING_DEEDS
from tui.deeds import CONSOLE_DEEDS
from tui.finding import FINDING_DEEDS
from tui.keymap import NEVER, NEVER_DANGEROUS, Keys
from tui.manual import manual
from tui.past_deeds import PAST_DEEDS
from tui.screens.finder import help_for, matching, palette

MODAL = {
    Context.DIALOG,
    Context.CLOSE,
    Context.LEVELS,
    Context.QUIT,
    Context.RECOVERY,
    Context.DECISIONS,
}
CONSOLE = [context for context in Context if context not in MODAL]


def test_every_action_has_a_name_a_help_a_label_and_a_way_to_reach_it() -> None:
    for action in ACTIONS:
        assert action.id
        assert action.label, action.id
        assert len(action.help) > 5, action.id
        assert not action.help.endswith("."), action.id
        assert action.keys or action.command, action.id


def test_no_two_actions_have_the_same_id_or_the_same_command() -> None:
    assert len(BY_ID) == len(ACTIONS)
    words = [word for a in ACTIONS if a.command for word in (a.command, *a.aliases)]
    assert len(words) == len(set(words))


@pytest.mark.parametrize("context", list(Context))
def test_no_two_actions_share_a_key_in_a_context(context: Context) -> None:
    keys = [key for action in actions_in(context) for key in action.keys]
    assert sorted(keys) == sorted(set(keys))


def test_every_context_is_reached_and_reaches_itself_first() -> None:
    assert set(REACH) == set(Context)
    assert all(reach[0] is context for context, reach in REACH.items())


def test_keys_of_terminals_and_multiplexers_are_not_used() -> None:
    used = {key for action in ACTIONS for key in action.keys}
    assert not used & NEVER
    assert not [key for key in used if key.startswith("alt+")]
    assert not [key for key in used if key.startswith("f") and key[1:].isdigit()]


def test_nothing_destructive_is_on_a_key_that_fingers_hit_by_themselves() -> None:
    dangerous = {k for a in ACTIONS if a.danger is not Danger.NONE for k in a.keys}
    assert not dangerous & NEVER_DANGEROUS


def test_whatever_is_dangerous_sends_a_command_and_is_asked_first() -> None:
    for action in ACTIONS:
        if action.danger is not Danger.NONE:
            assert action.needs_lease, action.id
    assert BY_ID["book.flatten"].danger is Danger.CODE
    assert BY_ID["book.kill"].danger is Danger.CODE


def test_bindings_carry_the_id_so_that_a_configuration_can_change_them() -> None:
    for context in Context:
        for binding in bindings_for(context):
            assert binding.id in BY_ID
            assert binding.action == f"act('{binding.id}')"


def test_every_action_of_the_console_is_carried_out_by_something() -> None:
    deeds = {**CONSOLE_DEEDS, **ASKING_DEEDS, **FINDING_DEEDS, **PAST_DEEDS}
    wanted = {action.id for action in ACTIONS if action.context not in MODAL}
    assert wanted == set(deeds)
    parts = (CONSOLE_DEEDS, ASKING_DEEDS, FINDING_DEEDS, PAST_DEEDS)
    assert len(deeds) == sum(map(len, parts))


def test_the_console_has_no_binding_that_is_not_in_the_table() -> None:
    assert {binding.id for binding in Console.BINDINGS} <= set(BY_ID)  # type: ignore[union-attr]


def test_help_lists_exactly_the_keys_that_work_in_a_context() -> None:
    keys = Keys()
    for context in CONSOLE:
        listed = {item.action.id for item in help_for(context, keys)}
        assert listed == {a.id for a in actions_in(context) if a.keys}


def test_the_palette_has_every_command_of_the_console() -> None:
    listed = {item.action.id for item in palette(Keys())}
    wanted = {a.id for a in ACTIONS if a.context not in MODAL}
    assert wanted - listed == {"app.palette", "app.interrupt"}


def test_a_search_finds_every_word_and_puts_what_is_called_so_first() -> None:
    found = matching(palette(Keys()), "flat")
    assert found[0].action.id == "book.flatten"
    assert [item.action.id for item in matching(palette(Keys()), "kill switch")] == ["book.kill"]
    assert matching(palette(Keys()), "no such thing") == []


def test_the_manual_page_is_current() -> None:
    page = Path(__file__).parents[2] / "docs" / "keys.md"
    assert page.read_text(encoding="utf-8") == manual(), "python -m tui.manual > docs/keys.md"


def test_the_manual_page_names_every_action() -> None:
    page = manual()
    assert all(f"`{action.id}`" in page for action in ACTIONS)
