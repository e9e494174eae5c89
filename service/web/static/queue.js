// The queue. Every key presses a button. What waits to be saved is kept as ids and offsets, never as words.
import { restart, seconds } from "/static/active.js";
import { points, units, wordsOf } from "/static/offsets.js";

const $ = (id) => document.getElementById(id);
const queue = $("queue"), find = $("find"), found = $("found"), { base, study, kind, person } = queue.dataset;
const STANCES = { "": "", going_well: "going well", worry: "worry", mixed: "mixed", need: "need" };
const SIGNS = { ArrowUp: "↑", ArrowDown: "↓", ArrowLeft: "←", ArrowRight: "→" };
const held = (name, otherwise) => JSON.parse(sessionStorage.getItem(`heard ${person} ${name}`)) ?? otherwise;
const hold = (name, value) => sessionStorage.setItem(`heard ${person} ${name}`, JSON.stringify(value));
const saved = new Map();
let keys = JSON.parse(queue.dataset.keys), single = queue.dataset.single === "on", young = queue.dataset.young === "on";
let codes = new Map(), version = "", item, next = null, trail = [], busy = false, span = null, picking = null, waiting = "", resending = false;

// Asking the service.
async function ask(path, body) {
  const options = { headers: { fetch: "queue" }, signal: AbortSignal.timeout(15000) };
  if (body) {
    Object.assign(options, { method: "POST", body: JSON.stringify(body) });
    options.headers["Content-Type"] = "application/json";
  }
  try {
    const answer = await fetch(path, options);
    const json = (answer.headers.get("Content-Type") ?? "").includes("json");
    return { status: answer.status, ok: answer.ok, data: json ? await answer.json() : await answer.text() };
  } catch { return { status: 0, ok: false, data: "" }; }
}
const lost = (answer) => !answer.status || answer.status === 401 || answer.status >= 500;
function problem({ status, data }) {
  const words = { 0: "The service cannot be reached.", 401: "You are signed out.", 403: "Your role has no leave for this." };
  return data.problem ?? words[status] ?? "This did not work. Load the page again; what you chose is kept.";
}
const load = async (path) => { const answer = await ask(path); return answer.ok ? answer.data : null; };
const say = (words) => { $("status").textContent = words === $("status").textContent ? `${words} ` : words; };
const ready = loadCodes();

async function loadCodes() {
  const book = await load(`${study}/codes`);
  if (!book) return;
  version = book.version;
  codes = new Map(book.codes.map((c) => [c.id, { ...c, name: `${c.label} ${c.young} ${c.id}`.toLowerCase() }]));
  for (const c of codes.values()) c.all = `${c.name} ${c.definition.toLowerCase()}`;
  if (item) draw();
}

// One text.
function show(html) {
  const page = new DOMParser().parseFromString(html, "text/html");
  if (!page.getElementById("text")) return say("The next text could not be shown. Load the page again.");
  for (const id of ["text", "codes"]) $(id).replaceWith(page.getElementById(id));
  take();
  lookAt();
}

// The text and its first code in view, wherever one had scrolled to.
function lookAt() {
  const desk = queue.querySelector(".desk"), { top } = desk.getBoundingClientRect();
  $("heading").focus({ preventScroll: true });
  if (top < 0 || top > innerHeight * 0.4) desk.scrollIntoView();
}

function take() {
  const { segment, state, start, redacted = "", flags = "", version: made } = $("text").dataset;
  item = {
    id: segment, state, from: +start, text: $("words")?.textContent ?? "", chosen: new Map(), at: 0, steps: [], nothing: false,
    redacted: redacted.split(" ").filter(Boolean).map((r) => r.split("-").map(Number)),
  };
  for (const { code, ...given } of JSON.parse($("codes").dataset.given ?? "[]")) item.chosen.set(code, { yes: true, suggestion: null, ...given });
  const draft = held("drafts", {})[segment];
  if (draft && state !== "done") item.chosen = new Map(draft);
  span = picking = null;
  for (const name of ["discuss", "disclosure"]) button(name).setAttribute("aria-pressed", flags.split(" ").includes(name));
  for (const b of queue.querySelectorAll(".shown")) b.hidden = state === "blind";
  if (segment) history.replaceState(null, "", `${base}/read?at=${encodeURIComponent(segment)}`);
  if (made !== version) loadCodes();
  restart();
  draw();
  next = segment ? load(`${base}/item?after=${encodeURIComponent(segment)}`) : null;
}

