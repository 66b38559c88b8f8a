// What a page of the guide does beyond being read: copies code, and searches without asking the service.

import { excerpt, find, prepare } from "./search.js";

const said = document.body.dataset;
const COPIED_MS = 1500;

function copyable(block) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = said.copy;
  button.addEventListener("click", async () => {
    const text = block.querySelector("code").textContent;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      if (!copiedOldWay(block)) return; // the clipboard is closed to pages that came without TLS
    }
    button.textContent = said.copied;
    setTimeout(() => { button.textContent = said.copy; }, COPIED_MS);
  });
  block.append(button);
}

function copiedOldWay(block) {
  const range = document.createRange();
  range.selectNodeContents(block.querySelector("code"));
  const selection = getSelection();
  selection.removeAllRanges();
  selection.addRange(range);
  return document.execCommand("copy");
}

document.querySelectorAll(".code").forEach(copyable);

const form = document.querySelector(".search");
const input = form.querySelector("input");
const box = form.querySelector(".found");
const told = box.querySelector("p");
const list = box.querySelector("ol");
form.hidden = false;

let parts = null;

async function load() {
  parts ??= fetch(new URL("index.json", import.meta.url)).then((answer) => answer.json()).then(prepare);
  try {
    return await parts;
  } catch (error) {
    parts = null;
    throw error;
  }
}

function entry(part, query) {
  const link = document.createElement("a");
  link.href = part.place ? `${part.href}#${part.place}` : part.href;
  const title = document.createElement("b");
  title.textContent = part.shown === part.name ? part.name : `${part.name} – ${part.shown}`;
  const words = document.createElement("small");
  for (const [text, isHit] of excerpt(part, query)) {
    const piece = isHit ? document.createElement("mark") : document.createElement("span");
    piece.textContent = text;
    words.append(piece);
  }
  link.append(title, words);
  const item = document.createElement("li");
  item.append(link);
  return item;
}

async function show() {
  const query = input.value;
  if (query.trim().length < 2) {
    box.hidden = true;
    return;
  }
  const found = find(await load(), query, document.documentElement.lang);
  if (query !== input.value) return; // typed on meanwhile
  told.textContent = found.length ? `${said.found}: ${found.length}` : said.none;
  list.replaceChildren(...found.map((part) => entry(part, query)));
  box.hidden = false;
}

function step(by) {
  const stops = [input, ...list.querySelectorAll("a")];
  const at = stops.indexOf(document.activeElement) + by;
  stops[Math.max(0, Math.min(stops.length - 1, at))].focus();
}

input.addEventListener("focus", () => { load().catch(() => {}); });
input.addEventListener("input", () => { show().catch(() => {}); });
form.addEventListener("submit", (event) => {
  event.preventDefault();
  list.querySelector("a")?.click();
});
form.addEventListener("keydown", (event) => {
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    step(event.key === "ArrowDown" ? 1 : -1);
  } else if (event.key === "Escape") {
    box.hidden = true;
    input.focus();
  }
});
document.addEventListener("click", (event) => {
  if (!form.contains(event.target)) box.hidden = true;
});
document.addEventListener("keydown", (event) => {
  const isTyping = event.target.closest("input, textarea");
  if (event.key === "/" && !isTyping && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    input.focus();
  }
});
