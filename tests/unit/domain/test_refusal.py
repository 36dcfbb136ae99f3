import re

import pytest

from orderdrop.domain.messages import WORDS
from orderdrop.domain.refusal import Code, Refusal, explain


@pytest.mark.parametrize("code", list(Code))
def test_every_code_has_words_and_a_remedy_in_both_languages(code):
    why = explain(Refusal(code, "column", "value", "bound"))
    assert why.zh
    assert why.en
    assert why.remedy
    assert not re.search(r"\{\w+\}", f"{why.zh}{why.en}{why.remedy}")
    assert re.search(r"[\u4e00-\u9fff]", WORDS[code].zh)


def test_explain_when_a_value_looks_like_a_slot_leaves_it_alone():
    assert "{bound}" in explain(Refusal(Code.SYMBOL_BAD, "symbol", "{bound}", "x")).zh


def test_explain_when_a_value_is_long_cuts_it():
    assert len(explain(Refusal(Code.SYMBOL_BAD, "symbol", "9" * 5000)).en) < 200


@pytest.mark.parametrize(
    ("code", "zh", "en"),
    [
        ("3", "明天才能卖", "from tomorrow"),
        ("12", "登录", "log in"),
        ("999", "柜台返回的原因（999）", "code 999"),
    ],
)
def test_rejection_of_the_broker_has_a_remedy_of_its_own(code, zh, en):
    told = explain(Refusal(Code.BROKER_REJECTED, value="可用持仓不足", bound=code))
    assert zh in told.remedy
    assert en in told.remedy