const button = (name) => queue.querySelector(`[data-act="${name}"]`);
const rows = () => [...$("rows").children];
const current = () => rows()[item.at];
const rowOf = (code) => rows().find((row) => row.dataset.code === code);
const label = (code) => { const c = codes.get(code); return c ? (young && c.young) || c.label : code; };
const spanOf = (row) => {
  const c = item.chosen.get(row.dataset.code), own = c && (c.yes || c.end);
  return own ? [c.start, c.end] : [+(row.dataset.start ?? 0), +(row.dataset.end ?? 0)];
};

function draw() {
  for (const row of rows()) if (!row.dataset.suggestion && !item.chosen.get(row.dataset.code)?.yes) row.remove();
  for (const [code, c] of item.chosen) {
    if (!c.yes || rowOf(code)) continue;
    const row = $("row").content.firstElementChild.cloneNode(true);
    row.dataset.code = code;
    $("rows").append(row);
  }
  item.at = Math.max(0, Math.min(item.at, rows().length - 1));
  rows().forEach(drawRow);
  button("nothing").setAttribute("aria-pressed", item.nothing);
  drawHand();
  tell(current()?.dataset.code);
  paint();
  if (item.state === "done") return;
  const { [item.id]: _, ...drafts } = held("drafts", {});
  hold("drafts", item.chosen.size ? { ...drafts, [item.id]: [...item.chosen] } : drafts);
}

function drawRow(row, n) {
  const { code } = row.dataset, c = item.chosen.get(code);
  row.querySelector(".pick").setAttribute("aria-pressed", c?.yes === true);
  row.querySelector("kbd").textContent = n < 9 ? n + 1 : "";
  if (codes.has(code) || !row.dataset.suggestion) row.querySelector(".label").textContent = label(code);
  row.classList.toggle("now", n === item.at);
  row.classList.toggle("yes", c?.yes === true);
  row.classList.toggle("no", c?.yes === false);
  const said = ["✓ Given", STANCES[c?.stance], c?.end && !row.dataset.suggestion ? "words chosen" : ""];
  row.querySelector(".verdict").textContent = c?.yes ? said.filter(Boolean).join(", ") : c?.yes === false ? "✗ Rejected" : "";
}

function drawHand() {
  const shown = rows().length, first = [...codes.keys()].slice(0, 9);
  const near = [...new Set([...held("hand", []).filter((code) => codes.has(code)), ...first])].slice(0, 9);
  const list = item.id ? near.filter((code) => !rowOf(code)).slice(0, Math.max(0, 9 - shown)) : [];
  $("hand").replaceChildren(...list.map((code, n) => {
    const b = h("button", "", h("kbd", shown + n + 1), ` ${label(code)}`);
    b.type = "button"; b.dataset.code = code; b.firstChild.ariaHidden = "true";
    return b;
  }));
}

function h(tag, words, ...kids) {
  const made = document.createElement(tag);
  made.textContent = words;
  made.append(...kids);
  return made;
}

// The codebook's words on a code.
function tell(code) {
  const c = codes.get(code), list = (title, said) => (said.length ? [h("h3", title), h("ul", "", ...said.map((s) => h("li", s)))] : []);
  $("about").hidden = !c;
  if (!c) return;
  const not = c.exclude.map((e) => e.text + (codes.has(e.see) ? ` (that is “${label(e.see)}”)` : ""));
  const other = c.young && c.young !== c.label ? [h("p", `${young ? "Researchers" : "Young people"} say: ${young ? c.label : c.young}`)] : [];
  $("about").replaceChildren(
    h("h2", label(code)), ...other, h("p", c.definition), ...list("Belongs here", c.include), ...list("Does not", not), ...list("For example", c.examples),
  );
}

