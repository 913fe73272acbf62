"""Looks and behaviour of the page of a study."""

CSS = """
:root { --ink: #1c2330; --soft: #667085; --line: #d9dde3; --paper: #f4f3ef; }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { max-width: 1360px; min-height: 100vh; margin: 0 auto; display: flex;
  flex-direction: column; padding: 14px 24px 18px; }
header, .tools { display: flex; align-items: center; gap: 12px; }
h1 { font-size: 20px; margin: 0; flex: 1; letter-spacing: -0.01em; }
progress { width: 180px; height: 8px; accent-color: #1f6feb; }
.count { color: var(--soft); font-variant-numeric: tabular-nums; }
#asking { margin: auto 0; display: grid; gap: 18px; }
.stage { display: grid; grid-template-columns: 1fr 168px 1fr; gap: 20px;
  margin: 0 auto; width: min(100%, 2 * (100vh - 210px) + 208px); }
.stage > * { display: flex; flex-direction: column; gap: 12px; }
.stage button { width: 100%; }
.stage .middle { justify-content: space-between; text-align: center; }
figure { margin: 0; }
figure div { overflow: hidden; aspect-ratio: 1; border-radius: 6px;
  background: var(--line); cursor: crosshair; }
figure img { width: 100%; height: 100%; object-fit: contain; display: block;
  transform: scale(var(--zoom, 1));
  transform-origin: var(--x, 50%) var(--y, 50%); }
figcaption { font-size: 14px; color: var(--soft); margin-top: 6px;
  text-align: center; }
button, input { font: inherit; padding: 9px 18px; border-radius: 8px;
  border: 1px solid var(--line); background: #fff; color: var(--ink); }
button { cursor: pointer; }
button:hover { border-color: var(--ink); }
button:disabled { opacity: 0.4; cursor: default; }
button.main { background: var(--ink); color: #fff; border-color: var(--ink); }
button[aria-pressed=true] { outline: 3px solid #1f6feb; }
kbd { font: 12px ui-monospace, Menlo, monospace; opacity: 0.65;
  margin: 0 4px; }
.tools { padding-top: 14px; flex-wrap: wrap;
  color: var(--soft); font-size: 14px; }
.tools button { padding: 4px 12px; font-size: 14px; }
.tools span { flex: 1; }
.card { max-width: 620px; margin: 24vh auto auto; }
.card h1 { font-size: 30px; margin-bottom: 12px; }
[hidden] { display: none !important; }
"""

HTML = """
<main>
<section class="card" id="start"><h1>Which looks better?</h1>
<p>You will see two pictures beside each other. In each, the same part was
missing and was filled by a program. Choose the one that looks more natural,
with the buttons or the arrow keys. The damaged picture stands small between
them. There is no right answer, and nothing is sent anywhere: you save a file at
the end.</p>
<p><input id="rater" placeholder="Your name or a pseudonym" size="28"
aria-label="your name">
<button type="button" class="main" id="begin">Begin</button></p></section>
<section id="asking" hidden><header><h1>Which looks more natural?</h1>
<span class="count"></span><progress value="0" max="1"></progress></header>
<div class="stage">
<div><figure><div><img alt="left result"></div></figure>
<button type="button" data-choice="left"><kbd>&larr;</kbd> Left</button></div>
<div class="middle"><figure><div><img alt="damaged picture"></div>
<figcaption>What was missing</figcaption></figure>
<button type="button" data-choice="same">No difference <kbd>&darr;</kbd>
</button></div>
<div><figure><div><img alt="right result"></div></figure>
<button type="button" data-choice="right">Right <kbd>&rarr;</kbd></button></div>
</div></section>
<section class="card" id="end" hidden><h1>Thank you</h1>
<p>All questions are answered. Please save your answers and send the file to
whoever asked you.</p>
<p><button type="button" class="main" data-save="json">Save answers</button></p>
</section>
<div class="tools" hidden>
<button type="button" id="back">Back<kbd>B</kbd></button>
<button type="button" id="zoom">Zoom at the pointer<kbd>Z</kbd></button>
<span></span>
<button type="button" data-save="json">Save answers</button>
<button type="button" data-save="csv">as CSV</button></div>
</main>
"""

