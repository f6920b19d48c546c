"use strict";
// Labels live here, and in the browser's own storage where a file may have one, until they are saved: the file that
// comes of it is what `libra verify --labels` reads. `data-row` is the beginning of a row's line, so that no number in
// it passes through JavaScript.
const articles = [...document.querySelectorAll("article")];
const place = id => document.getElementById(id);
const labels = new Map(stored());
let unsaved = false;

function stored() {
  try { return JSON.parse(localStorage.getItem(document.body.dataset.key) || "[]"); } catch { return []; }
}
function store() {
  try { localStorage.setItem(document.body.dataset.key, JSON.stringify([...labels])); } catch { unsaved = true; }
}
function show(article) {
  const value = labels.get(article.dataset.row)?.label;
  article.toggleAttribute("data-label", value !== undefined);
  if (value !== undefined) article.dataset.label = value;
  for (const button of article.querySelectorAll("button")) button.setAttribute("aria-pressed", button.value === String(value));
  place("count").textContent = `${labels.size} of ${articles.length} labelled`;
}
function label(article, value) {
  if (labels.get(article.dataset.row)?.label === value) labels.delete(article.dataset.row);
  else labels.set(article.dataset.row, {label: value, time: new Date().toISOString().slice(0, 19) + "+00:00"});
  store();
  show(article);
}
function save() {
  const reviewer = place("reviewer").value.trim();
  const lines = [...labels].map(([row, found]) =>
    row + "," + JSON.stringify({label: found.label, reviewer: reviewer || undefined, time: found.time}).slice(1) + "\n");
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob(lines, {type: "application/x-ndjson"}));
  link.download = "labels.jsonl";
  link.click();
  unsaved = false;
}
function go(step) {
  const visible = articles.filter(article => !article.hidden);
  const at = visible.indexOf(document.activeElement.closest("article"));
  const next = visible[Math.min(Math.max(at + step, 0), visible.length - 1)];
  next?.focus({preventScroll: true});
  next?.scrollIntoView({block: "start"});
}

document.addEventListener("click", event => {
  if (event.target.matches("article button")) label(event.target.closest("article"), Number(event.target.value));
});
document.addEventListener("keydown", event => {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  if (event.target.matches("input")) { if (event.key === "Escape") event.target.blur(); return; }
  const article = document.activeElement.closest("article");
  if (event.key === "j") go(1);
  else if (event.key === "k") go(-1);
  else if (event.key === "/") { event.preventDefault(); place("filter").focus(); }
  else if (article && event.key === "y") label(article, 1);
  else if (article && event.key === "n") label(article, 0);
});
place("filter").addEventListener("input", event => {
  const wanted = event.target.value.toLowerCase();
  for (const article of articles) article.hidden = !article.textContent.toLowerCase().includes(wanted);
});
place("save").addEventListener("click", save);
window.addEventListener("beforeunload", event => { if (unsaved && labels.size) event.preventDefault(); });
for (const article of articles) {
  show(article);
  const response = article.querySelector("pre");  // what matters of a response is its end
  if (response) response.scrollTop = response.scrollHeight;
}