// The text with its marks.
function paint() {
  const box = $("words");
  if (!box) return;
  const chars = [...item.text], now = current();
  const marks = rows().filter((row) => item.chosen.get(row.dataset.code)?.yes !== false).map((row) => [...spanOf(row), row === now]);
  const edges = [0, chars.length, ...marks.flatMap(([a, b]) => [a, b]), ...item.redacted.flat()].filter((e) => e >= 0 && e <= chars.length);
  const cuts = [...new Set(edges)].sort((a, b) => a - b);
  box.replaceChildren(...cuts.slice(1).map((end, n) => {
    const within = ([a, b]) => a <= cuts[n] && end <= b, on = marks.filter(within), words = chars.slice(cuts[n], end).join("");
    const part = item.redacted.some(within) ? Object.assign(h("span", words), { className: "redacted" }) : document.createTextNode(words);
    return on.length ? Object.assign(h("mark", "", part), { className: on.some((m) => m[2]) ? "now" : "other" }) : part;
  }));
  if (span) select(span);
}

// Words that are chosen in the text; `span` is in code points.
document.addEventListener("selectionchange", () => {
  const chosen = getSelection(), box = $("words");
  if (!box || !chosen.rangeCount || picking) return;
  const range = chosen.getRangeAt(0).cloneRange(), all = document.createRange();
  all.selectNodeContents(box);
  if (range.collapsed || !range.intersectsNode(box)) { if (box.contains(chosen.anchorNode)) span = null; return; }
  if (range.compareBoundaryPoints(Range.START_TO_START, all) < 0) range.setStart(box, 0);
  if (range.compareBoundaryPoints(Range.END_TO_END, all) > 0) range.setEnd(box, box.childNodes.length);
  const words = range.toString();
  all.setEnd(range.startContainer, range.startOffset);
  const from = all.toString().length + (words.length - words.trimStart().length);
  span = words.trim() ? [points(item.text, from), points(item.text, from + words.trim().length)] : null;
});

function place(at) {
  const walk = document.createTreeWalker($("words"), NodeFilter.SHOW_TEXT);
  for (let node; (node = walk.nextNode()); at -= node.length) if (at <= node.length) return [node, at];
  return [$("words"), $("words").childNodes.length];
}

function select([a, b]) {
  getSelection().setBaseAndExtent(...place(units(item.text, a)), ...place(units(item.text, b)));
}

function startPicking() {
  const all = wordsOf(item.text), at = current() ? units(item.text, spanOf(current())[0]) : 0;
  if (!all.length) return;
  const first = Math.max(0, all.findIndex(([, end]) => end > at));
  picking = { all, from: first, to: first };
  $("words").focus();
  pickWords("Arrows move, Shift and an arrow widen, Enter takes the words, Escape leaves. ");
}

function pickWords(hint = "") {
  const { all, from, to } = picking;
  span = [points(item.text, all[from][0]), points(item.text, all[to][1])];
  select(span);
  say(hint + item.text.slice(all[from][0], all[to][1]));
}

function pick(event) {
  const last = picking.all.length - 1, step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  if (step && event.shiftKey) picking.to = Math.max(picking.from, Math.min(last, picking.to + step));
  else if (step) picking.from = picking.to = Math.max(0, Math.min(last, (step > 0 ? picking.to : picking.from) + step));
  else if (event.key === "Escape") { span = picking = null; getSelection().removeAllRanges(); $("heading").focus(); return say("No words chosen."); }
  else if (event.key === "Enter" || event.key === keys.words) { picking = null; return does.words(); }
  else return;
  pickWords();
}

