"""Pieces of HTML that the sliders share: a table, a bar with its number, a verdict."""

import html

from course_lib.style import BLUE, GREY
from course_lib.words import t
from course_lib.words.glosses import gloss


def html_table(columns: list[str], rows: list[list[str]]) -> str:
    """Cells are HTML; the columns' names are text."""
    style = "padding:1px 12px 1px 0;text-align:left;white-space:nowrap"
    head = "".join(f'<th style="{style}">{html.escape(column)}</th>' for column in columns)
    body = "".join(
        "<tr>" + "".join(f'<td style="{style}">{cell}</td>' for cell in row) + "</tr>" for row in rows
    )
    return f'<table style="line-height:1.5"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def short(text: str) -> str:
    """As much of the text as the column is wide, its English below; the whole stands in the tool tip."""
    style = "display:block;max-width:36em;overflow:hidden;text-overflow:ellipsis"
    line = f'<span style="{style}" title="{html.escape(text)}">{html.escape(text)}</span>'
    english = html.escape(gloss(text))
    below = f'<span style="{style};color:{GREY}" title="{english}">{english}</span>' if english else ""
    return line + below


def bar(share: float, label: str) -> str:
    """A number with a bar of that length beside it; its column keeps its width."""
    number = f'<span style="display:inline-block;width:3.6em">{label}</span>'
    filled = f'<span style="display:block;height:9px;width:{share:.1%};background:{BLUE}"></span>'
    return f'{number}<span style="display:inline-block;width:70px">{filled}</span>'


def verdict(word: str) -> str:
    """Right or wrong, told by a sign as well as by a word, never by colour alone."""
    sign = "✓" if word == t("slider.right") else "✗"
    return f"{sign} {html.escape(word)}"
