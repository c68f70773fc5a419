"""From bytes to text: UTF-8, or one sentence that says what else a file may be and how to convert it."""

import shlex
from pathlib import Path

CANDIDATES = ("GB18030", "BIG5", "WINDOWS-1252", "WINDOWS-1251", "SHIFT_JIS", "EUC-KR")
CHINESE = ("GB18030", "BIG5")
# Of real Chinese text these are a third and more; of bytes that only happen to be Chinese, hardly one.
COMMON = frozenset(
    "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里"
    "用道行所然家种事成方多经去法学如都同现当没动面起看定天分还进好小部其些主样理心本前开但因只从想实日无"
    "很太非常比较不错喜欢房间酒店服务差干净位置早餐书买东西送货快慢给最下次真吃味菜老板价格便宜"
    "這個們來為國說時會對於著過發後裡種經學現當沒動還進樣開從實無務間淨書買東貨給錯歡較點價頭長機問號樂"
)
MOSTLY_CHINESE = 0.15  # the share of COMMON from which on a reading is taken for Chinese


def read_utf8(path: Path) -> str:
    """The text of a UTF-8 file, with or without a byte order mark.

    Raises:
        ValueError: it is not UTF-8; the message names the lines that are damaged, the command that converts
            the file, or the encodings it may have and how a line reads in each.
    """
    data = path.read_bytes()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = None
    if wide := _wide(data, readable=text is not None):
        raise ValueError(f"{path.name} is not UTF-8; convert it: {_command(path, wide)}")
    if text is None:
        raise ValueError(f"{path.name} is not UTF-8{_diagnosis(path, data)}")
    return text


def _wide(data: bytes, readable: bool) -> str | None:
    """The name of UTF-32 or UTF-16, by the mark at the file's start or by its zero bytes."""
    if data.startswith((b"\xff\xfe\0\0", b"\0\0\xfe\xff")):
        return "UTF-32"
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "UTF-16"
    zeros = data.count(0)
    if zeros > len(data) / 4 or (zeros and not readable):
        return "UTF-16LE" if data[1::2].count(0) > zeros / 2 else "UTF-16BE"
    return None


def _diagnosis(path: Path, data: bytes) -> str:
    text = data.decode("utf-8", "surrogateescape")  # each byte that is not UTF-8 becomes one surrogate
    lines = text.split("\n")
    damaged = [number for number, line in enumerate(lines, start=1) if _bad(line)]
    whole = sum(1 for line in lines if not line.isascii() and not _bad(line))
    three_bytes = sum(1 for character in text if character > "\u0800") - _bad(text)  # seldom by chance
    if whole > len(damaged) or three_bytes > _bad(text):
        where = f"lines {', '.join(map(str, damaged[:5]))}" if len(damaged) > 1 else f"line {damaged[0]}"
        more = " and others" if len(damaged) > 5 else ""
        return f" in {where}{more}, though it is elsewhere: type anew what is damaged there, or leave it out"
    chinese = {encoding: _share_of_common(data.decode(encoding, "ignore")) for encoding in CHINESE}
    likely = max(chinese, key=chinese.get)
    readings = {encoding: data.decode(encoding) for encoding in CANDIDATES if _fits(data, encoding)}
    if chinese[likely] > MOSTLY_CHINESE:
        skip = [] if likely in readings else ["-c"]  # a damaged byte would stop iconv half-way
        return f" (line {damaged[0]}); convert it: {_command(path, likely, *skip)}"
    lines = {encoding: read.split("\n")[damaged[0] - 1] for encoding, read in readings.items()}
    samples = [f"{line.strip()[:30]!r} in {encoding}" for encoding, line in lines.items()]
    return (
        f"; line {damaged[0]} reads {', '.join(samples)}; put the one that reads right for ENCODING: "
        f"{_command(path, 'ENCODING')} (if none does, save it as UTF-8 in the program that wrote it)"
    )


def _bad(text: str) -> int:
    return sum(1 for character in text if "\udc80" <= character <= "\udcff")


def _fits(data: bytes, encoding: str) -> bool:
    try:
        data.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _share_of_common(text: str) -> float:
    letters = [character for character in text if ord(character) > 127 and character.isalpha()]
    return sum(1 for character in letters if character in COMMON) / max(len(letters), 1)


def _command(path: Path, encoding: str, *options: str) -> str:
    new = path.with_name(f"{path.stem}-utf8{path.suffix}")
    command = shlex.join(["iconv", *options, "-f", encoding, "-t", "UTF-8", str(path)])
    return f"{command} > {shlex.quote(str(new))}"
