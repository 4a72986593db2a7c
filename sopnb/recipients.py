"""To whom mail may go: plain addresses, in domains that somebody declared.

    domain         example.com      takes   ann@example.com, ann@EXAMPLE.com;   not ann@mail.example.com
                   *.example.com    takes   ann@mail.example.com;               not ann@example.com
    never taken    two @, quoted or commented names, source routes (! and %), an address in other letters than ASCII:
                   a domain that looks like ours and is written in another script is another domain
"""

from __future__ import annotations

import re
from collections.abc import Sequence

LOCAL = re.compile(r"[A-Za-z0-9#$&'*+/=?^_{|}~-]+(\.[A-Za-z0-9#$&'*+/=?^_{|}~-]+)*")
DOMAIN = re.compile(r"([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
LOCAL_LIMIT, DOMAIN_LIMIT = 64, 253  # RFC 5321, 4.5.3.1


def domain(address: str) -> str:
    """The domain of a plain address, in small letters; '' where it is none.

    >>> domain("Ann@Example.COM"), domain("ann@example.com@evil.example"), domain('"ann@example.com"@evil.example')
    ('example.com', '', '')
    """
    local, _, name = address.partition("@")
    plain = LOCAL.fullmatch(local) and DOMAIN.fullmatch(name) and len(local) <= LOCAL_LIMIT and len(name) <= DOMAIN_LIMIT
    return name.lower() if plain else ""


def refused(address: str, domains: Sequence[str]) -> str:
    """Why no mail goes to an address; '' where it may.

    >>> refused("ann@example.com", ["example.com"])
    ''
    >>> refused("ann@example.com.evil.example", ["example.com", "*.example.com"])
    'its domain is none of example.com, *.example.com'
    """
    name = domain(address)
    if not name:
        return "it is no plain address: name@company.example, ASCII letters, one @, nothing quoted"
    if any(name.endswith(one[1:]) if one.startswith("*.") else name == one for one in map(str.lower, domains)):
        return ""
    return f"its domain is none of {', '.join(domains) or '–: mail.domains names none, and neither sender nor owner has one'}"


def allowed(domains: Sequence[str], *senders: str) -> tuple[str, ...]:
    """The domains mail may go to: those declared; where none are, those of the sender and the owner.

    >>> allowed([], "planning@example.com", "sari", "sari@pangan.example")
    ('example.com', 'pangan.example')
    """
    return tuple(domains) or tuple(dict.fromkeys(found for one in senders if (found := domain(one))))
