"""Files that are not UTF-8: the advice mends them, or says honestly that it does not know."""

import shutil
import subprocess

import pytest

from course_lib.texts.encodings import read_utf8

CHINESE = ["房间很干净", "服务太差了", "早餐不错，下次还来", "位置方便"]
TRADITIONAL = ["房間很乾淨", "服務太差", "早餐很好吃", "老闆態度不好"]
needs_iconv = pytest.mark.skipif(shutil.which("iconv") is None, reason="no iconv")


def table(texts: list[str]) -> str:
    return "text,label\n" + "".join(f"{text},{number % 2}\n" for number, text in enumerate(texts * 10))


def refusal(path) -> str:
    with pytest.raises(ValueError, match=f"{path.name} is not UTF-8") as raised:
        read_utf8(path)
    return str(raised.value)


@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_utf8_with_and_without_a_mark(tmp_path, mark):
    (tmp_path / "mine.csv").write_text(mark + table(CHINESE), "utf-8")
    assert read_utf8(tmp_path / "mine.csv") == table(CHINESE)


@needs_iconv
@pytest.mark.parametrize(
    ("texts", "encoding"),
    [
        (CHINESE, "gbk"),
        (CHINESE[:1], "gb18030"),
        (TRADITIONAL, "gbk"),
        (TRADITIONAL, "big5"),
        (CHINESE, "utf-16"),
        (CHINESE, "utf-16-le"),
        (CHINESE, "utf-16-be"),
        (CHINESE, "utf-32"),
        (["good", "bad"], "utf-16-le"),
    ],
)
def test_what_can_be_told_comes_with_a_command_that_mends_it(tmp_path, texts, encoding):
    path = tmp_path / "my file.csv"
    path.write_bytes(table(texts).encode(encoding))
    subprocess.run(refusal(path).split("convert it: ")[1], shell=True, check=True)
    assert read_utf8(tmp_path / "my file-utf8.csv") == table(texts)


@needs_iconv
def test_a_damaged_byte_in_a_chinese_file_does_not_stop_the_command(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_bytes(table(CHINESE).encode("gb18030") + b"\xff\n" + "很好,1\n".encode("gb18030"))
    subprocess.run(refusal(path).split("convert it: ")[1], shell=True)
    assert "很好,1" in read_utf8(tmp_path / "mine-utf8.csv")


@pytest.mark.parametrize(
    ("texts", "encoding", "reading"),
    [
        (["Señor, muy bueno", "mal día"], "latin-1", "'Señor, muy bueno,0' in WINDOWS-1252"),
        (["Schönes Zimmer", "übel"], "cp1252", "'Schönes Zimmer,0' in WINDOWS-1252"),
        (["Отличный отель", "ужасно"], "cp1251", "'Отличный отель,0' in WINDOWS-1251"),
        (["とても良かった", "部屋が悪い"], "shift_jis", "'とても良かった,0' in SHIFT_JIS"),
        (["방이 깨끗하고", "서비스가 나쁩니다"], "euc-kr", "'방이 깨끗하고,0' in EUC-KR"),
    ],
)
def test_what_cannot_be_told_is_shown_in_each_encoding(tmp_path, texts, encoding, reading):
    """All of these bytes can be read as GB18030 as well, or in part: no command may do so."""
    (tmp_path / "mine.csv").write_bytes(table(texts).encode(encoding))
    message = refusal(tmp_path / "mine.csv")
    assert reading in message and "line 2 reads" in message
    assert "iconv -f ENCODING" in message and "-f GB18030" not in message


@pytest.mark.parametrize(
    ("damage", "lines"),
    [
        ({3: "房间很脏,0".encode("gbk")}, "line 4"),
        ({3: "早餐".encode()[:4]}, "line 4"),
        ({3: "年".encode("big5"), 5: "Señor".encode("latin-1")}, "lines 4, 6"),
        (dict.fromkeys(range(1, 8), b"\xff"), "lines 2, 3, 4, 5, 6 and others"),
    ],
    ids=["a line in GBK", "half a character", "two lines", "many lines"],
)
def test_where_a_utf8_file_is_damaged(tmp_path, damage, lines):
    rows = table(CHINESE).encode().splitlines()
    for number, line in damage.items():
        rows[number] = line
    (tmp_path / "mine.csv").write_bytes(b"\n".join(rows))
    message = refusal(tmp_path / "mine.csv")
    assert f"in {lines}, though it is elsewhere" in message and "iconv" not in message


def test_where_utf8_on_a_single_line_is_damaged(tmp_path):
    (tmp_path / "mine.json").write_bytes(table(CHINESE).replace("\n", " ").encode() + b"\xe6\x88")
    assert "in line 1, though it is elsewhere" in refusal(tmp_path / "mine.json")
