"""The viewer of the report: two pictures of a strip, one over the other.

A click on a picture opens it over the truth: a line to drag, or one in place of
the other, by hand or by itself. The pictures are those of the page.
"""

CSS = """
.strip figure img { cursor: zoom-in; }
dialog.viewer { border: 0; padding: 0; width: 100vw; height: 100vh;
  max-width: none; max-height: none; background: #0d1117; color: #e8ebf0; }
body:has(dialog.viewer[open]) { overflow: hidden; }
dialog.viewer[open] { display: grid; grid-template-rows: auto 1fr auto; }
.viewer header { display: flex; flex-wrap: wrap; align-items: center;
  gap: 6px 18px; padding: 12px 20px; }
.viewer h3 { flex: 1; font-weight: 600; }
.viewer button { font: inherit; font-size: 14px; padding: 4px 12px;
  color: inherit; background: #ffffff14; border: 1px solid #ffffff26;
  border-radius: 99px; cursor: pointer; }
.viewer button[aria-pressed=true] { background: #e8ebf0; color: #0d1117; }
.viewer .frame { container-type: size; min-height: 0; }
.viewer .stage { position: relative; overflow: hidden; margin: 0 auto;
  width: min(96cqw, 100cqh); aspect-ratio: 1; border-radius: 8px;
  background: #000; touch-action: none; }
.viewer .stage img { position: absolute; inset: 0; width: 100%; height: 100%;
  object-fit: contain; transform: scale(var(--zoom, 1));
  transform-origin: var(--x, 50%) var(--y, 50%); }
.viewer .stage.slide img.over { clip-path: inset(0 0 0 var(--cut, 50%)); }
.viewer .stage:not(.slide):not(.flipped) img.over { visibility: hidden; }
.viewer .stage .bar { position: absolute; top: 0; bottom: 0; width: 2px;
  left: var(--at, 50%); margin-left: -1px; background: #fff;
  box-shadow: 0 0 4px #000; pointer-events: none; }
.viewer .stage:not(.slide) .bar { display: none; }
.viewer .stage b { position: absolute; bottom: 10px; padding: 2px 10px;
  font-size: 13px; background: #0d1117c8; border-radius: 99px; }
.viewer .stage b.under { left: 10px; }
.viewer .stage b.over { right: 10px; }
.viewer .stage:not(.slide).flipped b.under,
.viewer .stage:not(.slide):not(.flipped) b.over { display: none; }
.viewer .stage:not(.slide) b.over { right: auto; left: 10px; }
.viewer footer { padding: 10px 20px 14px; display: grid; gap: 7px; }
.viewer .picks { display: flex; flex-wrap: wrap; gap: 6px;
  justify-content: center; align-items: center; }
.viewer .picks span { font-size: 13px; color: #98a2b3; width: 42px; }
.viewer p { margin: 2px 0 0; text-align: center; font-size: 12.5px;
  color: #98a2b3; }
"""

HTML = (
  '<dialog class="viewer" aria-label="Two pictures over each other"><header>'
  '<h3></h3><div class="picks modes"><button type="button" data-mode="slide">'
  'Slide</button><button type="button" data-mode="flip">Flip</button>'
  '<button type="button" data-mode="flicker">Flicker</button></div>'
  '<button type="button" class="close" aria-label="close">&times;</button>'
  '</header><div class="frame"><div class="stage slide">'
  '<img class="under" alt=""><img class="over" alt=""><div class="bar"></div>'
  '<b class="under"></b><b class="over"></b></div></div><footer>'
  '<div class="picks" data-side="0"><span>Left</span></div>'
  '<div class="picks" data-side="1"><span>Right</span></div>'
  "<p>Drag or move to slide &middot; space flips &middot; F flickers "
  "&middot; Z zooms at the pointer &middot; &larr; &rarr; other picture on the "
  "left, with shift on the right &middot; &uarr; &darr; other row &middot; "
  "Esc closes</p></footer></dialog>"
)