// What a coder does.
const locked = () => !item.id || (item.state === "done" && kind === "review");
function change(act) {
  if (locked()) return say(item.id ? "You have decided on this text. Undo it to decide anew." : "There is no text here.");
  item.steps.push(JSON.stringify([[...item.chosen], item.nothing, item.at]));
  item.nothing = false;
  act();
  span = null;
  draw();
}

function give(code, yes) {
  change(() => {
    const row = rowOf(code), old = item.chosen.get(code), suggestion = row?.dataset.suggestion;
    if (yes === undefined) return void item.chosen.delete(code);
    const [start, end] = (yes && span) || (row ? spanOf(row) : [0, 0]);
    item.chosen.set(code, { yes, stance: old?.stance ?? "", start, end, suggestion: suggestion ? +suggestion : null });
    if (!row) item.at = rows().length;
    if (yes && !held("hand", []).includes(code)) hold("hand", [code, ...held("hand", [])].slice(0, 9));
  });
}

function toggle(code) {
  const row = rowOf(code);
  if (row) item.at = rows().indexOf(row);
  const on = item.chosen.get(code)?.yes === true && !span;
  give(code, on ? undefined : true);
  say(`${label(code)}: ${on ? "taken off" : "given"}.`);
}

function judge(yes) {
  const row = current();
  if (!row) return say("There is no suggestion here. Find a code instead.");
  give(row.dataset.code, yes || row.dataset.suggestion ? yes : undefined);
  const open = rows().findIndex((r, n) => n > item.at && !item.chosen.has(r.dataset.code));
  if (open > 0) { item.at = open; draw(); }
  say(`${label(row.dataset.code)}: ${yes ? "given" : "rejected"}.${open > 0 ? ` Next: ${label(current().dataset.code)}.` : ""}`);
}

function move(by) {
  if (!rows().length) return;
  item.at = (item.at + by + rows().length) % rows().length;
  draw();
  say(`${item.at + 1} of ${rows().length}: ${current().textContent.replace(/\s+/g, " ").trim()}`);
}

const does = {
  save: () => save(), skip: () => save(true), accept: () => judge(true), reject: () => judge(false), up: () => move(-1), down: () => move(1),
  find: () => find.focus(), on: () => advance(), memo: () => openMemo(), keys: () => $("keys-dialog").showModal(),
  words() {
    if (locked() || (!span && !picking)) return locked() ? change() : startPicking();
    picking = null;
    if (!current()) { find.focus(); return say("Now find the code for these words."); }
    const { code } = current().dataset;
    give(code, true);
    $("heading").focus({ preventScroll: true });
    say(`Words chosen for ${label(code)}.`);
  },
  stance() {
    const row = current();
    if (!row) return say("Give a code first.");
    const { code } = row.dataset, all = Object.keys(STANCES);
    if (!item.chosen.get(code)?.yes) give(code, true);
    change(() => { const c = item.chosen.get(code); item.chosen.set(code, { ...c, stance: all[(all.indexOf(c.stance) + 1) % all.length] }); });
    say(`${label(code)}: ${STANCES[item.chosen.get(code)?.stance] || "no stance"}.`);
  },
  nothing() {
    change(() => {
      item.chosen = new Map(rows().filter((r) => r.dataset.suggestion).map((r) => [r.dataset.code, { yes: false, stance: "", start: 0, end: 0, suggestion: +r.dataset.suggestion }]));
      item.nothing = true;
    });
    if (item.nothing) say("Nothing fits. Save to keep that.");
  },
  async back() {
    const before = trail.pop(), html = before && (await load(`${base}/items/${encodeURIComponent(before)}`));
    if (html) show(html); else say("There is no text before this one to go back to.");
  },
  async undo() {
    if (item.steps.length) {
      const [chosen, nothing, at] = JSON.parse(item.steps.pop());
      Object.assign(item, { chosen: new Map(chosen), nothing, at });
      draw();
      return say("Undone.");
    }
    if (busy) return;
    busy = true;
    const answer = await ask(`${base}/undo`, {});
    busy = false;
    if (!answer.ok) return say(problem(answer));
    const { segment, html } = answer.data;
    hold("drafts", { ...held("drafts", {}), [segment]: saved.get(segment) ?? [] });
    trail = trail.filter((id) => id !== segment);
    show(html);
    say("Taken back. Decide on this text anew.");
    later();
  },
  discuss: () => flag("discuss", "Flagged, to talk about with the team."),
  disclosure: () => flag("disclosure", "Listed for those who safeguard. The list tells nobody by itself: follow your safeguarding procedure now."),
};

