"""Hostile values for every parameter of the pages: SQL, HTML, headers, paths, formulas, odd text."""

SQL = [
    f"{begin}{end}"
    for begin in ("'", '"', "')", "1", "1)", "x' ", "%' ", "\\'", "$$", "`")
    for end in (
        "; DROP TABLE persons; --",
        " OR 1=1 --",
        " OR '1'='1",
        " UNION SELECT usename, passwd, 1, 2, 3 FROM pg_shadow --",
        "; UPDATE persons SET email = 'x'; --",
        "||(SELECT pg_sleep(10))||'",
        " AND 1=(SELECT COUNT(*) FROM loads) --",
    )
]
HTML = [
    wrap.format(code)
    for wrap in ("{}", '">{}', "'>{}", "</script>{}", "</title>{}", "--></svg>{}")
    for code in (
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "<svg onload=alert(1)>",
        "<iframe src=javascript:alert(1)>",
        "<b>bold</b>",
        "<a href=javascript:alert(1)>x</a>",
        "<math><mi//xlink:href='data:x,<script>alert(4)</script>'>",
    )
] + [
    '" onfocus=alert(1) autofocus x="',
    "javascript:alert(1)",
    "&lt;script&gt;",
    "{{ 7*7 }}",
    "${7*7}",
    "{% x %}",
]
HEADERS = [
    f"{line}{text}"
    for line in ("\r\n", "\n", "\r", "%0d%0a", "\u2028", "\x0b", "\x85")
    for text in ("Set-Cookie: a=b", "Location: https://evil.example", "\r\n\r\n<script>alert(1)</script>")
]
PATHS = [
    f"{up}{file}"
    for up in ("../" * 6, "..%2f" * 6, "..\\" * 6, "/", "//", "....//" * 4, "file:///")
    for file in ("etc/passwd", "proc/self/environ", "evil.example/x", "static/../web/db.py")
]
FORMULAS = [
    f"{sign}{text}"
    for sign in ("=", "+", "-", "@", "\t=", "\r=", " =", "'=")
    for text in ("1+1", "cmd|' /C calc'!A0", 'HYPERLINK("https://evil.example","x")', "SUM(1,1)")
]
ODD = [
    "\0",
    "a\0b",
    "\ufeff",
    "\u202e",
    "\ud7ff\ue000",
    "\U0001f600",
    "x" * 5000,
    "%",
    "%%",
    "_",
    "/",
    "/%",
    "\\",
    "%s%n%x",
    "%(id)s",
    ":id",
    ":pattern",
    "$1",
    "NaN",
    "Infinity",
    "1e999",
    "-0",
    "9" * 400,
    "0x10",
    "٣",
    "null",
    "[]",
    "{}",
    '["a"]',
    "[[[[[[[[1]]]]]]]]",
    "[" * 390,
    "true",
    "None",
    "2026-01-01T00:00:00",
    '["2026-01-01T00:00:00","r"]',
    '["0001-01-01","\u0000"]',
    '["9999-12-31T23:59:59.999999","x"]',
]
PAYLOADS = list(dict.fromkeys([*SQL, *HTML, *HEADERS, *PATHS, *FORMULAS, *ODD]))