JS = """
{
  const dialog = document.querySelector('dialog.viewer');
  const rows = [...document.querySelectorAll('.strip .row:not(.more)')];
  const stage = dialog.querySelector('.stage');
  const over = stage.querySelector('img.over');
  let row = 0, chosen = [0, 0], mode = 'slide', timer = 0, zoomed = false;
  // A row may go on below.
  const shown = r => [rows[r], rows[r].nextElementSibling].filter(
    e => e && (e === rows[r] || e.matches('.more'))).flatMap(
      e => [...e.querySelectorAll('figure')]).filter(
        f => f.querySelector('img'));
  const nameOf = figure => {
    const lines = figure.querySelector('figcaption').innerText.split('\\n');
    const owner = lines.find(l => l.startsWith('of '));
    return lines[0] + (owner ? ' ' + owner : '');
  };
  const source = figure => {
    const image = figure.querySelector('img');
    return image.dataset.own || image.src;
  };
  const setMode = next => {
    mode = next;
    clearInterval(timer);
    stage.classList.toggle('slide', mode === 'slide');
    stage.classList.remove('flipped');
    if (mode === 'flicker')
      timer = setInterval(() => stage.classList.toggle('flipped'), 650);
    for (const b of dialog.querySelectorAll('.modes button'))
      b.setAttribute('aria-pressed', b.dataset.mode === mode);
  };
  const draw = () => {
    const figures = shown(row);
    chosen = chosen.map(i => (i + figures.length) % figures.length);
    ['under', 'over'].forEach((side, k) => {
      stage.querySelector('img.' + side).src = source(figures[chosen[k]]);
      stage.querySelector('b.' + side).textContent =
        nameOf(figures[chosen[k]]);
      const picks = dialog.querySelector(`.picks[data-side="${k}"]`);
      picks.replaceChildren(picks.firstElementChild, ...figures.map((f, i) => {
        const button = document.createElement('button');
        button.type = 'button';
        button.textContent = nameOf(f);
        button.setAttribute('aria-pressed', i === chosen[k]);
        button.addEventListener('click', () => { chosen[k] = i; draw(); });
        return button;
      }));
    });
    const truth = figures.find(f => f.classList.contains('truth'));
    dialog.querySelector('h3').textContent = truth
      ? truth.querySelector('figcaption').innerText.split('\\n')[1] : '';
  };
  const open = figure => {
    const own = figure.closest('.row');
    row = rows.indexOf(
      own.matches('.more') ? own.previousElementSibling : own);
    const figures = shown(row);
    const truth = figures.findIndex(f => f.classList.contains('truth'));
    chosen = [figures.indexOf(figure), Math.max(truth, 0)];
    if (chosen[0] === chosen[1]) chosen[0] = 0;
    setMode('slide');
    zoom(false);
    at(0.5);
    draw();
    dialog.showModal();
  };
  const at = x => {
    stage.style.setProperty('--at', 100 * x + '%');
    // Of the picture, which may be zoomed around a point.
    const scale = zoomed ? 3 : 1;
    const origin = parseFloat(stage.style.getPropertyValue('--x') || 50) / 100;
    over.style.setProperty(
      '--cut', 100 * Math.min(1, Math.max(0,
        origin + (x - origin) / scale)) + '%');
  };
  const place = event => {
    const box = stage.getBoundingClientRect();
    return [(event.clientX - box.x) / box.width,
            (event.clientY - box.y) / box.height].map(
              v => Math.min(1, Math.max(0, v)));
  };
  let pointer = [0.5, 0.5];
  const zoom = on => {
    zoomed = on;
    stage.style.setProperty('--zoom', on ? 3 : 1);
    stage.style.setProperty('--x', 100 * pointer[0] + '%');
    stage.style.setProperty('--y', 100 * pointer[1] + '%');
    at(pointer[0]);
  };
  stage.addEventListener('pointermove', event => {
    pointer = place(event);
    at(pointer[0]);
  });
  stage.addEventListener('click', () => {
    if (mode !== 'slide') stage.classList.toggle('flipped');
  });
  for (const b of dialog.querySelectorAll('.modes button'))
    b.addEventListener('click', () => setMode(b.dataset.mode));
  dialog.querySelector('.close').addEventListener(
    'click', () => dialog.close());
  dialog.addEventListener('close', () => clearInterval(timer));
  dialog.addEventListener('keydown', event => {
    const side = event.shiftKey ? 1 : 0;
    const steps = {ArrowLeft: -1, ArrowRight: 1};
    const jumps = {ArrowUp: -1, ArrowDown: 1};
    if (event.key in steps) chosen[side] += steps[event.key];
    else if (event.key in jumps)
      row = (row + jumps[event.key] + rows.length) % rows.length;
    else if (event.key === ' ') {
      if (mode !== 'flip') setMode('flip');
      stage.classList.toggle('flipped');
    } else if (event.key === 'f') setMode('flicker');
    else if (event.key === 's') setMode('slide');
    else if (event.key === 'z') zoom(!zoomed);
    else return;
    event.preventDefault();
    draw();
  });
  for (const figure of document.querySelectorAll('.strip .row figure')) {
    const image = figure.querySelector('img');
    if (!image) continue;
    image.tabIndex = 0;
    image.addEventListener('click', () => open(figure));
    image.addEventListener('keydown', event => {
      if (event.key === 'Enter') open(figure);
    });
  }
}
"""
