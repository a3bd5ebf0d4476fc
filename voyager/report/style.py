"""How a report looks: one style sheet, light and dark, for screens and for paper."""

from __future__ import annotations

from typing import Final

STYLE: Final = """
:root{color-scheme:light dark;--paper:#fcfcfa;--card:#fff;--ink:#22272d;--faint:#5c6570;
--line:#d9dde1;--one:#1f6feb;--two:#b35900;--good:#2e8c4e;--bad:#c43c30;--odd:#8a9099;
--code:#f3f4f2;--kw:#8839b5;--str:#116329;--num:#9a4a00}
@media (prefers-color-scheme:dark){:root{--paper:#15181c;--card:#1c2026;--ink:#e3e6ea;
--faint:#9aa4af;--line:#343b44;--one:#6ea8fe;--two:#f0a35e;--good:#57b877;--bad:#f0766b;
--odd:#8b939d;--code:#12151a;--kw:#cf9ff2;--str:#7fd08f;--num:#f0b27a}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:1160px;padding:1.5rem;background:var(--paper);color:var(--ink);
font:16px/1.5 system-ui,sans-serif}
h1{font-size:1.7rem;margin:.2rem 0}h2{font-size:1.25rem;margin:2.2rem 0 .6rem}
h3{font-size:1.05rem;margin:0}a{color:var(--one)}
p{margin:.4rem 0}.faint{color:var(--faint)}nav{margin:.6rem 0}nav a{margin-right:1rem}
.numbers{display:flex;flex-wrap:wrap;gap:.8rem;margin:1rem 0}
.numbers div{background:var(--card);border:1px solid var(--line);border-radius:8px;
padding:.6rem 1rem;min-width:8rem}
.numbers b{display:block;font-size:1.5rem;line-height:1.2}.numbers span{color:var(--faint)}
.wide{overflow-x:auto}
table{border-collapse:collapse;width:100%;min-width:46rem;font-size:.9rem;background:var(--card)}
th,td{text-align:left;padding:.35rem .6rem;border-bottom:1px solid var(--line);
vertical-align:top}th{color:var(--faint);font-weight:600;white-space:nowrap}
.whole{white-space:nowrap}td.number,th.number{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}
code,pre{font-family:ui-monospace,monospace;font-size:.85rem}code{overflow-wrap:anywhere}
td code{display:inline-block;min-width:13rem}
pre{background:var(--code);border:1px solid var(--line);border-radius:6px;padding:.7rem;
overflow-x:auto;margin:.6rem 0}
.c{color:var(--faint)}.s{color:var(--str)}.k{color:var(--kw)}.n{color:var(--num)}
figure{margin:.8rem 0}figcaption{color:var(--faint);font-size:.9rem}
article{background:var(--card);border:1px solid var(--line);border-radius:8px;
padding:.9rem 1rem;margin:.8rem 0}
article img{float:right;max-width:40%;height:auto;border-radius:6px;margin:0 0 .6rem 1rem}
article pre,article details{clear:right}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.15rem .9rem;margin:.5rem 0}
dt{color:var(--faint)}dd{margin:0}summary{cursor:pointer}
.tag{font-size:.8rem;border:1px solid var(--line);border-radius:99px;padding:.05rem .6rem;
color:var(--faint);font-weight:400}
.yes{color:var(--good)}.no{color:var(--faint)}.wrong{color:var(--bad)}
svg text{fill:var(--ink);font:11px system-ui,sans-serif}
svg.chart{width:100%;max-width:860px;height:auto}
svg.share{width:80px;height:10px;vertical-align:middle}
svg.graph text{font-family:ui-monospace,monospace}svg.graph .head{fill:var(--faint)}
.end{text-anchor:end}.mid{text-anchor:middle}
.grid{stroke:var(--line);fill:none}.axis{stroke:var(--faint);fill:none}
.line{fill:none;stroke-width:2}.line.two{stroke-dasharray:6 3}
.line.one{stroke:var(--one)}.line.two{stroke:var(--two)}
.dot.one,.bar.one{fill:var(--one)}.dot.two,.bar.two{fill:var(--two)}
.bar.good{fill:var(--good)}.bar.bad{fill:var(--bad)}.bar.odd{fill:var(--odd)}
.rest{fill:var(--line)}.tick{stroke:var(--ink);stroke-width:2}
.call{fill:none;stroke:var(--odd);stroke-opacity:.55}.call:hover{stroke:var(--one)}
.box rect{fill:var(--code);stroke:var(--one)}.box.active rect{stroke:var(--good);stroke-width:2}
.box.stale rect,.box.retired rect{stroke:var(--odd);stroke-dasharray:3 2}
@media (max-width:640px){article img{float:none;max-width:100%;margin:.4rem 0}}
@media print{body{max-width:none}article{break-inside:avoid}}
"""
