"""Texts with mail addresses, keys, account, card and phone numbers and addresses of computers, and what is none.

Phone numbers stand between «» where one is to be found; what can be dialled is not for plain steps to say.

Not held: local parts with an apostrophe (`d'anne@x.org`), which are cut there; four numbers with points that are a
version; a card number among other groups of four digits; phone numbers with an extension.
"""

from __future__ import annotations

LENGTHS = {"DE": 22, "GB": 22, "FR": 27, "NL": 18, "BE": 16, "ES": 24, "IT": 27, "NO": 15, "CH": 21, "AT": 20, "PL": 28, "MT": 31, "LC": 32, "SA": 24, "BR": 29, "PT": 25, "SE": 24}  # fmt: skip
"""Characters of an account number, by country, as in the registry of IBANs."""

ABOUT = ["{}", "to {}.", "({})", "{}, and", "“{}”", "联系{}谢谢", "は{}です。", "로{}로", "ถึง{}ครับ", "key={};", "<b>{}</b>", "[{}]\n", "\t{}\r\n", "|{}|", "'{}'", "：{}。"]  # fmt: skip
"""What stands around an identifier, in turn."""
FOUND = [
    "ann@example.org", "a.b-c_d+e%f@sub.example.co.uk", "ANN@EXAMPLE.ORG", "x@y.museum", "1@2.io", "rené@exemple.fr", "юрий@почта.рф", "νίκος@site.gr", "a@b-c.d-e.info", "ann@example.xn--p1ai", "ann@xn--bcher-kva.de", "_x_@x.dev", "ann@mail.example.photography", "ann.@x.org", "a@b.org",
    "192.168.0.1", "8.8.8.8", "255.255.255.255", "0.0.0.0", "10.0.0.254", "172.16.31.9", "2001:db8::1", "fe80::1ff:fe23:4567:890a", "2001:0db8:85a3:0000:0000:8a2e:0370:7334", "2001:DB8:0:0:8:800:200C:417A", "::ffff:192.0.2.128", "64:ff9b::192.0.2.33", "2001:db8::", "1:2:3:4:5:6:7::", "fe80::a:b:c",
    "4111 1111 1111 1111", "4111111111111111", "4111-1111-1111-1111", "4012888888881881", "4222222222222", "5500 0000 0000 0004", "5555555555554444", "2223003122003222", "2720999999999996", "378282246310005", "3714 496353 98431", "30569309025904", "3852 000002 3237", "6011 1111 1111 1117", "3530111333300000", "6304000000000000", "6200000000000005",
    "DE89370400440532013000", "DE89 3704 0044 0532 0130 00", "GB29 NWBK 6016 1331 9268 19", "GB82WEST12345698765432", "FR1420041010050500013M02606", "FR14 2004 1010 0505 0001 3M02 606", "NL91 ABNA 0417 1643 00", "BE68 5390 0754 7034", "ES91 2100 0418 4502 0005 1332", "IT60X0542811101000000123456", "NO93 8601 1117 947", "CH93 0076 2011 6238 5295 7", "AT61 1904 3002 3457 3201", "PL61109010140000071219812874", "MT84MALT011000012345MTLCAST001S", "SA03 8000 0000 6080 1016 7519", "PT50 0002 0123 1234 5678 9015 4", "SE45 5000 0000 0583 9825 7466",
    "AKIA" + "IOSFODNN7EXAMPLE", "ASIA" + "ABCDEFGH12345678", "ghp_" + "aB3d" * 9, "gho_" + "zZ09" * 12, "github_pat_" + "11ABCDE_" * 4, "glpat-" + "x_Y-9" * 4, "sk-" + "proj-Ab1_" * 5, "sk-ant-" + "api03-" + "Qz9" * 20, "sk_live_" + "4eC39HqL" * 3, "rk_test_" + "a1B2" * 4, "AIza" + "SyD-9_x" * 5, "xoxb-" + "1234567890-" + "abcDEF", "hf_" + "AbCdEfGhIj" * 3, "eyJ" + "hbGciOiJI" + "U.eyJ" + "zdWIiOiIxMjM0.SflK-xwRJ_SMeK",
    "«(212) 555-0123»", "«+1 212 555 0123»", "«212-555-0123»", "«+44 20 7946 0958»", "«+44 (0)20 7946 0958»", "«+49 30 901820»", "«+49 89 636 48018»", "«+33 1 42 68 53 00»", "«+86 138 0013 8000»", "«+86-10-6278-1234»", "«+81 3-3580-3311»", "«+7 495 123-45-67»", "«+91 98765 43210»", "«+61 2 9374 4000»", "«+39 06 6988 1234»", "«+34 912 345 678»", "«212.555.0123»", "«+55 11 98765-4321»", "«+1-800-275-2273»", "«(650) 253-0000»",
]  # fmt: skip
"""Identifiers, each of which is to be found within every text of `ABOUT`."""

