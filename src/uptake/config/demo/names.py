"""Names of the demo park, in Latin letters and in Chinese. All invented."""

from __future__ import annotations

from dataclasses import dataclass

SURNAMES = (
    ("Lin", "林"), ("Wang", "王"), ("Li", "李"), ("Zhang", "张"), ("Liu", "刘"), ("Chen", "陈"), ("Yang", "杨"),
    ("Zhao", "赵"), ("Huang", "黄"), ("Zhou", "周"), ("Wu", "吴"), ("Xu", "徐"), ("Sun", "孙"), ("Hu", "胡"),
    ("Zhu", "朱"), ("Gao", "高"), ("He", "何"), ("Guo", "郭"), ("Ma", "马"), ("Luo", "罗"), ("Liang", "梁"),
    ("Song", "宋"), ("Zheng", "郑"), ("Xie", "谢"), ("Han", "韩"), ("Tang", "唐"), ("Feng", "冯"), ("Yu", "于"),
    ("Dong", "董"), ("Xiao", "萧"), ("Cheng", "程"), ("Cao", "曹"), ("Yuan", "袁"), ("Deng", "邓"), ("Peng", "彭"),
    ("Qian", "钱"),
)  # fmt: skip
GIVEN = (
    ("Min", "敏"), ("Wei", "伟"), ("Jing", "静"), ("Qiang", "强"), ("Lei", "磊"), ("Na", "娜"), ("Yang", "洋"),
    ("Jie", "洁"), ("Tao", "涛"), ("Yan", "艳"), ("Jun", "军"), ("Xia", "霞"), ("Ping", "平"), ("Gang", "刚"),
    ("Fang", "芳"), ("Bo", "波"), ("Hong", "红"), ("Ming", "明"), ("Chao", "超"), ("Li", "莉"), ("Jianguo", "建国"),
    ("Xiaoyu", "晓雨"), ("Zhiqiang", "志强"), ("Meiling", "美玲"), ("Yifan", "一帆"), ("Haoran", "浩然"),
    ("Siyuan", "思远"), ("Yuxin", "雨欣"), ("Wenjie", "文杰"), ("Shufen", "淑芬"), ("Jiahui", "嘉慧"),
    ("Tianyu", "天宇"), ("Lihua", "丽华"), ("Guoqing", "国庆"), ("Ruoxi", "若曦"), ("Kai", "凯"),
)  # fmt: skip


@dataclass(frozen=True)
class Words:
    """One thing in both ways of writing it."""

    en: str
    zh: str

    def in_(self, language: str) -> str:
        """The wording for a language tag: zh… is Chinese, anything else Latin letters."""
        return self.zh if language.startswith("zh") else self.en


PARK = Words("Linjiang Industrial Park", "临江产业园")
DEPARTMENTS: dict[str, Words] = {
    "shopfloor": Words("Shop floor", "生产车间"),
    "warehouse": Words("Warehouse", "仓储部"),
    "sales": Words("Sales", "销售部"),
    "purchasing": Words("Purchasing", "采购部"),
    "quality": Words("Quality", "质量部"),
    "finance": Words("Finance", "财务部"),
    "planning": Words("Planning", "计划部"),
    "it": Words("IT and administration", "信息与行政部"),
}
JOBS: dict[str, Words] = {
    "shopfloor": Words("operator", "操作员"),
    "warehouse": Words("storekeeper", "仓管员"),
    "sales": Words("clerk", "业务员"),
    "purchasing": Words("buyer", "采购员"),
    "quality": Words("inspector", "质检员"),
    "finance": Words("accountant", "会计"),
    "planning": Words("planner", "计划员"),
    "it": Words("administrator", "管理员"),
}
# slug, name, trade, people
COMPANIES: tuple[tuple[str, Words, Words, int], ...] = (
    ("beiyuan", Words("Beiyuan Precision", "北源精密"), Words("Machinery", "机械"), 76),
    ("qinghe", Words("Qinghe Textile", "清河纺织"), Words("Textile", "纺织"), 58),
    ("mingzhou", Words("Mingzhou Logistics", "明州物流"), Words("Logistics", "物流"), 52),
    ("yusheng", Words("Yusheng Electronics", "裕盛电子"), Words("Electronics", "电子"), 50),
    ("lantai", Words("Lantai Foods", "兰台食品"), Words("Food", "食品"), 46),
    ("hengda", Words("Hengrui Moulds", "恒锐模具"), Words("Machinery", "机械"), 44),
    ("guangming", Words("Guangyi Optics", "光易光学"), Words("Optics", "光学"), 42),
    ("xinhai", Words("Xinhai Packaging", "鑫海包装"), Words("Packaging", "包装"), 40),
    ("tianhe", Words("Tianhe Instruments", "天和仪器"), Words("Instruments", "仪器"), 38),
    ("jiangnan", Words("Jiangnan Cable", "江南线缆"), Words("Electrical", "电气"), 36),
    ("haoyu", Words("Haoyu Plastics", "浩宇塑业"), Words("Plastics", "塑料"), 34),
    ("rongcheng", Words("Rongcheng Furniture", "荣成家具"), Words("Furniture", "家具"), 32),
    ("kaida", Words("Kaida Pumps", "凯达泵业"), Words("Machinery", "机械"), 30),
    ("shuiyun", Words("Shuiyun Printing", "水韵印务"), Words("Printing", "印刷"), 28),
    ("fulin", Words("Fulin Timber", "福林木业"), Words("Timber", "木业"), 27),
    ("zhongke", Words("Zhongwei Sensors", "中微传感"), Words("Electronics", "电子"), 26),
    ("yongan", Words("Yongan Medical", "永安医疗"), Words("Medical", "医疗"), 25),
    ("dongfang", Words("Dongpu Bearings", "东浦轴承"), Words("Machinery", "机械"), 24),
    ("lvye", Words("Lvye Agriculture", "绿野农业"), Words("Agriculture", "农业"), 22),
    ("chenxing", Words("Chenxing Lighting", "晨星照明"), Words("Lighting", "照明"), 20),
    ("baoli", Words("Baoli Garments", "宝丽服饰"), Words("Textile", "纺织"), 18),
    ("anshun", Words("Anshun Transport", "安顺运输"), Words("Logistics", "物流"), 16),
    ("huaxin", Words("Huaxin Chemicals", "华新化工"), Words("Chemicals", "化工"), 14),
    ("siyuan", Words("Siyuan Software", "思源软件"), Words("Software", "软件"), 12),
)
