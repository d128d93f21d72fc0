import html
import re

from chainrule.report import MarkedText, ReportData, render
from chainrule.report.texts import marked, marked_texts

EVIL = '<script>alert("x")</script> & \u202egnp \x1b[2J'


def visible(page):
    return html.unescape(re.sub(r"<[^>]*>", "", page))


def test_words_are_marked_by_sign_and_size():
    page = marked(MarkedText("so good or bad", [(0, 2, 0.01), (3, 7, 1.0), (8, 10, 0.0), (11, 14, -0.5)]))
    assert page == (
        'so <mark class="for" style="--part:80%" title="+1.00">good</mark> or '
        '<mark class="against" style="--part:45%" title="-0.50">bad</mark>'
    )


def test_the_text_is_shown_whole_and_escaped():
    """T-D6: markup and characters that steer a terminal or turn a line are shown, not obeyed."""
    page = marked(MarkedText(EVIL, [(0, 8, 1.0), (30, 33, -1.0)]))
    assert "<script" not in page
    assert not set(page) & {"\u202e", "\x1b"}
    assert visible(page) == EVIL.replace("\u202e", "\u25a1").replace("\x1b", "\u25a1")


def test_every_field_is_escaped():
    text = MarkedText("fine", [(0, 4, 1.0)], answer="<i>a", probability=0.5, truth="<i>b", where="<i>c")
    page = render(ReportData(title="t", texts=[text]))
    assert "<i>" not in page
    for name in "abc":
        assert f"&lt;i&gt;{name}" in page


def test_wrong_answers_come_first():
    texts = [MarkedText("right", [], "a", 0.9, "a"), MarkedText("wrong", [], "a", 0.8, "b")]
    page = visible(marked_texts(texts))
    assert page.index("Most wrong answers") < page.index("wrong\n") < page.index("Surest right") < page.index("right\n")
    assert marked_texts([]) == ""


def test_long_texts_are_cut_and_texts_without_contributions_are_plain():
    words = [(5 * number, 5 * number + 4, 1.0) for number in range(300)]
    page = marked(MarkedText("good " * 300, words))
    assert page.count("<mark") == 140
    assert page.endswith("…")
    assert marked(MarkedText("nothing here", [(0, 7, 0.0), (8, 12, float("nan"))])) == "nothing here"
