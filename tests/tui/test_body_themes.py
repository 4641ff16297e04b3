"""Themes and what the environment suggests."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.color import Color
from rich.style import Style

from tui.settings import ConsoleSettings
from tui.terminal import examine
from tui.theming import TOKENS, Look, ThemeError, load_look, load_looks

LOOKS = load_looks()


def luminance(color: Color) -> float:
    triplet = color.get_truecolor()
    parts = [v / 255 for v in triplet]
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(style: Style) -> float:
    assert style.color is not None
    assert style.bgcolor is not None
    one, other = sorted((luminance(style.color), luminance(style.bgcolor)))
    return (other + 0.05) / (one + 0.05)


@pytest.mark.parametrize("name", sorted(LOOKS))
def test_a_theme_names_every_token(name: str) -> None:
    assert set(TOKENS) <= set(LOOKS[name].styles)


@pytest.mark.parametrize(
    ("name", "least"),
    [("dark", 4.5), ("light", 4.5), ("high-contrast", 7.0), ("colour-blind", 4.5)],
)
def test_text_can_be_read_in_every_theme(name: str, least: float) -> None:
    look = LOOKS[name]
    for token in set(TOKENS) - {"rule", "focus-rule", "bar"}:
        wanted = least if token not in {"stale", "muted"} else min(least, 4.5)
        assert contrast(look.style(token)) >= wanted, token


def test_profit_and_loss_differ_in_blue_or_lightness_for_deuteranopia() -> None:
    look = LOOKS["colour-blind"]
    profit, loss = look.styles["profit"].color, look.styles["loss"].color
    assert profit is not None
    assert loss is not None
    blues = profit.get_truecolor().blue - loss.get_truecolor().blue
    assert abs(blues) > 100


def test_a_users_own_theme_is_picked_up(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(
        '[base]\nprimary = "#123456"\n[tokens]\nprofit = "bold blue"\n'
    )
    looks = load_looks(tmp_path)
    assert looks["mine"].style("profit").bold
    assert set(looks) == {*LOOKS, "mine"}


@pytest.mark.parametrize(
    ("text", "says"),
    [("[tokens]\nprofit = 'bold blu'", "tokens.profit was 'bold blu'"),
     ("[tokens]\nprofits = 'blue'", "tokens.profits is unknown; allowed: text, muted"),
     ("[tokens]\nprofit = 3", "tokens.profit was 3"), ("tokens = 1", "tokens is a table"),
     ("[tokens]", "base.primary is missing"), ("x = ", "mine.toml")],
)  # fmt: skip
def test_a_broken_theme_says_what_is_wrong(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(ThemeError, match=r"mine\.toml") as caught:
        load_look(path)
    assert says in str(caught.value)


def test_grey_leaves_the_mode_and_the_banner_alone() -> None:
    look: Look = LOOKS["dark"]
    assert look.style("live", is_grey=True) == look.style("live")
    assert look.style("profit", is_grey=True) == look.style("loss", is_grey=True)


@pytest.mark.parametrize(
    ("env", "theme", "rate", "mouse"),
    [({"TERM": "xterm-256color"}, "dark", 10, True), ({"TERM": "screen"}, "ansi-16", 10, False),
     ({"TERM": "linux"}, "ansi-16", 10, True), ({"NO_COLOR": "", "TERM": "x"}, "mono", 10, True),
     ({"TERM": "xterm-256color", "SSH_TTY": "/dev/pts/1"}, "dark", 4, False),
     ({"TERM": "tmux-256color", "TMUX": "x"}, "dark", 10, False),
     ({"TERM": "linux", "COLORTERM": "truecolor"}, "dark", 10, True)],
)  # fmt: skip
def test_the_environment_suggests_theme_rate_and_mouse(
    env: dict[str, str], theme: str, rate: int, mouse: bool
) -> None:
    settings = ConsoleSettings(terminal=examine(env))
    assert settings.terminal.theme == theme
    assert settings.frame_seconds == 1 / rate
    assert settings.mouse is mouse


def test_a_slow_link_gets_two_frames_a_second_and_sixteen_colours() -> None:
    slow = ConsoleSettings(is_slow_link=True)
    assert slow.frame_seconds == 0.5
    assert slow.theme_of("light") == "ansi-16"
    assert ConsoleSettings(is_slow_link=True, theme="light").theme_of("") == "light"
