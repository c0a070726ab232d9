"""Names, national IDs and phones of people who do not exist, and can be seen not to."""

from __future__ import annotations

from datetime import date
from functools import cache

import numpy as np
from numpy.random import Generator

from expert_pool.region.streams import Floats, choose
from solver.facts import EPOCH, Ints, Mask

MARK = "（虚构）"
"""Stands behind every made name."""

IMPOSSIBLE_AREA = "000000"
"""The area of every made national ID: no such administrative division exists."""

IMPOSSIBLE_PREFIX = "100"
"""The first digits of every made phone number: no mobile number begins so."""

_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹彭曾肖田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢"
    "姚沈钟姜崔谭陆范汪廖石金韦贾夏付方邹熊白孟秦邱侯江尹薛闫雷龙史陶贺毛段郝顾龚邵万覃武钱戴严莫孔向常"
)
_FOR_WOMEN = "芳娜敏静秀娟英慧巧美霞香月莺媛艳瑞凡佳嘉琼勤珍贞莉桂娣叶璧璐娅琦晶妍茜秋珊莎锦黛青倩婷姣婉娴瑾颖露瑶怡婵雁蓓"
_FOR_MEN = "伟刚勇毅俊峰强军平保东文辉力明永健世广志义兴良海山仁波宁贵福生龙元全国胜学祥才发武新利清飞彬富顺信子杰涛昌成康星"
_FOR_ALL = "晓春华建红玉兰林思宇晨雨文欣然一心安可立言书远景云松知行之乐和宜"

_WEIGHTS = np.array([7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2], dtype=np.int64)
_CHECKS = "10X98765432"


def name_people(rng: Generator, women: Mask) -> list[str]:
    """One marked name a person."""
    count = len(women)
    surname = choose(rng, _falling(len(_SURNAMES)), count).tolist()
    hers, his = _FOR_WOMEN + _FOR_ALL, _FOR_MEN + _FOR_ALL
    first, second = rng.random(count).tolist(), rng.random(count).tolist()
    short = (rng.random(count) < 0.22).tolist()
    names = []
    for s, woman, a, b, one in zip(surname, women.tolist(), first, second, short, strict=True):
        given = hers if woman else his
        tail = "" if one else given[int(b * len(given))]
        names.append(f"{_SURNAMES[s]}{given[int(a * len(given))]}{tail}{MARK}")
    return names


def _falling(count: int) -> Floats:
    return 1.0 / np.arange(6, count + 6, dtype=np.float64)


def national_ids(born: Ints, women: Mask) -> list[str]:
    """18 characters with a right check digit in an impossible area; no two alike.

    The three digits of sequence number those born on the same day: even for women, odd for men, as in real ones.
    Raises ValueError beyond 500 people of one gender born on one day.
    """
    group = born * 2 + women
    order = np.argsort(group, kind="stable")
    sorted_group = group[order]
    start = np.searchsorted(sorted_group, sorted_group, side="left")
    turn = np.empty(len(born), dtype=np.int64)
    turn[order] = np.arange(len(born)) - start
    if len(turn) and int(turn.max()) > 499:
        raise ValueError("more than 500 people of one gender born on one day")
    sequence = turn * 2 + ~women
    days = born.astype("datetime64[D]").astype(object).tolist()
    heads = [
        f"{IMPOSSIBLE_AREA}{d.year:04d}{d.month:02d}{d.day:02d}{n:03d}"
        for d, n in zip(days, sequence.tolist(), strict=True)
    ]
    digits = np.array(heads, dtype="S17").view(np.uint8).reshape(-1, 17).astype(np.int64) - ord("0")
    checks = (digits @ _WEIGHTS) % 11
    return [head + _CHECKS[c] for head, c in zip(heads, checks.tolist(), strict=True)]


def phones(rng: Generator, count: int) -> list[str]:
    """11 digits each, with a prefix that no phone has."""
    return [f"{IMPOSSIBLE_PREFIX}{n:08d}" for n in rng.integers(0, 10**8, count).tolist()]


def iso_days(values: Ints, unknown: Mask | None = None) -> list[str]:
    """Days since 1970-01-01 as ISO dates; empty where `unknown`."""
    if unknown is None:
        return [_iso(v) for v in values.tolist()]
    return ["" if u else _iso(v) for u, v in zip(unknown.tolist(), values.tolist(), strict=True)]


@cache
def _iso(day: int) -> str:
    return date.fromordinal(EPOCH.toordinal() + day).isoformat()
