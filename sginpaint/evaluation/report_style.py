"""Looks of the report: one page, nothing loaded from anywhere."""

from sginpaint.evaluation import report_viewer

CSS = """
:root { --ink: #1c2330; --soft: #667085; --line: #e3e6eb; --paper: #fbfaf7;
  --card: #ffffff; --accent: #1f6feb; --good: #0b7a4b; --bad: #b3402a; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8ebf0; --soft: #98a2b3;
  --line: #2c3442; --paper: #12161d; --card: #1a202a; --good: #4cc38a;
  --bad: #f08a70; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { max-width: 1240px; margin: 0 auto; padding: 40px 24px 80px; }
h1 { font-size: 34px; line-height: 1.15; margin: 0 0 8px;
  letter-spacing: -0.02em; }
h2 { font-size: 22px; margin: 52px 0 6px; letter-spacing: -0.01em; }
h3 { font-size: 16px; margin: 0; }
p.lead, p.note { color: var(--soft); margin: 0 0 18px; max-width: 76ch; }
p.note { font-size: 14px; }
p.note.below { margin-top: 12px; }
.cards { display: grid; gap: 16px; margin: 24px 0;
  grid-template-columns: repeat(auto-fit, minmax(290px, 1fr)); }
.card { background: var(--card); border: 1px solid var(--line);
  border-radius: 12px; padding: 18px 20px; }
.card .big { font-size: 38px; font-weight: 650; letter-spacing: -0.02em;
  font-variant-numeric: tabular-nums; }
.card .unit { font-size: 16px; color: var(--soft); font-weight: 400; }
.card p { margin: 2px 0 0; font-size: 14px; color: var(--soft); }
.dot { display: inline-block; width: 11px; height: 11px; border-radius: 3px;
  margin-right: 8px; }
.up { color: var(--good); font-weight: 600; }
.down { color: var(--bad); font-weight: 600; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: 14px; width: 100%;
  font-variant-numeric: tabular-nums; }
th, td { padding: 7px 9px; text-align: right; white-space: nowrap;
  border-bottom: 1px solid var(--line); }
th:first-child, td:first-child { text-align: left; }
thead th { color: var(--soft); font-weight: 500; }
thead th:first-child { white-space: normal; }
td.best { font-weight: 700; }
tr.ours td:first-child { font-weight: 600; }
tfoot td { color: var(--soft); border: 0; }
.tabs { display: flex; flex-wrap: wrap; gap: 6px; margin: 14px 0; }
.tabs button { font: inherit; font-size: 14px; padding: 5px 13px;
  border-radius: 99px; border: 1px solid var(--line); color: var(--ink);
  background: var(--card); cursor: pointer; }
.tabs button[aria-selected=true] { background: var(--ink);
  color: var(--paper); border-color: var(--ink); }
.chart { margin: 6px 0 14px; }
.chart text { fill: var(--soft); font-size: 12px; }
.chart .rule { stroke: var(--line); }
.chart .whisker { stroke: var(--ink); opacity: 0.55; }
.pm { color: var(--soft); font-weight: 400; font-size: 12px; }
.strip { background: var(--card); border: 1px solid var(--line);
  border-radius: 12px; padding: 14px; margin: 12px 0; overflow-x: auto; }
.strip .row { display: flex; gap: 12px; }
.strip .row + .row { margin-top: 12px; }
figure { margin: 0; flex: 1 1 0; min-width: 104px; max-width: 210px; }
figure img, .slider { width: 100%; aspect-ratio: 1; display: block;
  border-radius: 6px; background: var(--line); object-fit: cover; }
figcaption { font-size: 13px; line-height: 1.35; margin-top: 6px;
  color: var(--soft); }
figcaption b { color: var(--ink); font-weight: 600; }
figure.peek img { cursor: crosshair; }
.sliders { display: grid; gap: 18px; margin: 18px 0;
  grid-template-columns: repeat(auto-fit, minmax(250px, 1fr)); }
.sliders figure { max-width: none; }
.slider { position: relative; overflow: hidden; }
.slider img { position: absolute; inset: 0; width: 100%; height: 100%; }
.slider img.after { clip-path: inset(0 0 0 var(--at, 50%)); }
.slider .bar { position: absolute; top: 0; bottom: 0; left: var(--at, 50%);
  width: 2px; margin-left: -1px; background: #fff;
  box-shadow: 0 0 4px #0008; pointer-events: none; }
.slider input { position: absolute; inset: 0; width: 100%; height: 100%;
  margin: 0; opacity: 0; cursor: ew-resize; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 3px 18px;
  font-size: 14px; margin: 10px 0 0; }
dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; }
code, pre { font: 12.5px/1.45 ui-monospace, "SF Mono", Menlo, monospace; }
pre { overflow-x: auto; background: var(--paper); padding: 12px;
  border-radius: 8px; }
summary { cursor: pointer; font-size: 14px; color: var(--soft);
  margin-top: 10px; }
.cards.narrow { grid-template-columns: repeat(auto-fit, minmax(222px, 1fr)); }
.wrapped th, .wrapped td { padding: 7px 6px; }
.wrapped { font-size: 13.5px; }
.wrapped th { white-space: normal; vertical-align: bottom; max-width: 110px; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 18px; font-size: 13px;
  color: var(--soft); margin: 0 0 6px; }
.curve { max-width: 660px; }
.chart .zero { stroke: var(--ink); opacity: 0.5; }
.chart .bucket { fill: var(--ink); }
td .even { color: var(--soft); }
@media print { .tabs { display: none; } }
"""

# Without scripts every table shows, the sliders stand half-way, and the truth
# is beside each result anyway.
JS = """
for (const group of document.querySelectorAll('.tabbed')) {
  const panes = [...group.querySelectorAll('.pane')];
  const buttons = [...group.querySelectorAll('.tabs button')];
  const show = n => {
    panes.forEach((p, i) => p.hidden = i !== n);
    buttons.forEach((b, i) => b.setAttribute('aria-selected', i === n));
  };
  buttons.forEach((b, i) => b.addEventListener('click', () => show(i)));
  show(Math.max(0, buttons.findIndex(b => b.dataset.first)));
}
for (const input of document.querySelectorAll('.slider input')) {
  const set = () => input.parentElement.style.setProperty(
    '--at', input.value + '%');
  input.addEventListener('input', set);
  set();
}
for (const figure of document.querySelectorAll('figure.peek')) {
  const image = figure.querySelector('img');
  const truth = figure.closest('.row').querySelector('figure.truth img');
  const own = image.dataset.own = image.src;
  figure.addEventListener('pointerenter', () => image.src = truth.src);
  figure.addEventListener('pointerleave', () => image.src = own);
}
"""


def page(title: str, body: str, *, css: str = "", js: str = "") -> str:
  """The whole HTML document.

  Args:
    title: escaped.
    body: HTML; where it has strips of pictures, the viewer comes with it.
    css: further style.
    js: further script.
  """
  if 'class="strip"' in body:
    body += report_viewer.HTML
    css, js = report_viewer.CSS + css, report_viewer.JS + js
  return (
    '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width,initial-scale=1">'
    f"<title>{title}</title><style>{CSS}{css}</style></head>\n"
    f"<body><main>\n{body}\n</main><script>{JS}{js}</script></body></html>\n"
  )
