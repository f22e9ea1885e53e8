"""Words that people write in a ledger's cells for a choice that is called otherwise: 妻 for 配偶, 长子 for 子."""

from __future__ import annotations

from collections.abc import Mapping

# A family of choices, each with its words; it speaks only of lists that know at least `_ENOUGH` of its choices, so that
# 女 among relations (a daughter) is not taken for 女 among sexes. Source of the relations: GB/T 4761.
_ENOUGH = 3
_FAMILIES: tuple[tuple[tuple[str, ...], ...], ...] = (
    (
        ("户主", "本人", "户主本人", "本人或户主"),
        ("配偶", "妻", "夫", "妻子", "丈夫", "老婆", "老公", "爱人"),
        ("子", "儿子", "长子", "次子", "三子", "四子", "二子", "五子", "独生子", "独子", "儿"),
        ("女", "女儿", "长女", "次女", "三女", "四女", "二女", "五女", "独生女", "独女"),
        ("孙子、孙女或外孙子、外孙女", "孙子女", "孙子", "孙女", "孙", "长孙", "次孙", "长孙女", "外孙",
         "外孙子", "外孙女", "孙子、孙女", "孙子/孙女"),
        ("父母", "父亲", "母亲", "父", "母", "爸爸", "妈妈"),
        ("祖父母或外祖父母", "祖父母", "祖父", "祖母", "爷爷", "奶奶", "外祖父", "外祖母", "外公", "外婆"),
        ("兄弟姐妹", "兄、弟、姐、妹", "兄", "弟", "姐", "妹", "哥哥", "弟弟", "姐姐", "妹妹", "兄弟", "姊妹", "姐妹"),
        ("儿媳", "媳妇", "儿媳妇", "长媳", "次媳"),
        ("女婿", "婿", "上门女婿"),
        ("其他", "其它", "非亲属", "其他亲属"),
    ),
    (
        ("文盲", "文盲或半文盲", "不识字", "未上学", "未上过学", "文盲半文盲"),
        ("小学", "小学毕业", "小学文化"),
        ("初中", "初级中学", "初中毕业", "初级中学教育"),
        ("高中", "普通高中", "高中毕业", "普通高级中学教育", "高级中学"),
        ("中专", "中等职业", "中职", "中等职业教育", "职高", "技校"),
        ("大专", "专科", "大学专科", "大学专科教育", "高职"),
        ("本科", "大学", "大学本科", "大学本科教育"),
        ("研究生", "硕士", "博士", "研究生教育"),
    ),
    (
        ("健康", "健康或良好", "良好", "一般", "健康良好"),
        ("长期慢性病", "慢性病", "患有长期慢性病", "长期慢病"),
        ("大病", "重病", "患有大病", "重大疾病"),
        ("残疾", "残疾人", "残"),
    ),
)  # fmt: skip


def with_synonyms(known: Mapping[str, str]) -> dict[str, str]:
    """Return words -> code with the words people use for the same choices added.

    `known`: label or code -> code, of one list. A word that the list itself knows keeps its meaning; a choice that
    several codes answer to (父, 母) gets no words.
    """
    more = dict(known)
    for family in _FAMILIES:
        hits = [({known[word] for word in words if word in known}, words) for words in family]
        if sum(bool(codes) for codes, _ in hits) < _ENOUGH:
            continue
        for codes, words in hits:
            if len(codes) == 1:
                code = next(iter(codes))
                more |= {word: code for word in words if word not in more}
    return more
