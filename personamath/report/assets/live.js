// A page of `report --live`: loads itself again when there is a newer report, and keeps the place of the reader.

const LOOK_EVERY = 3000; // ms
const PLACE = "place"; // in the session's storage
const COMMAND = "personamath report --live";
const PANES = ["list", "detail"].map((name) => document.querySelector(`[data-part=${name}]`)); // they scroll on their own

let page;
let ended;

function farewell() {
  const parts = ["This page is not updated any more: its command, ", element("code", {}, COMMAND), ", has ended. It shows the run as it was then."];
  return element("p", { class: "warning", id: "ended", role: "status" }, ...parts);
}

// A reader who types, or who has selected text, is not interrupted.
const busy = () => document.activeElement?.matches("input, select, textarea") || !getSelection().isCollapsed;

async function look() {
  let state;
  try {
    state = await (await fetch("/state", { cache: "no-store" })).json();
  } catch {
    ended ??= farewell();
    document.getElementById("main").prepend(ended);
    return;
  }
  ended?.remove();
  page ??= state.page;
  if (state.page === page || busy()) return;
  sessionStorage.setItem(PLACE, JSON.stringify({ top: scrollY, panes: PANES.map((pane) => pane.scrollTop) }));
  location.reload();
}

async function restore() {
  const place = JSON.parse(sessionStorage.getItem(PLACE) ?? "null");
  sessionStorage.removeItem(PLACE);
  if (!place) return;
  scrollTo(0, place.top);
  await shown;
  PANES.forEach((pane, at) => (pane.scrollTop = place.panes[at]));
}

addEventListener("load", restore);
look();
setInterval(look, LOOK_EVERY);
