// A page of `report --live`: loads itself again when there is a newer report, and keeps the place of the reader.

const LOOK_EVERY = 3000; // ms
const PLACE = "place"; // in the session's storage
const ENDED = "This page is not updated any more: its command, `personamath report --live`, has ended.";
const list = document.querySelector("[data-part=list]");

let page;
let ended;

// A reader who types, or who has selected text, is not interrupted.
const busy = () => document.activeElement?.matches("input, select, textarea") || !getSelection().isCollapsed;

async function look() {
  let state;
  try {
    state = await (await fetch("/state", { cache: "no-store" })).json();
  } catch {
    ended ??= element("p", { class: "warning", id: "ended", role: "status" }, ENDED);
    document.getElementById("main").prepend(ended);
    return;
  }
  ended?.remove();
  page ??= state.page;
  if (state.page === page || busy()) return;
  sessionStorage.setItem(PLACE, JSON.stringify({ top: scrollY, list: list.scrollTop }));
  location.reload();
}

function restore() {
  const place = JSON.parse(sessionStorage.getItem(PLACE) ?? "null");
  sessionStorage.removeItem(PLACE);
  if (!place) return;
  scrollTo(0, place.top);
  // The list grows while the rows are unpacked.
  const until = performance.now() + LOOK_EVERY;
  const again = () => {
    list.scrollTop = place.list;
    if (list.scrollTop < place.list && performance.now() < until) requestAnimationFrame(again);
  };
  if (place.list) again();
}

addEventListener("load", restore);
look();
setInterval(look, LOOK_EVERY);
