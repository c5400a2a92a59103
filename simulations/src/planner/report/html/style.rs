//! Styles of the page: light, dark, print, wide and narrow.

/// Everything between the style tags.
pub const STYLE: &str = "
:root{--bg:#fbfaf7;--fg:#1d2430;--soft:#5c6675;--line:#d9d6cd;--card:#fff;
--c0:#b3442e;--c1:#8a6d1d;--c2:#7b4fa3;--c3:#2f7f86;--c4:#4f7a2a;--c5:#1f5fbf;
--h0:#eef1f4;--h1:#c9dcef;--h2:#8fb8de;--h3:#f2c14e;--h4:#e4812f;--h5:#b3261e}
@media (prefers-color-scheme:dark){:root{--bg:#14181e;--fg:#e6e8eb;--soft:#9aa5b3;--line:#333b46;
--card:#1b2129;--c0:#ee8069;--c1:#d9b44a;--c2:#bf9be0;--c3:#63bfc7;--c4:#98c86b;--c5:#7fb0ff;
--h0:#222a33;--h1:#29435c;--h2:#38688f;--h3:#a8862f;--h4:#c0692a;--h5:#d8453b}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--fg);font:16px/1.5 system-ui,sans-serif}
main{max-width:1160px;margin:0 auto;padding:24px 16px 48px}
h1{font-size:1.6rem;line-height:1.25;margin:0 0 4px}
h2{font-size:1.15rem;margin:32px 0 8px}
p{margin:4px 0 12px;max-width:75ch}
.soft{color:var(--soft)}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(160px,1fr));gap:12px;margin:16px 0}
.tile{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:10px 12px}
.tile b{display:block;font-size:1.25rem;font-variant-numeric:tabular-nums}
.plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,440px),1fr));gap:16px}
figure{margin:0;background:var(--card);border:1px solid var(--line);border-radius:8px;padding:12px;
min-width:0}
figcaption{font-weight:600;margin-bottom:6px}
figcaption span{display:block;font-weight:400;color:var(--soft);font-size:.9rem}
svg{display:block;width:100%;height:auto}
svg text{fill:var(--fg);font:13px system-ui,sans-serif}
svg .tick{fill:var(--soft);font-size:12px}
svg .grid{stroke:var(--line);stroke-width:1}
svg .mark{stroke:var(--fg);stroke-width:1.5;stroke-dasharray:5 4;fill:none}
svg .curve{fill:none;stroke-width:2.5}
.k0{stroke:var(--c0);fill:var(--c0)}.k1{stroke:var(--c1);fill:var(--c1)}
.k2{stroke:var(--c2);fill:var(--c2)}.k3{stroke:var(--c3);fill:var(--c3)}
.k4{stroke:var(--c4);fill:var(--c4)}.k5{stroke:var(--c5);fill:var(--c5)}
.q0{fill:var(--h0)}.q1{fill:var(--h1)}.q2{fill:var(--h2)}.q3{fill:var(--h3)}.q4{fill:var(--h4)}
.q5{fill:var(--h5)}
.legend{display:flex;flex-wrap:wrap;gap:4px 14px;margin-top:8px;font-size:.9rem}
.legend svg{width:22px;height:12px;display:inline-block;vertical-align:middle;margin-right:5px}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:.92rem;font-variant-numeric:tabular-nums}
th,td{padding:5px 8px;border-bottom:1px solid var(--line);text-align:right;white-space:nowrap}
th:first-child,td:first-child,td.text,th.text,td.name{text-align:left}
td.text{white-space:normal;min-width:14em}
pre{overflow-x:auto;background:var(--card);border:1px solid var(--line);border-radius:8px;
padding:12px;font-size:.82rem;line-height:1.4}
summary{cursor:pointer}
@media (max-width:560px){main{padding:16px 12px 40px}th,td{padding:5px 7px}
svg text,svg .tick{font-size:15.5px}
.scroll th:first-child,.scroll td:first-child{position:sticky;left:0;background:var(--bg)}}
@media print{body{background:#fff;color:#000}figure,.tile{break-inside:avoid}details{display:none}}
details{margin:6px 0}
";
