"""Layouts of web pages, and what stands around their main text."""

from __future__ import annotations

MENU = ["Home", "About us", "Our shop", "Contact", "Log in"]
NAV = (
    "<nav><ul>"
    + "".join(f'<li><a href="/{i}">{name}</a></li>' for i, name in enumerate(MENU))
    + "</ul></nav>"
)
LINKS = (
    '<div class="navbar">'
    + " | ".join(f'<a href="/{i}">{name}</a>' for i, name in enumerate(MENU))
    + "</div>"
)
HEAD = '<head><meta charset="utf-8"><title>{title}</title><style>p {{ color: red }}</style><script>var tracked = 1;</script></head>'
COOKIES = '<div class="cookie-banner" id="cookie-consent"><p>We use cookies to make this site better.</p><button>Accept all</button></div>'
ADVERT = '<aside class="advert"><p>Buy two pairs of shoes, and get the third one free.</p><a href="/ad">Order now</a></aside>'
SHARE = '<div class="share-buttons"><a href="/f">Share on Facebook</a><a href="/t">Share on Twitter</a></div>'
RELATED = '<div class="related-posts"><h3>You may like</h3><ul><li><a href="/r1">Ten ways to tie a knot</a></li><li><a href="/r2">Why cats sleep</a></li></ul></div>'
LETTER = '<form class="newsletter"><label>Subscribe to our newsletter</label><input name="mail"><button>Sign up</button></form>'
FOOTER = '<footer><p>© 2024 Example Press. All rights reserved.</p><a href="/p">Privacy policy</a> <a href="/i">Imprint</a></footer>'
SIDEBAR = '<div id="sidebar" class="sidebar"><h4>Archive</h4><ul><li><a href="/a1">May 2024</a></li><li><a href="/a2">June 2024</a></li></ul></div>'
COMMENTS = '<div id="comments" class="comments"><h3>2 comments</h3><p>First one here, great stuff.</p><p>I do not agree at all.</p></div>'
SCRIPT = '<script type="text/javascript">document.write("<p>Written by a script.</p>");</script><noscript>Please enable scripts.</noscript>'
CRUMBS = '<div class="breadcrumb"><a href="/">Home</a> &gt; <a href="/b">Books</a></div>'
HIDDEN = '<div style="display:none">Nobody can see this line.</div><template><p>Not yet a part of it.</p></template>'
COMMENTED = "<!-- <p>This was commented out by the editor.</p> -->"

LAYOUTS = {
    "article": HEAD + "<body>" + NAV + "<article>{main}</article>" + FOOTER + "</body>",
    "main": HEAD + "<body><header>" + NAV + "</header><main>{main}</main>" + FOOTER + SCRIPT + "</body>",
    "main and article": HEAD + "<body>" + COOKIES + NAV + "<main><article>{main}</article>" + ADVERT + "</main>" + FOOTER + "</body>",
    "entry of a blog": HEAD + "<body>" + LINKS + '<div class="post"><div class="entry-content">{main}</div>' + SHARE + "</div>" + SIDEBAR + FOOTER + "</body>",
    "blog with comments": HEAD + "<body>" + NAV + '<div class="post-content">{main}</div>' + RELATED + COMMENTS + FOOTER + "</body>",
    "news": HEAD + "<body>" + COOKIES + NAV + CRUMBS + '<div class="article-body" itemprop="articleBody">{main}</div>' + SHARE + ADVERT + LETTER + FOOTER + "</body>",
    "role": HEAD + '<body><div role="navigation">' + LINKS + '</div><div role="main">{main}</div><div role="contentinfo">' + FOOTER + "</div></body>",
    "content by id": HEAD + "<body>" + LINKS + '<div id="content">{main}</div>' + SIDEBAR + FOOTER + SCRIPT + "</body>",
    "wiki": HEAD + '<body><div id="mw-navigation">' + LINKS + '</div><main id="content" class="mw-body"><div id="bodyContent"><div class="mw-parser-output">{main}</div></div></main>' + FOOTER + "</body>",
    "unnamed": HEAD + "<body>" + NAV + "<div><div>{main}</div></div>" + FOOTER + "</body>",
    "documentation": HEAD + "<body>" + SIDEBAR + '<div class="document"><div class="body" role="main"><section>{main}</section></div></div>' + FOOTER + "</body>",
    "hidden parts": HEAD + "<body>" + NAV + "<article>" + COMMENTED + "{main}" + HIDDEN + "</article>" + FOOTER + "</body>",
    "advert between": HEAD + "<body>" + NAV + "<article>{first}" + ADVERT + "{rest}</article>" + FOOTER + "</body>",
    "script between": HEAD + "<body>" + NAV + "<article>{first}" + SCRIPT + "{rest}</article>" + COOKIES + FOOTER + "</body>",
    "deep": HEAD + "<body>" + LINKS + "<div><div><div><div id='main-content'><div><div>{main}</div></div></div></div></div></div>" + FOOTER + "</body>",
    "columns": HEAD + "<body>" + NAV + '<div class="row"><div class="col-3">' + SIDEBAR + '</div><div class="col-9"><article>{main}</article></div></div>' + FOOTER + "</body>",
    "upper case": "<HTML><BODY>" + NAV.upper().replace("HOME", "Home").replace("ABOUT US", "About us") + "<DIV ID='content'>{main}</DIV></BODY></HTML>",
    "XHTML": '<?xml version="1.0" encoding="utf-8"?><!DOCTYPE html><html xmlns="http://www.w3.org/1999/xhtml">' + HEAD + "<body>" + LINKS + '<div class="content">{main}</div>' + FOOTER + "</body></html>",
    "a part": "<div>" + NAV + "<article>{main}</article></div>",
    "never closed": HEAD + "<body>" + NAV + "<article><div>{main}",
    "closed wrongly": HEAD + "<body></div></p>" + NAV + "<article></b>{main}</i></section></article>" + FOOTER + "</html></body>",
}  # fmt: skip
"""Pages, with the place of the main text; for some it is cut after its first part."""