NONE = [
    "@", "a@b", "a@b.c", "@b.org", "a@.org", "a@b..org", "a@b.org-x", "a@b.o1g", "react@18.2.0", "a @ b.org", "a@ b.org", "@user and @other.name", "a@-", "http://x.org/@user", "a(at)b.org", "a@b.abcdefghijklmnopqrstuvwxyz", "a@b_c", "..@", "x@@y", "@@a", "@media screen", "@Override", "a@b.org_c", "-@b.org",
    "256.1.1.1", "1.2.3", "1.2.3.4.5", "1.2.3.400", "01.2.3.4", "1.02.3.4", "1.2.3.", "v1.2.3.4", "1.2.3.4a", "x.1.2.3.4", "1..2.3.4", "1.2.3.4.5.6", "12:30:45", "12:30", "00:1a:2b:3c:4d:5e", "a::b", "std::vector", "x::y::z", "::", "::1", "1:2:3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "2001:db8::1::2", "2001:db8:::1", "12345::1", "gggg::1", "C::D", ":1:2:3:4:5:6:7", "face::book", "10:00:00:000",
    "4111 1111 1111 1112", "4111111111111110", "5500 0000 0000 0005", "378282246310006", "0000 0000 0000 0000", "1111 1111 1111 1117", "9999999999999995", "4111 1111 1111", "41111111111111111111111", "x4111111111111111", "4111111111111111x", "4.111111111111111", "0.4111111111111111", "7000000000000005", "510510510510",
    "DE89370400440532013001", "DE89 3704 0044 0532 0130 0", "DE8937040044053201300", "de89370400440532013000", "XX89370400440532013000", "GB29 NWBK 6016 1331 9268 18", "GB92NWBK60161331926819", "FR1420041010050500013M02607", "XDE89370400440532013", "NL91 ABNA 0417 1643 01", "BE68 5390 0754 7043", "DE89370400440532013000X", "IT60X0542811101000000123465",
    "AKIA" + "IOSFODNN7EXAMPL", "AKIA" + "IOSFODNN7EXAMPLEX", "akia" + "iosfodnn7example", "ghp_" + "a" * 35, "ghx_" + "a1" * 20, "glpat-" + "abc", "sk-" + "short1", "sk-learn-estimator-doc-link-fitted", "sk-toggleable__label-arrow", "task-" + "abcdefghij1234567890", "sk_prod_" + "a1" * 10, "AIza" + "short", "xoxz-" + "1234567890", "hf_" + "abc", "hf_model_name_that_is_long_and_plain", "eyJ" + "hbGciOi.eyJ" + "x.y", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----", "-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----", "xAKIA" + "IOSFODNN7EXAMPLE",
    "2024-03-15", "15/03/2024", "15.03.2024", "2024.03.15", "2024-03-15 10:20", "123456", "555-0123", "1,000,000", "3.14159265", "000-000-0000", "(000) 000-0000", "111-111-1111", "123-456-7890", "+1 123 456 7890", "+999 123 456 789", "x2125550123", "2125550123x", "0x1234567890", "ISBN 978-3-16-148410-0", "1234567890123456789012", "10 20 30 40", "1999-2024", "100 000 000 $", "12345-6789", "1.5 2.5 3.5 4.5", "a = 12345678", "20240315102030", "+12", "v2.10.3", "pp. 100-200", "1234567890.123", "§ 123 456",
]  # fmt: skip
"""What is no identifier."""