async function flag(name, words) {
  const answer = await ask(`${study}/queue/flags`, { segment: item.id, kind: name });
  if (answer.ok) button(name).setAttribute("aria-pressed", true);
  say(answer.ok ? words : `Not flagged. ${problem(answer)}`);
}

// Saving.
const token = () => [...crypto.getRandomValues(new Uint8Array(16))].map((b) => b.toString(16).padStart(2, "0")).join("");
const settle = (entry) => hold("pending", held("pending", []).filter((e) => e.body.token !== entry.body.token));

async function save(skip = false) {
  if (busy || !item.id) return;
  const done = item.state === "done", all = [...item.chosen].map(([code, c]) => ({ code, ...c })), given = all.filter((c) => c.yes);
  if (done && (kind === "review" || skip || !item.steps.length)) return advance();
  if (held("pending", []).some((e) => e.segment === item.id)) return resend();
  if (!skip && !given.length && !item.nothing && !done) return say("Nothing is chosen yet: give a code, or press Nothing fits, or Skip.");
  busy = true;
  const choices = given.map(({ code, stance, start, end, suggestion }) => ({ code, stance, suggestion, start: end ? item.from + start : 0, end: end ? item.from + end : 0 }));
  const shown = rows().filter((row) => row.dataset.suggestion).map((row) => +row.dataset.suggestion);
  const rejected = all.filter((c) => c.yes === false && c.suggestion).map((c) => c.suggestion);
  const body = { token: token(), choices, rejected, shown, skip, revise: done, seconds: seconds(), codebook: version };
  const entry = { segment: item.id, url: `${base}/items/${encodeURIComponent(item.id)}`, body };
  hold("pending", [...held("pending", []), entry]);
  const chars = [...item.text], quoted = given.map((c, n) => ({ ...choices[n], quote: chars.slice(c.start, c.end).join("") }));
  const answer = await ask(entry.url, { ...body, choices: quoted });
  busy = false;
  if (lost(answer)) { tellPending(problem(answer)); return advance(); }
  settle(entry);
  if (!answer.ok) {
    if (answer.status === 412) await loadCodes();
    return say(problem(answer));
  }
  saved.set(item.id, [...item.chosen]);
  forget(item.id);
  later();
  if (!answer.data.revealed) return advance(skip ? "Skipped." : "Saved.");
  show(answer.data.revealed);
  if (!$("rows").querySelector("[data-suggestion]")) return advance("Saved. The machine suggests nothing for it.");
  say("Saved. Now you see what the machine suggests; Save again goes on.");
}

function forget(segment) {
  const { [segment]: _, ...drafts } = held("drafts", {});
  hold("drafts", drafts);
}

async function advance(words = "") {
  if (busy) return;
  busy = true;
  const path = `${base}/item?after=${encodeURIComponent(item.id)}`, left = item.id;
  const html = (await next) ?? (await load(path));
  busy = false;
  next = null;
  if (!html) return held("pending", []).length || say("The next text cannot be loaded. Try again in a moment.");
  if (left) trail.push(left);
  show(html);
  say(words);
}

function tellPending(why) {
  const waits = held("pending", []).length, box = $("pending");
  box.hidden = !waits;
  if (!waits) return;
  box.querySelector("p").textContent = `${why} ${waits === 1 ? "One decision is" : `${waits} decisions are`} kept in this window and not saved yet. Nothing is lost.`;
  box.querySelector("a").href = `/sign-in?then=${encodeURIComponent(location.pathname + location.search)}`;
}

