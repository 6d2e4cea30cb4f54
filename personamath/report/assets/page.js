// The page: shows the view that the address names, in the light or dark theme.

const report = document.getElementById("report");
const view = document.getElementById("rows");
let browser;
let shown; // a promise: the view that the address names is complete

async function route() {
  const [name, state] = location.hash.slice(1).split("?");
  const rows = name === "rows";
  report.hidden = rows;
  view.hidden = !rows;
  for (const link of document.querySelectorAll("[data-view]")) {
    if ((link.dataset.view === "rows") === rows) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  if (rows) {
    browser ??= Rows.open().then((opened) => new Browser(view, opened));
    await (await browser).show(new URLSearchParams(state));
  } else if (name) document.getElementById(name)?.scrollIntoView();
}

function theme() {
  const root = document.documentElement;
  const button = document.getElementById("theme");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ?? (dark.matches ? "dark" : "light")) === "dark";
  const tell = () => button.setAttribute("aria-pressed", isDark());
  button.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    tell();
  });
  dark.addEventListener("change", tell);
  tell();
}

for (const holder of report.querySelectorAll(".text")) holder.replaceChildren(...typeset(holder.textContent));
theme();
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault(); // the address belongs to the view
  document.getElementById("main").focus();
});
addEventListener("hashchange", route);
// The rows follow this script in the page, so wait until they are loaded.
addEventListener("DOMContentLoaded", () => (shown = route()));
