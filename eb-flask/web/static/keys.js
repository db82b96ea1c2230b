// Keys for those who like them; every page works without. The dialog in base.html lists them.
"use strict";

const help = document.getElementById("help");

function rows() {
  return Array.from(document.querySelectorAll("#rows tbody a"));
}

function step(by) {
  const links = rows();
  const at = links.indexOf(document.activeElement);
  const to = links[at < 0 ? 0 : Math.min(Math.max(at + by, 0), links.length - 1)];
  if (to) to.focus();
  return Boolean(to);
}

function follow(selector) {
  const link = document.querySelector(selector);
  if (link) link.click();
  return Boolean(link);
}

function back() {
  const further = document.querySelector("a[rel=first]");
  if (further) history.back();
  return Boolean(further);
}

function search() {
  const field = document.getElementById("q");
  if (field) field.select();
  return Boolean(field) || follow("a.brand");
}

function toggleHelp() {
  if (help.open) help.close();
  else help.showModal();
  return true;
}

const keys = {
  "/": search,
  "j": () => step(1),
  "ArrowDown": () => document.activeElement.closest("#rows tbody") && step(1),
  "k": () => step(-1),
  "ArrowUp": () => document.activeElement.closest("#rows tbody") && step(-1),
  "n": () => follow("a[rel=next]"),
  "p": back,
  "h": () => follow("a.brand"),
  "?": toggleHelp,
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.id === "q" && event.key === "ArrowDown" && step(1)) event.preventDefault();
  if (event.target.closest("input, select, textarea") || (help.open && event.key !== "?")) return;
  const action = keys[event.key];
  if (action && action()) event.preventDefault();
});

async function copy(event) {
  await navigator.clipboard.writeText(location.href);
  event.target.textContent = "Copied";
}

function offer(id, action) {
  const button = document.getElementById(id);
  button.hidden = false;
  button.addEventListener("click", action);
}

if (navigator.clipboard) offer("copy", copy); // browsers have one over TLS and on this machine only
offer("keys", toggleHelp);