async function resend() {
  if (resending) return;
  resending = true;
  const told = [];
  for (const entry of held("pending", [])) {
    const answer = await ask(entry.url, entry.body);
    if (lost(answer)) { tellPending(problem(answer)); resending = false; return; }
    settle(entry);
    if (answer.ok) forget(entry.segment); else told.push(problem(answer));
    if (entry.segment === item.id && answer.ok) await advance();
  }
  resending = false;
  tellPending("");
  later();
  say(["What was kept is sent.", ...told].join(" "));
}

let timer = 0;
function later() {
  clearTimeout(timer);
  timer = setTimeout(async () => { const words = await load(`${base}/tally`); if (words) $("tally").textContent = words; }, 1200);
}
let before = 0;
setInterval(async () => {
  const spent = seconds();
  if (spent === before || !item.id) return;
  before = spent;
  const ahead = /data-segment="([^"]+)"/.exec((await next) ?? "");
  ask(`${base}/hold`, { segments: [item.id, ...(ahead ? [ahead[1]] : [])] });
}, 240000);
setInterval(() => { if (held("pending", []).length) resend(); }, 20000);
addEventListener("online", () => { if (held("pending", []).length) resend(); });
$("again").addEventListener("click", resend);

// Finding a code.
function search(all = false) {
  const said = find.value.trim().toLowerCase(), hits = [[], [], [], []];
  if (said || all) {
    for (const c of codes.values()) {
      const rank = c.name.startsWith(said) ? 0 : c.name.includes(` ${said}`) ? 1 : c.name.includes(said) ? 2 : c.all.includes(said) ? 3 : -1;
      if (rank >= 0) hits[rank].push(c);
    }
  }
  const list = hits.flat().slice(0, 30);
  found.replaceChildren(...list.map((c, n) => Object.assign(h("li", label(c.id), h("small", ` ${c.id}`)), { id: `o-${n}`, role: "option" })));
  list.forEach((c, n) => { found.children[n].dataset.code = c.id; });
  found.hidden = !list.length;
  find.setAttribute("aria-expanded", !found.hidden);
  mark(0);
  if (said && !list.length) say("No code is called that.");
}

function mark(n) {
  const list = [...found.children];
  list.forEach((li, k) => li.setAttribute("aria-selected", k === n));
  if (!list[n]) return find.removeAttribute("aria-activedescendant");
  find.setAttribute("aria-activedescendant", list[n].id);
  list[n].scrollIntoView({ block: "nearest" });
  tell(list[n].dataset.code);
}

function leaveFind(code) {
  find.value = "";
  search();
  $("heading").focus({ preventScroll: true });
  if (!code) return draw();
  if (item.chosen.get(code)?.yes && !span) say(`${label(code)} is given already.`); else toggle(code);
}

find.addEventListener("input", () => search());
find.addEventListener("keydown", (event) => {
  const list = [...found.children], at = list.findIndex((li) => li.ariaSelected === "true"), step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (event.isComposing) return;
  if (step && !list.length) search(true);
  else if (step) mark((at + step + list.length) % list.length);
  else if (event.key === "Escape") leaveFind();
  else if (event.key === "Enter") { if (list[at]) leaveFind(list[at].dataset.code); }
  else return;
  event.preventDefault();
});
found.addEventListener("pointerdown", (event) => {
  event.preventDefault();
  const li = event.target.closest("li");
  if (li) leaveFind(li.dataset.code);
});

