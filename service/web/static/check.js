// Keys press buttons; the arrows go from word to word; what is selected is sent as places, in code points.
const text = document.getElementById("text"), find = document.getElementById("find");
const on = document.getElementById("keys"), chosen = document.getElementById("chosen");
const WORD = /[\p{L}\p{N}\p{M}_]+(?:['’-][\p{L}\p{N}\p{M}_]+)*/gu;

if (on) {
  on.checked = localStorage.getItem("check keys") !== "off";
  on.addEventListener("change", () => localStorage.setItem("check keys", on.checked ? "on" : "off"));
  on.closest(".keys").hidden = false;
}

const typing = (target) => target.matches("input:not([type=checkbox]), textarea, select");

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (step && find && move(step, event.shiftKey)) { event.preventDefault(); return; }
  if (!on || !on.checked || event.repeat) return;
  const pressed = document.querySelector(`[data-key="${CSS.escape(event.key.toLowerCase())}"]:not(:disabled)`);
  if (pressed) { event.preventDefault(); pressed.click(); }
});

// Words and masks in reading order; a word is a range, a mask its button.
const stops = [];
for (const piece of find ? text.querySelectorAll("[data-start]") : []) {
  if (piece.matches("button")) stops.push({ button: piece, node: piece.firstChild, from: 0, to: piece.textContent.length });
  else for (const found of piece.textContent.matchAll(WORD)) {
    stops.push({ node: piece.firstChild, from: found.index, to: found.index + found[0].length });
  }
}
let first = -1, last = -1;

function move(step, wider) {
  if (!stops.length) return false;
  last = Math.min(stops.length - 1, Math.max(0, last + step));
  if (!wider) first = last;
  const [a, b] = first <= last ? [stops[first], stops[last]] : [stops[last], stops[first]];
  const range = document.createRange();
  range.setStart(a.node, a.from);
  range.setEnd(b.node, b.to);
  if (a === b && a.button && !a.button.disabled) { getSelection().removeAllRanges(); a.button.focus(); }
  else {
    text.focus({ preventScroll: true });
    getSelection().removeAllRanges();
    getSelection().addRange(range);
    a.node.parentElement.scrollIntoView({ block: "nearest" });
  }
  return true;
}

function selected() {
  const selection = getSelection();
  if (!selection.rangeCount || selection.isCollapsed) return null;
  const range = selection.getRangeAt(0);
  return text.contains(range.startContainer) && text.contains(range.endContainer) ? range : null;
}

// How many code points of the whole text stand before a place in it. A browser counts in UTF-16 units.
function place(node, offset) {
  const before = document.createRange();
  before.setStart(text, 0);
  before.setEnd(node, offset);
  return [...before.toString()].length;
}

let held = null; // pressing a button may take the selection away
if (find) {
  document.addEventListener("selectionchange", () => {
    held = selected()?.cloneRange() ?? (text.contains(getSelection().anchorNode) ? null : held);
    chosen.textContent = held ? `Chosen: ${held.toString()}` : "";
  });
  find.addEventListener("submit", () => {
    held = selected()?.cloneRange() ?? held; // a quick hand is here before the event above
    if (!held || find.elements.words.value.trim()) return;
    find.elements.place.value = `${place(held.startContainer, held.startOffset)}-${place(held.endContainer, held.endOffset)}`;
    find.elements.seen.value = held.toString();
  });
  text.focus({ preventScroll: true });
}
