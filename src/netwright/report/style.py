"""The page's style: a column of text, figures in pairs, tables that turn into cards on a phone; print."""

from netwright.picture.colours import FONT, palette

CSS = (
    """
:root{color-scheme:light dark;"""
    + palette(dark=False)
    + """}
@media (prefers-color-scheme:dark){:root{"""
    + palette(dark=True)
    + """}}
@media print{:root{color-scheme:light;"""
    + palette(dark=False)
    + """--paper:#ffffff}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;scroll-behavior:smooth}
body{margin:0;background:var(--paper);color:var(--ink);font:15.5px/1.55 """
    + FONT
    + """;font-variant-numeric:tabular-nums}
.page{max-width:960px;margin:0 auto;padding:40px 24px 72px}
h1,h2,h3,p,li,td,dd,figcaption,code{overflow-wrap:anywhere}
h1{font-size:clamp(22px,3.6vw,31px);line-height:1.25;letter-spacing:-.012em;margin:0 0 14px;text-wrap:balance}
h2{font-size:20px;letter-spacing:-.01em;margin:0 0 16px;padding-top:22px;border-top:1px solid var(--line)}
h2 span{color:var(--muted);font-weight:400;margin-right:.5em}
h3{font-size:14.5px;margin:26px 0 8px}
section{margin-top:44px}
p{margin:0 0 12px}
a{color:var(--accent);text-decoration:none}
a:hover{text-decoration:underline}
.lead{font-size:17px;color:var(--muted);max-width:70ch}
.badge{display:inline-block;padding:2px 11px;border-radius:99px;font-size:13px;font-weight:600;
 border:1px solid currentColor;margin:0 10px 14px 0}
.good{color:var(--good)}.warn{color:var(--warn)}.bad{color:var(--bad)}.muted{color:var(--muted)}
.strong{font-weight:600}
small{display:block;color:var(--muted);font-size:12.5px;line-height:1.4;font-weight:400}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,150px),1fr));gap:12px;margin:22px 0}
.tile{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:14px 16px;min-width:0}
.tile b{display:block;font-size:27px;line-height:1.2;letter-spacing:-.02em}
.tile span{font-size:13px;color:var(--muted)}
.tile.best{border-color:var(--accent)}
.bars{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:6px 16px;margin:12px 0 0}
.bar{display:grid;grid-template-columns:minmax(120px,1fr) 2fr 150px;gap:4px 16px;align-items:center;
 padding:9px 0;border-top:1px solid var(--line)}
.bar:first-child{border-top:0}
.bar i{height:9px;border-radius:99px;background:var(--soft);overflow:hidden;display:block}
.bar i b{display:block;height:100%;border-radius:99px;background:var(--good)}
.bar.over i b{background:var(--bad)}
.bar .value{text-align:right}
.bar small{grid-column:1/-1;margin-top:-3px}
.bar.free small{grid-column:auto;margin-top:0}
nav{display:flex;flex-wrap:wrap;gap:6px 16px;margin-top:26px;font-size:13.5px}
dl{display:grid;grid-template-columns:minmax(110px,190px) 1fr;gap:7px 20px;margin:0 0 14px}
dt{color:var(--muted)}
dd{margin:0;min-width:0}
ul{margin:0 0 14px;padding-left:20px}
li{margin-bottom:6px}
li::marker{color:var(--muted)}
.scroll{overflow-x:auto;margin:0 0 14px}
table{border-collapse:collapse;width:100%;font-size:14px}
th{text-align:left;font-weight:500;color:var(--muted);font-size:12.5px;white-space:nowrap}
th,td{padding:8px 14px 8px 0;border-bottom:1px solid var(--line);vertical-align:top}
.num+th,.num+td{padding-left:14px}
th:last-child,td:last-child{padding-right:0}
td:first-child{overflow-wrap:break-word}
table.narrow{max-width:660px}
.num{text-align:right;white-space:nowrap}
figure{margin:0;min-width:0}
figcaption{color:var(--muted);font-size:13px;line-height:1.45;margin-top:6px}
figure>svg{display:block}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,380px),1fr));gap:30px 32px;
 margin:6px 0 22px}
.drawing{margin-bottom:14px;text-align:center;overflow-x:auto}
.drawing svg{display:inline-block;height:auto;max-width:100%}
pre{background:var(--soft);border:1px solid var(--line);border-radius:8px;padding:11px 14px;overflow-x:auto;
 font-size:13px;line-height:1.5;margin:0 0 12px}
code{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace}
details{margin:0 0 12px}
summary{cursor:pointer}
.tree{font-size:14px;margin-bottom:14px}
.tree details{margin:0}
.row{display:grid;grid-template-columns:minmax(0,1fr) 104px 76px 76px 96px;gap:0 12px;padding:6px 0 6px 20px;
 border-bottom:1px solid var(--line);align-items:baseline;position:relative;list-style:none}
.row::-webkit-details-marker{display:none}
summary.row::before{content:"▸";position:absolute;left:2px;top:6px;color:var(--muted)}
details[open]>summary.row::before{content:"▾"}
.row .name{padding-left:calc(var(--deep)*18px);min-width:0;overflow-wrap:anywhere}
.row em{font-style:normal;color:var(--muted);margin-left:8px;font-size:13px}
.row .times{color:var(--accent);font-weight:600;margin-left:6px}
.row>span+span{text-align:right}
.row.head{color:var(--muted);font-size:12.5px}
.row.sum{font-weight:600;border-bottom:0}
.row u{position:absolute;left:0;bottom:-1px;height:2px;background:var(--warm);opacity:.65}
footer{margin-top:56px;padding-top:16px;border-top:1px solid var(--line);color:var(--muted);font-size:13px}
@media (max-width:640px){
 body{font-size:15px}
 .page{padding:24px 16px 48px}
 .bar{grid-template-columns:1fr auto}
 .bar i{grid-column:1/-1;grid-row:2}
 .bar.free small{grid-column:1/-1;grid-row:2}
 .tile{padding:11px 13px}
 .tile b{font-size:23px}
 dl{grid-template-columns:1fr;gap:0}
 dd{margin-bottom:9px}
 .stack thead{display:none}
 .stack tr{display:block;padding:10px 0;border-bottom:1px solid var(--line)}
 .stack td:first-child{font-weight:600}
 .stack td{display:block;border:0;padding:1px 0;text-align:left;white-space:normal}
 .stack td[data-label]::before{content:attr(data-label) ": ";color:var(--muted);font-size:12.5px}
 .stack td small{display:inline;margin-left:6px}
 table{font-size:13.5px}
 th,td{padding-right:9px}
 .row{grid-template-columns:minmax(0,1fr) 66px 66px;padding-left:16px}
 .row>.shape,.row>.acts{display:none}
 .row .name{padding-left:calc(var(--deep)*10px)}
 .row em{display:block;margin-left:0}
}
@media print{
 body{font-size:10.5pt}
 .page{max-width:none;padding:0}
 nav{display:none}
 figure:not(.drawing),tr,.row,.tile,.bar{break-inside:avoid}
 .figures{grid-template-columns:1fr 1fr;gap:16px 20px}
 .scroll,.drawing{overflow:visible}
 .drawing svg{min-width:0!important;max-height:235mm}
 h2,h3{break-after:avoid}
 section{margin-top:26px}
 .tree details::details-content,details::details-content{content-visibility:visible;height:auto}
}
"""
)