JS = """
const study = JSON.parse(document.getElementById('study').textContent);
const find = selector => document.querySelector(selector);
const key = 'study-' + study.study;
let kept = {rater: '', answers: {}}, current = 0, since = 0, zoomed = false;
try { kept = JSON.parse(localStorage.getItem(key)) || kept; } catch (e) {}
// Some browsers keep nothing of a page opened as a file: save before closing.
const keep = () => {
  try { localStorage.setItem(key, JSON.stringify(kept)); } catch (e) {}
};
const unanswered = () => study.questions.findIndex(
  q => !(q.question in kept.answers));

function show(n) {
  const total = study.questions.length, done = Object.keys(kept.answers).length;
  current = n;
  const over = n < 0 || n >= total;
  find('#start').hidden = true;
  find('#asking').hidden = over;
  find('#end').hidden = !over;
  find('.tools').hidden = false;
  find('#zoom').hidden = over;
  find('#back').disabled = !(over ? total : n);
  find('progress').value = done / total;
  find('.count').textContent = `${Math.min(n + 1, total)} of ${total}`;
  if (over) { current = total; return; }
  const question = study.questions[n];
  document.querySelectorAll('.stage img').forEach(
    (image, i) => image.src = question.pictures[i]);
  const before = kept.answers[question.question];
  for (const b of document.querySelectorAll('[data-choice]'))
    b.setAttribute('aria-pressed', before?.choice === b.dataset.choice);
  zoom(false);
  since = performance.now();
}

function answer(choice) {
  const {pictures, ...question} = study.questions[current];
  const seconds = Math.round((performance.now() - since) / 100) / 10;
  kept.answers[question.question] = {...question, choice, seconds};
  keep();
  const next = current + 1;
  show(next < study.questions.length ? next : unanswered());
}

function zoom(on) {
  zoomed = on;
  document.body.style.setProperty('--zoom', on ? 3 : 1);
}

function save(kind) {
  const answers = study.questions.map(q => kept.answers[q.question])
    .filter(Boolean);
  const fields = ['question', 'image', 'ratio', 'classes', 'left', 'right',
    'choice', 'seconds'];
  const cell = v => `"${String(v).replaceAll('"', '""')}"`;
  const text = kind === 'json'
    ? JSON.stringify({study: study.study, rater: kept.rater, answers}, null, 1)
    : [['study', 'rater', ...fields],
       ...answers.map(a => [study.study, kept.rater, ...fields.map(f => a[f])])
      ].map(line => line.map(cell).join(',')).join('\\n') + '\\n';
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([text], {type: 'text/plain'}));
  link.download = `study-${kept.rater.replace(/[^\\w-]+/g, '_')}-` +
    `${study.study.slice(0, 6)}.${kind}`;
  link.click();
}

function begin() {
  kept.rater = find('#rater').value.trim() || kept.rater ||
    'rater-' + Math.random().toString(36).slice(2, 8);
  keep();
  show(unanswered());
}

find('#rater').value = kept.rater;
find('#begin').addEventListener('click', begin);
find('#rater').addEventListener('keydown', event => {
  if (event.key === 'Enter') begin();
});
find('#back').addEventListener('click', () => show(current - 1));
find('#zoom').addEventListener('click', () => zoom(!zoomed));
for (const b of document.querySelectorAll('[data-choice]'))
  b.addEventListener('click', () => answer(b.dataset.choice));
for (const b of document.querySelectorAll('[data-save]'))
  b.addEventListener('click', () => save(b.dataset.save));
for (const box of document.querySelectorAll('.stage figure div'))
  box.addEventListener('pointermove', event => {
    const r = box.getBoundingClientRect(), s = document.body.style;
    s.setProperty('--x', 100 * (event.clientX - r.x) / r.width + '%');
    s.setProperty('--y', 100 * (event.clientY - r.y) / r.height + '%');
  });
document.addEventListener('keydown', event => {
  if (!find('#start').hidden) return;
  const choice = {ArrowLeft: 'left', ArrowDown: 'same', ArrowRight: 'right'}[
    event.key];
  const asking = !find('#asking').hidden;
  if (choice && asking && !event.repeat) answer(choice);
  else if (event.key === 'z' && asking) zoom(!zoomed);
  else if (event.key === 'b' && current > 0) show(current - 1);
  else return;
  event.preventDefault();
});
"""