MIXED = [
    "Mail a@b.org or c@d.net, call «(212) 555-0123».", "a@b.org;c@d.org", "<a@b.org>", "mailto:a@b.org?subject=x", "a@b.org.", "a@b.org...", "..a@b.org", "-a@b.org", "—a@b.org—", "a@b.org/x", "user:pw@host.com", "a@b.co.x1", "邮箱：zhang@example.com，电话：«+86 138 0013 8000»。",
    "请联系zhang@example.com我们会在二十四小时之内尽快回复您的邮件请耐心等待谢谢您的理解与支持", "服务器192.168.1.1和10.0.0.2已重启", "卡号4111111111111111，有效期12/25", "账户DE89370400440532013000号", "电话«(212) 555-0123»转", "메일은 kim@example.kr로, 서버는 10.0.0.1에서",
    "4111 1111 1111 1111 12/25", "4111 1111 1111 1111 123", "4111-1111-1111-1111 03/27 123", "2 4111 1111 1111 1111", "No. 3: 378282246310005 09/26", "3782 822463 10005 1234", "4111111111111111,5500000000000004", "4111111111111111/5500000000000004", "Card: 4111 1111 1111 1111; IBAN: DE89 3704 0044 0532 0130 00.",
    "DE89 3704 0044 0532 0130 00 BIC COBADEFF", "DE89370400440532013000 EUR 5", "GB82WEST12345698765432, NL91ABNA0417164300", "10.0.0.1:8080", "http://10.0.0.1/x", "10.0.0.0/8", "[2001:db8::1]:443", "fe80::1:2:3%eth0", "host 2001:db8::1: down", "2001:db8::1, 2001:db8::2.", "2001:db8::/32", "2001:0db8:85a3:0000:0000:8a2e:0370:7334: up", "10.0.0.1-10.0.0.9", "10.0.0.1,10.0.0.2;10.0.0.3", "ping 8.8.8.8...", "IP=8.8.8.8 TTL=64", "12:30:45 10.0.0.1 GET", "2024-03-15 10:20:30 192.168.0.1", "::ffff:10.0.0.1 ok",
    "export KEY=" + "AKIA" + "IOSFODNN7EXAMPLE\n", "Authorization: Bearer " + "ghp_" + "aB3d" * 9, "密钥" + "AKIA" + "IOSFODNN7EXAMPLE" + "泄露", "-----BEGIN RSA " + "PRIVATE KEY-----\nMIIB+/=\n-----END RSA PRIVATE KEY-----", "a\n-----BEGIN " + "PRIVATE KEY-----\r\nx\r\n-----END PRIVATE KEY-----\nb", "-----BEGIN " + "PRIVATE KEY-----\nno end",
    "Call «212-555-0123» or «+44 20 7946 0958»!", "on 2024-03-15 call «(650) 253-0000»", "tel:«+1-212-555-0123»", "2024-03-15, a@b.org, 1.2.3, 10:20:30", "", " ", "plain text", "no digits: here", "12 34 56", "{}", "<EMAIL>", "\x00a@b.org\x00", "é8.8.8.8é", "\u200ba@b.org\u200b", "a@b.org\u00a0«212-555-0123»",
]  # fmt: skip
TEXTS = list(
    dict.fromkeys(
        [
            *(
                ABOUT[(i + step) % len(ABOUT)].format(found)
                for i, found in enumerate(FOUND)
                for step in (0, 5, 11)
            ),
            *NONE,
            *(f"看{none}吧" for none in NONE[::3]),
            *MIXED,
        ]
    )
)
