"""How names are read aloud: pinyin of each character, with the readings that surnames have of their own."""

from __future__ import annotations

import os
from functools import lru_cache

# Characters that are read otherwise as a surname; source: 新华字典 and 现代汉语词典, entries marked 姓.
SURNAMES = {
    "单": "shan", "解": "xie", "仇": "qiu", "曾": "zeng", "查": "zha", "任": "ren", "区": "ou", "盖": "ge",
    "朴": "piao", "尉": "yu", "翟": "zhai", "秘": "bi", "冼": "xian", "折": "she", "员": "yun", "种": "chong",
    "乐": "yue", "召": "shao", "缪": "miao", "繁": "po", "幺": "yao", "覃": "qin", "谌": "chen", "逄": "pang",
    "晟": "cheng", "宓": "mi", "隗": "wei", "钭": "tou", "瞿": "qu", "卜": "bu", "洗": "xian", "纪": "ji",
    "令": "ling", "尹": "yin", "哈": "ha", "那": "na", "葛": "ge", "华": "hua", "燕": "yan", "应": "ying",
    "柏": "bai", "宁": "ning", "过": "guo", "牟": "mou", "万": "wan", "黑": "he", "车": "che", "祭": "zhai",
}  # fmt: skip
COMPOUND_SURNAMES = {
    "尉迟": ("yu", "chi"), "万俟": ("mo", "qi"), "长孙": ("zhang", "sun"), "单于": ("chan", "yu"),
    "澹台": ("tan", "tai"), "宇文": ("yu", "wen"), "鲜于": ("xian", "yu"), "令狐": ("ling", "hu"),
}  # fmt: skip


def reading(name: str) -> tuple[str, ...]:
    """Return the syllables of a name without tones, letters and digits as they stand; () where nothing is Chinese."""
    if not any("㐀" <= character <= "鿿" or character >= "\U00020000" for character in name):
        return ()
    compound = COMPOUND_SURNAMES.get(name[:2])
    if compound is not None:
        return (*compound, *map(syllable, name[2:]))
    first = SURNAMES.get(name[0]) or syllable(name[0])
    return (first, *map(syllable, name[1:]))


def readings(name: str) -> tuple[tuple[str, ...], ...]:
    """Return the reading of a name, and the common one where its surname differs (单 shan and dan)."""
    proper = reading(name)
    if not proper:
        return ()
    return tuple(dict.fromkeys((proper, tuple(map(syllable, name)))))


@lru_cache(maxsize=32768)
def syllable(character: str) -> str:
    """Return the common reading of a character; the dictionary takes time to load, so only when a name asks for it."""
    # Words are not asked for: without them the dictionary takes 40 MB less, and pypinyin is told so by the environment.
    for choice in ("PYPINYIN_NO_PHRASES", "PYPINYIN_NO_DICT_COPY"):
        os.environ.setdefault(choice, "1")
    from pypinyin import Style, lazy_pinyin

    return (lazy_pinyin(character, style=Style.NORMAL, v_to_u=False) or [character])[0] or character