// Keys press buttons.
const keyOf = (event) => (event.key.length === 1 ? event.key.toLowerCase() : event.key);
document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
  if (picking && event.key !== "Tab") { event.preventDefault(); if (!["Shift"].includes(event.key)) pick(event); return; }
  const key = keyOf(event), on = event.target;
  if (on.closest("input, textarea, select, dialog") || (key === "Enter" && on.closest("a, button, summary"))) return;
  if (key.length === 1 && !single) return;
  const name = Object.keys(keys).find((n) => keys[n] === key);
  const numbered = () => [...queue.querySelectorAll(".pick, .hand button")].find((b) => b.querySelector("kbd").textContent === key);
  const pressed = name ? button(name) : /^[1-9]$/.test(key) ? numbered() : null;
  if (!pressed || pressed.hidden || (["up", "down"].includes(name) && rows().length < 2)) return;
  event.preventDefault();
  if (!event.repeat || name === "up" || name === "down") pressed.click();
});
queue.addEventListener("click", (event) => {
  const pressed = event.target.closest("button");
  if (!pressed) return;
  const { act, code } = pressed.dataset, row = pressed.closest(".row");
  if (act) does[act]();
  else if (row || code) toggle(row ? row.dataset.code : code);
  if (event.detail && (row || code || act) && !["find", "memo", "keys", "words"].includes(act)) $("heading").focus({ preventScroll: true });
});
document.addEventListener("pointerdown", () => { picking = null; });

// Memos, keys and wording.
const memo = $("memo-dialog");
function openMemo() {
  if (item.id) memo.showModal();
}
memo.querySelector("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const sent = { segment: item.id, kind: $("memo-kind").value, words: $("memo-words").value, identifies_nobody: $("memo-safe").checked };
  const answer = await ask(`${study}/queue/memos`, sent), told = memo.querySelector("[role=alert]");
  told.hidden = answer.ok;
  told.textContent = answer.ok ? "" : `Not kept yet. ${problem(answer)} What you wrote stays here.`;
  memo.querySelector(".tick").hidden = !answer.data.identifies;
  if (!answer.ok) return;
  $("memo-words").value = "";
  $("memo-safe").checked = false;
  memo.close();
  say("The memo is kept.");
});
for (const b of queue.querySelectorAll(".close")) b.addEventListener("click", () => b.closest("dialog").close());

const board = $("keys-dialog");
function drawKeys() {
  for (const [name, key] of Object.entries(keys)) {
    button(name).setAttribute("aria-keyshortcuts", key);
    button(name).querySelector("kbd").textContent = SIGNS[key] ?? key;
    board.querySelector(`[data-remap="${name}"]`).textContent = name === waiting ? "Press a key" : SIGNS[key] ?? key;
  }
  queue.querySelector(".find label kbd").textContent = keys.find;
}
async function keepChoices(changed = keys) {
  const answer = await ask("/me/keys", { keys: changed, single, young }), told = board.querySelector("[role=alert]");
  const wrong = !answer.ok || answer.data.problem;
  told.hidden = !wrong;
  told.textContent = wrong ? problem(answer) : "";
  if (!wrong) keys = changed;
  drawKeys();
}
board.addEventListener("click", (event) => {
  const name = event.target.dataset.remap;
  if (name) { waiting = name; drawKeys(); }
});
board.addEventListener("keydown", (event) => {
  if (!waiting || ["Tab", "Shift"].includes(event.key)) return;
  event.preventDefault();
  const name = waiting, key = keyOf(event), other = Object.keys(keys).find((n) => keys[n] === key);
  waiting = "";
  if (key === "Escape" || /^[0-9 ]$/.test(key)) return drawKeys();
  keepChoices({ ...keys, ...(other ? { [other]: keys[name] } : {}), [name]: key });
});
$("single").addEventListener("change", () => { single = $("single").checked; keepChoices(); });
$("standard").addEventListener("click", () => {
  keepChoices(Object.fromEntries(Object.entries(JSON.parse($("standard").dataset.standard)).map(([name, [key]]) => [name, key])));
});
$("young")?.addEventListener("click", () => {
  young = !young;
  $("young").setAttribute("aria-pressed", young);
  keepChoices();
  draw();
});

take();
drawKeys();
ready.then(() => { queue.dataset.ready = "yes"; });
if (held("pending", []).length) resend(); else lookAt();
