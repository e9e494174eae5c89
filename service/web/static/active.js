// Time spent on a text: pauses of more than half a minute, and time when the page is not in sight, are not counted.
const PAUSE = 30000;
let spent = 0, last = performance.now();

function beat() {
  const now = performance.now();
  if (last !== null && now - last <= PAUSE) spent += now - last;
  last = document.hidden ? null : now;
}

for (const kind of ["keydown", "pointerdown", "pointermove", "wheel", "scroll"]) {
  addEventListener(kind, beat, { passive: true, capture: true });
}
document.addEventListener("visibilitychange", beat);
export const restart = () => { beat(); spent = 0; };
export const seconds = () => { beat(); return Math.round(spent) / 1000; };
